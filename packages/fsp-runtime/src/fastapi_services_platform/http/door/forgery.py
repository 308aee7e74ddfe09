"""CSRF for cookie-carried sessions: where a request comes from, and a token that is bound to the session.

A browser attaches a cookie by itself, so a change needs two proofs: that the page which sent it is ours
(``Sec-Fetch-Site``, ``Origin``),
and a token that only our pages can read. Requests with ``Authorization`` or ``X-API-Key`` carry their proof already.
"""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import unquote_plus

from starlette.types import Message, Receive

from fastapi_services_platform.http.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FIELD = "csrf_token"
HEADER = b"x-csrf-token"

_NONCE = 12
_DIGEST = 24
_PEEK = 4096


class TokenMaker:
    """Makes and checks tokens of the form ``base64(nonce ‖ HMAC-SHA256(key, nonce ‖ binding))``."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"fsp-csrf\x00" + secret).digest()

    def make(self, binding: str) -> str:
        """A fresh token for a session (an empty binding: for nobody in particular)."""
        nonce = os.urandom(_NONCE)
        return urlsafe_b64encode(nonce + self._digest(nonce, binding)).decode("ascii")

    def fits(self, token: str, binding: str) -> bool:
        """Whether the token was made for this session; compared in constant time."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii"))
        except ValueError:
            return False
        if len(raw) != _NONCE + _DIGEST:
            return False
        return hmac.compare_digest(raw[_NONCE:], self._digest(raw[:_NONCE], binding))

    def _digest(self, nonce: bytes, binding: str) -> bytes:
        return hmac.new(self._key, nonce + binding.encode(), hashlib.sha256).digest()[:_DIGEST]


def origin_problem(headers: Mapping[bytes, bytes], own_origins: tuple[bytes, ...]) -> Problem | None:
    """Why a change is refused for the place it comes from, or ``None``. Clients that are no browsers send neither
    header.
    """
    site = headers.get(b"sec-fetch-site")
    origin = headers.get(b"origin")
    if origin is not None and origin not in own_origins:
        return _cross_site()
    if site is not None and site not in (b"same-origin", b"none"):
        return _cross_site()
    return None


def token_problem() -> Problem:
    """The refusal of a change without a fitting token."""
    detail = "The form is too old or came from another place. Load the page again and repeat."
    return Problem(403, "csrf-token", "The form's token does not fit", detail)


def _cross_site() -> Problem:
    detail = "Changes are accepted from the platform's own pages only."
    return Problem(403, "cross-site", "Request from another site", detail)


class PeekedBody:
    """``receive`` that gives again what was read to find the token in the first form field."""

    __slots__ = ("_messages", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def __call__(self) -> Message:
        return self._messages.pop(0) if self._messages else await self._receive()

    async def first_field(self, content_type: bytes) -> str | None:
        """The token in the first field of the form, or ``None``; at most a few kilobytes are read ahead."""
        head = b""
        messages: list[Message] = []
        while len(head) < _PEEK:
            message = await self._receive()
            messages.append(message)
            if message["type"] != "http.request":
                break
            head += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self._messages = messages
        kind = content_type.split(b";", 1)[0].strip().lower()
        if kind == b"application/x-www-form-urlencoded":
            return _first_urlencoded(head)
        if kind == b"multipart/form-data":
            return _first_multipart(head)
        return None


def _first_urlencoded(head: bytes) -> str | None:
    name, _, value = head.split(b"&", 1)[0].partition(b"=")
    return unquote_plus(value.decode("latin-1")) if name == FIELD.encode() else None


def _first_multipart(head: bytes) -> str | None:
    part_headers, separator, rest = head.partition(b"\r\n\r\n")
    if not separator or b'name="csrf_token"' not in part_headers:
        return None
    value, end, _ = rest.partition(b"\r\n")
    return value.decode("latin-1") if end else None
