"""What storage is made of: backends, what they can do, what they hold, how far the change feed has come."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from au_sys_storage_sdk.adapters.api.access import Desk, Desked
from au_sys_storage_sdk.adapters.api.followers import Followers, FollowersOf
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.switching.divided import MAIN
from au_sys_storage_sdk.core.switching.switchable import Switchable
from au_sys_storage_sdk.core.switching.switches import Switches
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import inject

router = APIRouter()


class Backend(BaseModel):
    """One backend. ``durability``: what an acknowledged write survives."""

    kind: str
    durable: bool
    durability: str
    features: list[str]


class Used(BaseModel):
    """What a namespace of the caller's tenant holds; sizes in bytes."""

    namespace: str
    documents: int = 0
    document_bytes: int = 0
    blobs: int = 0
    blob_bytes: int = 0
    sequence: int = 0


class Feed(BaseModel):
    """The change feed: its last sequence, who follows it over HTTP, and how late the slowest of them was told
    (milliseconds). ``switch_lag``: changes that a switch under way has still to take over.
    """

    sequence: int
    followers: int
    lag_ms: int
    switch_lag: int | None


class Division(BaseModel):
    """Namespaces that are moved apart from all others: where they are, and where their own sequence stands."""

    part: str
    active: str
    kind: str
    epoch: int
    sequence: int
    switch_lag: int | None


class Status(BaseModel):
    """Backends, the epoch (one more with each switch), the feed and the namespaces in reach."""

    documents: Backend
    blobs: Backend
    active: str
    epoch: int
    sequence: int
    feed: Feed
    parts: list[Division]
    namespaces: list[Used]


Moving = Annotated[Switches, inject(Switches)]


@router.head("/storage")
@router.get("/storage")
@access(permission="storage.backends.read")
async def read_status(request: Request, desk: Desked, switches: Moving, followers: FollowersOf) -> Status:
    """Backends and namespaces of the caller's tenant."""
    return await status_of(request, desk, switches, followers)


async def status_of(request: Request, desk: Desk, switches: Switches, followers: Followers) -> Status:
    """The same for a page."""
    reach, store = desk.reach(request), switches.of(MAIN)
    features = desk.storage.features
    blobs_durable = desk.blobs.backend != "memory"
    sequence = await store.sequence()
    return Status(
        documents=Backend(
            kind=store.name,
            durable=Feature.DURABLE in features,
            durability=_durability(Feature.DURABLE in features),
            features=sorted(feature.value for feature in features),
        ),
        blobs=Backend(
            kind=desk.blobs.backend,
            durable=blobs_durable,
            durability=_durability(blobs_durable),
            features=["CAS", "RANGE", "SCAN"],
        ),
        active=store.entry.active,
        epoch=store.entry.epoch,
        sequence=sequence,
        feed=Feed(
            sequence=sequence, followers=followers.number, lag_ms=followers.lag, switch_lag=_behind(store, sequence)
        ),
        parts=[await _part(name, part) for name, part in switches if name != MAIN],
        namespaces=await used_by(desk, reach.tenant),
    )


async def _part(name: str, store: Switchable) -> Division:
    sequence, entry = await store.sequence(), store.entry
    return Division(
        part=name, active=entry.active, kind=store.name, epoch=entry.epoch, sequence=sequence,
        switch_lag=_behind(store, sequence),
    )  # fmt: skip


def _durability(durable: bool) -> str:
    return marked("power loss") if durable else marked("nothing: acknowledged writes may be lost in a crash")


def _behind(store: Switchable, sequence: int) -> int | None:
    progress = store.progress
    return None if progress is None or progress.phase.ended else max(sequence - progress.reached, 0)


async def used_by(desk: Desk, tenant: str) -> list[Used]:
    """The namespaces of a tenant that are open to callers, with their sizes."""
    policies, used = desk.terms.policies, dict[str, Used]()
    for entry in await desk.storage.usage():
        if entry.tenant == tenant and policies.in_reach(entry.namespace):
            found = used.setdefault(entry.namespace, Used(namespace=entry.namespace))
            found.documents, found.document_bytes, found.sequence = entry.count, entry.size, entry.sequence
    for held in await desk.blobs.usage():
        if held.tenant == tenant and policies.in_reach(held.namespace):
            found = used.setdefault(held.namespace, Used(namespace=held.namespace))
            found.blobs, found.blob_bytes = held.count, held.size
    return sorted(used.values(), key=lambda item: item.namespace)
