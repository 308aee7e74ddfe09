"""Who reads: in which language, on which clock; texts, times and numbers as she is used to them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from markupsafe import Markup, escape

from fastapi_services_platform.capability.languages.catalogues import SHARED, SOURCE_LANGUAGE, Catalogues, marked

_MONTHS = (
    marked("Jan"),
    marked("Feb"),
    marked("Mar"),
    marked("Apr"),
    marked("May"),
    marked("Jun"),
    marked("Jul"),
    marked("Aug"),
    marked("Sep"),
    marked("Oct"),
    marked("Nov"),
    marked("Dec"),
)
_DAY = marked("%(day)d %(month)s %(year)d")
_MOMENT = marked("%(date)s, %(time)s")
_DECIMAL = marked("0.0")
"""How a language writes nought point nought: the mark in its middle is the decimal mark."""

_SENTENCES = re.compile(r"(?<=[.!?]) ")
_NUMBER = re.compile(r"\d+")
_ENGLISH_ONLY = Catalogues()


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of a page or a letter. ``owner`` is the capability whose catalogue is looked at first; ``certain`` says
    that the zone is the reader's own, so that it need not be named beside each time.
    """

    language: str = SOURCE_LANGUAGE
    zone: tzinfo = UTC
    certain: bool = False
    owner: str = SHARED
    catalogues: Catalogues = _ENGLISH_ONLY

    def text(self, text: object, /, **values: object) -> str:
        """A text in the reader's language, with its ``%(name)s`` filled in; an unknown one comes back as it is.

        Where a value is markup the result is, and the text itself is escaped.
        """
        return _filled(self.catalogues.text(self.owner, self.language, str(text)), values)

    def told(self, error: object) -> str:
        """What went wrong, sentence by sentence: ``email: is taken. Choose another.`` becomes the field, its rule and
        the advice; a number in a sentence is ``%(number)s`` in the catalogue.
        """
        whole = str(error)
        said = self.text(whole)
        return said if said != whole else " ".join(self._sentence(part) for part in _SENTENCES.split(whole))

    def _sentence(self, sentence: str) -> str:
        said = self.text(sentence)
        if said != sentence:
            return said
        numbers = _NUMBER.findall(sentence)
        if len(numbers) == 1:
            pattern = _NUMBER.sub("%(number)s", sentence.replace("%", "%%"))
            said = self.text(pattern)
            if said != pattern:
                return said % {"number": numbers[0]}
        field, found, rule = sentence.partition(": ")
        if found:
            return f"{self.text(field)}: {self._sentence(rule)}"
        bare = sentence.removesuffix(".")
        return self.text(bare) + sentence[len(bare) :]

    def plural(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The form that fits a number; ``%(count)s`` is the number itself, as the reader writes it."""
        said = self.catalogues.plural(self.owner, self.language, one, many, count)
        return _filled(said, {"count": self.number(count), **values})

    def of(self, owner: str, text: object) -> str:
        """A text that another capability contributed, from its own catalogue, else from the page's."""
        said = self.catalogues.text(owner, self.language, str(text))
        return said if said != text else self.catalogues.text(self.owner, self.language, str(text))

    def number(self, value: float | str) -> str:
        """A number with thin spaces between thousands and the language's decimal mark."""
        written = value if isinstance(value, str) else f"{value:,}".replace(",", "\u202f")
        mark = self.of(SHARED, _DECIMAL)[1:2]
        return written.replace(".", mark) if mark != "." else written

    def day(self, when: datetime) -> str:
        """The day of a moment on the reader's clock."""
        here = _aware(when).astimezone(self.zone)
        month = self.of(SHARED, _MONTHS[here.month - 1])
        return self.of(SHARED, _DAY) % {"day": here.day, "month": month, "year": here.year}

    def moment(self, when: datetime) -> str:
        """A moment to the minute on the reader's clock."""
        here = _aware(when).astimezone(self.zone)
        time = here.strftime("%H:%M") if self.certain else here.strftime("%H:%M %Z")
        return self.of(SHARED, _MOMENT) % {"date": self.day(when), "time": time}


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _filled(said: str, values: dict[str, object]) -> str:
    if not values:
        return said
    if any(isinstance(value, Markup) for value in values.values()):
        return escape(said) % values
    return said % values
