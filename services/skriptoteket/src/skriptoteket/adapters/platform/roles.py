"""The administrator bundle through the platform's role administration, if somebody provides it."""

from fastapi_services_platform import RoleAdministration, get_logger
from skriptoteket.core.governance.nominations.ports import CannotGrant

BUNDLE = "skriptoteket:admin"
_log = get_logger(__name__)


class PlatformRoles:
    """``role-administration@1`` as nominations need it; giving twice and taking what is not there do no harm."""

    def __init__(self, roles: RoleAdministration) -> None:
        self._roles = roles

    async def appoint(self, subject: str, *, by: str, reason: str) -> None:
        """Give the bundle. Raises ``CannotGrant``."""
        try:
            await self._roles.grant(subject, BUNDLE, by=by, reason=reason)
        except Exception as problem:  # whatever another capability raises: it is kept, shown, and tried again
            raise _failed(problem) from problem

    async def revoke(self, subject: str, *, by: str, reason: str) -> None:
        """Take the bundle. Raises ``CannotGrant``."""
        try:
            await self._roles.withdraw(subject, BUNDLE, by=by, reason=reason)
        except Exception as problem:  # as above
            raise _failed(problem) from problem


def _failed(problem: Exception) -> CannotGrant:
    _log.warning("nomination.grant_failed", error=type(problem).__name__)
    return CannotGrant(f"{type(problem).__name__}: {problem}")
