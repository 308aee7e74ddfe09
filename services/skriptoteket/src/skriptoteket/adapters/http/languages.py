"""Which language a request speaks: the person's profile, the choice kept in a cookie, the browser's wish."""

from collections.abc import Mapping

from starlette.requests import Request

LOCALES = ("en", "sv")
COOKIE = "language"


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
