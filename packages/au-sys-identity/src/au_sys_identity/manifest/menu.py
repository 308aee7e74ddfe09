"""Where pages of identity stand in the menu; an entry with a permission is shown to who holds it."""

from fastapi_services_platform import MenuEntry

MENU = (
    MenuEntry(
        "People", "/admin/identity/users", "identity.users.read", order=800, icon="people", section="People and rights"
    ),
    MenuEntry(
        "Roles", "/admin/identity/roles", "identity.roles.read", order=801, icon="key", section="People and rights"
    ),
    MenuEntry(
        "Groups",
        "/admin/identity/groups",
        "identity.groups.read",
        order=802,
        icon="people",
        section="People and rights",
    ),
    MenuEntry(
        "Rules",
        "/admin/identity/policies",
        "identity.policies.read",
        order=803,
        icon="shield",
        section="People and rights",
    ),
    MenuEntry(
        "Machines",
        "/admin/identity/machines",
        "identity.machines.read",
        order=804,
        icon="key",
        section="People and rights",
    ),
    MenuEntry(
        "Requests",
        "/admin/identity/requests",
        "identity.requests.decide",
        order=805,
        icon="mail",
        section="People and rights",
    ),
    MenuEntry(
        "Organizations",
        "/admin/identity/organizations",
        "identity.organizations.read",
        order=806,
        icon="browse",
        section="People and rights",
    ),
    MenuEntry(
        "Directories",
        "/admin/identity/directories",
        "identity.directories.read",
        order=810,
        icon="database",
        section="Signing in",
    ),
    MenuEntry(
        "Login providers",
        "/admin/identity/login-providers",
        "identity.settings.read",
        order=820,
        icon="next",
        section="Signing in",
    ),
    MenuEntry(
        "Identity settings",
        "/admin/identity/settings",
        "identity.settings.read",
        order=830,
        icon="settings",
        section="Signing in",
    ),
    MenuEntry("Audit log", "/admin/identity/audit", "identity.audit.read", order=840, icon="audit", section="Platform"),
    MenuEntry(
        "Backups", "/admin/identity/backups", "identity.recovery.read", order=850, icon="download", section="Platform"
    ),
    MenuEntry("My account", "/account", order=900, icon="person", section="You"),
    MenuEntry("Approvals", "/account/approvals", order=901, icon="shield", section="You"),
    MenuEntry("Notices", "/account/notices", order=902, icon="info", section="You"),
)
