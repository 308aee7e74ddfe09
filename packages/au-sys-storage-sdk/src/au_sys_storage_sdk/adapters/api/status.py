"""What storage is made of: backends, what they can do, what they hold."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from au_sys_storage_sdk.adapters.api.access import Reached
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.models import Feature
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject

router = APIRouter()


class Backend(BaseModel):
    """One backend."""

    kind: str
    durable: bool
    features: list[str]


class Used(BaseModel):
    """What a namespace of the caller's tenant holds; sizes in bytes."""

    namespace: str
    documents: int = 0
    document_bytes: int = 0
    blobs: int = 0
    blob_bytes: int = 0
    sequence: int = 0


class Status(BaseModel):
    """Backends, the commit sequence and the namespaces in reach."""

    documents: Backend
    blobs: Backend
    sequence: int
    namespaces: list[Used]


@router.get("/storage")
@access(permission="storage.backends.read")
async def read_status(reach: Reached, principal: CurrentPrincipal, blobs: Annotated[Blobs, inject(Blobs)]) -> Status:
    """Backends and namespaces of the caller's tenant."""
    storage = reach.storage
    used: dict[str, Used] = {}
    for entry in await storage.usage():
        if entry.tenant == principal.tenant and reach.policies.in_reach(entry.namespace):
            found = used.setdefault(entry.namespace, Used(namespace=entry.namespace))
            found.documents, found.document_bytes, found.sequence = entry.count, entry.size, entry.sequence
    for held in await blobs.usage():
        if held.tenant == principal.tenant and reach.policies.in_reach(held.namespace):
            found = used.setdefault(held.namespace, Used(namespace=held.namespace))
            found.blobs, found.blob_bytes = held.count, held.size
    features = sorted(feature.value for feature in storage.features)
    return Status(
        documents=Backend(kind=storage.backend, durable=Feature.DURABLE in storage.features, features=features),
        blobs=Backend(kind=blobs.backend, durable=blobs.backend != "memory", features=["CAS", "RANGE", "SCAN"]),
        sequence=await storage.sequence(),
        namespaces=sorted(used.values(), key=lambda item: item.namespace),
    )
