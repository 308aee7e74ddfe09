"""Every route once, in the order in which they are tried: the key routes take any path, so they come last."""

from fastapi import APIRouter

from au_sys_storage_sdk.adapters.api import blobs, bulk, documents, status, switching, uploads

router = APIRouter()
router.include_router(status.router)
router.include_router(switching.router)
router.include_router(bulk.router)
router.include_router(documents.router)

blob_router = APIRouter()
blob_router.include_router(uploads.router)
blob_router.include_router(blobs.router)
"""Apart, because its bodies may be of any size."""
