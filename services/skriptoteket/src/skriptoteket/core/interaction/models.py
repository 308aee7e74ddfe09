"""A tool session: what the last answer offered, and the state that the tool gave along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import InputFile, Run


@dataclass(frozen=True, slots=True)
class ToolSession:
    """One person with one tool. ``run_id`` is the run that made the offer, and pins the version that may go on.

    ``rev`` grows when a step is begun and when it ends, so of two windows only one can go on. ``context`` is
    ``default`` or ``sandbox:<id of what is tried>``; it comes from the run, never from a client. ``files`` are uploads
    that are kept for the next step.
    """

    tool_id: ToolId
    subject: str
    context: str
    last_used_at: datetime
    offer: tuple[Mapping[str, JsonValue], ...] = ()
    state: Mapping[str, JsonValue] | None = None
    rev: int = 0
    run_id: RunId | None = None
    pending_run_id: RunId | None = None
    files: tuple[InputFile, ...] = ()

    def offered(self, action_id: str) -> Mapping[str, JsonValue] | None:
        """The action with this id, if it was offered."""
        return next((each for each in self.offer if each["action_id"] == action_id), None)

    def rev_for(self, run: Run) -> int | None:
        """The rev to go on from after the run, if the session stands at it; a run that just ended has raised it."""
        if self.pending_run_id == run.id:
            return self.rev + 1 if run.state.terminal else self.rev
        return self.rev if self.run_id == run.id and self.pending_run_id is None else None


def fields_of(action: Mapping[str, JsonValue]) -> Sequence[Mapping[str, JsonValue]]:
    """The form of an offered action, as it was normalised."""
    fields = action.get("fields")
    return [each for each in fields if isinstance(each, Mapping)] if isinstance(fields, Sequence) else []
