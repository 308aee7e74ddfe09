"""Search everything at once: pages, acts and settings of the platform, and what capabilities let be found."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from fastapi_services_platform.capability.contribution import Found, Search
from fastapi_services_platform.capability.languages import Reader, marked
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.hub.monitoring.overview import Overview
from fastapi_services_platform.hub.operations.sections import SECTIONS
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.security.principal import Principal

_log = get_logger(__name__)
_SECONDS = 2.0
_FEWEST_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Group:
    """What one place gave; ``complete`` is false when it did not answer."""

    heading: str
    found: Sequence[Found]
    complete: bool = True


class Finder:
    """Asks every place at once. One that fails or takes too long leaves the others' answers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._overview = Overview(platform)

    async def find(self, request: Request, pages: Pages, who: Principal, words: str, limit: int) -> list[Group]:
        """What there is for the words, in the reader's language; without words, what one may open and do."""
        words = " ".join(words.split())
        reader = await pages.reader(request)
        own = [
            Group(reader.text(_PAGES), _fitting(await self._pages(pages, who, reader), words, limit)),
            Group(reader.text(_ACTS), _fitting(self._acts(reader), words, limit)),
        ]
        if len(words) < _FEWEST_LETTERS:
            return [group for group in own if group.found]
        if await pages.allowed(who, "platform.settings.read"):
            own.append(Group(reader.text(_SETTINGS), self._settings(words, limit)))
        places = [
            (owner, place)
            for owner, place in self._platform.inventory.searches
            if await pages.allowed(who, place.permission)
        ]
        asked = (self._asked(owner, place, who, words, reader, limit) for owner, place in places)
        return [group for group in [*own, *await asyncio.gather(*asked)] if group.found or not group.complete]

    async def _asked(self, owner: str, place: Search, who: Principal, words: str, reader: Reader, limit: int) -> Group:
        heading = reader.of(owner, place.heading)
        try:
            async with asyncio.timeout(_SECONDS):
                return Group(heading, list(await place.find(who, words, reader.language, limit))[:limit])
        except Exception as error:  # a search without one place is better than no search
            _log.error("search.place_failed", place=place.heading, exc_info=error)
            return Group(heading, (), complete=False)

    async def _pages(self, pages: Pages, who: Principal, reader: Reader) -> list[Found]:
        """What the menu leads to, and the tabs of the platform's own pages."""
        found = [
            Found(reader.of(owner, entry.label), entry.href, reader.of(owner, entry.section), entry.icon)
            for owner, entry in self._platform.inventory.menu
            if await pages.allowed(who, entry.permission)
        ]
        known = {item.href for item in found}
        platform = reader.text(marked("Platform"))
        for section in SECTIONS:
            if section.href not in known and await pages.allowed(who, section.permission):
                found.append(Found(reader.text(section.label), section.href, platform, "platform"))
        return found

    def _acts(self, reader: Reader) -> list[Found]:
        """What can be done from anywhere."""
        acts = [
            Found(reader.text(label), "/theme", icon=icon, fields=(("theme", theme),))
            for label, icon, theme in _COLOURS
        ]
        if any(entry.path == "/logout" for entry in self._platform.inventory.routes):
            acts.append(Found(reader.text(marked("Sign out")), "/logout", icon="leave", fields=()))
        return acts

    def _settings(self, words: str, limit: int) -> list[Found]:
        known = self._overview.settings()
        found = [Found(item.variable, "/platform/settings", item.description, "settings") for item in known]
        return _fitting(found, words, limit)


_COLOURS = (
    (marked("Colours: dark"), "moon", "dark"),
    (marked("Colours: light"), "sun", "light"),
    (marked("Colours: as the system"), "contrast", "auto"),
)
_PAGES = marked("Pages")
_ACTS = marked("Do")
_SETTINGS = marked("Settings")


def _fitting(found: Sequence[Found], words: str, limit: int) -> list[Found]:
    """Those that hold every word; whose title begins with the words stand first."""
    asked = words.casefold().split()
    fits = [item for item in found if all(word in f"{item.title} {item.text}".casefold() for word in asked)]
    fits.sort(key=lambda item: not item.title.casefold().startswith(words.casefold()))
    return fits[:limit]
