"""``au-sys-storage``: what operators do with storage from the command line."""

from __future__ import annotations

import asyncio
import functools
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from au_sys_storage_sdk.adapters.cli.archives import export_archive, import_archive, verify_archive
from au_sys_storage_sdk.adapters.opening import blob_store, document_store, local_path
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import StorageError
from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
from au_sys_storage_sdk.manifest.config import StorageSettings
from au_sys_storage_sdk.manifest.container import sealed

Command = TypeVar("Command", bound=Callable[..., object])

_TICK = 1000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Back up, move, check and count what storage holds."""


def _places(command: Command) -> Command:
    documents = click.option("--url", help="Backend of documents (default: STORAGE_URL).")
    blobs = click.option("--blobs-url", help="Backend of blobs (default: STORAGE_BLOBS_URL).")
    return documents(blobs(command))


def _told(
    work: Callable[..., Coroutine[Any, Any, dict[str, object]]],
) -> Callable[..., None]:  # Any: send and throw types
    """Run a command, print its answer as JSON, and a storage error as one sentence with exit code 1."""

    @functools.wraps(work)
    def run(*arguments: object, **options: object) -> None:
        try:
            answer = asyncio.run(work(*arguments, **options))
        except StorageError as error:
            click.echo(f"au-sys-storage: {error}", err=True)
            raise SystemExit(1) from None
        click.echo(json.dumps(answer))

    return run


def _progress(what: str, number: int) -> None:
    if sys.stderr.isatty() and number % _TICK == 0:
        click.echo(f"\r{what}: {number:,}", nl=False, err=True)


@asynccontextmanager
async def _opened(url: str | None, blobs_url: str | None) -> AsyncIterator[tuple[DocumentStore, Blobs]]:
    settings = StorageSettings()
    store = sealed(await document_store(url or settings.resolved_url()), settings)
    blobs = Blobs(blob_store(blobs_url or settings.resolved_blobs_url()))
    try:
        yield store, blobs
    finally:
        await store.close()
        await blobs.close()


def _reading(url: str | None) -> str:
    """The same place for reading only, so that a running platform is not disturbed."""
    chosen = url or StorageSettings().resolved_url()
    return chosen + "?mode=ro" if chosen.startswith("sqlite:") and "?" not in chosen else chosen


@main.command()
@_places
@_told
async def stats(url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Count documents, blobs and bytes of each namespace."""
    async with _opened(_reading(url), blobs_url) as (store, blobs):
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
@_places
@_told
async def export(folder: Path, url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Write everything into a new FOLDER as JSON lines and files. Sealed documents are written in the clear."""
    async with _opened(_reading(url), blobs_url) as (store, blobs):
        manifest = await export_archive(store, blobs, folder, _progress)
    return {"folder": str(folder), "documents": manifest.documents, "blobs": manifest.blobs}


@main.command("import")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@_places
@_told
async def import_(folder: Path, url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Fill a backend from an exported FOLDER; it may be repeated."""
    async with _opened(url, blobs_url) as (store, blobs):
        documents, files = await import_archive(store, blobs, folder, _progress)
    return {"documents_written": documents, "blobs_written": files}


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--url", help="Backend of documents, of SQLite (default: STORAGE_URL).")
@_told
async def backup(file: Path, url: str | None) -> dict[str, object]:
    """Copy the documents of a SQLite backend into a new FILE while the platform runs, and check the copy."""
    from au_sys_storage_sdk.adapters.sqlite.snapshots import back_up

    source = local_path(url or StorageSettings().resolved_url())
    return {"file": str(file), "documents": await asyncio.to_thread(back_up, source, file, _progress)}


@main.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--url", help="Backend of documents, of SQLite (default: STORAGE_URL).")
@_told
async def restore(file: Path, url: str | None) -> dict[str, object]:
    """Put a backup FILE in the place of the documents of a stopped platform; the old file is kept beside it."""
    from au_sys_storage_sdk.adapters.sqlite import snapshots

    target = local_path(url or StorageSettings().resolved_url())
    return {"file": str(target), "documents": await asyncio.to_thread(snapshots.restore, file, target, _progress)}


@main.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_told
async def verify(path: Path) -> dict[str, object]:
    """Check an exported folder, a backup or a documents file (PATH) against its digests."""
    if path.is_dir():  # noqa: ASYNC240 - a command has nothing else to do
        manifest = await asyncio.to_thread(verify_archive, path)
        return {"documents": manifest.documents, "blobs": manifest.blobs, "whole": True}
    from au_sys_storage_sdk.adapters.sqlite import snapshots

    return {"documents": await asyncio.to_thread(snapshots.verify, path), "whole": True}


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


@main.command("rotate-keys")
@_places
@_told
async def rotate_keys(url: str | None, blobs_url: str | None) -> dict[str, object]:
    """Seal everything anew that an older key of STORAGE_ENCRYPTION_KEYS (or none) has sealed."""
    async with _opened(url, blobs_url) as (store, _):
        if not isinstance(store, Encrypted):
            raise click.UsageError("STORAGE_ENCRYPTION_KEYS is not set, so there is nothing to seal with.")
        return {"documents_sealed": await store.rotate()}
