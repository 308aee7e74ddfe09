"""Which passwords may be set; everything is checked before anything is hashed.

Rules: NIST SP 800-63B-4 §3.1.1: length, a list of known passwords, the account's own names; no composition rules.
"""

import re
import secrets
import string
import unicodedata
from dataclasses import dataclass

from au_sys_identity.core.credentials.ports import BreachList, OnlineBreachList
from au_sys_identity.core.errors import WeakPassword

MAXIMUM_CHARACTERS = 128
MAXIMUM_BYTES = 1024
_SHORTEST_NAME = 4
_ALPHABET = string.ascii_letters + string.digits
_ALIKE = "Use more different characters."
_OWN = "Leave your own name and address out of it."
_KNOWN = "This password is on the list that attackers try first; choose another one."


def normalized(password: str) -> str:
    """The form in which a password is hashed and compared: NFKC, so that keyboards do not matter."""
    return unicodedata.normalize("NFKC", password)


def acceptable_length(password: str) -> bool:
    """Whether a presented password could be anybody's; longer ones are not hashed at all."""
    return len(password.encode("utf-8", "surrogatepass")) <= MAXIMUM_BYTES and "\0" not in password


def one_time_password() -> str:
    """A generated password of 119 bits in four groups that can be typed."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


@dataclass(slots=True)
class PasswordRules:
    """What a new password must be. Changed in place when an administrator changes a setting."""

    breach_list: BreachList
    minimum: int = 12
    online: OnlineBreachList | None = None
    asks_online: bool = False

    async def accepted(self, password: str, *, names: tuple[str, ...] = ()) -> str:
        """As :meth:`check`; what passes is looked for online as well, when that is switched on.

        Raises:
            WeakPassword: it breaks rules.
        """
        chosen = self.check(password, names=names)
        if self.asks_online and self.online is not None and await self.online.contains(chosen):
            raise WeakPassword((_KNOWN,))
        return chosen

    def check(self, password: str, *, names: tuple[str, ...] = ()) -> str:
        """The normalized password. ``names`` are the account's own: address and display name.

        Raises:
            WeakPassword: it breaks rules; all of them are listed.
        """
        if not acceptable_length(password) or len(password) > MAXIMUM_BYTES:
            raise WeakPassword((f"Use at most {MAXIMUM_CHARACTERS} characters, and no NUL.",))
        chosen = normalized(password)
        broken = tuple(self._broken(chosen, names))
        if broken:
            raise WeakPassword(broken)
        return chosen

    def _broken(self, password: str, names: tuple[str, ...]) -> list[str]:
        broken = []
        if len(password) < self.minimum:
            broken.append(f"Use at least {self.minimum} characters.")
        if len(password) > MAXIMUM_CHARACTERS or len(password.encode("utf-8", "surrogatepass")) > MAXIMUM_BYTES:
            broken.append(f"Use at most {MAXIMUM_CHARACTERS} characters.")
        if self.breach_list.contains(password) or self.breach_list.contains(password.casefold()):
            broken.append(_KNOWN)
        if len(set(password)) < min(5, self.minimum):
            broken.append(_ALIKE)
        if any(part in password.casefold() for part in _own_names(names)):
            broken.append(_OWN)
        return broken


def _own_names(names: tuple[str, ...]) -> set[str]:
    parts: set[str] = set()
    for name in names:
        folded = name.casefold()
        parts.update((folded, *re.split(r"[\s@.+_-]+", folded)))
    return {part for part in parts if len(part) >= _SHORTEST_NAME}
