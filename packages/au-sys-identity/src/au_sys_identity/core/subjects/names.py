"""What may stand in a name that people read."""

import unicodedata

from au_sys_identity.core.errors import InvalidInput

_MAXIMUM = 120


def display_name(text: str, field: str = "display_name") -> str:
    """A name in NFC without control or direction characters, at most 120 characters.

    Raises:
        InvalidInput: it is empty, too long, or holds such characters.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name or len(name) > _MAXIMUM:
        raise InvalidInput(field, f"must have 1 to {_MAXIMUM} characters", "Shorten it or fill it in.")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name):
        raise InvalidInput(field, "contains control characters", "Use letters, digits, spaces and punctuation.")
    return name


def plain_text(text: str, field: str, longest: int) -> str:
    """A sentence or two in NFC without control characters other than line breaks.

    Raises:
        InvalidInput: it is empty, too long, or holds such characters.
    """
    plain = unicodedata.normalize("NFC", text).strip()
    if not plain or len(plain) > longest:
        raise InvalidInput(field, f"must have 1 to {longest} characters", "Shorten it or fill it in.")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character != "\n" for character in plain):
        raise InvalidInput(field, "contains control characters", "Use letters, digits, spaces and punctuation.")
    return plain


def locale_tag(text: str, field: str = "locale") -> str:
    """A language tag such as ``sv`` or ``sv-SE``.

    Raises:
        InvalidInput: it is none.
    """
    parts = text.split("-")
    if len(text) > 35 or not all(part.isascii() and part.isalnum() and len(part) <= 8 for part in parts):
        raise InvalidInput(field, "is not a language tag", "Use a tag such as sv or sv-SE.")
    return text
