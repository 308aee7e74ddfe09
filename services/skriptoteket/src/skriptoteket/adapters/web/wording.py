"""The words of pages in the reader's language: English as written, other languages from compiled catalogues."""

import gettext
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request

DOMAIN = "skriptoteket"
LOCALES = ("en", "sv")
COOKIE = "language"
_FOLDER = Path(__file__).with_name("locale")


def marked(text: str) -> str:
    """A text that is translated where it is shown; the catalogue's collector looks for this name."""
    return text


@cache
def catalogue(locale: str) -> gettext.NullTranslations:
    """The texts of a language; what a catalogue lacks is shown in English."""
    return gettext.translation(DOMAIN, _FOLDER, [locale], fallback=True)


def translated(locale: str, text: object) -> str:
    """A text in a language. An empty one stays empty: gettext keeps its header under it."""
    said = str(text)
    return catalogue(locale).gettext(said) if said and locale != "en" else said


def chosen(request: Request, profile: str | None, otherwise: str) -> str:
    """The language of a page: the person's profile, else the cookie, else what the browser asks for, else the
    platform's."""
    asked = (profile or "", request.cookies.get(COOKIE, ""), *_accepted(request.headers))
    return next((known for each in asked if (known := _known(each))), otherwise)


def _accepted(headers: Mapping[str, str]) -> list[str]:
    """The languages of ``Accept-Language``, most wanted first."""
    weighted = []
    for place, entry in enumerate(headers.get("accept-language", "")[:500].split(",")):
        name, _, parameter = entry.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        weighted.append((-weight, place, name.strip()))
    return [name for weight, _, name in sorted(weighted) if weight < 0]


def _known(text: str) -> str:
    primary = text.lower().replace("_", "-").partition("-")[0]
    return primary if primary in LOCALES else ""
