"""The real clock and real identifiers."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


class SystemClock:
    """The host's wall clock, aware UTC."""

    def now(self) -> datetime:
        """This instant."""
        return datetime.now(UTC)


class TimeOrderedIds:
    """UUIDv7: later ids sort behind earlier ones."""

    def new(self) -> UUID:
        """A new id."""
        return uuid7()
