"""Bent, cut and exchanged records: `Corrupt`, never a value that was not written."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from redis import Redis

from au_sys_storage_sdk import Storage, open_storage
from au_sys_storage_sdk.adapters.sqlite.snapshots import verify
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.errors import Corrupt, StorageError, Unavailable
from fastapi_services_platform.testing.redis import redis_server

KEYS = [f"k/{number:03}" for number in range(120)]
FILES = 60
"""Damaged files in each CI run."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Stored]]:
    """A file of documents, and what is in it."""
    path = tmp_path_factory.mktemp("whole") / "documents.db"

    async def fill() -> dict[str, Stored]:
        async with open_storage(f"sqlite://{path}") as storage:
            space = storage.namespace("things")
            for number, key in enumerate(KEYS):
                await space.put(key, {"n": number, "text": "x" * (number * 7)})
            found = [await storage.store.get(space.space, key) for key in KEYS]
            return {record.key: record for record in found if record is not None}

    return path.read_bytes() if (known := asyncio.run(fill())) else b"", known


def _flipped(content: bytes, chance: random.Random) -> bytes:
    bent = bytearray(content)
    for _ in range(chance.choice((1, 1, 4, 16))):
        bent[chance.randrange(100, len(bent))] ^= 1 << chance.randrange(8)
    return bytes(bent)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _zeroed(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) // 512) * 512
    return content[:start] + bytes(512) + content[start + 512 :]


async def _look(path: Path, known: dict[str, Stored]) -> Counter[str]:
    """Read everything in every way; what came of it."""
    found: Counter[str] = Counter()
    try:
        async with open_storage(f"sqlite://{path}") as storage:
            space = storage.namespace("things").space
            for key, expected in known.items():
                for call in (storage.store.get, storage.store.head):
                    try:
                        record = await call(space, key)
                    except (Corrupt, Unavailable) as error:
                        found[type(error).__name__] += 1
                        continue
                    if record is None:
                        found["missing"] += 1
                        continue
                    value = record.value if call == storage.store.get else expected.value
                    assert expected == Stored(record.key, value, *_rest(record)), "a wrong value was served"
                    found["right"] += 1
            await _page(storage, known, found)
    except (Corrupt, Unavailable) as error:
        found[f"open: {type(error).__name__}"] += 1
    return found


def _rest(record: Stored) -> tuple[int, int, int, int | None, int, int, int]:
    return (
        record.version, record.created, record.updated, record.expires, record.schema, record.codec,
        record.key_generation,
    )  # fmt: skip


async def _page(storage: Storage, known: dict[str, Stored], found: Counter[str]) -> None:
    try:
        page = await storage.store.scan(storage.namespace("things").space, "", "", 1000, 1 << 24, keys_only=False)
    except StorageError as error:
        found[type(error).__name__] += 1
        return
    assert all(known.get(record.key) == record for record in page.items), "a wrong value was listed"


@pytest.mark.parametrize("damage", [_flipped, _cut, _zeroed])
async def test_a_damaged_file_never_serves_a_wrong_value(
    file: tuple[bytes, dict[str, Stored]], tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    """Each document is right or Corrupt; one that cannot be found any more is found missing by `verify`."""
    content, known = file
    seen: Counter[str] = Counter()
    for seed in range(FILES // 3):
        path = tmp_path / str(seed) / "documents.db"
        path.parent.mkdir()
        path.write_bytes(damage(content, random.Random(seed)))
        whole = True
        try:
            verify(path)
        except StorageError:
            whole = False
        found = await _look(path, known)
        assert not (whole and found["missing"]), "documents are missing and the check says whole"
        seen += found
    assert seen.total() > 0
    print(damage.__name__, dict(seen))


async def test_exchanged_records_are_corrupt(tmp_path: Path) -> None:
    """A whole row under another key, an older row put back, a row of another tenant: each is noticed."""
    path = tmp_path / "documents.db"
    async with open_storage(f"sqlite://{path}") as storage:
        space = storage.namespace("things")
        for key in ("a", "b", "c"):
            await space.put(key, f"value of {key}")
        await storage.for_tenant("other").namespace("things").put("d", 1)
    fields = "value, version, expires, schema, codec, key_generation, created, updated, crc"
    with apsw.Connection(str(path)) as connection:
        connection.execute(f"UPDATE docs SET ({fields}) = (SELECT {fields} FROM docs WHERE key = 'b') WHERE key = 'a'")
        connection.execute("UPDATE docs SET version = version + 1 WHERE key = 'b'")
        connection.execute("UPDATE docs SET created = created - 1 WHERE key = 'c'")
        connection.execute("UPDATE docs SET tenant = 'default' WHERE key = 'd'")
    connection.close()
    async with open_storage(f"sqlite://{path}") as storage:
        space = storage.namespace("things")
        for key in ("a", "b", "c", "d"):
            for call in (storage.store.get, storage.store.head):
                with pytest.raises(Corrupt):
                    await call(space.space, key)
        with pytest.raises(Corrupt):
            await space.scan()
    with pytest.raises(Corrupt):
        verify(path)


@pytest.mark.needs_redis
async def test_exchanged_records_in_redis_are_corrupt(tmp_path: Path) -> None:
    """One key's bytes under another's name."""
    with redis_server(tmp_path) as url:
        async with open_storage(url) as storage:
            space = storage.namespace("things")
            await space.put("a", 1)
            await space.put("b", 2)
            with Redis.from_url(url) as client:
                one, two = sorted(client.keys("*doc:*"))
                held = client.get(one)
                client.set(one, client.get(two))
                client.set(two, held)
            for key in ("a", "b"):
                with pytest.raises(Corrupt):
                    await space.get(key)
