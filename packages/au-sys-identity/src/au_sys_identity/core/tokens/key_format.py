"""How an API key looks: ``au_<live|test>_<12: public id><43: secret><6: checksum>`` in base 62.

The prefix and the CRC-32 let a scanner recognize a leaked key, and let us refuse a mistyped one, without a look-up.
"""

import secrets
import string
import zlib
from typing import Literal

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PUBLIC, _SECRET, _CHECK = 12, 43, 6
KeyEnv = Literal["live", "test"]
PREFIXES: dict[KeyEnv, str] = {"live": "au_live_", "test": "au_test_"}


def new_key(env: KeyEnv = "live") -> tuple[str, str]:
    """A fresh public id, and the whole key with 256 secret bits."""
    prefix = PREFIXES[env]
    public_id, secret = _random(_PUBLIC), _random(_SECRET)
    body = prefix + public_id + secret
    return public_id, body + _checksum(body)


def public_id_of(key: str) -> str | None:
    """The public id in a well-formed key with the right checksum, else ``None``."""
    prefix = next((known for known in PREFIXES.values() if key.startswith(known)), None)
    if prefix is None or len(key) != len(prefix) + _PUBLIC + _SECRET + _CHECK or not key.isascii():
        return None
    body, check = key[:-_CHECK], key[-_CHECK:]
    return body[len(prefix) : len(prefix) + _PUBLIC] if check == _checksum(body) else None


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
