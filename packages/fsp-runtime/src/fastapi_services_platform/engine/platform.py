"""What a capability is given: settings, container, databases, inventory, audit trail."""

from fastapi_services_platform.config.feature_flags import FeatureFlags
from fastapi_services_platform.config.files import FLAGS_FILE, KEPT_FLAGS_FILE
from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.container.registry import Registry
from fastapi_services_platform.engine.background.jobs import JobRunner
from fastapi_services_platform.engine.background.leadership import Lease
from fastapi_services_platform.engine.inventory import Inventory
from fastapi_services_platform.engine.processes.siblings import Siblings
from fastapi_services_platform.events.relay import EventRelay
from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.observability.audit import AuditTrail, audit_trail
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.persistence.databases import Database, open_database

_log = get_logger(__name__)


def _tell_unknown_flag(name: str) -> None:
    _log.warning("flag.undeclared", flag=name, fix="declare it in a capability or in feature_flags.json")


class Platform:
    """The one object that ``initialize`` receives. Nothing in it is open before the start."""

    def __init__(self, settings: PlatformSettings) -> None:
        self.settings = settings
        self.container = Registry()
        self.inventory = Inventory()
        self.audit: AuditTrail = audit_trail(self.container)
        self.flags = FeatureFlags(
            settings.config_dir / FLAGS_FILE if settings.config_dir is not None else None,
            settings.data_dir / KEPT_FLAGS_FILE,
        )
        self.flags.tell_unknown = _tell_unknown_flag
        self._databases: dict[str, Database] = {}
        self.clients = Clients(allow=settings.outbound_allow)
        self.container.register_value(Clients, self.clients)
        self.jobs = JobRunner(Lease(self.database("hub")))
        self.siblings = Siblings()
        self.events = EventRelay(lambda: self.inventory.event_handlers)

    def database(self, name: str) -> Database:
        """The database of a capability; the same object for every caller."""
        if name not in self._databases:
            self._databases[name] = open_database(name, self.settings)
        return self._databases[name]

    @property
    def databases(self) -> tuple[Database, ...]:
        """Every database that was asked for."""
        return tuple(self._databases.values())
