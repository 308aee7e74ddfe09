"""Find a tool by need: professions, categories, words."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.catalog.ports import CatalogUnit, ToolFilter
from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.ports import Clock, UnitOfWork

MAX_WORDS = 8


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of the catalogue."""

    tools: Sequence[Tool]
    favourites: frozenset[ToolId]
    professions: Sequence[Profession]
    categories: Sequence[Category]


def folded(text: str) -> str:
    """Text for comparing: lower case, without accents, so that å ä ö also match a a o."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words_of(query: str) -> tuple[str, ...]:
    """The words of a search, folded."""
    return tuple(folded(query).split()[:MAX_WORDS])


def fits(tool: Tool, words: Sequence[str]) -> bool:
    """Whether every word begins a word of title, summary or tags."""
    text = " ".join((tool.title, tool.summary, tool.title_sv, tool.summary_sv, *tool.professions, *tool.categories))
    known = folded(text).replace("-", " ").replace("/", " ").split()
    return all(any(each.startswith(word) for each in known) for word in words)


def rank(tool: Tool, words: Sequence[str]) -> tuple[int, str]:
    """Sort key: hits in the title first, then by title."""
    title = folded(f"{tool.title} {tool.title_sv}").split()
    in_title = all(any(each.startswith(word) for each in title) for word in words)
    return (0 if words and in_title else 1, folded(tool.title))


class Browsing:
    """The questions that everybody may ask of the catalogue. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[CatalogUnit], clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def shelf(
        self,
        subject: str,
        query: str = "",
        professions: Sequence[str] = (),
        categories: Sequence[str] = (),
        *,
        favourites_only: bool = False,
    ) -> Shelf:
        """The visible tools that fit: OR inside a facet, AND across facets; only unknown slugs in a facet means
        none."""
        words = words_of(query)
        async with self._work.read() as unit:
            found = await unit.tools.find(
                ToolFilter(
                    professions=frozenset(professions),
                    categories=frozenset(categories),
                    favourites_of=subject if favourites_only else None,
                )
            )
            tools = sorted((tool for tool in found if fits(tool, words)), key=lambda tool: rank(tool, words))
            return Shelf(
                tools,
                await unit.tools.favourites(subject),
                await unit.taxonomy.professions(),
                await unit.taxonomy.categories(),
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
