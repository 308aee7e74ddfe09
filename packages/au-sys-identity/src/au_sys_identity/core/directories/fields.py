"""Read the fields of a directory or provider from JSON or a form, refusing what is unknown or malformed."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from au_sys_identity.core.errors import InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9-]+(\.[a-z0-9-]+)*")
_LONGEST = 2000


class Fields:
    """The fields of one entry; :meth:`finish` refuses those that nobody asked for."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = given
        self._asked: set[str] = set()

    def text(self, name: str, default: str | None = None, *, longest: int = _LONGEST) -> str:
        """A text without control characters; without ``default`` it has to be there."""
        self._asked.add(name)
        value = self._given.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise InvalidInput(name, "must be a text", "Fill it in.")
        if len(value) > longest or any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise InvalidInput(name, f"must have at most {longest} characters on one line", "Shorten it.")
        return value.strip()

    def name(self) -> str:
        """The name by which addresses and settings know the entry."""
        found = self.text("name")
        if not _NAME.fullmatch(found):
            raise InvalidInput("name", "is not a short name", "Use 2 to 40 of a-z, 0-9 and -, a letter first.")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, or one text with blanks or commas between them."""
        self._asked.add(name)
        value = self._given.get(name, ())
        parts = value.replace(",", " ").split() if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) and part.strip() for part in parts):
            raise InvalidInput(name, "must be a list of texts", "Put a blank between them.")
        if any(len(part) > _LONGEST for part in parts) or len(parts) > 50:
            raise InvalidInput(name, "is too long", "Give at most 50.")
        return tuple(dict.fromkeys(part.strip() for part in parts))

    def domains(self, name: str) -> tuple[str, ...]:
        """Mail domains in lower case."""
        found = tuple(domain.lower() for domain in self.texts(name))
        for domain in found:
            if not _DOMAIN.fullmatch(domain):
                raise InvalidInput(name, f"{domain[:80]!r} is not a mail domain", "Use names such as example.org.")
        return found

    def pairs(self, name: str) -> dict[str, str]:
        """Texts by texts."""
        self._asked.add(name)
        value = self._given.get(name, {})
        if not isinstance(value, dict) or len(value) > 500:
            raise InvalidInput(name, "must be an object of texts", "Give each group its role.")
        for key, role in value.items():
            if not isinstance(role, str) or not key or not role:
                raise InvalidInput(name, "must be an object of texts", "Give each group its role.")
        return dict(value)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        self._asked.add(name)
        value = self._given.get(name, default)
        if not isinstance(value, bool):
            raise InvalidInput(name, "must be true or false", "Use true or false.")
        return value

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        """A number within bounds."""
        self._asked.add(name)
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise InvalidInput(name, f"must be a number from {least:g} to {most:g}", "Choose one in between.")
        return float(value)

    def url(self, name: str, schemes: tuple[str, ...], default: str | None = None) -> str:
        """An address of one of some schemes, without user, query or fragment."""
        found = self.text(name, default)
        if not found:
            return found
        return checked_url(name, found, schemes)

    def finish(self) -> None:
        """Refuse fields that nobody asked for.

        Raises:
            InvalidInput: there are some.
        """
        for name in self._given:
            if name not in self._asked:
                raise InvalidInput(str(name)[:80], "is unknown", "Leave it out.")


def checked_url(field: str, text: str, schemes: tuple[str, ...]) -> str:
    """An address of one of some schemes, without user, query or fragment.

    Raises:
        InvalidInput: it is none.
    """
    hint = f"Use an address such as {schemes[0]}://host."
    try:
        parts = urlsplit(text)
        port_known = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        raise InvalidInput(field, "is not an address", hint) from None
    if parts.scheme not in schemes or not parts.hostname or not port_known or not text.isprintable() or " " in text:
        raise InvalidInput(field, "is not an address of the right kind", hint)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InvalidInput(field, "must hold neither user, query nor fragment", hint)
    return text.rstrip("/") if parts.path == "/" else text
