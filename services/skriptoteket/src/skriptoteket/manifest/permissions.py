"""Permissions and bundles, as data for the platform."""

from fastapi_services_platform import Bundle, Permission
from skriptoteket.core import roles

PERMISSIONS = (
    Permission(roles.BROWSE, "See the catalogue of tools."),
    Permission(roles.RUN, "Run tools and see one's own runs."),
    Permission(roles.SUGGEST, "Suggest tools and see what became of one's suggestions."),
    Permission(roles.AUTHOR, "Write and submit the tools that one maintains."),
    Permission(roles.SCHEDULE, "Let tools run at set times."),
    Permission(roles.AUTHOR_ANY, "Write every tool and read its source."),
    Permission(roles.TRIAGE, "Decide on suggestions."),
    Permission(roles.REVIEW, "Review versions and ask for changes."),
    Permission(roles.PUBLISH, "Publish reviewed versions."),
    Permission(roles.CURATE, "Edit texts and tags, show and hide tools, choose maintainers."),
    Permission(roles.VIEW_ANY_RUN, "Open other people's runs after stating a reason."),
    Permission(roles.NOMINATE, "Nominate colleagues as administrators of the library."),
    Permission(roles.ROLLBACK, "Bring an earlier published version back."),
    Permission(roles.REASSIGN_OWNER, "Give a tool another owner."),
    Permission(roles.APPROVE_ADMINS, "Decide on nominations."),
    Permission(roles.OPERATE, "See and steer workers, queue and storage times."),
)

BUNDLES = (
    Bundle("skriptoteket:user", "Finds and runs tools.", roles.USER_RIGHTS, default=True),
    Bundle("skriptoteket:contributor", "Suggests and writes tools.", roles.CONTRIBUTOR_RIGHTS),
    Bundle("skriptoteket:admin", "Reviews, publishes and curates.", roles.ADMIN_RIGHTS),
    Bundle("skriptoteket:superuser", "Rolls back, approves administrators, operates.", roles.SUPERUSER_RIGHTS),
)
"""Each bundle holds everything of the one above it."""
