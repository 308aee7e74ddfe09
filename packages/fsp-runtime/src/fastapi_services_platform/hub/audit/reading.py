"""The trail in force, as operators read it: the platform's own, or that of the capability which took its place."""

from collections.abc import Sequence

from fastapi_services_platform.container.registry import Registry
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.observability.audit import AuditTrail, ChainVerdict, KeptEvent, ReadableTrail


class TrailKeptElsewhere(PlatformError):
    """A capability keeps the trail and does not let the hub read it."""

    def __init__(self, keeper: str) -> None:
        super().__init__(
            f"The audit trail is kept by {keeper}, which does not show it here.", "read it where that capability says."
        )


class TrailInForce:
    """Reads the trail that events go to now."""

    def __init__(self, container: Registry, own: ReadableTrail) -> None:
        self._container = container
        self._own = own

    async def tail(
        self, *, before: int | None = None, limit: int = 50, actor: str = "", action: str = ""
    ) -> Sequence[KeptEvent]:
        """The newest entries first; those before a number, of one actor, of one kind of action.

        Raises:
            TrailKeptElsewhere: the trail in force cannot be read.
        """
        return await (await self._trail()).tail(before=before, limit=limit, actor=actor, action=action)

    async def verify(self) -> ChainVerdict:
        """Whether the trail is unbroken.

        Raises:
            TrailKeptElsewhere: the trail in force cannot be read.
        """
        return await (await self._trail()).verify()

    async def _trail(self) -> ReadableTrail:
        if AuditTrail not in self._container:
            return self._own
        sink = await self._container.get(AuditTrail)
        if not isinstance(sink, ReadableTrail):
            raise TrailKeptElsewhere(type(sink).__name__)
        return sink
