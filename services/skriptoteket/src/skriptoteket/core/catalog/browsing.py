"""Find a tool by need: professions, categories, words."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.catalog.ports import CatalogUnit
from skriptoteket.core.catalog.shelving import Shelves, Spine, words_of
from skriptoteket.core.errors import FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.ports import Clock, UnitOfWork

MOST_TOOLS = 100
_NEWEST = 4
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of what fits, out of ``total``; ``after`` is where the next page goes on. Counts are of the whole
    catalogue: by profession, and by category within the chosen professions."""

    tools: Sequence[Tool]
    total: int
    after: ToolId | None
    favourites: frozenset[ToolId]
    professions: Sequence[Profession]
    categories: Sequence[Category]
    profession_counts: Mapping[str, int]
    category_counts: Mapping[str, int]
    everything: int
    newest: Sequence[Tool]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for: OR inside a facet, AND across facets and words; only unknown slugs in a facet means
    none."""

    query: str = ""
    professions: Sequence[str] = ()
    categories: Sequence[str] = ()
    favourites_only: bool = False


class Browsing:
    """The questions that everybody may ask of the catalogue. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[CatalogUnit], clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._shelves = Shelves(clock)

    async def shelf(
        self, subject: str, wanted: Wanted | None = None, *, limit: int = MOST_TOOLS, after: ToolId | None = None
    ) -> Shelf:
        """The visible tools that fit, those whose title does first, then by title.

        Raises:
            ValidationFailed: ``after`` is no tool of this list.
        """
        wanted = wanted or Wanted()
        async with self._work.read() as unit:
            spines = await self._shelves.spines(unit.tools)
            favourites = await unit.tools.favourites(subject)
            found = _found(spines, wanted, favourites)
            start = _place_behind(found, after)
            shown = found[start : start + limit]
            chosen = _tagged(spines, wanted.professions, "professions")
            return Shelf(
                tools=shown,
                total=len(found),
                after=shown[-1].id if start + limit < len(found) else None,
                favourites=favourites,
                professions=await unit.taxonomy.professions(),
                categories=await unit.taxonomy.categories(),
                profession_counts=Counter(slug for spine in spines for slug in spine.tool.professions),
                category_counts=Counter(slug for spine in chosen for slug in spine.tool.categories),
                everything=len(spines),
                newest=_newest(spines),
            )

    async def professions(self) -> Sequence[Profession]:
        """Every profession in its order."""
        async with self._work.read() as unit:
            return await unit.taxonomy.professions()

    async def categories(self, profession: str | None = None) -> Sequence[Category]:
        """Every category, or those of a profession in its order.

        Raises:
            NotFound: there is no such profession.
        """
        async with self._work.read() as unit:
            if profession is not None and profession not in {each.slug for each in await unit.taxonomy.professions()}:
                raise NotFound("profession", profession)
            return await unit.taxonomy.categories(profession)

    async def favourite(self, subject: str, slug: str, wanted: bool) -> None:
        """Keep or forget a favourite; idempotent.

        Raises:
            NotFound: there is no such tool for users.
        """
        async with self._work.write() as unit:
            tool = await unit.tools.by_slug(slug)
            if tool is None or (not tool.is_visible and tool.id not in await unit.tools.favourites(subject)):
                raise NotFound("tool", slug)
            await unit.tools.set_favourite(tool.id, subject, wanted, self._clock.now())


def _found(spines: Sequence[Spine], wanted: Wanted, favourites: Collection[ToolId]) -> list[Tool]:
    words = words_of(wanted.query)
    kept = _tagged(_tagged(spines, wanted.professions, "professions"), wanted.categories, "categories")
    if wanted.favourites_only:
        kept = [spine for spine in kept if spine.tool.id in favourites]
    fitting = [spine for spine in kept if spine.fits(words)] if words else kept
    entitled = [spine.entitled(words) for spine in fitting]
    ordered = sorted(zip(entitled, fitting, strict=True), key=lambda pair: not pair[0])
    return [spine.tool for _, spine in ordered]


def _tagged(spines: Sequence[Spine], slugs: Sequence[str], facet: str) -> Sequence[Spine]:
    return [spine for spine in spines if set(slugs) & set(getattr(spine.tool, facet))] if slugs else spines


def _newest(spines: Sequence[Spine]) -> list[Tool]:
    tools = [spine.tool for spine in spines]
    return sorted(tools, key=lambda tool: tool.first_shown_at or _NEVER, reverse=True)[:_NEWEST]


def _place_behind(tools: Sequence[Tool], after: ToolId | None) -> int:
    if after is None:
        return 0
    for place, tool in enumerate(tools, start=1):
        if tool.id == after:
            return place
    raise ValidationFailed([FieldIssue("cursor", "unknown", "is none that a list gave; start without it")])
