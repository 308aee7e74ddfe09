"""Tool sessions: wire shapes."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.runs.models import SessionFiles


class ActionIn(BaseModel):
    """A step to go on with. The state is the service's; nobody sends one."""

    model_config = ConfigDict(extra="forbid")

    action_id: str = Field(min_length=1, max_length=200)
    input: dict[str, JsonValue] = Field(default_factory=dict, max_length=50)
    expected_state_rev: int = Field(ge=0, le=2_147_483_647)
    session_files: SessionFiles = Field(
        SessionFiles.NONE, description="`reuse` gives the step the files of the one before, `clear` forgets them."
    )


class TrialActionIn(ActionIn):
    """A step of a trial of unsaved text; ``snapshot_id`` is in the answer of the sandbox run."""

    snapshot_id: str = Field(max_length=36)


class SessionOut(BaseModel):
    """What a tool offers, and which step is running."""

    state_rev: int
    next_actions: list[dict[str, JsonValue]]
    run_id: str | None
    pending_run_id: str | None
    files: list[str]

    @classmethod
    def of(cls, session: ToolSession) -> "SessionOut":
        """The wire shape of a session."""
        return cls(
            state_rev=session.rev,
            next_actions=[dict(each) for each in session.offer],
            run_id=str(session.run_id) if session.run_id else None,
            pending_run_id=str(session.pending_run_id) if session.pending_run_id else None,
            files=[file.original_name for file in session.files],
        )
