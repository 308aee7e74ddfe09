"""Check a receipt far away from the platform: nothing but the standard library and ``cryptography`` is needed.

What a receipt shows: the act as text; that its SHA-256 is the hash which was decided about; that a passkey signed this
very hash on the page of the platform, its owner verified; and that the log holds the decision under a signed head.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from au_sys_identity.core.approvals.cose import BadKey, signature_fits
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.tree import included, leaf_hash

_PRESENT, _VERIFIED = 0x01, 0x04
_FLAGS = 32
Document = Mapping[str, Any]  # Any: JSON from elsewhere


def check_receipt(document: Document) -> list[str]:
    """What is wrong with a receipt, one sentence each; nothing when it holds."""
    try:
        findings, act = _act(document)
        if document["assertion"] is not None:
            findings += _assertion(document, document["assertion"])
        elif document["decision"] == "approve":
            findings += [] if document["audit"] else ["neither a signature nor the log shows the decision"]
        if document["audit"] is not None:
            findings += _audit(document, act, document["audit"])
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        return [f"the receipt is malformed: {type(error).__name__} {error}"]
    return findings


def _act(document: Document) -> tuple[list[str], dict[str, Any]]:  # Any: JSON
    if document["kind"] != "approval-receipt" or document["v"] != 1:
        raise ValueError("it is no approval receipt of version 1")
    text = str(document["act"])
    act = json.loads(text)
    findings = []
    if hashlib.sha256(text.encode()).hexdigest() != document["act_hash"]:
        findings.append("the act is not the one whose hash was decided about")
    if document["decision"] not in ("approve", "deny"):
        findings.append("the decision is neither approve nor deny")
    return findings, act


def _assertion(document: Document, assertion: Document) -> list[str]:
    client = _bytes(assertion["client_data_json"])
    authenticator = _bytes(assertion["authenticator_data"])
    said = json.loads(client)
    findings = []
    if said["type"] != "webauthn.get" or said.get("crossOrigin"):
        findings.append("the signature was made for something else")
    if _bytes(said["challenge"]).hex() != document["act_hash"]:
        findings.append("another act was signed")
    if said["origin"] != document["origin"]:
        findings.append("it was signed on another site")
    host = urlsplit(str(document["origin"])).hostname or ""
    if authenticator[:_FLAGS] != hashlib.sha256(host.encode()).digest():
        findings.append("the passkey is one of another site")
    if len(authenticator) <= _FLAGS or authenticator[_FLAGS] & (_PRESENT | _VERIFIED) != _PRESENT | _VERIFIED:
        findings.append("its owner was not verified")
    message = authenticator + hashlib.sha256(client).digest()
    try:
        fits = signature_fits(_bytes(assertion["public_key"]), _bytes(assertion["signature"]), message)
    except BadKey as error:
        return [*findings, f"the public key cannot be used: {error}"]
    return findings if fits else [*findings, "the signature does not fit the public key"]


def _audit(document: Document, act: Mapping[str, Any], audit: Document) -> list[str]:  # Any: JSON
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text = str(audit["event"])
    event, head = json.loads(text), Head.read(audit["head"])
    findings = []
    if event["action"] != "approval.decided" or event["actor"] != document["decided_by"]:
        findings.append("the event in the log is not this decision")
    if event["target"] != f"urn:au:approval:{act['approval_id']}:{document['act_hash']}":
        findings.append("the event in the log is about another act")
    path = [bytes.fromhex(step) for step in audit["path"]]
    if not included(leaf_hash(text.encode()), int(audit["leaf_index"]), head.tree_size, path, head.root_hash):
        findings.append("the event is not in the log under that head")
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(audit["public_key"]))
        key.verify(head.signature, head.message)
    except (InvalidSignature, ValueError):
        findings.append("the head is not signed by that key")
    return findings


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
