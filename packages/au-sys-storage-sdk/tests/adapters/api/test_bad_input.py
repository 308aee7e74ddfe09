"""Whatever is sent: an answer that says what is wrong, never a 500."""

import random
import re
from urllib.parse import quote_from_bytes

import pytest
from httpx import AsyncClient

from au_sys_storage_sdk.core.address import valid_key
from au_sys_storage_sdk.core.errors import InvalidInput

MANY = "9" * 400
VALUES = (
    "0", "-1", "1e400", "NaN", "inf", MANY, "٣", "0x10", "1.5", "", " ", "true", "*", '"', '""', 'W/"1"', '"1',
    '"1","2"', "a" * 5000, f'"{MANY}"', "\x7f", "%00", "bytes=-", "=?=;",
)  # fmt: skip
HEADERS = (
    "If-Match", "If-None-Match", "Storage-TTL", "Idempotency-Key", "Range", "If-Range", "Last-Event-ID",
    "Upload-Offset", "Upload-Complete", "Content-Type", "Content-Digest", "Storage-Times", "Storage-Schema", "Accept",
)  # fmt: skip
PARAMETERS = ("prefix", "after", "limit", "max_bytes", "include", "since", "dry_run", "filter", "order")
BODIES = (
    b"", b"null", b"{", b'{"a":1,"a":2}', b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"1e400",
    b"-" + b"9" * 5000, b"NaN", b'"\\ud800"', b"\xff\xfe", b'"\x00"', b'{"operations":[]}', b'{"items":[{"op":"put"}]}',
    b'{"operations":[{"op":"put","namespace":"notes","key":"\\u0000","value":1}]}', b'{"items":[{"op":"get","key":1}]}',
    b'[{"op":"test","path":"/a","value":1}]', b'[{"op":"move","from":"/a","path":"/a/b"}]', b'{"__proto__":null}',
    b'{"items":[{"op":"put","key":"\\ud800","value":"\\udfff"}]}', b"[null]", b"\x00" * 1000,
)  # fmt: skip
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS")
TYPES = ("application/json", "application/merge-patch+json", "application/json-patch+json", "text/html")
KEYS = (
    "..%2f..%2fetc%2fpasswd", "%00", "%ed%a0%80", "a" * 1025, "%ff", "k", "k", "k/../k", ".", "%2e%2e", "k%0d%0aX: y"
)  # fmt: skip
SPACES = ("notes", "notes", "notes", "NOTES", "switch", "identity.users", "audit", "a" * 200, "%00")


def path(chance: random.Random) -> str:
    """A place of the API, with a key that may be anything."""
    noise = quote_from_bytes(chance.randbytes(chance.choice((1, 3, 20, 400))), safe="")
    key, space = chance.choice((noise, *KEYS)), chance.choice((noise, *SPACES))
    return chance.choice(
        (
            f"/storage/{space}/{key}", f"/storage/{space}/{key}", f"/storage/{space}", f"/blobs/{space}/{key}",
            f"/blobs/{space}", f"/storage/{space}:batch", "/storage:transaction", f"/blobs/{space}:uploads/{key}",
            f"/storage/switch/{key}", f"/storage/switch/{key}/rollback",
        )
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_that_is_sent_is_an_error_of_ours(client: AsyncClient, seed: int) -> None:
    """Paths, parameters, headers and bodies drawn at random: no answer is in the five hundreds, none is a traceback."""
    chance = random.Random(seed)
    await client.put("/storage/notes/k", json={"a": 1})
    for number in range(120):
        method, place, body = chance.choice(METHODS), path(chance), chance.choice(BODIES)
        headers = [(b"Content-Type", chance.choice(TYPES).encode())]
        headers += [(n.encode(), chance.choice(VALUES).encode()) for n in chance.sample(HEADERS, chance.randrange(3))]
        parameters = {name: chance.choice(VALUES) for name in chance.sample(PARAMETERS, chance.randrange(3))}
        answer = await client.request(method, place, params=parameters, headers=headers, content=body)
        asked = f"{seed}/{number}: {method} {place[:200]} {parameters} {headers} {body[:60]!r}"
        assert answer.status_code < 500, f"{asked}: {answer.text[:300]}"
        assert not re.search(r"Traceback|site-packages", answer.text), asked


async def test_a_key_of_a_megabyte_is_refused(client: AsyncClient) -> None:
    """Before it is looked up; over HTTP it is as long as the client sends."""
    for place in ("/storage/notes/", "/blobs/notes/"):
        answer = await client.put(place + "x" * 60_000, content=b"1")
        assert answer.status_code in {413, 414, 422}
    with pytest.raises(InvalidInput, match="1000000 bytes"):
        valid_key("x" * 1_000_000)
