"""How the platform was in the last hours, in memory: one entry for each look."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi_services_platform.hub.monitoring.overview import Overview
from fastapi_services_platform.observability.logger_factory import get_logger

INTERVAL_SECONDS = 30.0
KEPT = 2880

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """The state at a moment, and which parts were not healthy."""

    at: datetime
    status: str
    ailing: tuple[str, ...]


class HealthHistory:
    """Looks at the report of ``/health`` every half minute and remembers a day; changes go to the log."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview
        self.looks: deque[Look] = deque(maxlen=KEPT)

    async def look(self) -> None:
        """Add the state of now."""
        report = await self._overview.health()
        parts = {
            f"{kind} {name}": part
            for kind, group in report.items()
            if isinstance(group, dict)
            for name, part in group.items()
        }
        ailing = tuple(sorted(name for name, part in parts.items() if part["status"] != "healthy"))
        before = self.looks[-1].status if self.looks else "healthy"
        self.looks.append(Look(datetime.now(UTC), report["status"], ailing))
        if report["status"] != before:
            _log.warning("health.changed", before=before, now=report["status"], ailing=ailing)


def changes(looks: Sequence[Look], count: int = 20) -> list[Look]:
    """The looks at which the state or the ailing parts changed, newest first."""
    changed = [look for before, look in zip([None, *looks], looks, strict=False) if _differs(before, look)]
    return changed[::-1][:count]


def _differs(before: Look | None, look: Look) -> bool:
    return before is None or (before.status, before.ailing) != (look.status, look.ailing)
