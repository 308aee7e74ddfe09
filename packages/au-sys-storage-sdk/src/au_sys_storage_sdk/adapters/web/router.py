"""Every page of storage; the pages of documents are last: their keys take any path."""

from fastapi import APIRouter

from au_sys_storage_sdk.adapters.web import documents, files, overview, switch

router = APIRouter(include_in_schema=False)
router.include_router(overview.router)
router.include_router(switch.router)
router.include_router(files.router)
router.include_router(documents.router)

upload_router = files.upload_router
"""Apart, because its bodies are larger."""
