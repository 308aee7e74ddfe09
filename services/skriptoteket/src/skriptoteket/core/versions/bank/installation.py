"""Install tools that ship, through the same verbs that people use: draft, submit, publish, each recorded."""

from collections.abc import Sequence

from skriptoteket.core.catalog.curation import Curation
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.ports import UnitOfWork
from skriptoteket.core.roles import SYSTEM
from skriptoteket.core.versions.bank.models import BankTool, Installed
from skriptoteket.core.versions.drafting import DraftChange, Drafting
from skriptoteket.core.versions.models import ToolVersion, VersionState
from skriptoteket.core.versions.ports import VersionUnit
from skriptoteket.core.versions.publication import Expected, Publication
from skriptoteket.core.versions.review import Reviewing

_RATIONALE = "Ships with the library; its tests run through the real contract."


class BankInstallation:
    """The verb *install from the bank*; running it twice changes nothing."""

    def __init__(
        self,
        work: UnitOfWork[VersionUnit],
        curation: Curation,
        drafting: Drafting,
        reviewing: Reviewing,
        publication: Publication,
    ) -> None:
        self._work = work
        self._curation = curation
        self._drafting = drafting
        self._reviewing = reviewing
        self._publication = publication

    async def install(self, tools: Sequence[BankTool], *, publish: bool = True, dry: bool = False) -> list[Installed]:
        """Create what is missing, and a new version where the shipped behaviour differs from every one there was;
        ``dry`` only tells what would be done."""
        return [Installed(tool.slug, await self._install(tool, publish, dry)) for tool in tools]

    async def _install(self, bank: BankTool, publish: bool, dry: bool) -> str:
        tool, versions = await self._known(bank.slug)
        if tool is None:
            if not dry:
                created = await self._curation.create(SYSTEM, bank.texts, bank_slug=bank.slug)
                await self._draft(bank, created, None, publish, show=True)
            return "created"
        newest = versions[0] if versions else None
        wanted = self._drafting.hash_of(newest, _change(bank))
        same = [each for each in versions if each.behaviour_hash == wanted]
        unfinished = [each for each in same if _is_unfinished(each, tool)] if publish else []
        if unfinished:  # installed as a draft, or an earlier installation was interrupted
            if not dry:
                await self._publish(unfinished[0], show=tool.active_version_id is None)
            return "created"
        if same:
            return "unchanged"
        if tool.draft_head_version_id is not None:
            return "draft_kept"
        if not dry:
            await self._draft(bank, tool, newest, publish, show=False)
        return "updated"

    async def _draft(
        self, bank: BankTool, tool: Tool, newest: ToolVersion | None, publish: bool, *, show: bool
    ) -> None:
        draft = await self._drafting.create(SYSTEM, tool.id, _change(bank), newest.id if newest else None)
        if publish:
            await self._publish(draft, show=show)

    async def _known(self, slug: str) -> tuple[Tool | None, Sequence[ToolVersion]]:
        async with self._work.read() as unit:
            tool = await unit.tools.by_bank_slug(slug)
            return tool, await unit.versions.of_tool(tool.id) if tool is not None else ()

    async def _publish(self, draft: ToolVersion, *, show: bool) -> None:
        waiting = draft.state is VersionState.IN_REVIEW
        submitted = draft if waiting else await self._reviewing.submit(SYSTEM, draft.id, _RATIONALE)
        await self._publication.publish(SYSTEM, submitted.id, Expected(submitted.behaviour_hash), _RATIONALE, show=show)


def _change(bank: BankTool) -> DraftChange:
    return DraftChange(bank.behaviour, bank.change_summary)


def _is_unfinished(version: ToolVersion, tool: Tool) -> bool:
    if version.state is VersionState.IN_REVIEW:
        return version.submitted_by == SYSTEM.subject
    return version.id == tool.draft_head_version_id and version.created_by == SYSTEM.subject
