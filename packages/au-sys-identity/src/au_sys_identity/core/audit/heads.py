"""Signed heads: what the log looked like at a moment, as bytes that a key signs."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

CheckSignature = Callable[[str, bytes, bytes], bool]
"""Whether the key of that id signed those bytes: key id, message, signature."""


@dataclass(frozen=True, slots=True)
class Head:
    """The root over the first ``tree_size`` leaves, signed with Ed25519."""

    tree_size: int
    root_hash: bytes
    at: datetime
    key_id: str
    signature: bytes = b""

    @property
    def message(self) -> bytes:
        """What is signed."""
        lines = (
            "au-sys-identity audit head v1",
            str(self.tree_size),
            self.root_hash.hex(),
            moment(self.at),
            self.key_id,
        )
        return "\n".join(lines).encode()

    def shown(self) -> dict[str, object]:
        """As JSON."""
        return {
            "tree_size": self.tree_size,
            "root_hash": self.root_hash.hex(),
            "at": moment(self.at),
            "key_id": self.key_id,
            "signature": base64.b64encode(self.signature).decode(),
        }

    @classmethod
    def read(cls, shown: Mapping[str, object]) -> "Head":
        """Out of JSON.

        Raises:
            ValueError: it is no head.
        """
        size, root, at = shown.get("tree_size"), shown.get("root_hash"), shown.get("at")
        key_id, signature = shown.get("key_id"), shown.get("signature")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError("tree_size is no number")
        if not (
            isinstance(root, str) and isinstance(at, str) and isinstance(key_id, str) and isinstance(signature, str)
        ):
            raise ValueError("a member of the head is missing")
        found = datetime.fromisoformat(at.replace("Z", "+00:00"))
        return cls(size, bytes.fromhex(root), found, key_id, base64.b64decode(signature, validate=True))


def moment(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, always of the same length."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
