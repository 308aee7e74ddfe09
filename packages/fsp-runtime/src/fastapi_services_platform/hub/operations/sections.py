"""The operators' pages as tabs, for those who may see them."""

from dataclasses import dataclass

from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.security.principal import Principal


@dataclass(frozen=True, slots=True)
class Section:
    """One tab."""

    label: str
    href: str
    permission: str


SECTIONS = (
    Section("Overview", "/platform", "platform.capabilities.read"),
    Section("Capabilities", "/platform/capabilities", "platform.capabilities.read"),
    Section("Health", "/platform/health", "platform.health.read"),
    Section("Routes", "/platform/routes", "platform.routes.read"),
    Section("Permissions", "/platform/permissions", "platform.permissions.read"),
    Section("Settings", "/platform/settings", "platform.settings.read"),
    Section("Log levels", "/platform/log-levels", "platform.loglevels.read"),
    Section("Flags", "/platform/flags", "platform.flags.read"),
    Section("Jobs", "/platform/jobs", "platform.jobs.read"),
    Section("Breakers", "/platform/breakers", "platform.breakers.read"),
    Section("Events", "/platform/events", "platform.events.read"),
    Section("Audit", "/platform/audit", "platform.audit.read"),
    Section("API reference", "/platform/reference", "platform.routes.read"),
)


async def visible_sections(pages: Pages, principal: Principal) -> list[Section]:
    """The tabs that a caller may open."""
    return [section for section in SECTIONS if await pages.allowed(principal, section.permission)]
