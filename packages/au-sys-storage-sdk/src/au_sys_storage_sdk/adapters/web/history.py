"""The past of a document: its entries in the change feed, and what administrators changed by hand, before and after."""

import hashlib
from dataclasses import dataclass

import msgspec

from au_sys_storage_sdk.adapters.api.access import Reach
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.operations import Put
from au_sys_storage_sdk.core.errors import FeedCompacted
from au_sys_storage_sdk.core.switching.divided import position

NAMESPACE = "storage.history"
_KEPT_MS = 90 * 86_400_000
_LOOKED_AT = 20_000
_PAGE = 500
_SHOWN = 50
_LARGEST = 200_000


class Edit(msgspec.Struct, frozen=True):
    """A change by hand. Values are JSON text; ``None`` where nothing was left, or it is too large to be kept."""

    by: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One version of a document: what happened, when (Unix ms), and for a change by hand by whom."""

    version: int
    event: str
    at: int
    edit: Edit | None = None


def record_of(tenant: str, namespace: str, key: str, by: str, before: Stored, after: bytes | None) -> Put:
    """The step of a commit that keeps what a change replaces; its key names the version that was replaced."""
    kept = [None if value is None or len(value) > _LARGEST else value.decode() for value in (before.value, after)]
    text = msgspec.json.encode(Edit(by, *kept))
    return Put(Space(tenant, NAMESPACE), f"{_of(namespace, key)}/{before.version:019}", text, None, _KEPT_MS)


def _of(namespace: str, key: str) -> str:
    return hashlib.sha256(f"{namespace}\0{key}".encode()).hexdigest()


async def history(reach: Reach, namespace: str, key: str) -> list[Step]:
    """The newest steps first, as far as the feed reaches back (and at most some thousands of writes)."""
    found = (await _changes(reach, namespace, key))[-_SHOWN:]
    edits = await _edits(reach, namespace, key)
    steps = [
        Step(change.seq, change.event, change.at, edits.get(earlier.seq if earlier else -1))
        for earlier, change in zip([None, *found], found, strict=False)
    ]
    return steps[::-1]


async def _changes(reach: Reach, namespace: str, key: str) -> list[Change]:
    store, space = reach.storage.store, reach.documents(namespace).space
    newest = await position(store, space)
    since, found = max(newest - _LOOKED_AT, 0), list[Change]()
    while since < newest:
        try:
            changes, seen = await store.changes(since, _PAGE, space)
        except FeedCompacted as error:
            since = error.snapshot_seq
            continue
        found += [change for change in changes if change.key == key and change.event != "emit"]
        if seen <= since:
            break
        since = seen
    return found


async def _edits(reach: Reach, namespace: str, key: str) -> dict[int, Edit]:
    prefix = f"{_of(namespace, key)}/"
    page = await reach.storage.namespace(NAMESPACE).scan_text(prefix)
    return {int(item.key.rpartition("/")[2]): msgspec.json.decode(item.value, type=Edit) for item in page.items}
