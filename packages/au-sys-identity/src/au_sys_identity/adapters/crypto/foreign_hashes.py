"""Password hashes that another system made: bcrypt and PBKDF2. They are verified as they are, until the next sign-in
replaces them.
"""

import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES = 72
_BCRYPT_COSTS = range(4, 16)
_ROUNDS = range(1, 5_000_001)
_DIGESTS = frozenset({"sha1", "sha256", "sha512"})
_PBKDF2: tuple[tuple[re.Pattern[str], Callable[[str], bytes], Callable[[str], bytes]], ...]


@dataclass(frozen=True, slots=True)
class _Derived:
    digest: str
    rounds: int
    salt: bytes
    key: bytes


def is_foreign(kept: str) -> bool:
    """Whether a kept hash is one that this module verifies."""
    bcrypt = _BCRYPT.fullmatch(kept)
    return int(bcrypt[1]) in _BCRYPT_COSTS if bcrypt else _derived(kept) is not None


def fits(password: str, kept: str) -> bool:
    """Whether it is the password of a foreign hash. It computes: call it in a thread."""
    secret = password.encode("utf-8", "surrogatepass")
    if _BCRYPT.fullmatch(kept):
        import bcrypt

        # bcrypt looks at 72 bytes: a longer password would fit whatever begins like it
        return bcrypt.checkpw(secret[:_BCRYPT_BYTES], kept.encode()) and len(secret) <= _BCRYPT_BYTES
    found = _derived(kept)
    if found is None:
        return False
    made = hashlib.pbkdf2_hmac(found.digest, secret, found.salt, found.rounds, len(found.key))
    return hmac.compare_digest(made, found.key)


def _derived(kept: str) -> _Derived | None:
    """The parts of a PBKDF2 hash of Django, of passlib or of Werkzeug."""
    for pattern, salt, key in _PBKDF2:
        found = pattern.fullmatch(kept)
        if found is None:
            continue
        try:
            parts = _Derived(found["digest"], int(found["rounds"]), salt(found["salt"]), key(found["key"]))
        except ValueError:
            return None
        length = hashlib.new(parts.digest).digest_size if parts.digest in _DIGESTS else -1
        return parts if parts.rounds in _ROUNDS and len(parts.key) == length else None
    return None


def _adapted(text: str) -> bytes:
    """Base64 as passlib writes it: ``.`` for ``+``, without padding."""
    return b64decode(text.replace(".", "+") + "=" * (-len(text) % 4), validate=True)


def _padded(text: str) -> bytes:
    return b64decode(text, validate=True)


_PBKDF2 = (
    (re.compile(r"pbkdf2_(?P<digest>\w+)\$(?P<rounds>\d{1,8})\$(?P<salt>[^$]+)\$(?P<key>[^$]+)"), str.encode, _padded),
    (
        re.compile(r"\$pbkdf2-(?P<digest>\w+)\$(?P<rounds>\d{1,8})\$(?P<salt>[^$]*)\$(?P<key>[^$]+)"),
        _adapted,
        _adapted,
    ),
    (
        re.compile(r"pbkdf2:(?P<digest>\w+):(?P<rounds>\d{1,8})\$(?P<salt>[^$]+)\$(?P<key>[0-9a-f]+)"),
        str.encode,
        bytes.fromhex,
    ),
)
