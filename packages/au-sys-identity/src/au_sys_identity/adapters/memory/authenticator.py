"""A software authenticator: makes passkeys and signs with them, as a browser would send it.

Every property that a relying party has to check can be bent.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import encode_cbor

_PRESENT, _VERIFIED, _ELIGIBLE, _BACKED_UP, _ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def b64(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class SoftwareAuthenticator:
    """One passkey on one origin."""

    origin: str
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sign_count: int = 0
    verifies: bool = True
    eligible: bool = False
    backed_up: bool = False
    user_handle: bytes = b""
    algorithm: int = -7
    client_data: dict[str, object] = field(default_factory=dict)

    def create(self, options: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        """What ``navigator.credentials.create`` makes of the options."""
        self.user_handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: self.algorithm, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + encode_cbor(public)
        data = self._data(options["rp"]["id"], _ATTESTED) + attested
        response = {
            "clientDataJSON": self._client("webauthn.create", options["challenge"]),
            "attestationObject": b64(encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal"],
        }
        return self._answer(response)

    def get(self, options: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        """What ``navigator.credentials.get`` makes of the options."""
        data = self._data(options["rpId"], 0)
        client = self._client("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(base64.urlsafe_b64decode(client + "==")).digest()
        response = {
            "clientDataJSON": client,
            "authenticatorData": b64(data),
            "signature": b64(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
        }
        if self.user_handle:
            response["userHandle"] = b64(self.user_handle)
        return self._answer(response)

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        name = b64(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client(self, kind: str, challenge: str) -> str:
        fields = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return b64(json.dumps({**fields, **self.client_data}).encode())

    def _data(self, rp_id: str, flags: int) -> bytes:
        flags |= _PRESENT | _VERIFIED * self.verifies | _ELIGIBLE * self.eligible | _BACKED_UP * self.backed_up
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big")
