"""A clock that moves only when it is told to."""

from datetime import UTC, datetime, timedelta


class StandingClock:
    """Time for tests: aware, UTC."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The time it was set to."""
        return self.at

    def pass_(self, **how_long: float) -> None:
        """Let time pass; the words of ``timedelta``."""
        self.at += timedelta(**how_long)
