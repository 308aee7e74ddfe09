"""Heads sent to an address elsewhere."""

from collections.abc import AsyncIterator

from au_sys_identity.core.audit.heads import Head
from fastapi_services_platform import GuardedClient


class HttpsWitness:
    """Each head is one POST; it cannot be asked from here."""

    def __init__(self, client: GuardedClient, address: str) -> None:
        self._client = client
        self._address = address
        self.name = "https"

    async def tell(self, head: Head) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.Witness`.

        Raises:
            OSError: the answer is no success.
        """
        answer = await self._client.request("POST", self._address, json=head.shown())
        if answer.status >= 300:
            raise OSError(f"the witness answered {answer.status}")

    async def heads(self) -> AsyncIterator[Head]:
        """None."""
        nothing: tuple[Head, ...] = ()
        for head in nothing:
            yield head
