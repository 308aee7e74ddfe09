"""Write receipts: what proves to a stranger that somebody approved exactly this act."""

from base64 import b64encode, urlsafe_b64encode
from typing import Any

from au_sys_identity.core.approvals.models import Approval, decision_target, moment
from au_sys_identity.core.audit.models import Wanted
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.canonical import canonical
from au_sys_identity.core.errors import NotFound


class Receipts:
    """Writes receipts."""

    def __init__(self, audit: Audit, *, origin: str) -> None:
        self._audit = audit
        self._origin = origin

    async def of(self, approval: Approval) -> dict[str, Any]:  # Any: JSON
        """The receipt of a decided approval. The act is its canonical text: what is hashed can be read.

        Raises:
            NotFound: nobody decided yet.
        """
        if approval.decided_by is None or approval.decided_at is None:
            raise NotFound("receipt")
        signed = approval.signature
        return {
            "kind": "approval-receipt",
            "v": 1,
            "act": canonical(approval.act.document()).decode(),
            "act_hash": approval.act.hash().hex(),
            "decision": "deny" if approval.state == "denied" else "approve",
            "decided_by": approval.decided_by,
            "decided_at": moment(approval.decided_at),
            "used_at": moment(approval.used_at) if approval.used_at else None,
            "origin": self._origin,
            "assertion": {
                "credential_id": _text(signed.credential_id),
                "public_key": _text(signed.public_key),
                "authenticator_data": _text(signed.authenticator_data),
                "client_data_json": _text(signed.client_data),
                "signature": _text(signed.signature),
            }
            if signed
            else None,
            "audit": await self._proof(approval),
        }

    async def _proof(self, approval: Approval) -> dict[str, Any] | None:  # Any: JSON
        """Where the log keeps the decision; ``None`` when it cannot be said now."""
        wanted = Wanted(action="approval.decided", target=decision_target(approval.id, approval.act.hash()), limit=1)
        found = await self._audit.find(wanted)
        if not found:
            return None
        proof = await self._audit.prove_inclusion(event_id=found[0].id)
        keys = await self._audit.trusted_keys()
        return {
            "event": proof.event.body,
            "leaf_index": proof.event.leaf_index,
            "path": [step.hex() for step in proof.path],
            "head": proof.head.shown(),
            "public_key": b64encode(keys[proof.head.key_id]).decode(),
        }


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
