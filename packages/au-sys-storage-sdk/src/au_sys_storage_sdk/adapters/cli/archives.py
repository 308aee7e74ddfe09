"""Export and import: a folder of JSON lines and blobs that any backend can be filled from, and that proves itself.

``documents.jsonl``: one document a line (tenant, namespace, key, value, schema, expires, version). ``blobs.jsonl``: one
blob a line (tenant, namespace, key, sha256, size, content_type). ``blobs/<sha256>``: the bytes. ``manifest.json``:
counts and the SHA-256 of both lists; it is written last, so a folder without it is unfinished.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.operations import Put
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput
from au_sys_storage_sdk.core.paging import MAX_LIMIT
from au_sys_storage_sdk.core.progress import Progress

_PAGE_BYTES = 4 * 1024 * 1024
_FORMAT = 1


class DocumentLine(msgspec.Struct, frozen=True):
    """A document in ``documents.jsonl``."""

    tenant: str
    namespace: str
    key: str
    value: msgspec.Raw
    schema: int
    expires: int | None
    version: int


class BlobLine(msgspec.Struct, frozen=True):
    """A blob in ``blobs.jsonl``."""

    tenant: str
    namespace: str
    key: str
    sha256: str
    size: int
    content_type: str


class ArchiveManifest(msgspec.Struct, frozen=True):
    """What an archive holds."""

    format: int
    documents: int
    blobs: int
    documents_sha256: str
    blobs_sha256: str


_document_line = msgspec.json.Decoder(DocumentLine).decode
_blob_line = msgspec.json.Decoder(BlobLine).decode


class _Lines:
    """A file that is written line by line, with its digest."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("xb")
        self._digest = hashlib.sha256()
        self.count = 0

    def add(self, line: msgspec.Struct) -> None:
        """Append one."""
        text = msgspec.json.encode(line) + b"\n"
        self._digest.update(text)
        self._file.write(text)
        self.count += 1

    def close(self) -> str:
        """The digest of everything."""
        self._file.close()
        return self._digest.hexdigest()


async def export_archive(
    store: DocumentStore, blobs: Blobs | None, folder: Path, progress: Progress
) -> ArchiveManifest:
    """Write everything into a new folder.

    Raises:
        InvalidInput: the folder is not empty.
    """
    _require_empty(folder)
    documents = _Lines(folder / "documents.jsonl")
    expected = sum(used.count for used in await store.usage())
    async for line in _documents(store):
        documents.add(line)
        progress("documents", documents.count, expected)
    listed = _Lines(folder / "blobs.jsonl")
    if blobs is not None:
        (folder / "blobs").mkdir()
        await _export_blobs(blobs, folder / "blobs", listed, progress)
    digests = documents.close(), listed.close()
    manifest = ArchiveManifest(_FORMAT, documents.count, listed.count, *digests)
    await asyncio.to_thread((folder / "manifest.json").write_bytes, msgspec.json.encode(manifest) + b"\n")
    return manifest


def _require_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InvalidInput("folder", f"{folder} is not empty", "name a new folder")


async def _documents(store: DocumentStore) -> AsyncIterator[DocumentLine]:
    for used in await store.usage():
        space, after = Space(used.tenant, used.namespace), ""
        while True:
            page = await store.scan(space, "", after, MAX_LIMIT, _PAGE_BYTES, keys_only=False)
            for found in page.items:
                value = msgspec.Raw(found.value)
                yield DocumentLine(*_names(space), found.key, value, found.schema, found.expires, found.version)
            if page.after is None:
                break
            after = page.after


def _names(space: Space) -> tuple[str, str]:
    return space.tenant, space.namespace


async def _export_blobs(blobs: Blobs, folder: Path, listed: _Lines, progress: Progress) -> None:
    usage = await blobs.usage()
    expected = sum(used.count for used in usage)
    for used in usage:
        scoped, after = blobs.scoped(used.namespace, used.tenant), ""
        while True:
            page = await scoped.list(after=after, limit=MAX_LIMIT)
            for info in page.items:
                target = folder / info.sha256
                if not target.exists():
                    with target.open("xb") as file:
                        async for piece in scoped.read(info.key):
                            file.write(piece)
                line = BlobLine(used.tenant, used.namespace, info.key, info.sha256, info.size, info.content_type)
                listed.add(line)
                progress("blobs", listed.count, expected)
            if page.after is None:
                break
            after = page.after


def verify_archive(folder: Path) -> ArchiveManifest:
    """Check every line and every blob against its digest.

    Raises:
        Corrupt: something is missing or has been changed.
    """
    path = folder / "manifest.json"
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=ArchiveManifest)
    except (OSError, msgspec.DecodeError) as error:
        raise Corrupt(str(path), "it is missing or unreadable, so the export was not finished") from error
    if manifest.format != _FORMAT:
        raise Corrupt(str(path), f"its format is {manifest.format}, this version reads {_FORMAT}")
    for name, expected in (("documents", manifest.documents_sha256), ("blobs", manifest.blobs_sha256)):
        _require_digest(folder / f"{name}.jsonl", expected)
    for line in _lines(folder / "blobs.jsonl"):
        blob = _blob_line(line)
        _require_digest(folder / "blobs" / blob.sha256, blob.sha256)
    return manifest


def _require_digest(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Corrupt(str(path), "it is missing") from error
    if found != expected:
        raise Corrupt(str(path), "its digest is another than the archive says")


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


async def import_archive(
    store: DocumentStore, blobs: Blobs | None, folder: Path, progress: Progress
) -> tuple[int, int]:
    """Fill a backend from a verified archive; what is there already and equal is left alone, so it can be repeated.

    How many documents and blobs were written. Raises ``Corrupt`` before it writes anything when the archive is damaged.
    """
    manifest = await asyncio.to_thread(verify_archive, folder)
    written = [0, 0]
    for number, line in enumerate(_lines(folder / "documents.jsonl"), 1):
        written[0] += await _import_document(store, _document_line(line))
        progress("documents", number, manifest.documents)
    if blobs is not None:
        for number, line in enumerate(_lines(folder / "blobs.jsonl"), 1):
            written[1] += await _import_blob(blobs, _blob_line(line), folder / "blobs")
            progress("blobs", number, manifest.blobs)
    return written[0], written[1]


async def _import_document(store: DocumentStore, line: DocumentLine) -> int:
    space, value = Space(line.tenant, line.namespace), bytes(line.value)
    found = await store.get(space, line.key)
    if found is not None and (found.value, found.schema, found.expires) == (value, line.schema, line.expires):
        return 0
    await store.commit((Put(space, line.key, value, schema=line.schema, expires=line.expires),))
    return 1


async def _import_blob(blobs: Blobs, line: BlobLine, folder: Path) -> int:
    scoped = blobs.scoped(line.namespace, line.tenant)
    found = await scoped.head(line.key)
    if found is not None and (found.sha256, found.content_type) == (line.sha256, line.content_type):
        return 0
    await scoped.write(line.key, _content(folder / line.sha256), content_type=line.content_type)
    return 1


async def _content(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            yield piece
