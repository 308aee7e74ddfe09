"""Which language a reader gets: her own choice, else the cookie's, else what her browser wishes."""

from collections.abc import Collection

_LONGEST = 500


def chosen_language(offered: Collection[str], preference: str | None, kept: str, wished: str, otherwise: str) -> str:
    """The first language that is offered: of the profile, of the cookie, of ``Accept-Language``, of the platform."""
    asked = (preference or "", kept, *_by_weight(wished))
    return next((known for each in asked if (known := _primary(each)) in offered), otherwise)


def _by_weight(wished: str) -> list[str]:
    weighted = []
    for place, entry in enumerate(wished[:_LONGEST].split(",")):
        name, _, parameter = entry.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        weighted.append((-weight, place, name.strip()))
    return [name for weight, _, name in sorted(weighted) if weight < 0]


def _primary(tag: str) -> str:
    return tag.lower().replace("_", "-").partition("-")[0]
