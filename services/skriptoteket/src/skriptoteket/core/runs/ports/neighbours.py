"""What runs ask of tool sessions and schedules, which have their own stores."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.runs.models import InputFile, Run

SESSION_IDLE_TIME = timedelta(hours=24)
"""A tool session that nobody used for so long is over."""


class RunSessions(Protocol):
    """What runs do to tool sessions: a new one begins its session anew, the purge forgets unused ones."""

    async def begin(self, run: Run, now: datetime, *, keep_files: bool = True) -> None:
        """Forget offer and state, raise the rev, and wait for this run. Files that are kept for a next step stay,
        unless they are to go."""
        ...

    async def kept_files(self, tool_id: ToolId, subject: str, context: str) -> Sequence[InputFile]:
        """The uploads that a session keeps for its next step."""
        ...

    async def rev_for(self, run: Run) -> int | None:
        """The rev to go on from after the run; ``None`` when its session is elsewhere by now, or over."""
        ...

    async def forget_unused(self, before: datetime) -> int:
        """Remove sessions that were last used earlier; how many."""
        ...

    async def forget(self, subject: str) -> int:
        """Remove every session of somebody; how many."""
        ...

    async def forget_run(self, run_id: RunId) -> int:
        """Remove the session that goes on from this run; how many."""
        ...


class RunSchedules(Protocol):
    """What the purge and a leaving owner ask of schedules."""

    async def known(self, schedule_id: UUID) -> bool:
        """Whether there is such a schedule, so that its files stay."""
        ...

    async def forget(self, subject: str) -> int:
        """Remove every schedule of somebody; how many."""
        ...

    async def forget_history(self, before: datetime) -> int:
        """Remove what due times came to that are older; how many."""
        ...
