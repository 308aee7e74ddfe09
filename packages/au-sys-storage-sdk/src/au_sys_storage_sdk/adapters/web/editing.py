"""Changes that an administrator makes by hand: conditional, within the namespace's rules, and in the audit trail."""

import hashlib
import json

from au_sys_storage_sdk.adapters.api.access import Reach
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.values import canonical_json
from au_sys_storage_sdk.core.errors import NotFound
from fastapi_services_platform import AuditEvent, AuditTrail, Principal

EVENTS = ("document.changed", "document.deleted")


class Editing:
    """Saves and deletes documents for a person."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    async def save(self, reach: Reach, who: Principal, namespace: str, key: str, text: str, version: int) -> int:
        """Replace the document that was read at ``version``; the new version.

        Raises:
            Conflict: somebody else was faster.
            InvalidInput: the text is not JSON.
        """
        documents, policy = reach.writable(namespace)
        before = await documents.get_text(key)
        value = canonical_json(text.encode())
        ttl = policy.admit(namespace, len(value), None, version)
        outcome = await documents.put_text(key, value, if_match=version, ttl=ttl)
        await self._record("document.changed", who, namespace, key, before, value)
        return outcome.version or 0

    async def delete(self, reach: Reach, who: Principal, namespace: str, key: str, version: int) -> None:
        """Remove the document that was read at ``version``. Raises ``Conflict`` and ``NotFound``."""
        documents, _ = reach.writable(namespace)
        before = await documents.get_text(key)
        if not await documents.delete(key, if_match=version):
            raise NotFound(namespace, key)
        await self._record("document.deleted", who, namespace, key, before, None)

    async def _record(
        self, action: str, who: Principal, namespace: str, key: str, before: Stored | None, after: bytes | None
    ) -> None:
        resource = f"storage/{namespace}/{key}"
        digests = _digest(before.value if before else None), _digest(after)
        await self._audit.record(AuditEvent(action, who.urn, resource, before=digests[0], after=digests[1]))


def pretty(text: bytes) -> str:
    """JSON as a person reads it."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)


def _digest(value: bytes | None) -> str | None:
    return None if value is None else hashlib.sha256(value).hexdigest()
