"""Rights to look at the platform and to change it while it runs."""

from fastapi_services_platform.capability.contribution import Bundle, Permission

PERMISSIONS = (
    Permission("platform.capabilities.read", "See which capabilities are loaded, and why."),
    Permission("platform.routes.read", "See every route with the permission that it asks for."),
    Permission("platform.permissions.read", "See every permission and role template."),
    Permission("platform.health.read", "See how every part of the platform is."),
    Permission("platform.settings.read", "See effective settings with their source; secrets stay hidden."),
    Permission("platform.loglevels.read", "See the level of every logger."),
    Permission("platform.loglevels.change", "Change the level of a logger while the platform runs."),
    Permission("platform.audit.read", "Read the audit trail and check that it is unbroken."),
    Permission("platform.metrics.read", "Read the platform's metrics."),
)

BUNDLES = (
    Bundle(
        "platform:operator",
        "Runs the platform: sees its parts, its health and its audit trail, and changes log levels.",
        tuple(permission.name for permission in PERMISSIONS),
    ),
)

AUDIT_EVENTS = ("platform.loglevel_changed",)
