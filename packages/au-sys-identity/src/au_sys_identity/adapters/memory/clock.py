"""A clock that tests turn."""

from datetime import UTC, datetime, timedelta


class TurnedClock:
    """Stands still until it is turned."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def turn(self, **span: float) -> None:
        """Move on by ``days``, ``hours``, ``minutes``, ``seconds`` …"""
        self._now += timedelta(**span)
