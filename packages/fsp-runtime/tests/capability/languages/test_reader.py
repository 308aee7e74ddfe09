"""Texts, times and numbers as a reader is used to them."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from fastapi_services_platform import hub
from fastapi_services_platform.capability.languages import Catalogues, Reader

LOCALE = Path(str(hub.__file__)).with_name("locale")
WHEN = datetime(2026, 5, 1, 22, 30, tzinfo=UTC)


@pytest.fixture
def swedish() -> Reader:
    catalogues = Catalogues([("hub", LOCALE)])
    catalogues.load("sv")
    return Reader("sv", ZoneInfo("Europe/Stockholm"), True, "notes", catalogues)


def test_the_shared_words_are_everybodys(swedish: Reader) -> None:
    """A capability without the text of its own gets the platform's; what nobody translated stays; empty stays empty."""
    assert (swedish.text("Next"), swedish.text("Unheard of"), swedish.text("")) == ("Nästa", "Unheard of", "")


def test_values_are_filled_in(swedish: Reader) -> None:
    """A value that is text stays text, so that the page escapes it; markup stays markup and the rest is escaped."""
    assert swedish.text("Hello, %(name)s", name="<b>") == "Hej, <b>"
    assert swedish.text("Hello, %(name)s & co", name=Markup("<b>A</b>")) == Markup("Hello, <b>A</b> &amp; co")


def test_a_number_chooses_the_form(swedish: Reader) -> None:
    """One and many, in the language and in English."""
    forms = ("%(count)s route", "%(count)s routes")
    said = [reader.plural(*forms, count) for reader in (swedish, Reader()) for count in (1, 1_200)]
    assert said == ["1 adress", "1\u202f200 adresser", "1 route", "1\u202f200 routes"]


def test_the_readers_clock(swedish: Reader) -> None:
    """The day is the one on her own clock; where the clock is not known, its zone stands beside the time."""
    assert (swedish.day(WHEN), swedish.moment(WHEN)) == ("2 maj 2026", "2 maj 2026 00:30")
    assert Reader().moment(WHEN.replace(tzinfo=None)) == "1 May 2026, 22:30 UTC"


def test_the_languages_decimal_mark(swedish: Reader) -> None:
    """Thousands are parted alike, decimals as the language does."""
    assert (swedish.number(1234.5), Reader().number(1234.5)) == ("1\u202f234,5", "1\u202f234.5")


def test_errors_are_told_by_sentences(swedish: Reader) -> None:
    """Known sentences are translated, a field keeps its rule, and what is unknown stays."""
    assert swedish.told("Nothing yet. Odd. Try again in a moment.") == "Inget ännu. Odd. Försök igen om en stund."
    assert swedish.told("Name: unchanged. Odd 5.") == "Namn: oförändrat. Odd 5."


def test_a_broken_catalogue_leaves_english(tmp_path: Path) -> None:
    """Pages are there all the same."""
    file = tmp_path / "sv" / "LC_MESSAGES" / "notes.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a catalogue")
    catalogues = Catalogues([("notes", tmp_path), ("absent", tmp_path)])
    assert (catalogues.languages, catalogues.text("notes", "sv", "Next")) == (("en", "sv"), "Next")
