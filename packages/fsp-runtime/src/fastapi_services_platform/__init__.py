"""The pure door: names that a capability author needs."""

from fastapi_services_platform.capability.contribution import (
    Bundle,
    Card,
    Contribution,
    FeatureFlag,
    Found,
    Health,
    HealthCheck,
    Job,
    LocaleFolder,
    McpTool,
    MenuEntry,
    Metrics,
    Migrations,
    Permission,
    ProblemMapping,
    Process,
    RouterMount,
    Search,
    Service,
    StaticFolder,
    TemplateFolder,
    Tier,
)
from fastapi_services_platform.capability.events import Event, EventHandler, ReceivedEvent
from fastapi_services_platform.capability.languages import Catalogues, Reader, chosen_language, marked
from fastapi_services_platform.capability.manifest import Capability, Manifest
from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.engine.app_factory import create_app
from fastapi_services_platform.engine.background.leadership import fencing_token
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.events.outbox import Outbox
from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.http.outbound.guarded import GuardedAnswer, GuardedClient, open_guarded_client
from fastapi_services_platform.http.outbound.policy import OutboundFailed, OutboundPolicy, OutboundRefused
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.http.permissions import access, guarded, reversible
from fastapi_services_platform.observability.audit import (
    AuditEvent,
    AuditTrail,
    ChainVerdict,
    KeptEvent,
    ReadableTrail,
)
from fastapi_services_platform.observability.logger_factory import current_fields, get_logger
from fastapi_services_platform.observability.metrics import Reading
from fastapi_services_platform.persistence.databases import Database, open_database
from fastapi_services_platform.persistence.unit_of_work import in_transaction
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker, CircuitOpen
from fastapi_services_platform.resilience.pools import blocking
from fastapi_services_platform.security.ports import (
    Authenticator,
    Authorizer,
    DeniedRequest,
    GuardedRequest,
    Notice,
    NoticeBoard,
    Notifier,
    PostedNotice,
    RequestGuard,
    RoleAdministration,
    SubjectCard,
    SubjectDirectory,
)
from fastapi_services_platform.security.principal import (
    Anonymous,
    Authentication,
    Decision,
    Principal,
    Refused,
    Reversibility,
)

__all__ = [
    "Anonymous",
    "AuditEvent",
    "AuditTrail",
    "Authentication",
    "Authenticator",
    "Authorizer",
    "Bundle",
    "Capability",
    "Card",
    "Catalogues",
    "ChainVerdict",
    "CircuitBreaker",
    "CircuitOpen",
    "ClientSettings",
    "Clients",
    "Contribution",
    "Database",
    "Decision",
    "DeniedRequest",
    "Event",
    "EventHandler",
    "FeatureFlag",
    "Found",
    "GuardedAnswer",
    "GuardedClient",
    "GuardedRequest",
    "Health",
    "HealthCheck",
    "Job",
    "KeptEvent",
    "LocaleFolder",
    "Manifest",
    "McpTool",
    "MenuEntry",
    "Metrics",
    "Migrations",
    "Notice",
    "NoticeBoard",
    "Notifier",
    "OutboundFailed",
    "OutboundPolicy",
    "OutboundRefused",
    "Outbox",
    "Permission",
    "Platform",
    "PlatformError",
    "PlatformSettings",
    "PostedNotice",
    "Principal",
    "ProblemMapping",
    "Process",
    "ReadableTrail",
    "Reader",
    "Reading",
    "ReceivedEvent",
    "Refused",
    "RequestGuard",
    "Reversibility",
    "RoleAdministration",
    "RouterMount",
    "Search",
    "Service",
    "StaticFolder",
    "SubjectCard",
    "SubjectDirectory",
    "TemplateFolder",
    "Tier",
    "access",
    "blocking",
    "chosen_language",
    "create_app",
    "current_fields",
    "fencing_token",
    "get_logger",
    "guarded",
    "in_transaction",
    "marked",
    "open_database",
    "open_guarded_client",
    "reversible",
]
