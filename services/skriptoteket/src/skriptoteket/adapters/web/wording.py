"""The words of pages in the reader's language: English as written, other languages from compiled catalogues."""

import gettext
from functools import cache
from pathlib import Path

DOMAIN = "skriptoteket"
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
