"""Who reads a page: which language and which clock a request asks for."""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo

from starlette.requests import Request

from fastapi_services_platform.capability.languages import SOURCE_LANGUAGE, Catalogues, Reader, chosen_language, marked
from fastapi_services_platform.capability.languages.catalogues import SHARED
from fastapi_services_platform.resilience.pools import blocking
from fastapi_services_platform.security.principal import Principal

LANGUAGE_COOKIE = "fsp-language"
ZONE_COOKIE = "fsp-zone"
"""Kept by hub.js: the zone of the browser's clock."""

_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")
_OWN_NAME = marked("English")
"""What a catalogue calls its own language."""


class Readers:
    """Makes the reader of each request. What it reads from disk it reads once, in a thread."""

    def __init__(self, catalogues: Catalogues, language: str = SOURCE_LANGUAGE, zone: str = "UTC") -> None:
        self.catalogues = catalogues
        self.names: Mapping[str, str] = {}
        self._language = language
        self._zone = zone
        self._zones: dict[str, tzinfo] = {"UTC": UTC}

    def language_of(self, request: Request, principal: Principal | None) -> str:
        """The language of a request: of the profile, of the cookie, of the browser, of the platform."""
        return chosen_language(
            self.catalogues.languages,
            principal.locale if principal is not None else None,
            request.cookies.get(LANGUAGE_COOKIE, ""),
            request.headers.get("accept-language", ""),
            self._language,
        )

    async def of(self, request: Request, principal: Principal | None, owner: str) -> Reader:
        """The reader behind a request, whose texts are looked up for a capability first."""
        if not self.names:
            self.names = await blocking(self._own_names)
        language = self.language_of(request, principal)
        stated = (principal.timezone if principal is not None else None, request.cookies.get(ZONE_COOKIE))
        for name in stated:
            zone = await self._known_zone(name or "")
            if zone is not None:
                return Reader(language, zone, True, owner, self.catalogues)
        return Reader(language, await self._known_zone(self._zone) or UTC, False, owner, self.catalogues)

    def _own_names(self) -> dict[str, str]:
        catalogues = self.catalogues
        for language in catalogues.languages:
            if not catalogues.has(language):
                catalogues.load(language)
        return {language: catalogues.text(SHARED, language, _OWN_NAME) for language in catalogues.languages}

    async def _known_zone(self, name: str) -> tzinfo | None:
        if name not in self._zones and _ZONE.fullmatch(name):
            zone = await blocking(_read_zone, name)
            if zone is None:
                return None
            self._zones[name] = zone
        return self._zones.get(name)


def _read_zone(name: str) -> tzinfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
