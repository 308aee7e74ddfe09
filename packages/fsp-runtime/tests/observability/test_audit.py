"""The audit port: which sink is used, and what happens when it fails."""

from typing import Any

import pytest

from fastapi_services_platform import AuditEvent, AuditTrail
from fastapi_services_platform.observability.audit import AuditFailed, DefaultAuditTrail, audit_trail


class Sink:
    """Keeps events in a list, or refuses them."""

    def __init__(self, error: Exception | None = None) -> None:
        self.events: list[AuditEvent] = []
        self.error = error

    async def record(self, event: AuditEvent) -> None:
        if self.error is not None:
            raise self.error
        self.events.append(event)


class Found(dict[object, Sink]):
    """A container with what it was given."""

    async def get(self, interface: Any) -> Any:  # type: ignore[override]  # Any: the container's own signature
        return self[interface]


async def test_a_capabilitys_trail_replaces_the_platforms() -> None:
    """The sink that a capability provides is used when there is one."""
    own, provided = Sink(), Sink()
    await audit_trail(Found({DefaultAuditTrail: own, AuditTrail: provided})).record(AuditEvent("a.done", "urn:x"))
    assert (len(own.events), len(provided.events)) == (0, 1)


async def test_an_essential_event_fails_its_operation() -> None:
    """What cannot be audited is not done."""
    trail = audit_trail(Found({DefaultAuditTrail: Sink(OSError("disk"))}))
    with pytest.raises(AuditFailed, match=r"'role\.granted'"):
        await trail.record(AuditEvent("role.granted", "urn:x"))


async def test_another_event_is_only_missed() -> None:
    """An event that is not essential lets its operation go on."""
    trail = audit_trail(Found({DefaultAuditTrail: Sink(OSError("disk"))}))
    assert await trail.record(AuditEvent("page.seen", "urn:x", essential=False)) is None  # type: ignore[func-returns-value]  # the point is that it returns


async def test_no_sink_at_all_fails_closed() -> None:
    """Without any sink an essential event is refused."""
    with pytest.raises(AuditFailed):
        await audit_trail(Found()).record(AuditEvent("role.granted", "urn:x"))
