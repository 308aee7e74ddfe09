"""What an endpoint works with: the namespace in the caller's own tenant, under its policy."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Request, Response

from au_sys_storage_sdk.adapters.api.guarding import Guarded
from au_sys_storage_sdk.adapters.api.headers import idempotency
from au_sys_storage_sdk.adapters.api.headers.idempotency import Answer, Keyed
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.namespace import Namespace
from au_sys_storage_sdk.core.errors import StorageError
from au_sys_storage_sdk.core.policies import Policies, Policy
from au_sys_storage_sdk.core.storage import Storage
from fastapi_services_platform import Principal
from fastapi_services_platform.fastapi import inject

UPLOADS = "storage.uploads"
"""The namespace of unfinished uploads; no caller reaches it."""

_TENANTS = 1000


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every namespace: the rules, the largest document, and for how long answers are remembered."""

    policies: Policies
    max_value: int
    remembered: float


class Reach:
    """The caller's view of storage. The tenant comes from the verified principal and from nowhere else."""

    __slots__ = ("_blobs", "_terms", "_writable", "caller", "policies", "storage", "tenant")

    def __init__(
        self, storage: Storage, blobs: Blobs, terms: Terms, tenant: str, caller: str, writable: Storage | None = None
    ) -> None:
        self.storage = storage
        self.policies = terms.policies
        self.tenant = tenant
        self.caller = caller
        self._terms = terms
        self._blobs = blobs
        self._writable = writable

    def documents(self, namespace: str) -> Namespace[object]:
        """The documents of a namespace, to be read. Raises ``InvalidInput``, ``OutOfReach`` and ``NotPermitted``."""
        found: Namespace[object] = self.storage.namespace(namespace)
        self.policies.of(namespace).permit(namespace, self.caller, writes=False)
        return found

    def writable(self, namespace: str) -> tuple[Namespace[object], Policy]:
        """The documents of a namespace, to be changed under its rules. Raises as :meth:`documents`."""
        if self._writable is None:
            self._writable = self._guarded(Guarded(self.storage.store, self.policies))
        found: Namespace[object] = self._writable.namespace(namespace)
        policy = self.policies.of(namespace)
        policy.permit(namespace, self.caller, writes=True)
        return found, policy

    @property
    def changing(self) -> Storage:
        """Storage for a transaction; its steps take their namespaces from :meth:`writable`."""
        if self._writable is None:
            self._writable = self._guarded(Guarded(self.storage.store, self.policies))
        return self._writable

    def _guarded(self, store: Guarded) -> Storage:
        return Storage(store, tenant=self.tenant, max_value=self._terms.max_value)

    def blobs(self, namespace: str, *, writes: bool = False) -> tuple[Blobs, Policy]:
        """The blobs of a namespace and its rules. Raises ``InvalidInput``, ``OutOfReach`` and ``NotPermitted``."""
        scoped = self._blobs.scoped(namespace, self.tenant)
        policy = self.policies.of(namespace)
        policy.permit(namespace, self.caller, writes=writes)
        return scoped, policy

    def parts(self) -> Blobs:
        """Where parts of unfinished uploads lie: a namespace that no caller reaches."""
        return self._blobs.scoped(UPLOADS, self.tenant)

    def pending(self) -> Namespace[object]:
        """What is known of unfinished uploads."""
        found: Namespace[object] = self.storage.namespace(UPLOADS)
        return found

    async def once(self, request: Request, body: bytes, work: "Work") -> Response:
        """Do a write that is one commit; with an ``Idempotency-Key`` a repetition gets the first answer."""
        which = idempotency.keyed(request, self.tenant, self.caller)
        if which is None:
            return await work(self)
        store = self.storage.store
        content = hashlib.sha256(body).hexdigest()
        first = await idempotency.known(store, which, _given(content))
        if first is not None:
            return first
        milliseconds = int(self._terms.remembered * 1000)
        guarded = Guarded(store, self.policies, which.put(Answer(which.request, content), milliseconds))
        try:
            response = await work(self._with(guarded))
        except StorageError:
            if guarded.kept is not None:
                await idempotency.release(store, which, guarded.kept)
            raise
        await idempotency.keep(store, which, guarded.kept or 0, response, content, self._terms.remembered)
        return response

    def _with(self, guarded: Guarded) -> "Reach":
        return Reach(self.storage, self._blobs, self._terms, self.tenant, self.caller, self._guarded(guarded))

    async def once_claimed(
        self, which: Keyed | None, content: Callable[[], Awaitable[str]], work: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Do a write that is not one commit; ``content`` gives the digest of the body once it is read."""
        if which is None:
            return await work()
        store = self.storage.store
        first = await idempotency.known(store, which, content)
        if first is not None:
            return first
        version = await idempotency.claim(store, which)
        try:
            response = await work()
        except BaseException:
            await idempotency.release(store, which, version)
            raise
        await idempotency.keep(store, which, version, response, await content(), self._terms.remembered)
        return response


Work: TypeAlias = Callable[[Reach], Awaitable[Response]]


def _given(content: str) -> Callable[[], Awaitable[str]]:
    async def give() -> str:
        return content

    return give


class Desk:
    """Gives each caller its own view. One for the whole app."""

    def __init__(self, storage: Storage, blobs: Blobs, terms: Terms) -> None:
        self.storage = storage
        self.blobs = blobs
        self.terms = terms
        self._of_tenant: dict[str, Storage] = {}

    def reach(self, request: Request) -> Reach:
        """What the verified caller of a request can reach."""
        principal: Principal = request.scope["state"]["principal"]
        tenant = principal.tenant
        storage = self._of_tenant.get(tenant)
        if storage is None:
            if len(self._of_tenant) >= _TENANTS:
                self._of_tenant.clear()
            storage = self._of_tenant[tenant] = self.storage.for_tenant(tenant)
        return Reach(storage, self.blobs, self.terms, tenant, principal.urn)


Desked = Annotated[Desk, inject(Desk)]
"""In an endpoint: where a request gets its :class:`Reach` from."""
