"""Every verb of versions over one library."""

from datetime import timedelta
from typing import Any

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.curation import Curation, ToolTexts
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.versions.bank.taxonomy import install_taxonomy
from skriptoteket.core.versions.drafting import DraftChange, Drafting
from skriptoteket.core.versions.models import ToolVersion
from skriptoteket.core.versions.publication import Expected, FourEyes, Publication
from skriptoteket.core.versions.review import Reviewing

ENVIRONMENTS = ("standard@1",)


class Desk:
    """Every verb of versions over one library."""

    def __init__(self, work: Any, clock: Any, people: dict[str, Actor], four_eyes: FourEyes = "off") -> None:
        ids = TimeOrderedIds()
        self.work, self.clock = work, clock
        self.people = people
        self.curation = Curation(work, clock, ids)
        self.drafting = Drafting(work, clock, ids, ENVIRONMENTS)
        self.reviewing = Reviewing(work, clock, ids)
        self.publication = Publication(work, clock, ids, four_eyes)

    async def tool(self) -> Any:
        """A hidden tool that the author maintains."""
        await install_taxonomy(self.work)
        texts = ToolTexts(slug="counter", title="Counter", professions=("larare",), categories=("ovrigt",))
        tool = await self.curation.create(self.people["reviewer"], texts)
        async with self.work.write() as unit:
            await unit.tools.add_maintainer(tool.id, self.people["author"].subject)
        return tool

    async def draft(self, tool: Any, source: str) -> ToolVersion:
        """A first draft by the author."""
        return await self.drafting.create(self.people["author"], tool.id, DraftChange({"source_code": source}))

    async def published(self, tool: Any, source: str) -> ToolVersion:
        """A draft taken all the way."""
        draft = await self.draft(tool, source)
        await self.reviewing.submit(self.people["author"], draft.id)
        done = await self.publication.publish(
            self.people["reviewer"], draft.id, Expected(draft.behaviour_hash), "Looks good.", show=True
        )
        return (await self.drafting.version(self.people["reviewer"], done.new_active_version_id))[1]


async def waiting_run(work: Any, clock: Any, version: ToolVersion) -> RunId:
    """A run of the version that waits in the queue."""
    now = clock.now()
    run = Run(
        RunId(TimeOrderedIds().new()), RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE, RunState.QUEUED,
        version.tool_id, version.id, None, version.behaviour_hash, "urn:a", now, "standard@1",
        queue_deadline=now + timedelta(minutes=15),
    )  # fmt: skip
    async with work.write() as unit:
        await unit.runs.add(run)
    return run.id
