"""Move documents to the part that they belong to, while nobody else reads or writes: after parts were named anew."""

from __future__ import annotations

from collections.abc import Mapping

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput
from au_sys_storage_sdk.core.paging import MAX_LIMIT
from au_sys_storage_sdk.core.progress import Progress
from au_sys_storage_sdk.core.switching.divided import Division
from au_sys_storage_sdk.core.switching.migration import PAGE_BYTES, Address, states


async def divide(stores: Mapping[str, DocumentStore], division: Division, progress: Progress) -> int:
    """Versions and times to live stay; positions in the feed from before are too old then. How many documents moved.

    It may be interrupted and repeated: a document is removed where it was once it is found where it belongs.

    Raises:
        Corrupt: a copy is not what was copied; nothing of it was removed.
        InvalidInput: two parts lie in the same backend; nothing was moved.
    """
    moved = 0
    for part, source in stores.items():
        strays = [used for used in await source.usage() if not division.belongs(used.namespace, part)]
        expected = sum(used.count for used in strays)
        for used in strays:
            moved += await _moved(source, stores[division.part_of(used.namespace)], used)
            progress("documents", moved, expected)
    return moved


async def _moved(source: DocumentStore, target: DocumentStore, used: SpaceUsage) -> int:
    space, after, moved = Space(used.tenant, used.namespace), "", 0
    sequence = max(await source.sequence(), await target.sequence()) + 1
    await target.replicate(Replica({}, (), {space: used.sequence}, sequence, compacted=sequence))
    if await source.sequence() == sequence:  # what is copied here would be removed right after
        raise InvalidInput("STORAGE_PARTS", "two parts lie in the same backend", "give each a backend of its own")
    while True:
        page = await source.scan(space, "", after, MAX_LIMIT, PAGE_BYTES, keys_only=False)
        records: dict[Address, Stored | None] = {(space, found.key): found for found in page.items}
        await target.replicate(Replica(records, (), {}, sequence))
        there = await states(target, list(records))
        for (_, key), record in records.items():
            if there[space, key] != record:
                raise Corrupt(f"document {key!r} of namespace {space.namespace!r}", "its copy is another")
        await source.replicate(Replica(dict.fromkeys(records), (), {}, await source.sequence()))
        moved += len(records)
        if page.after is None:
            return moved
        after = page.after
