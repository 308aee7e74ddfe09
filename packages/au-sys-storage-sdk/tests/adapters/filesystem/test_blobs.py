"""Blobs in files: conformance, sharing between processes, what a crash leaves, damage."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from au_sys_storage_sdk import Blobs, StorageError, open_blobs
from au_sys_storage_sdk.conformance.blobs import BlobStoreConformance, content_of, stream
from au_sys_storage_sdk.core.blobs.models import BLOCK
from au_sys_storage_sdk.core.errors import Corrupt, ReadOnly

WRITER = """
import asyncio, sys
from au_sys_storage_sdk import open_blobs

async def main(url, mark, count):
    async with open_blobs(url) as blobs:
        for number in range(count):
            key = f"{mark}/{number}"
            info = await blobs.write(key, (mark * 9_000 + str(number % 5)).encode() * 10)
            await blobs.write("contended", mark.encode() * 100_000)
            print(key, info.sha256, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[Blobs]:
    """An empty store in a folder."""
    async with open_blobs(f"file://{tmp_path}/blobs") as opened:
        yield opened


class TestFileBlobs(BlobStoreConformance):
    """The conformance suite on real files."""

    @pytest.fixture
    async def blobs(self, tmp_path: Path) -> AsyncIterator[Blobs]:
        """An empty store in a folder."""
        async with open_blobs(f"file://{tmp_path}/blobs") as opened:
            yield opened


async def collect(pieces: AsyncIterator[bytes], into: bytearray) -> None:
    """Everything that is handed on before the stream ends or breaks."""
    async for piece in pieces:
        into += piece


def objects(tmp_path: Path) -> list[Path]:
    """Every content file."""
    return [path for path in (tmp_path / "blobs/objects").rglob("*") if path.is_file()]


async def test_several_processes_share_one_folder(blobs: Blobs, tmp_path: Path) -> None:
    """Two writing processes, a sweep beside them, and every acknowledged blob is whole at the end."""
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, f"file://{tmp_path}/blobs", mark, "25", stdout=asyncio.subprocess.PIPE
        )
        for mark in ("a", "b")
    ]
    outputs = asyncio.gather(*(writer.communicate() for writer in writers))
    while not outputs.done():
        await blobs.sweep()
        await asyncio.wait([outputs], timeout=0.05)
    acknowledged = [line.split() for out, _ in await outputs for line in out.decode().splitlines()]
    assert len(acknowledged) == 50
    for key, digest in acknowledged:
        assert digest == (await blobs.info(key)).sha256
        await blobs.read_bytes(key)
    assert await blobs.read_bytes("contended") in (b"a" * 100_000, b"b" * 100_000)


async def test_what_was_acknowledged_survives_kill_9(blobs: Blobs, tmp_path: Path) -> None:
    """A killed writer loses nothing it acknowledged, and a sweep removes what it had begun."""
    command = [sys.executable, "-c", WRITER, f"file://{tmp_path}/blobs", "k", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        lines = [writer.stdout.readline() for _ in range(20)]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
    for line in lines:
        key, digest = line.split()
        assert digest == (await blobs.info(key)).sha256
        await blobs.read_bytes(key)
    await blobs.sweep()
    assert list((tmp_path / "blobs/staging").iterdir()) == []
    used = {(await blobs.info(item.key)).sha256 for item in (await blobs.list(limit=1000)).items}
    assert used == {path.name for path in objects(tmp_path)}


async def test_an_unfinished_stream_of_a_living_writer_is_not_swept(blobs: Blobs) -> None:
    """The lock on the staging file protects a slow upload."""

    async def slow() -> AsyncIterator[bytes]:
        yield content_of(BLOCK)
        assert await blobs.sweep() == 0
        yield b"end"

    await blobs.write("k", slow())
    assert content_of(BLOCK) + b"end" == await blobs.read_bytes("k")


async def test_a_cancelled_write_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    """No key, no staging file."""
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield content_of(BLOCK)
            begun.set()

    writing = asyncio.create_task(blobs.write("k", endless()))
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await blobs.head("k") is None
    assert list((tmp_path / "blobs/staging").iterdir()) == []


async def test_deleted_content_is_gone_from_the_disk(blobs: Blobs, tmp_path: Path) -> None:
    """Erasing the last key erases the bytes at once."""
    await blobs.write("k", content_of(BLOCK))
    await blobs.delete("k")
    assert objects(tmp_path) == []


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
async def test_damage_is_reported_before_a_wrong_byte_is_handed_on(blobs: Blobs, tmp_path: Path, damage: str) -> None:
    """A flipped bit, a shortened and a missing file are Corrupt; whole blocks before the damage are right."""
    content = content_of(3 * BLOCK)
    await blobs.write("k", stream(content))
    (path,) = objects(tmp_path)
    if damage == "flip":
        with path.open("r+b") as file:
            file.seek(BLOCK + 5)
            file.write(bytes([content[BLOCK + 5] ^ 1]))
    elif damage == "truncate":
        os.truncate(path, BLOCK + 5)
    else:
        path.unlink()
    received = bytearray()
    with pytest.raises(Corrupt):
        await collect(blobs.read("k"), received)
    assert received == content[: len(received)]
    with pytest.raises(Corrupt):
        await collect(blobs.read("k", BLOCK + 1, BLOCK + 9), received)


async def test_a_disk_that_fills_up_stores_nothing(tmp_path: Path) -> None:
    """A write that the operating system cuts short is Unavailable, not a shortened blob; the old content stays."""
    program = """
import asyncio, resource, signal, sys
from au_sys_storage_sdk import Unavailable, open_blobs

async def main(url):
    async with open_blobs(url) as blobs:
        await blobs.write("k", b"old" * 50_000)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_001, 700_001))
        try:
            await blobs.write("k", b"x" * 3_000_000)
        except Unavailable:
            print(await blobs.read_bytes("k") == b"old" * 50_000)

asyncio.run(main(sys.argv[1]))
"""
    command = [sys.executable, "-c", program, f"file://{tmp_path}/blobs"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
    assert list((tmp_path / "blobs/staging").iterdir()) == []


async def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """A file where the folder should be is a storage error, no traceback of the operating system."""
    (tmp_path / "blobs").write_text("in the way")
    async with open_blobs(f"file://{tmp_path}/blobs") as blobs:
        with pytest.raises(StorageError):
            await blobs.write("k", b"x")


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user: root may write everywhere")
async def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    """Missing rights are ReadOnly."""
    tmp_path.chmod(0o500)
    async with open_blobs(f"file://{tmp_path}/blobs") as blobs:
        with pytest.raises(ReadOnly):
            await blobs.write("k", b"x")
