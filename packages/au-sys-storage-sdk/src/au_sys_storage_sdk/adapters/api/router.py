"""Every route once, in the order in which they are tried: the key routes take any path, so they come last."""

from fastapi import APIRouter

from au_sys_storage_sdk.adapters.api import documents, status

router = APIRouter()
router.include_router(status.router)
router.include_router(documents.router)
