"""Hashes of other systems."""

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator

import bcrypt
import pytest

from au_sys_identity.adapters.crypto.argon2_hasher import Argon2Hasher, HashCost
from au_sys_identity.adapters.crypto.foreign_hashes import is_foreign

PASSWORD = "a fine sentence"
DERIVED = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"grains", 1000)
KEPT = {
    "bcrypt": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(),
    "bcrypt of PHP": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "Django": f"pbkdf2_sha256$1000$grains${b64encode(DERIVED).decode()}",
    "passlib": "$pbkdf2-sha256$1000$"
    + "$".join(b64encode(part).decode().rstrip("=").replace("+", ".") for part in (b"grains", DERIVED)),
    "Werkzeug": f"pbkdf2:sha256:1000$grains${DERIVED.hex()}",
}


@pytest.fixture
async def hasher() -> AsyncIterator[Argon2Hasher]:
    made = Argon2Hasher(HashCost(memory_kib=8, time_cost=1), threads=1, queue=4)
    yield made
    made.close()


@pytest.mark.parametrize("system", KEPT)
async def test_a_hash_from_elsewhere_fits_its_password(hasher: Argon2Hasher, system: str) -> None:
    """It is accepted, fits nothing else, and asks to be replaced."""
    kept = KEPT[system]
    assert hasher.verifies(kept) is True
    assert hasher.outdated(kept) is True
    assert await hasher.verify(PASSWORD, kept) is True
    assert await hasher.verify(PASSWORD + ".", kept) is False


async def test_a_long_password_is_not_cut(hasher: Argon2Hasher) -> None:
    """Attack 6: bcrypt looks at 72 bytes; what is longer fits no such hash, whatever it begins with."""
    seventy_two = "x" * 72
    kept = bcrypt.hashpw(seventy_two.encode(), bcrypt.gensalt(4)).decode()
    assert await hasher.verify(seventy_two, kept) is True
    assert await hasher.verify(seventy_two + "y", kept) is False
    assert await hasher.verify("é" * 36, bcrypt.hashpw(("é" * 36).encode(), bcrypt.gensalt(4)).decode()) is True


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "plain",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$2b$31$" + "a" * 53,
        "$2b$04$short",
        KEPT["Django"].replace("1000", "99999999"),
        KEPT["Django"].replace("sha256", "md5"),
        KEPT["Django"][:-8],
        KEPT["Werkzeug"][:-1],
        "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ",
        "$argon2id$v=19$m=8388608,t=1,p=1$c2FsdHNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ",
    ],
)
async def test_what_is_no_bearable_hash_is_not_taken(hasher: Argon2Hasher, kept: str) -> None:
    """Plain text, other schemes, cut hashes, and prices that would hold everybody up."""
    assert is_foreign(kept) is False
    assert hasher.verifies(kept) is False
