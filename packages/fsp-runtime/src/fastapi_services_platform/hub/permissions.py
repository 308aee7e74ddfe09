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
    Permission("platform.flags.read", "See every feature flag with its history."),
    Permission("platform.flags.change", "Change a feature flag while the platform runs."),
    Permission("platform.jobs.read", "See background jobs and how their last runs ended."),
    Permission("platform.jobs.run", "Run a background job at once."),
    Permission("platform.events.read", "See events between capabilities, with those that could not be handled."),
    Permission("platform.events.change", "Retry or discard an event that could not be handled."),
    Permission("platform.breakers.read", "See which upstreams are called and which are left alone."),
    Permission("platform.breakers.reset", "Close the breaker of an upstream at once."),
    Permission("platform.audit.read", "Read the audit trail and check that it is unbroken."),
    Permission("platform.metrics.read", "Read the platform's metrics."),
)

BUNDLES = (
    Bundle(
        "platform:operator",
        "Runs the platform: sees its parts, its health and its audit trail, and changes log levels and flags.",
        tuple(permission.name for permission in PERMISSIONS),
    ),
)

AUDIT_EVENTS = (
    "platform.event_discarded",
    "platform.event_retried",
    "platform.breaker_reset",
    "platform.flag_changed",
    "platform.job_started",
    "platform.loglevel_changed",
)
