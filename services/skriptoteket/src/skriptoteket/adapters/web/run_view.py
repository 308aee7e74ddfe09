"""What the page of a run shows: how far it is, what came out, and what the tool offers to go on with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.requests import Request

from fastapi_services_platform import Principal
from skriptoteket.adapters.web.result_blocks import unmentioned, view_blocks
from skriptoteket.adapters.web.texts import STATE_TONES, STATE_WORDS, Readers
from skriptoteket.core.interaction.actions import Interaction
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.runs.watching import SeenRun


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step that somebody tried, and what was wrong with it."""

    action_id: str = ""
    given: Mapping[str, object] = field(default_factory=dict)
    issues: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


async def offer(steps: Interaction, seen: SeenRun, principal: Principal) -> ToolSession | None:
    """The session, if this run's result is the one to go on from."""
    if not seen.run.next_actions:
        return None
    found = await steps.look(seen.tool.id, principal.urn, seen.run.session_context)
    return found if found is not None and found.run_id == seen.run.id and found.pending_run_id is None else None


def view(
    request: Request,
    seen: SeenRun,
    principal: Principal,
    people: Readers,
    session: ToolSession | None,
    attempt: Attempt | None = None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, object]:
    """The context of the page, and of its live part."""
    run = seen.run
    version = seen.version
    fields = {str(field["name"]): field for field in version.behaviour.input_schema} if version is not None else {}
    return {
        "reader": people.of(principal, request),
        "seen": seen,
        "run": run,
        "tool": seen.tool,
        "word": STATE_WORDS[run.state],
        "tone": STATE_TONES[run.state],
        "blocks": view_blocks(run.outputs, seen.artifacts),
        "files": unmentioned(run.outputs, seen.artifacts),
        "fields": fields,
        "refreshes": not run.state.terminal,
        "session": session,
        "attempt": attempt or Attempt(),
        "names": names,
    }
