"""``au-sys-storage``: what operators do with storage from the command line."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from au_sys_storage_sdk.adapters.cli.archives import export_archive, import_archive, verify_archive
from au_sys_storage_sdk.adapters.cli.progress import Bar
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.adapters.opening import blob_store, document_store, local_path
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Corrupt, StorageError, Unavailable
from au_sys_storage_sdk.core.switching.divided import MAIN, Divided
from au_sys_storage_sdk.core.switching.dividing import divide
from au_sys_storage_sdk.core.switching.models import Phase, Progress
from au_sys_storage_sdk.core.switching.switches import Switches
from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
from au_sys_storage_sdk.manifest.config import StorageSettings
from au_sys_storage_sdk.manifest.container import journal_of, opened_switches, whole

Command = TypeVar("Command", bound=Callable[..., object])

FAILED, DAMAGED, NOT_NOW = 1, 3, 4
_GLANCE = 0.1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Back up, move, check and count what storage holds.

    Every command answers with one line of JSON. Exit codes: 0 done, 1 failed, 2 called wrongly, 3 damaged, 4 not now
    (in use, or out of reach).
    """


def _places(command: Command) -> Command:
    documents = click.option("--url", help="Backend of documents (default: STORAGE_URL).")
    blobs = click.option("--blobs-url", help="Backend of blobs (default: STORAGE_BLOBS_URL).")
    return documents(blobs(command))


def _told(
    work: Callable[..., Coroutine[Any, Any, dict[str, object]]],
) -> Callable[..., None]:  # Any: send and throw types
    """Run a command, print its answer as JSON, and a storage error as one sentence with an exit code of its own."""

    @functools.wraps(work)
    def run(*arguments: object, **options: object) -> None:
        try:
            answer = asyncio.run(work(*arguments, **options))
        except StorageError as error:
            click.echo(f"au-sys-storage: {error}", err=True)
            raise SystemExit(_exit_code(error)) from None
        click.echo(json.dumps(answer))

    return run


def _exit_code(error: StorageError) -> int:
    if isinstance(error, Corrupt):
        return DAMAGED
    return NOT_NOW if isinstance(error, Unavailable) else FAILED


@asynccontextmanager
async def _opened(
    url: str | None, blobs_url: str | None, *, reading: bool = False
) -> AsyncIterator[tuple[DocumentStore, Blobs]]:
    settings = StorageSettings()
    store = await _documents(url, settings, reading=reading)
    blobs = Blobs(blob_store(blobs_url or settings.resolved_blobs_url(), settings.credentials()))
    try:
        yield store, blobs
    finally:
        await store.close()
        await blobs.close()


async def _documents(url: str | None, settings: StorageSettings, *, reading: bool) -> DocumentStore:
    """What a URL names, else every part of the platform's; ``reading``: a running platform is not disturbed."""
    stores: dict[str, DocumentStore] = {}
    try:
        for part in (MAIN,) if url else (MAIN, *settings.parts):
            if part and reading and await journal_of(part, settings.folder()).read() is None:
                stores[part] = MemoryDocuments()  # nobody has opened it yet
                continue
            place = await _place(url, part)
            read_only = reading and place.startswith("sqlite:") and "?" not in place
            stores[part] = await document_store(place + "?mode=ro" * read_only, settings.credentials())
    except BaseException:
        for store in stores.values():
            await store.close()
        raise
    return whole(stores, settings)


async def _place(url: str | None, part: str = MAIN) -> str:
    """Where documents are: as told, else where a live switch has moved them, else where they began."""
    if url:
        return url
    settings = StorageSettings()
    if part != MAIN and part not in settings.parts:
        raise click.UsageError(f"Part {part!r} is not one of STORAGE_PARTS.")
    entry = await journal_of(part, settings.folder()).read()
    return settings.resolved_url(part=part) if entry is None else settings.address_of(entry.active, part=part)


def _part(command: Command) -> Command:
    return click.option("--part", default=MAIN, help="Only the namespaces of one of STORAGE_PARTS.")(command)


@main.command()
@_places
@_told
async def stats(url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Count documents, blobs and bytes of each namespace."""
    async with _opened(url, blobs_url, reading=True) as (store, blobs):
        documents = [
            {"tenant": used.tenant, "namespace": used.namespace, "documents": used.count, "bytes": used.size}
            for used in await store.usage()
        ]
        files = [
            {"tenant": used.tenant, "namespace": used.namespace, "blobs": used.count, "bytes": used.size}
            for used in await blobs.usage()
        ]
        return {"backend": store.name, "documents": documents, "blobs": files}


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--in-the-clear", is_flag=True, help="Write sealed documents so that everybody can read them.")
@_places
@_told
async def export(folder: Path, in_the_clear: bool, url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Write everything into a new FOLDER as JSON lines and files.

    Sealed documents are bound to their backend and leave it in the clear only, if you say so; a backup stays sealed.
    """
    if StorageSettings().encryption_keys and not in_the_clear:
        raise click.UsageError("Documents are sealed: say --in-the-clear, or make a backup, which stays sealed.")
    async with _opened(url, blobs_url, reading=True) as (store, blobs):
        manifest = await export_archive(store, blobs, folder, Bar())
    return {"folder": str(folder), "documents": manifest.documents, "blobs": manifest.blobs}


@main.command("import")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@_places
@_told
async def import_(folder: Path, url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Fill a backend from an exported FOLDER; it may be repeated."""
    async with _opened(url, blobs_url) as (store, blobs):
        documents, files = await import_archive(store, blobs, folder, Bar())
    return {"documents_written": documents, "blobs_written": files}


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--url", help="Backend of documents, of SQLite (default: STORAGE_URL).")
@_part
@_told
async def backup(file: Path, url: str | None, part: str) -> dict[str, object]:
    """Copy the documents of a SQLite backend into a new FILE while the platform runs, and check the copy."""
    from au_sys_storage_sdk.adapters.sqlite.snapshots import back_up

    source = local_path(await _place(url, part))
    found = await asyncio.to_thread(back_up, source, file, Bar())
    return {"file": str(file), "documents": found.documents, "digest": found.digest}


@main.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--url", help="Backend of documents, of SQLite (default: STORAGE_URL).")
@_part
@_told
async def restore(file: Path, url: str | None, part: str) -> dict[str, object]:
    """Put a backup FILE in the place of the documents of a stopped platform; the old file is kept beside it."""
    from au_sys_storage_sdk.adapters.sqlite import snapshots

    target = local_path(await _place(url, part))
    found = await asyncio.to_thread(snapshots.restore, file, target, Bar())
    return {"file": str(target), "documents": found.documents, "digest": found.digest}


@main.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_told
async def verify(path: Path) -> dict[str, object]:
    """Check an exported folder, a backup or a documents file (PATH) against its digests."""
    if path.is_dir():  # noqa: ASYNC240 - a command has nothing else to do
        manifest = await asyncio.to_thread(verify_archive, path)
        return {"documents": manifest.documents, "blobs": manifest.blobs, "whole": True}
    from au_sys_storage_sdk.adapters.sqlite import snapshots

    found = await asyncio.to_thread(snapshots.verify, path)
    return {"documents": found.documents, "digest": found.digest, "whole": True}


@main.command()
@click.option("--keep", default=1_000_000, show_default=True, help="Entries of the change feed that stay.")
@_places
@_told
async def compact(keep: int, url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Forget old entries of the change feed, expired documents and orphaned files."""
    async with _opened(url, blobs_url) as (store, blobs):
        return {
            "expired": await store.sweep(), "changes_forgotten": await store.compact(keep),
            "orphans_removed": await blobs.sweep(),
        }  # fmt: skip


@main.command()
@click.argument("backend")
@click.option("--rate", type=click.FloatRange(min=1), help="Documents a second that are copied at most.")
@click.option("--dry-run", is_flag=True, help="Only look whether it could begin.")
@_part
@_told
async def switch(backend: str, rate: float | None, dry_run: bool, part: str) -> dict[str, object]:
    """Move all documents (or those of a part) to BACKEND while the platform is stopped.

    BACKEND is a name in STORAGE_SWITCH_TARGETS, or "default". A running platform is switched by POST
    /storage/switch/BACKEND or on its page. An interrupted switch is taken up by the next call, or by the next start of
    the platform.
    """
    settings = StorageSettings()
    async with opened_switches(settings, settings.folder(), alone=True) as switches:
        return await _switched(switches, part, backend, rate, dry_run=dry_run)


async def _switched(
    switches: Switches, part: str, backend: str, rate: float | None, *, dry_run: bool
) -> dict[str, object]:
    store = switches.of(part)
    taken_up = store.progress is not None and store.progress.target == backend
    if dry_run:
        await switches.check(part, backend)
        return {"source": store.entry.active, "target": backend, "begun": False}
    if not taken_up:
        await switches.switch(part, backend, rate=rate or StorageSettings().switch_rate)
    expected, bar = sum(used.count for used in await store.usage()), Bar()
    finishing = asyncio.create_task(store.finished())
    while not (await asyncio.wait([finishing], timeout=_GLANCE))[0]:
        _drawn(bar, store.progress, expected)
    bar.end()
    done = finishing.result()
    if done.phase is not Phase.FLIPPED:
        raise Unavailable(f"the switch to {backend!r} {done.phase.value}: {done.reason}")
    return {
        "operation": done.operation, "source": done.source, "target": done.target, "documents": done.compared,
        "sequence": done.reached,
    }  # fmt: skip


def _drawn(bar: Bar, progress: Progress | None, expected: int) -> None:
    if progress is not None and progress.phase is Phase.COPYING:
        bar("copied", progress.copied, expected)
    elif progress is not None and progress.compared:
        bar("compared", progress.compared, expected)


@main.command("divide")
@_told
async def divide_() -> dict[str, object]:
    """Move documents to the part of STORAGE_PARTS that they belong to, while the platform is stopped.

    A part that has no namespaces any more is emptied, and may be taken out of the settings then.
    """
    settings = StorageSettings()
    async with opened_switches(settings, settings.folder(), alone=True) as switches:
        moved = await divide(dict(switches), settings.division(), Bar())
    gone = [name for name, part in settings.parts.items() if not part.namespaces]
    for name in gone:
        journal_of(name, settings.folder()).forget()
    return {"documents_moved": moved, "parts_gone": gone}


@main.command("rotate-keys")
@_places
@_told
async def rotate_keys(url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Seal everything anew that an older key of STORAGE_ENCRYPTION_KEYS (or none) has sealed."""
    async with _opened(url, blobs_url) as (store, _):
        parts = store.stores if isinstance(store, Divided) else [store]
        sealing = [part for part in parts if isinstance(part, Encrypted)]
        if not sealing:
            raise click.UsageError("STORAGE_ENCRYPTION_KEYS is not set, so there is nothing to seal with.")
        return {"documents_sealed": sum([await part.rotate() for part in sealing])}
