"""The offer to take back what was just done."""

import base64

import pytest
from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform.http.pages.undoing import UndoOffer, end_offer, offer_undo, offered_undo


def _request(scheme: str, cookie: str = "") -> Request:
    headers = [(b"host", b"fsp.test"), (b"cookie", cookie.encode())]
    return Request({"type": "http", "scheme": scheme, "path": "/", "query_string": b"", "headers": headers})


@pytest.mark.parametrize(("scheme", "name"), [("http", "fsp-undo"), ("https", "__Host-fsp-undo")])
def test_an_offer_reaches_the_next_page_once(scheme: str, name: str) -> None:
    """What was offered is there with the next request, and its page ends it."""
    response = Response()
    offer_undo(_request(scheme), response, "/changes/1", {"confirm": "yes"})
    cookie = response.headers["set-cookie"].partition(";")[0]
    assert cookie.partition("=")[0] == name
    following = _request(scheme, cookie)
    assert offered_undo(following) == UndoOffer("/changes/1", {"confirm": "yes"})
    page = Response()
    end_offer(following, page)
    assert "Max-Age=0" in page.headers["set-cookie"]


@pytest.mark.parametrize(
    "content",
    [b"x", b"[]", b'["//evil.test", {}]', b'["/a", {"b": 1}]', b'["/a", 1]', b"7"],
)
def test_what_is_odd_is_nothing(content: bytes) -> None:
    """A cookie that somebody made up leads nowhere."""
    value = base64.urlsafe_b64encode(content).decode()
    assert offered_undo(_request("http", f"fsp-undo={value}")) is None
    assert offered_undo(_request("http", "fsp-undo=%%%")) is None
