"""What is in the catalogue, remembered with the words it is found by until a tool changes."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.catalog.ports import ToolStore
from skriptoteket.core.ports import Clock

MAX_WORDS = 8
_TRUSTED = timedelta(seconds=5)
"""How long the stamp is believed alone: a host whose clock is behind may change a tool without moving it."""


def folded(text: str) -> str:
    """Text for comparing: lower case, without accents, so that å ä ö also match a a o."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words_of(query: str) -> tuple[str, ...]:
    """The words of a search, folded."""
    return tuple(folded(query).split()[:MAX_WORDS])


@dataclass(frozen=True, slots=True)
class Spine:
    """A tool with its words as one text, each behind a space: those of its titles, and all of them."""

    tool: Tool
    title: str
    words: str

    def fits(self, wanted: Sequence[str]) -> bool:
        """Whether every word begins a word of title, summary, instructions or tags."""
        return all(f" {word}" in self.words for word in wanted)

    def entitled(self, wanted: Sequence[str]) -> bool:
        """Whether every word begins a word of a title."""
        return all(f" {word}" in self.title for word in wanted)


def spine_of(tool: Tool, instructions: str = "") -> Spine:
    """The tool as the catalogue finds it."""
    title = _spaced(f"{tool.title} {tool.title_sv}")
    rest = (tool.summary, tool.summary_sv, instructions, *tool.professions, *tool.categories)
    return Spine(tool, title, title + _spaced(" ".join(rest)))


def _spaced(text: str) -> str:
    known = "".join(character if character.isalnum() else " " for character in folded(text))
    return " " + " ".join(dict.fromkeys(known.split()))


class Shelves:
    """The visible tools by title. One for each process; changes of others are seen with the next question."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stamp: tuple[int, datetime | None] | None = None
        self._read_at: datetime | None = None
        self._spines: Sequence[Spine] = ()

    async def spines(self, tools: ToolStore) -> Sequence[Spine]:
        """Every tool of the catalogue, as it is now."""
        stamp, now = await tools.stamp(), self._clock.now()
        if stamp != self._stamp or self._read_at is None or not timedelta(0) <= now - self._read_at < _TRUSTED:
            known = {spine.tool: spine for spine in self._spines}
            found = [known.get(tool) or spine_of(tool, text) for tool, text in await tools.shown()]
            self._spines = sorted(found, key=lambda spine: folded(spine.tool.title))
            self._stamp, self._read_at = stamp, now
        return self._spines
