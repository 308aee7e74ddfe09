"""Heads as blobs in a namespace of the storage SDK."""

import json
from collections.abc import AsyncIterator

from au_sys_identity.core.audit.heads import Head
from au_sys_storage_sdk import ABSENT, Blobs, Conflict


class StorageWitness:
    """One blob for each head, named by its size, never written twice."""

    name = "storage"

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def tell(self, head: Head) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.Witness`."""
        content = json.dumps(head.shown()).encode()
        try:
            await self._blobs.write(
                f"heads/{head.tree_size:020d}", content, if_match=ABSENT, content_type="application/json"
            )
        except Conflict:
            return  # told before

    async def heads(self) -> AsyncIterator[Head]:
        """See :class:`~au_sys_identity.core.audit.ports.Witness`."""
        after = ""
        while True:
            page = await self._blobs.list("heads/", after)
            for info in page.items:
                yield Head.read(json.loads(await self._blobs.read_bytes(info.key)))
            if not page.items or page.after is None:
                return
            after = page.after
