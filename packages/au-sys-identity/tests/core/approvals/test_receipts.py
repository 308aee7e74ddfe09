"""Receipts: sound ones pass, and each planted defect is named, without anything but the file."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator, b64
from au_sys_identity.core.approvals.receipts import check_receipt
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.tree import leaf_hash, node_hash
from au_sys_identity.core.canonical import canonical

Receipt = dict[str, Any]  # Any: JSON
PERSON = "urn:au:user:ann"


@pytest.fixture
def receipt() -> Receipt:
    """A sound one: signed by a passkey, its decision the second of three leaves."""
    act = canonical({"v": 1, "approval_id": str(UUID(int=7)), "method": "DELETE"}).decode()
    hashed = hashlib.sha256(act.encode()).digest()
    device = SoftwareAuthenticator("https://platform.test")
    numbers = device.key.public_key().public_numbers()
    answer = device.get({"rpId": "platform.test", "challenge": b64(hashed)})["response"]
    key = _cbor_key(numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big"))
    event = {"action": "approval.decided", "actor": PERSON, "target": f"urn:au:approval:{UUID(int=7)}:{hashed.hex()}"}
    text = canonical(event).decode()
    others = [leaf_hash(b"first"), leaf_hash(b"third")]
    root = node_hash(node_hash(others[0], leaf_hash(text.encode())), others[1])
    signer = Ed25519PrivateKey.generate()
    unsigned = Head(3, root, datetime(2026, 3, 1, tzinfo=UTC), "k1")
    head = Head(3, root, unsigned.at, "k1", signer.sign(unsigned.message))
    return {
        "kind": "approval-receipt",
        "v": 1,
        "act": act,
        "act_hash": hashed.hex(),
        "decision": "approve",
        "decided_by": PERSON,
        "decided_at": "2026-03-01T00:00:00Z",
        "used_at": None,
        "origin": "https://platform.test",
        "assertion": {
            "credential_id": b64(device.credential_id),
            "public_key": b64(key),
            "authenticator_data": answer["authenticatorData"],
            "client_data_json": answer["clientDataJSON"],
            "signature": answer["signature"],
        },
        "audit": {
            "event": text,
            "leaf_index": 1,
            "path": [step.hex() for step in others],
            "head": head.shown(),
            "public_key": base64.b64encode(signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode(),
        },
    }


def _cbor_key(x: bytes, y: bytes) -> bytes:
    """COSE by hand: {1: 2, 3: -7, -1: 1, -2: x, -3: y}."""
    return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y


def test_a_sound_receipt_has_no_findings(receipt: Receipt) -> None:
    """With signature and log, with either alone for a denial or an unsigned approval."""
    assert check_receipt(receipt) == []
    assert check_receipt({**receipt, "audit": None}) == []
    assert check_receipt({**receipt, "assertion": None}) == []
    assert check_receipt({**receipt, "assertion": None, "audit": None}) != []


def _changed_text(value: str) -> str:
    return value[:-3] + ("AAA" if value[-3:] != "AAA" else "BBB")


@pytest.mark.parametrize(
    ("place", "finding"),
    [
        ("act", "the act is not the one"),
        ("act_hash", "the act is not the one"),
        ("origin", "another site"),
        ("decided_by", "not this decision"),
        ("decision", "neither approve nor deny"),
        ("assertion.signature", "does not fit"),
        ("assertion.authenticator_data", "does not fit"),
        ("audit.event", "malformed"),
        ("audit.path", "not in the log"),
        ("audit.leaf_index", "not in the log"),
        ("audit.head.root_hash", "not in the log"),
        ("audit.head.signature", "not signed"),
        ("audit.public_key", "not signed"),
    ],
)
def test_every_defect_is_named(receipt: Receipt, place: str, finding: str) -> None:
    """One member changed: the finding says which promise is broken."""
    *parents, last = place.split(".")
    document = json.loads(json.dumps(receipt))
    holder = document
    for name in parents:
        holder = holder[name]
    value = holder[last]
    if isinstance(value, int):
        holder[last] = value + 1
    elif isinstance(value, list):
        holder[last] = value[::-1]
    elif last in ("act_hash", "root_hash"):
        holder[last] = "00" * 32
    elif last == "act":
        holder[last] = value.replace("DELETE", "GET")
    elif last in ("signature", "public_key") and parents != ["assertion"]:
        holder[last] = base64.b64encode(bytes(len(base64.b64decode(value)))).decode()
    elif last == "authenticator_data":
        data = bytearray(base64.urlsafe_b64decode(value + "=="))
        data[-1] ^= 1
        holder[last] = b64(bytes(data))
    else:
        holder[last] = _changed_text(value)
    found = check_receipt(document)
    assert any(finding in one for one in found), found


def test_a_passkey_that_did_not_verify_its_owner_is_found() -> None:
    """The flags are part of what is signed."""
    device = SoftwareAuthenticator("https://platform.test", verifies=False)
    act = "{}"
    hashed = hashlib.sha256(act.encode())
    answer = device.get({"rpId": "platform.test", "challenge": b64(hashed.digest())})["response"]
    numbers = device.key.public_key().public_numbers()
    key = _cbor_key(numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big"))
    found = check_receipt(
        {
            "kind": "approval-receipt",
            "v": 1,
            "act": act,
            "act_hash": hashed.hexdigest(),
            "decision": "approve",
            "decided_by": PERSON,
            "origin": "https://platform.test",
            "assertion": {
                "public_key": b64(key),
                "authenticator_data": answer["authenticatorData"],
                "client_data_json": answer["clientDataJSON"],
                "signature": answer["signature"],
            },
            "audit": None,
        }
    )
    assert found == ["its owner was not verified"]


@pytest.mark.parametrize("document", [{}, {"kind": "other", "v": 1}, {"kind": "approval-receipt", "v": 1, "act": "["}])
def test_what_is_no_receipt_is_malformed(document: Receipt) -> None:
    """Named, never an exception."""
    assert [one.startswith("the receipt is malformed") for one in check_receipt(document)] == [True]
