"""Health over time."""

from pathlib import Path
from typing import Any

from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.hub.monitoring.health_history import HealthHistory, changes
from fastapi_services_platform.hub.monitoring.overview import Overview
from fastapi_services_platform.testing.started_app import settings_for


class Told(Overview):
    """An overview whose report is told to it."""

    status = "healthy"

    async def health(self) -> dict[str, Any]:  # Any: as the overview declares it
        return {"status": self.status, "checks": {"disk": {"status": self.status, "detail": ""}}}


async def test_changes_are_remembered(tmp_path: Path) -> None:
    """A change of state is kept with the parts that were not well; looks without a change are not changes."""
    told = Told(Platform(settings_for(tmp_path)))
    history = HealthHistory(told)
    for told.status in ("healthy", "healthy", "degraded", "degraded", "healthy"):
        await history.look()
    shown = [(look.status, look.ailing) for look in changes(history.looks)]
    assert (len(history.looks), shown) == (
        5,
        [("healthy", ()), ("degraded", ("checks disk",)), ("healthy", ())],
    )
