"""The hub shows the trail that events go to, whoever keeps it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fastapi_services_platform import (
    AuditEvent,
    AuditTrail,
    ChainVerdict,
    KeptEvent,
    PlatformSettings,
    Service,
)
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

API = {"authorization": "Bearer ada"}
BROWSER = {"accept": "text/html", "cookie": "session=ada"}


class Written:
    """A trail in a list that cannot be read."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    async def record(self, event: AuditEvent) -> None:
        self.events.append(event)


class Readable(Written):
    """The same, to be read and checked."""

    async def tail(
        self, *, before: int | None = None, limit: int = 50, actor: str = "", action: str = ""
    ) -> Sequence[KeptEvent]:
        return [
            KeptEvent(1, datetime.now(UTC), e.action, e.actor, e.resource, e.outcome, "", e.reason, {}, "0" * 64)
            for e in self.events
        ]

    async def verify(self) -> ChainVerdict:
        return ChainVerdict(len(self.events))


def provider(trail: Written, sample: Callable[..., Prepared]) -> Prepared:
    return sample("trails", manifest={"provides": ("audit-trail@1",)}, services=(Service(AuditTrail, lambda _: trail),))


async def test_the_trail_of_a_capability_is_what_operators_read(
    settings: PlatformSettings, sample: Callable[..., Prepared]
) -> None:
    """API, page and check ask the provider."""
    trail = Readable()
    async with started_app(settings=settings, capabilities=[provider(trail, sample), believing_identity()]) as client:
        level = {"logger": "demo", "level": "error"}
        await client.put("/platform/api/v1/log-levels", headers=API, json=level)
        await client.put("/platform/api/v1/log-levels", headers=API, json=level | {"level": None})
        entries = (await client.get("/platform/api/v1/audit", headers=API)).json()["entries"]
        verdict = (await client.get("/platform/api/v1/audit/verification", headers=API)).json()
        page = (await client.get("/platform/audit?check=true", headers=BROWSER)).text
    assert [entry["resource"] for entry in entries] == ["logger:demo", "logger:demo"]
    assert verdict["checked"] == 2
    assert "platform.loglevel_changed" in page


async def test_a_trail_that_cannot_be_read_is_named(
    settings: PlatformSettings, sample: Callable[..., Prepared]
) -> None:
    """Nobody is shown the platform's own, empty one in its place."""
    trail = Written()
    async with started_app(settings=settings, capabilities=[provider(trail, sample), believing_identity()]) as client:
        answer = await client.get("/platform/api/v1/audit", headers=API)
    assert (answer.status_code, answer.json()["title"]) == (501, "The audit trail is read elsewhere")
    assert "Written" in answer.json()["detail"]
