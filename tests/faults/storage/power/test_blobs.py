"""A power cut after every call that changes the folder of blobs: what was acknowledged is there, whole."""

import asyncio
import hashlib
import random
from pathlib import Path

import pytest
from tests.faults.storage.power.forgetful import ForgetfulDisk

from au_sys_storage_sdk import Blobs, Unavailable
from au_sys_storage_sdk.adapters.filesystem.blobs import FileBlobs
from au_sys_storage_sdk.core.blobs.models import INLINE

LARGE = [random.Random(number).randbytes(INLINE + 1 + number) for number in range(3)]


class Trial:
    """Blobs on a forgetful disk, what was acknowledged of them, and what may be there as well."""

    def __init__(self, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
        (tmp_path / "disk").mkdir()
        self.acknowledged: dict[str, bytes] = {}
        self.under_way: dict[str, bytes | None] = {}
        self.images: list[tuple[Path, dict[str, bytes], dict[str, bytes | None]]] = []
        self._folder = tmp_path
        self.disk = ForgetfulDisk(tmp_path / "disk", patch, self._cut)
        self.blobs = Blobs(FileBlobs(tmp_path / "disk" / "blobs")).scoped("things")

    def _cut(self, _call: str) -> None:
        image = self.disk.image(self._folder / f"image{len(self.images)}")
        self.images.append((image / "blobs", dict(self.acknowledged), dict(self.under_way)))

    async def write(self, key: str, content: bytes) -> None:
        """Store, and know it."""
        self.under_way = {key: content}
        await self.blobs.write(key, content)
        self.acknowledged[key] = content
        self.under_way = {}
        self._cut("acknowledged")

    async def delete(self, key: str) -> None:
        """Remove, and know it."""
        self.under_way = {key: None}
        await self.blobs.delete(key)
        del self.acknowledged[key]
        self.under_way = {}
        self._cut("acknowledged")


async def whole(image: Path, acknowledged: dict[str, bytes], under_way: dict[str, bytes | None]) -> None:
    """Every acknowledged blob is what it was, or what was under way; nothing is damaged, also after a sweep."""
    if not image.exists():
        assert acknowledged == {}
        return
    async with Blobs(FileBlobs(image)) as opened:
        blobs = opened.scoped("things")
        for _ in range(2):
            found = {item.key: await blobs.read_bytes(item.key) for item in (await blobs.list()).items}
            for key, content in acknowledged.items():
                allowed = {content, under_way.get(key, content)}
                assert found.get(key) in allowed, f"{key} is lost"
            for key, content in found.items():
                assert content in (acknowledged.get(key), under_way.get(key)), f"{key} is nobody's"
            await opened.sweep()


async def test_every_moment_of_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New, replaced, shared and deleted blobs."""
    with monkeypatch.context() as patch:
        trial = Trial(tmp_path, patch)
        await trial.write("a", LARGE[0])
        await trial.write("b", LARGE[0])
        await trial.write("a", LARGE[1])
        await trial.write("small", b"x")
        await trial.delete("a")
        await trial.delete("b")
        await trial.write("a", LARGE[0])
        calls = trial.disk.calls
        await trial.blobs.close()
    for image in trial.images:
        await whole(*image)
    assert len(trial.images) > 20
    first = calls.index("rename")
    assert (calls[first - 1], calls[first + 1]) == ("fsync", "fsync")


async def test_a_file_that_a_killed_process_left_unsynced_is_synced_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was moved into place and its folder not synced; the next write of the same bytes finds it there."""
    with monkeypatch.context() as patch:
        trial = Trial(tmp_path, patch)
        await trial.write("b", LARGE[1])
        failing = asyncio.Event()

        def kill(call: str) -> None:
            if call == "rename" and not failing.is_set():
                failing.set()
                trial.disk.failing = "fsync"

        trial.disk._seen = kill
        with pytest.raises(Unavailable, match="killed"):
            await trial.blobs.write("a", LARGE[0])
        trial.disk._seen = trial._cut
        await trial.write("a", LARGE[0])
        await trial.blobs.close()
    name = hashlib.sha256(LARGE[0]).hexdigest()
    assert list((tmp_path / "disk" / "blobs" / "objects").glob(f"*/{name}"))
    for image in trial.images:
        await whole(*image)


async def test_the_disk_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not sync is found out."""
    monkeypatch.setattr("au_sys_storage_sdk.adapters.filesystem.files.sync_folder", lambda _folder: None)
    with monkeypatch.context() as patch:
        trial = Trial(tmp_path, patch)
        await trial.write("a", LARGE[0])
        await trial.blobs.close()
    with pytest.raises(AssertionError):
        await whole(*trial.images[-1])
