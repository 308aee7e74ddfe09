"""Where pages of identity stand in the menu; an entry with a permission is shown to who holds it."""

from fastapi_services_platform import MenuEntry

MENU = (
    MenuEntry("My account", "/account", order=900, icon="person"),
    MenuEntry("Notices", "/account/notices", order=902, icon="info"),
    MenuEntry("Approvals", "/account/approvals", order=901, icon="shield"),
    MenuEntry("Requests", "/admin/identity/requests", "identity.requests.decide", order=805, icon="mail"),
    MenuEntry("People", "/admin/identity/users", "identity.users.read", order=800, icon="people"),
    MenuEntry("Roles", "/admin/identity/roles", "identity.roles.read", order=801, icon="key"),
    MenuEntry("Rules", "/admin/identity/policies", "identity.policies.read", order=803, icon="shield"),
    MenuEntry("Groups", "/admin/identity/groups", "identity.groups.read", order=802, icon="people"),
    MenuEntry("Machines", "/admin/identity/machines", "identity.machines.read", order=804, icon="key"),
    MenuEntry(
        "Organizations", "/admin/identity/organizations", "identity.organizations.read", order=806, icon="browse"
    ),
    MenuEntry("Directories", "/admin/identity/directories", "identity.directories.read", order=810, icon="database"),
    MenuEntry("Login providers", "/admin/identity/login-providers", "identity.settings.read", order=820, icon="next"),
    MenuEntry("Identity settings", "/admin/identity/settings", "identity.settings.read", order=830, icon="settings"),
    MenuEntry("Audit log", "/admin/identity/audit", "identity.audit.read", order=840, icon="audit"),
    MenuEntry("Backups", "/admin/identity/backups", "identity.recovery.read", order=850, icon="download"),
)
