"""The live switch over HTTP: begin, watch, abort, go back. Each step is audited."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from au_sys_storage_sdk.core.errors import InvalidInput, NotFound
from au_sys_storage_sdk.core.switching.divided import MAIN
from au_sys_storage_sdk.core.switching.models import Progress
from au_sys_storage_sdk.core.switching.switches import Switches
from fastapi_services_platform import AuditEvent, AuditTrail, Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject

router = APIRouter()

SWITCH_EVENTS = ("storage.switch-begun", "storage.switch-aborted", "storage.switch-rolled-back")


class SwitchAudit:
    """Notes who moved storage where. ``rate``: documents a second that are copied when nobody says otherwise."""

    def __init__(self, audit: AuditTrail, rate: float | None = None) -> None:
        self._audit = audit
        self.rate = rate

    async def note(self, action: str, who: Principal, backend: str, operation: str, part: str = MAIN) -> None:
        """Record one step."""
        details = {"operation": operation, **({"part": part} if part else {})}
        await self._audit.record(AuditEvent(action, who.urn, f"storage/backends/{backend}", details=details))


class Operation(BaseModel):
    """A switch: where from and to, how far, and for how long writers waited (seconds).

    ``behind``: changes that the target does not have yet. ``compared``: documents found equal on both sides. ``rate``:
    documents a second that are copied at most. ``rollback_until``: how long (Unix ms) the way back is kept short.
    """

    operation: str
    source: str
    target: str
    phase: str
    copied: int
    since: int
    reached: int
    behind: int
    compared: int
    pause: float | None
    rate: float | None
    rollback_until: int | None
    reason: str


def _shown(progress: Progress) -> Operation:
    return Operation(
        operation=progress.operation, source=progress.source, target=progress.target, phase=progress.phase.value,
        copied=progress.copied, since=progress.since, reached=progress.reached, behind=progress.behind,
        compared=progress.compared, pause=progress.pause, rate=progress.rate, rollback_until=progress.rollback_until,
        reason=progress.reason,
    )  # fmt: skip


def _known(switches: Switches, operation: str) -> Progress:
    _, store = switches.doing(operation)
    if store.progress is None or store.progress.operation != operation:
        raise NotFound("switch", operation)
    return store.progress


Rate = Annotated[float | None, Query(ge=1)]
Part = Annotated[str, Query(max_length=40)]
Moving = Annotated[Switches, inject(Switches)]
Audit = Annotated[SwitchAudit, inject(SwitchAudit)]


@router.post("/storage/switch/{backend}", status_code=202)
@access(permission="storage.backends.switch")
async def begin_switch(
    principal: CurrentPrincipal,
    switches: Moving,
    audit: Audit,
    backend: str,
    dry_run: bool = False,
    rate: Rate = None,
    part: Part = MAIN,
) -> Operation:
    """Move documents to a configured backend while reads and writes go on; ``dry_run`` only checks the target.

    ``part``: only the namespaces of one of ``STORAGE_PARTS``; without it, all that no part names. ``rate``: documents a
    second that are copied at most, instead of ``STORAGE_SWITCH_RATE``.
    """
    if dry_run:
        await switches.check(part, backend)
        entry = switches.of(part).entry
        return _shown(Progress("", entry.active, backend, entry.phase, 0, 0, reason="it would be begun"))
    return _shown(await begin(switches, audit, principal, backend, part, rate))


async def begin(
    switches: Switches, audit: SwitchAudit, who: Principal, backend: str, part: str = MAIN, rate: float | None = None
) -> Progress:
    """Begin a switch for somebody."""
    begun = await switches.switch(part, backend, rate=rate or audit.rate)
    await audit.note("storage.switch-begun", who, backend, begun.operation, part)
    return begun


@router.head("/storage/switch/{operation}")
@router.get("/storage/switch/{operation}")
@access(permission="storage.backends.read")
async def read_switch(switches: Moving, operation: str) -> Operation:
    """How far it is."""
    return _shown(_known(switches, operation))


@router.delete("/storage/switch/{operation}")
@access(permission="storage.backends.switch")
async def abort_switch(principal: CurrentPrincipal, switches: Moving, audit: Audit, operation: str) -> Operation:
    """Give it up; the active backend has not noticed it."""
    return _shown(await abort(switches, audit, principal, operation))


async def abort(switches: Switches, audit: SwitchAudit, who: Principal, operation: str) -> Progress:
    """Give a switch up for somebody. Raises ``NotFound`` for another one, ``InvalidInput`` when it is over."""
    known = _known(switches, operation)
    part, store = switches.doing(operation)
    done = await store.abort()
    await audit.note("storage.switch-aborted", who, known.target, operation, part)
    return done


@router.post("/storage/switch/{operation}/rollback", status_code=202)
@access(permission="storage.backends.switch")
async def roll_back(principal: CurrentPrincipal, switches: Moving, audit: Audit, operation: str) -> Operation:
    """Go back to the backend before, which first takes over everything that was written since."""
    return _shown(await go_back(switches, audit, principal, operation))


async def go_back(switches: Switches, audit: SwitchAudit, who: Principal, operation: str) -> Progress:
    """Go back for somebody. Raises ``InvalidInput`` when this is not the last switch of its part that was done."""
    for part, store in switches:
        if store.entry.operation == operation and store.entry.previous:
            begun = await store.switch(store.entry.previous)
            await audit.note("storage.switch-rolled-back", who, begun.target, begun.operation, part)
            return begun
    raise InvalidInput("operation", "it is not the switch that can be rolled back", "name the last one that was done")
