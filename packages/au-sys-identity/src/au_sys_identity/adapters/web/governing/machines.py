"""Machines: one's own with stop, and everybody's as a tree under who answers for them, with the kill switch."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.adapters.web.governing.charts import custody_chart
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, NotFound, StepUpRequired, WeakSession
from au_sys_identity.core.graph.linking import Linking
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.groups.administration import Groups
from au_sys_identity.core.machines.accounts import Machines
from au_sys_identity.core.machines.models import KnownMachine
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.machines.stopping import Effect, Stopping
from au_sys_identity.core.organizations.membership import Organizations
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import MACHINES, Named, SubjectId, subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_OWN, _ALL = "/account/machines", "/admin/identity/machines"
_MOST = 200
_PAGE = 50
_SAID = {
    "stop": "They are stopped. Every request of theirs is refused from now on.",
    "resume": "They go on.",
    "transfer": "Custody was handed over, and the new custodian is told.",
}


@dataclass(frozen=True, slots=True)
class MachineRoom:
    """What the pages about machines, groups, organizations and the graph need."""

    graph: LiveGraph
    machines: Machines
    stopping: Stopping
    linking: Linking
    groups: Groups
    organizations: Organizations
    reach: Reach


@dataclass(frozen=True, slots=True)
class Branch:
    """A machine in the tree, and the machines that it made."""

    known: KnownMachine
    children: list["Branch"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.known.machine.name

    @property
    def active(self) -> bool:
        """Whether it may act."""
        return self.known.machine.active

    @property
    def below(self) -> Sequence["Branch"]:
        """The machines that it made."""
        return self.children


@dataclass(frozen=True, slots=True)
class Act:
    """What a form asks for."""

    act: str
    target: str
    everything: bool
    to: str
    reason: str

    @property
    def previewed(self) -> str:
        """The act that is only to be shown; empty for one that is to be done."""
        return self.act.removeprefix("preview-") if self.act.startswith("preview-") else ""


@router.get(_OWN)
@access(authenticated=True)
async def own_machines(
    request: Request, pages: Annotated[Pages, inject(Pages)], room: Annotated[MachineRoom, inject(MachineRoom)]
) -> Response:
    """What the caller answers for."""
    return await _own(request, pages, room)


@router.post(_OWN)
@access(authenticated=True)
async def act_on_own(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    room: Annotated[MachineRoom, inject(MachineRoom)],
    steps: Annotated[StepUp, inject(StepUp)],
    act: Annotated[str, Form(max_length=40)] = "",
    target: Annotated[str, Form(max_length=80)] = "",
    everything: Annotated[str, Form(max_length=10)] = "",
    to: Annotated[str, Form(max_length=80)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Stop or resume what the caller answers for."""
    wanted = Act(act, target, bool(everything), to, reason)
    caller = caller_of(request)

    async def subject() -> Named:
        found = subject_id(wanted.target)
        own = found is not None and caller.id in (await room.graph.current()).custody(found).custodians
        named = (await room.reach.names([found])).get(found) if found and (own or found == caller.id) else None
        if named is None:
            raise NotFound("machine")
        return named

    async def shown(effect: Effect | None, error: str) -> Response:
        return await _own(request, pages, room, wanted=wanted, effect=effect, error=error)

    return await _carried_out(caller, room, steps, wanted, subject, shown, _OWN)


@router.get(_ALL)
@access(permission="identity.machines.read")
async def all_machines(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    room: Annotated[MachineRoom, inject(MachineRoom)],
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Under each custodian, orphans on top."""
    return await _all(request, pages, room, after=after)


@router.post(_ALL)
@access(permission="identity.machines.stop")
async def act_on_any(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    room: Annotated[MachineRoom, inject(MachineRoom)],
    steps: Annotated[StepUp, inject(StepUp)],
    act: Annotated[str, Form(max_length=40)] = "",
    target: Annotated[str, Form(max_length=80)] = "",
    everything: Annotated[str, Form(max_length=10)] = "",
    to: Annotated[str, Form(max_length=80)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Preview, stop, resume, hand over."""
    wanted = Act(act, target, bool(everything), to, reason)
    caller = caller_of(request)

    async def subject() -> Named:
        return await room.reach.subject(caller, wanted.target, "identity.machines.stop")

    async def shown(effect: Effect | None, error: str) -> Response:
        return await _all(request, pages, room, wanted=wanted, effect=effect, error=error)

    return await _carried_out(caller, room, steps, wanted, subject, shown, _ALL)


async def _carried_out(
    caller: Principal,
    room: MachineRoom,
    steps: StepUp,
    wanted: Act,
    subject: Callable[[], Awaitable[Named]],
    shown: Callable[[Effect | None, str], Awaitable[Response]],
    page: str,
) -> Response:
    """Show what would happen, or ask for a fresh proof and do it."""
    try:
        named = await subject()
        if wanted.previewed:
            return await shown(await _done(room, caller, named, wanted, wanted.previewed, preview=True), "")
        try:
            await steps.require(caller)
        except (StepUpRequired, WeakSession):
            return ask_again(page)
        await _done(room, caller, named, wanted, wanted.act, preview=False)
    except IdentityError as error:
        return await shown(None, str(error))
    return RedirectResponse(f"{page}?saved={wanted.act}", 303)


async def _done(room: MachineRoom, caller: Principal, named: Named, wanted: Act, act: str, *, preview: bool) -> Effect:
    if act == "stop":
        return await room.stopping.stop(
            named.id, by=caller.urn, reason=wanted.reason, everything=wanted.everything, preview=preview
        )
    if act == "resume":
        return await room.stopping.resume(named.id, by=caller.urn, preview=preview)
    if act == "transfer":
        to = subject_id(wanted.to, "person")
        return await room.stopping.transfer(named.id, to, by=caller.urn, reason=wanted.reason, preview=preview)
    raise NotFound("act")


async def _own(
    request: Request,
    pages: Pages,
    room: MachineRoom,
    *,
    wanted: Act | None = None,
    effect: Effect | None = None,
    error: str = "",
) -> Response:
    caller = caller_of(request)
    found = await room.machines.page(MachineFilter(limit=_MOST), answered_by=caller.id)
    context: dict[str, object] = {
        "machines": found,
        "mine": caller.urn,
        "wanted": wanted,
        "effect": effect,
        "error": error,
        "said": _SAID.get(request.query_params.get("saved", ""), ""),
        "page": _OWN,
    }
    return await pages.render(request, "identity/own_machines.html", context, status_code=400 if error else 200)


async def _all(
    request: Request,
    pages: Pages,
    room: MachineRoom,
    *,
    after: str = "",
    wanted: Act | None = None,
    effect: Effect | None = None,
    error: str = "",
) -> Response:
    last = subject_id(after) if after else None
    found = await room.machines.page(MachineFilter(after=last, limit=_PAGE + 1))
    orphans, trees = await _trees(room, found[:_PAGE])
    context: dict[str, object] = {
        "orphans": orphans,
        "trees": trees,
        "chart": custody_chart([(person.name, branches) for person, branches in trees]),
        "next": str(found[_PAGE - 1].machine.id) if len(found) > _PAGE else "",
        "may_stop": await room.reach.decisions.holds(caller_of(request), "identity.machines.stop"),
        "wanted": wanted,
        "effect": effect,
        "error": error,
        "said": _SAID.get(request.query_params.get("saved", ""), ""),
        "page": _ALL,
    }
    return await pages.render(request, "identity/machines.html", context, status_code=400 if error else 200)


async def _trees(
    room: MachineRoom, found: Sequence[KnownMachine]
) -> tuple[list[KnownMachine], list[tuple[Named, list[Branch]]]]:
    """Machines that nobody answers for, and the others under who does, with what they made below them."""
    index = await room.graph.current()
    branches = {known.machine.id: Branch(known) for known in found}
    orphans = [known for known in found if not known.living]
    above: dict[SubjectId, list[Branch]] = {}
    for known in found:
        if not known.living:
            continue
        parents = [there for _step, there in index.upward_steps(known.machine.id)]
        parent = next((one for one in parents if _is_machine(one, branches)), None)
        if parent is not None and branches[parent].known.living:
            branches[parent].children.append(branches[known.machine.id])
        else:
            for custodian in index.custody(known.machine.id).custodians or (known.custodians[0].id,):
                above.setdefault(custodian, []).append(branches[known.machine.id])
    names = await room.reach.names(list(above))
    trees = [(names[one], held) for one, held in above.items() if one in names]
    return orphans, sorted(trees, key=lambda tree: (tree[0].name, tree[0].urn))


def _is_machine(subject: SubjectId, branches: dict[SubjectId, Branch]) -> bool:
    return subject in branches and branches[subject].known.machine.kind in MACHINES
