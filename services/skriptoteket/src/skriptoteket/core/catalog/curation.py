"""Edit, show and hide tools."""

from dataclasses import dataclass, replace
from datetime import datetime

from skriptoteket.core.catalog.models import Tool, is_slug
from skriptoteket.core.catalog.ports import CatalogUnit
from skriptoteket.core.errors import FieldIssue, Forbidden, NotFound, ValidationFailed
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import CURATE, Actor


@dataclass(frozen=True, slots=True)
class ToolTexts:
    """What a curator writes about a tool; ``None`` leaves a field as it is."""

    slug: str | None = None
    title: str | None = None
    summary: str | None = None
    title_sv: str | None = None
    summary_sv: str | None = None
    professions: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    max_parallel: int | None = None


def ensure_showable(tool: Tool) -> None:
    """Nothing, if the tool may be shown.

    Raises:
        ValidationFailed: lists all that is missing.
    """
    issues = []
    if tool.active_version_id is None:
        issues.append(FieldIssue("active_version_id", "required", "publish a version first"))
    if tool.has_placeholder_slug:
        issues.append(FieldIssue("slug", "placeholder", "give the tool an address of its own first"))
    if not tool.professions:
        issues.append(FieldIssue("professions", "required", "choose at least one profession"))
    if not tool.categories:
        issues.append(FieldIssue("categories", "required", "choose at least one category"))
    if issues:
        raise ValidationFailed(issues)


def shown(tool: Tool, now: datetime) -> Tool:
    """The tool in the catalogue."""
    return replace(tool, is_visible=True, first_shown_at=tool.first_shown_at or now, updated_at=now)


class Curation:
    """The verbs *create*, *edit*, *show* and *hide*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[CatalogUnit], clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def create(self, actor: Actor, texts: ToolTexts, *, bank_slug: str | None = None) -> Tool:
        """A hidden tool without versions; the actor owns and maintains it.

        Raises:
            NotFound: the actor does not curate.
            Conflict: ``slug_taken``.
            ValidationFailed: a text or tag is wrong.
        """
        _ensure_curates(actor, "new")
        now = self._clock.now()
        tool_id = ToolId(self._ids.new())
        blank = Tool(tool_id, f"draft-{tool_id}", "", "", actor.subject, now, now, bank_slug=bank_slug)
        async with self._work.write() as unit:
            tool = await _edited(unit, blank, texts, now)
            await unit.tools.add(tool)
            await unit.tools.add_maintainer(tool.id, actor.subject)
            return tool

    async def edit(self, actor: Actor, tool_id: ToolId, texts: ToolTexts) -> Tool:
        """Change texts, slug and tags; a slug that was public once keeps leading to the tool. Maintainers decide on
        them until the tool is shown for the first time, curators always.

        Raises:
            NotFound, Forbidden, Conflict (``slug_taken``), ValidationFailed.
        """
        async with self._work.write() as unit:
            before = await unit.tools.lock(tool_id)
            await _ensure_edits(unit, actor, before, texts)
            after = await _edited(unit, before, texts, self._clock.now())
            if after.slug != before.slug and before.first_shown_at is not None:
                await unit.tools.keep_alias(tool_id, before.slug)
            await unit.tools.update(after)
            return after

    async def show(self, actor: Actor, tool_id: ToolId) -> Tool:
        """Put the tool into the catalogue; idempotent.

        Raises:
            NotFound, ValidationFailed (everything that is missing).
        """
        _ensure_curates(actor, tool_id)
        async with self._work.write() as unit:
            tool = await unit.tools.lock(tool_id)
            if tool.is_visible:
                return tool
            ensure_showable(tool)
            tool = shown(tool, self._clock.now())
            await unit.tools.update(tool)
            return tool

    async def hide(self, actor: Actor, tool_id: ToolId) -> Tool:
        """Take the tool out of the catalogue and cancel its waiting runs; idempotent.

        Raises:
            NotFound: no such tool, or the actor does not curate.
        """
        _ensure_curates(actor, tool_id)
        async with self._work.write() as unit:
            tool = await unit.tools.lock(tool_id)
            if not tool.is_visible:
                return tool
            now = self._clock.now()
            tool = replace(tool, is_visible=False, updated_at=now)
            await unit.tools.update(tool)
            await unit.queue.retire(tool_id, None, now)
            return tool

    async def tools(self, actor: Actor) -> list[Tool]:
        """Every tool, hidden ones too, by title.

        Raises:
            NotFound: the actor does not curate.
        """
        _ensure_curates(actor, "all")
        async with self._work.read() as unit:
            return sorted(await unit.tools.all(), key=lambda tool: tool.title.casefold())


async def _ensure_edits(unit: CatalogUnit, actor: Actor, tool: Tool, texts: ToolTexts) -> None:
    if actor.holds(CURATE):
        return
    if not actor.may_write(await unit.tools.maintainers(tool.id)):
        raise NotFound("tool", tool.id)
    if tool.first_shown_at is not None or texts.max_parallel is not None:
        raise Forbidden("Curators decide on this, since the tool was in the catalogue. Ask one of them.")


def _ensure_curates(actor: Actor, key: object) -> None:
    if not actor.holds(CURATE):
        raise NotFound("tool", key)


async def _edited(unit: CatalogUnit, tool: Tool, texts: ToolTexts, now: datetime) -> Tool:
    given = {name: getattr(texts, name) for name in texts.__dataclass_fields__}
    after = replace(tool, updated_at=now, **{name: value for name, value in given.items() if value is not None})
    after = replace(after, slug=after.slug.strip().lower())
    issues = _text_issues(after)
    issues += await _tag_issues(unit, after)
    if issues:
        raise ValidationFailed(issues)
    return after


def _text_issues(tool: Tool) -> list[FieldIssue]:
    issues = []
    if not tool.has_placeholder_slug and not is_slug(tool.slug):
        text = "use lower-case letters, digits and single hyphens, at most 128 characters"
        issues.append(FieldIssue("slug", "pattern", text))
    if not 1 <= len(tool.title.strip()) <= 255:
        issues.append(FieldIssue("title", "length", "write 1 to 255 characters"))
    for name, most in (("title_sv", 255), ("summary", 2000), ("summary_sv", 2000)):
        if len(getattr(tool, name)) > most:
            issues.append(FieldIssue(name, "length", f"write at most {most} characters"))
    if tool.max_parallel is not None and not 1 <= tool.max_parallel <= 1000:
        issues.append(FieldIssue("max_parallel", "range", "must be from 1 to 1000"))
    return issues


async def _tag_issues(unit: CatalogUnit, tool: Tool) -> list[FieldIssue]:
    professions = {profession.slug for profession in await unit.taxonomy.professions()}
    categories = {category.slug for category in await unit.taxonomy.categories()}
    issues = []
    for name, chosen, known in (
        ("professions", tool.professions, professions),
        ("categories", tool.categories, categories),
    ):
        unknown = [slug for slug in chosen if slug not in known]
        if unknown:
            issues.append(
                FieldIssue(name, "unknown", f"there is no {', '.join(unknown)} (known: {', '.join(sorted(known))})")
            )
        if len(set(chosen)) != len(chosen):
            issues.append(FieldIssue(name, "duplicate", "names one twice"))
    return issues
