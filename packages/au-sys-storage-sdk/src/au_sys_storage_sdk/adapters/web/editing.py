"""Changes that an administrator makes by hand: conditional, within the namespace's rules, kept with what was there
before, and in the audit trail.
"""

import hashlib
from collections.abc import AsyncIterator

import msgspec

from au_sys_storage_sdk.adapters.api.access import Reach
from au_sys_storage_sdk.adapters.api.guarding import Guarded
from au_sys_storage_sdk.adapters.web.history import record_of
from au_sys_storage_sdk.core.blobs.models import BlobInfo, valid_type
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Delete
from au_sys_storage_sdk.core.documents.values import canonical_json, check_json
from au_sys_storage_sdk.core.errors import NotFound, TooLarge
from au_sys_storage_sdk.core.preconditions import ABSENT
from fastapi_services_platform import AuditEvent, AuditTrail, Principal

EVENTS = ("document.created", "document.changed", "document.deleted", "blob.uploaded", "blob.deleted")


class Editing:
    """Saves and deletes documents and blobs for a person."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    async def create(self, reach: Reach, who: Principal, namespace: str, key: str, text: str) -> None:
        """Store a new document.

        Raises:
            Conflict: there is one already.
            InvalidInput: the text is not JSON, or the key breaks its rule.
        """
        documents, policy = reach.writable(namespace)
        value = canonical_json(text.encode())
        ttl = policy.admit(namespace, len(value), None, ABSENT)
        await documents.put_text(key, value, if_match=ABSENT, ttl=ttl)
        await self._record("document.created", who, f"storage/{namespace}/{key}", None, _digest(value))

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
        expires, schema = (None, None) if before is None else (before.expires, before.schema)
        put = documents.put_operation(
            key, check_json(value), version, None if expires else ttl, schema=schema, expires=expires
        )
        (outcome,) = await _remembering(reach, namespace, key, who, before, value).commit((put,))
        digests = _digest(before.value if before else None), _digest(value)
        await self._record("document.changed", who, f"storage/{namespace}/{key}", *digests)
        return outcome.version or 0

    async def delete(self, reach: Reach, who: Principal, namespace: str, key: str, version: int) -> None:
        """Remove the document that was read at ``version``. Raises ``Conflict`` and ``NotFound``."""
        documents, _ = reach.writable(namespace)
        before = await documents.get_text(key)
        if before is None:
            raise NotFound(namespace, key)
        step = Delete(documents.space, key, version)
        await _remembering(reach, namespace, key, who, before, None).commit((step,))
        await self._record("document.deleted", who, f"storage/{namespace}/{key}", _digest(before.value), None)

    async def upload(
        self, reach: Reach, who: Principal, namespace: str, key: str, pieces: AsyncIterator[bytes], content_type: str
    ) -> BlobInfo:
        """Store a new blob; one that is there is not replaced. Raises ``Conflict`` and ``TooLarge``."""
        blobs, policy = reach.blobs(namespace, writes=True)
        body = _held_to(pieces, policy.max_blob)
        info = await blobs.write(key, body, if_match=ABSENT, content_type=valid_type(content_type))
        await self._record("blob.uploaded", who, f"blobs/{namespace}/{key}", None, info.sha256)
        return info

    async def delete_blob(self, reach: Reach, who: Principal, namespace: str, key: str, version: int) -> None:
        """Remove the blob that was seen at ``version``. Raises ``Conflict`` and ``NotFound``."""
        blobs, _ = reach.blobs(namespace, writes=True)
        before = await blobs.info(key)
        await blobs.delete(key, if_match=version)
        await self._record("blob.deleted", who, f"blobs/{namespace}/{key}", before.sha256, None)

    async def _record(self, action: str, who: Principal, resource: str, before: str | None, after: str | None) -> None:
        await self._audit.record(AuditEvent(action, who.urn, resource, before=before, after=after))


def _remembering(
    reach: Reach, namespace: str, key: str, who: Principal, before: Stored | None, after: bytes | None
) -> Guarded:
    """The store for one change, which is committed together with what was there before."""
    record = None if before is None else record_of(reach.tenant, namespace, key, who.urn, before, after)
    return Guarded(reach.storage.store, reach.policies, record)


async def _held_to(pieces: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[bytes]:
    size = 0
    async for piece in pieces:
        size += len(piece)
        if limit is not None and size > limit:
            raise TooLarge("blob", limit)
        yield piece


def pretty(text: bytes) -> str:
    """JSON as a person reads it."""
    return msgspec.json.format(text, indent=2).decode()


def _digest(value: bytes | None) -> str | None:
    return None if value is None else hashlib.sha256(value).hexdigest()
