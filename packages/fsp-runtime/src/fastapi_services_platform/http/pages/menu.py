"""The menu of the frame: entries gathered in sections, the place where the reader is, and the way there."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace

from fastapi_services_platform.capability.contribution import MenuEntry
from fastapi_services_platform.capability.languages import Reader, marked

_HOME = marked("Hub")
_FEW = 12
"""So many entries need no folding."""


@dataclass(frozen=True, slots=True)
class MenuSection:
    """Entries that stand together. ``unfolded``: the reader is in it, or the whole menu is short."""

    label: str
    entries: tuple[MenuEntry, ...]
    unfolded: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """What a reader may open; ``current`` is the entry that the page belongs to, ``section`` where that stands."""

    sections: tuple[MenuSection, ...] = ()
    current: MenuEntry | None = None
    section: str = ""
    here: str = "/"
    home: str = ""

    def way(self, crumbs: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """The way to a page: home, the section (which has no address), and the page's own crumbs, else the entry that
        it lies under.
        """
        if not self.sections or self.here == "/":
            return crumbs
        above = self.current is not None and self.current.href != self.here
        own = list(crumbs) or ([(self.current.label, self.current.href)] if self.current and above else [])
        told_twice = bool(own) and own[0][0] == self.section
        return [(self.home, "/"), *([(self.section, "")] if self.section and not told_twice else []), *own]


standing: ContextVar[Menu] = ContextVar("fsp_standing", default=Menu())  # noqa: B039  # a Menu is frozen
"""Where the page that is being rendered stands."""


def way_here(crumbs: Sequence[tuple[str, str]] = ()) -> Sequence[tuple[str, str]]:
    """For ``page_header``: the way to the page that is being rendered."""
    return standing.get().way(crumbs)


def menu_of(owned: Sequence[tuple[str, MenuEntry]], reader: Reader, here: str) -> Menu:
    """The menu of a reader, in her language."""
    sections: dict[str, list[MenuEntry]] = {}
    labels: dict[str, str] = {}
    for owner, entry in owned:
        labels.setdefault(entry.section, reader.of(owner, entry.section))
        sections.setdefault(entry.section, []).append(replace(entry, label=reader.of(owner, entry.label)))
    current = max((entry for _, entry in owned if _within(here, entry.href)), key=_depth, default=None)
    short = len(owned) <= _FEW
    built = [
        MenuSection(labels[name], tuple(entries), short or (current is not None and current.section == name))
        for name, entries in sorted(sections.items(), key=lambda named: bool(named[0]))
    ]
    home = reader.of("hub", _HOME)
    if current is None:
        return Menu(tuple(built), None, "", here, home)
    said = next(entry for entry in sections[current.section] if entry.href == current.href)
    return Menu(tuple(built), said, labels[current.section], here, home)


def _depth(entry: MenuEntry) -> int:
    return len(entry.href)


def _within(here: str, href: str) -> bool:
    return href != "/" and (here == href or here.startswith(href.rstrip("/") + "/"))
