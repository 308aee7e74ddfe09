"""Leaked passwords are looked for online: what leaves, what counts, and what happens when nobody answers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from au_sys_identity.adapters.crypto.breach_range import POLICY, PwnedRange
from au_sys_identity.adapters.memory.proofs.credentials import ListedBreaches
from au_sys_identity.core.credentials.passwords import PasswordRules
from au_sys_identity.core.errors import WeakPassword
from fastapi_services_platform import open_guarded_client

LEAKED, PADDED = "nine otters under the pier", "seven herons in the reed bed"


class List:
    """A server on this machine that answers ranges."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.silent = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self.silent:
            await reader.read()
        else:
            lines = "\r\n".join(f"{sha1(text)[5:]}:{count}" for text, count in ((LEAKED, 3), (PADDED, 0)))
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(lines)}\r\n\r\n"
            writer.write((head + lines).encode())
            await writer.drain()
        writer.close()
        await writer.wait_closed()


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture
async def listing() -> AsyncIterator[tuple[List, PwnedRange]]:
    there = List()
    server = await asyncio.start_server(there.answer, "127.0.0.1", 0)
    policy = replace(POLICY, schemes=("http",), allow=("127.0.0.1",), total_seconds=2.0)
    online = PwnedRange(open_guarded_client(policy), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/range/")
    yield there, online
    await online.close()
    server.close()


async def test_a_leaked_password_is_known_by_five_digits(listing: tuple[List, PwnedRange]) -> None:
    """Only the head of its hash leaves; what is listed with no count is padding."""
    there, online = listing
    assert [await online.contains(text) for text in (LEAKED, PADDED, "another one entirely")] == [True, False, False]
    asked = "".join(there.asked)
    assert f"GET /range/{sha1(LEAKED)[:5]} " in asked
    assert sha1(LEAKED)[5:] not in asked
    assert "add-padding: true" in asked.lower()


async def test_nobody_is_kept_out_by_silence(listing: tuple[List, PwnedRange]) -> None:
    """Without an answer in time the password counts as unknown."""
    there, online = listing
    there.silent = True
    assert await online.contains(LEAKED) is False


async def test_rules_ask_online_only_when_switched_on(listing: tuple[List, PwnedRange]) -> None:
    """What breaks a rule is refused before anybody is asked."""
    there, online = listing
    rules = PasswordRules(ListedBreaches(), online=online)
    assert await rules.accepted(LEAKED) == LEAKED
    rules.asks_online = True
    with pytest.raises(WeakPassword):
        await rules.accepted("short")
    assert "/range/" not in "".join(there.asked)
    with pytest.raises(WeakPassword):
        await rules.accepted(LEAKED)
