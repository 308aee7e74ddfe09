"""What the platform's search finds of storage: namespaces, for those who may see what there is."""

import time
from collections.abc import Sequence

from au_sys_storage_sdk.adapters.api.access import Desk
from au_sys_storage_sdk.adapters.api.status import Used, used_by
from fastapi_services_platform import Found, Platform, Principal, Search

_FRESH = 30.0
"""Seconds for which names are taken for known: somebody types, and to count documents is much work."""


class Places:
    """The namespaces of whoever asks, by a part of their name."""

    def __init__(self, platform: Platform) -> None:
        self._container = platform.container
        self._known: dict[str, tuple[float, list[Used]]] = {}

    def all(self) -> tuple[Search, ...]:
        """With the permission of the page that lists them."""
        return (Search("Namespaces", self._namespaces, "storage.backends.read", order=300),)

    async def _namespaces(self, who: Principal, words: str, _language: str, limit: int) -> Sequence[Found]:
        until, used = self._known.get(who.tenant, (0.0, []))
        if time.monotonic() > until:
            used = await used_by(await self._container.get(Desk), who.tenant)
            self._known = {who.tenant: (time.monotonic() + _FRESH, used)}
        asked = words.casefold()
        fits = [one for one in used if asked in one.namespace.casefold()]
        return [Found(one.namespace, f"/admin/storage/{one.namespace}", "", "storage") for one in fits[:limit]]
