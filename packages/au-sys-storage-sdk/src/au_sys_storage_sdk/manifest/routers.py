"""Where the routers of storage are mounted, and how much a request to each may send."""

from __future__ import annotations

from au_sys_storage_sdk.adapters.api.router import blob_router, router
from au_sys_storage_sdk.adapters.web.router import router as pages
from au_sys_storage_sdk.adapters.web.router import upload_router
from fastapi_services_platform import RouterMount, Tier

_MAX_BODY = 16 * 1024 * 1024
_MAX_UPLOAD = 256 * 1024 * 1024
_MAX_BLOB = 5 * 1024**4

ROUTERS = (
    RouterMount("documents", router, Tier.API, max_body_bytes=_MAX_BODY),
    RouterMount("blobs", blob_router, Tier.API, max_body_bytes=_MAX_BLOB),
    RouterMount("page-uploads", upload_router, Tier.UI, max_body_bytes=_MAX_UPLOAD),
    RouterMount("pages", pages, Tier.UI, max_body_bytes=_MAX_BODY),
)
