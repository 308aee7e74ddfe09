"""Time-based one-time passwords (RFC 6238): SHA-1, 6 digits, 30 seconds, one step either way."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

_STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 20


def new_secret() -> bytes:
    """160 random bits, as RFC 4226 §4 recommends."""
    return secrets.token_bytes(_SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def step_of(now: datetime) -> int:
    """The time step of a moment."""
    return int(now.timestamp()) // _STEP_SECONDS


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The step that a code belongs to, within one step of now; every candidate is compared."""
    found: int | None = None
    for step in (step_of(now) - 1, step_of(now), step_of(now) + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "surrogatepass")):
            found = step
    return found


def shown_secret(secret: bytes) -> str:
    """The secret as an authenticator app takes it when there is no camera."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def provisioning_uri(secret: bytes, account: str, issuer: str) -> str:
    """The address inside the QR code."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return f"otpauth://totp/{label}?secret={shown_secret(secret)}&issuer={quote(issuer, safe='')}"
