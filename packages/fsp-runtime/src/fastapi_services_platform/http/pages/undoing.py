"""The offer to take back what was just done, on the page that follows: a short-lived cookie that no other site sets."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

_SECONDS = 60
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class UndoOffer:
    """A form that takes a change back: ``fields`` are posted to ``href``, a path of the platform."""

    href: str
    fields: Mapping[str, str]


def offer_undo(request: Request, response: Response, href: str, fields: Mapping[str, str] | None = None) -> None:
    """Show "Undo" on the page that comes next; it posts the fields, with the token against forgery, to ``href``."""
    value = base64.urlsafe_b64encode(orjson.dumps([href, dict(fields or {})])).decode()
    if len(value) > _LONGEST:
        return
    secure = request.url.scheme == "https"
    response.set_cookie(_name(request), value, max_age=_SECONDS, secure=secure, httponly=True, samesite="strict")


def offered_undo(request: Request) -> UndoOffer | None:
    """What the page before offered, if it did; anything odd is nothing."""
    value = request.cookies.get(_name(request), "")[:_LONGEST]
    if not value:
        return None
    try:
        href, fields = orjson.loads(base64.urlsafe_b64decode(value))
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError):
        return None
    sound = isinstance(fields, dict) and all(isinstance(item, str) for item in fields.values())
    if not isinstance(href, str) or not sound or not href.startswith("/") or href.startswith(("//", "/\\")):
        return None
    return UndoOffer(href, fields)


def end_offer(request: Request, response: Response) -> None:
    """It is shown once."""
    if _name(request) in request.cookies:
        secure = request.url.scheme == "https"
        response.delete_cookie(_name(request), secure=secure, httponly=True, samesite="strict")


def _name(request: Request) -> str:
    return "__Host-fsp-undo" if request.url.scheme == "https" else "fsp-undo"
