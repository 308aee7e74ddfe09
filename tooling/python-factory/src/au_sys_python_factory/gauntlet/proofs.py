"""What a row proves itself with beyond a password: codes of an authenticator app, a passkey, letters that were sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

_STEP = 30
_PRESENT_AND_VERIFIED, _ATTESTED = 0x05, 0x40
_ES256 = -7


def code(secret: str, *, later: int = 0, moment: float | None = None) -> str:
    """The six digits of RFC 6238 for a base32 secret; ``later`` so many steps of 30 seconds."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    step = int((time.time() if moment is None else moment) // _STEP) + later
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


@dataclass(slots=True)
class Passkey:
    """A key on P-256 that answers for a person who is there and verified, as a browser would send it."""

    origin: str
    _id: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _handle: str = ""
    _count: int = 0
    _key: Any = field(default=None, repr=False)  # Any: the library's key, imported by the first ceremony

    def attestation(self, options: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        """What ``navigator.credentials.create`` makes of the options."""
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key = ec.generate_private_key(ec.SECP256R1())
        self._handle = str(options["user"]["id"])
        numbers = self._key.public_key().public_numbers()
        public = {1: 2, 3: _ES256, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self._id).to_bytes(2, "big") + self._id + _cbor(public)
        data = self._data(options["rp"]["id"], _ATTESTED) + attested
        made = {"fmt": "none", "attStmt": {}, "authData": data}
        client = self._client("webauthn.create", options["challenge"])
        return self._answer({"clientDataJSON": client, "attestationObject": _b64(_cbor(made))})

    def assertion(self, options: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        """What ``navigator.credentials.get`` makes of the options."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        self._count += 1
        data = self._data(options["rpId"], 0)
        client = self._client("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(base64.urlsafe_b64decode(client + "==")).digest()
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": client, "authenticatorData": _b64(data), "signature": _b64(signature)}
        return self._answer({**response, "userHandle": self._handle})

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:  # Any: JSON
        name = _b64(self._id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client(self, kind: str, challenge: str) -> str:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return _b64(json.dumps(told).encode())

    def _data(self, rp_id: str, flags: int) -> bytes:
        head = hashlib.sha256(rp_id.encode()).digest() + bytes([flags | _PRESENT_AND_VERIFIED])
        return head + self._count.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Letters:
    """A folder into which a platform puts its letters, one ``.eml`` file each."""

    folder: Path

    def token(self, to: str, page: str, *, used: frozenset[str] = frozenset()) -> str | None:
        """The token in the newest letter to somebody that leads to a page; ``None`` while there is none."""
        for file in sorted(self.folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            with file.open("rb") as opened:
                letter = BytesParser(_class=EmailMessage, policy=policy.default).parse(opened)
            text = letter.get_body(("plain",))
            found = re.search(rf"{re.escape(page)}#token=([\w.\-]+)", str(text.get_content()) if text else "")
            if to.lower() in str(letter["To"]).lower() and found and found[1] not in used:
                return found[1]
        return None


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _cbor(value: object) -> bytes:
    """The few kinds of RFC 8949 that a passkey needs: small numbers, bytes, text and maps."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(_cbor(key) + _cbor(item) for key, item in value.items())
    raise TypeError(type(value).__name__)


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    if number < 256:
        return bytes([kind << 5 | 24, number])
    return bytes([kind << 5 | 25]) + number.to_bytes(2, "big")
