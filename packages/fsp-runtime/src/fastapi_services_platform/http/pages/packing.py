"""Pages over the wire: compressed for who asked from here, as they are for everybody else.

The length of a compressed answer tells about its content (BREACH), to who can have somebody's browser ask again and
again with words of his choice. Such requests come from another site, and browsers say so; tokens in pages differ each
time besides.
"""

import zlib

from starlette.requests import Request
from starlette.responses import HTMLResponse

_WORTH_IT = 1400
"""Bytes that go into one packet anyhow."""
_LEVEL = 4
_GZIP = 31
_OWN = ("same-origin", "none")


def page_answer(request: Request, page: str, status_code: int) -> HTMLResponse:
    """The answer that carries a page; nobody keeps a copy."""
    headers = {"cache-control": "no-store", "vary": "accept-encoding, sec-fetch-site"}
    content = page.encode()
    if len(content) > _WORTH_IT and _may_be_packed(request):
        packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        content = packing.compress(content) + packing.flush()
        headers["content-encoding"] = "gzip"
    return HTMLResponse(content, status_code, headers)


def _may_be_packed(request: Request) -> bool:
    asked = request.headers
    return asked.get("sec-fetch-site") in _OWN and "gzip" in asked.get("accept-encoding", "")
