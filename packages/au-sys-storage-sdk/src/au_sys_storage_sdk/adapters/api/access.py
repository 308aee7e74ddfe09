"""What an endpoint works with: the namespace in the caller's own tenant, under its policy."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Request, Response

from au_sys_storage_sdk.adapters.api.auditing import Change, ChangeAudit, Changes
from au_sys_storage_sdk.adapters.api.guarding import Guarded
from au_sys_storage_sdk.adapters.api.headers import idempotency
from au_sys_storage_sdk.adapters.api.headers.idempotency import Answer, Keyed
from au_sys_storage_sdk.core.blobs.models import BlobInfo
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.namespace import Namespace
from au_sys_storage_sdk.core.errors import StorageError
from au_sys_storage_sdk.core.policies import Policies, Policy
from au_sys_storage_sdk.core.storage import Storage
from fastapi_services_platform import Principal
from fastapi_services_platform.fastapi import inject

UPLOADS = "storage.uploads"
"""The namespace of unfinished uploads; no caller reaches it."""

_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every namespace: the rules, the largest document, and for how long answers are remembered."""

    policies: Policies
    max_value: int
    remembered: float


class Tenant:
    """One tenant's storage, with the namespaces that were asked for lately: most requests are for the same few."""

    __slots__ = ("_known", "blobs", "changing", "name", "storage", "terms")

    def __init__(self, name: str, storage: Storage, blobs: Blobs, terms: Terms, guard: Guarded | None = None) -> None:
        self.name = name
        self.storage = storage
        self.blobs = blobs
        self.terms = terms
        guarded = Guarded(storage.store, terms.policies) if guard is None else guard
        self.changing = Storage(guarded, tenant=name, max_value=terms.max_value)
        self._known: dict[tuple[str, bool], tuple[Namespace[object], Policy]] = {}

    def namespace(self, name: str, *, writes: bool) -> tuple[Namespace[object], Policy]:
        """The documents of a namespace and its rules. Raises ``InvalidInput`` and ``OutOfReach``."""
        known = self._known.get((name, writes))
        if known is None:
            storage = self.changing if writes else self.storage
            known = storage.namespace(name), self.terms.policies.of(name)
            if len(self._known) < _REMEMBERED:
                self._known[name, writes] = known
        return known


class Reach:
    """The caller's view of storage. The tenant comes from the verified principal and from nowhere else."""

    __slots__ = ("_tenant", "caller", "changes", "policies", "storage", "tenant")

    def __init__(self, tenant: Tenant, caller: str, changes: Changes | None = None) -> None:
        self.storage = tenant.storage
        self.policies = tenant.terms.policies
        self.tenant = tenant.name
        self.caller = caller
        self.changes = changes
        self._tenant = tenant

    def documents(self, namespace: str) -> Namespace[object]:
        """The documents of a namespace, to be read. Raises ``InvalidInput``, ``OutOfReach`` and ``NotPermitted``."""
        found, policy = self._tenant.namespace(namespace, writes=False)
        policy.permit(namespace, self.caller, writes=False)
        return found

    def writable(self, namespace: str) -> tuple[Namespace[object], Policy]:
        """The documents of a namespace, to be changed under its rules. Raises as :meth:`documents`."""
        found, policy = self._tenant.namespace(namespace, writes=True)
        policy.permit(namespace, self.caller, writes=True)
        return found, policy

    @property
    def changing(self) -> Storage:
        """Storage for a transaction; its steps take their namespaces from :meth:`writable`."""
        return self._tenant.changing

    def blobs(self, namespace: str, *, writes: bool = False) -> tuple[Blobs, Policy]:
        """The blobs of a namespace and its rules. Raises ``InvalidInput``, ``OutOfReach`` and ``NotPermitted``."""
        scoped = self._tenant.blobs.scoped(namespace, self.tenant)
        policy = self.policies.of(namespace)
        policy.permit(namespace, self.caller, writes=writes)
        return scoped, policy

    def parts(self) -> Blobs:
        """Where parts of unfinished uploads lie: a namespace that no caller reaches."""
        return self._tenant.blobs.scoped(UPLOADS, self.tenant)

    def pending(self) -> Namespace[object]:
        """What is known of unfinished uploads."""
        found: Namespace[object] = self.storage.namespace(UPLOADS)
        return found

    async def once(self, request: Request, body: bytes, work: "Work") -> Response:
        """Do a write that is one commit; with an ``Idempotency-Key`` a repetition gets the first answer."""
        try:
            return await self._once(request, body, work)
        finally:
            await self.noted()

    async def noted(self) -> None:
        """Put into the trail what an administrator has changed."""
        if self.changes is not None:
            await self.changes.note()

    async def _once(self, request: Request, body: bytes, work: "Work") -> Response:
        which = idempotency.keyed(request, self.tenant, self.caller)
        if which is None:
            return await work(self)
        store = self.storage.store
        content = hashlib.sha256(body).hexdigest()
        first = await idempotency.known(store, which, _given(content))
        if first is not None:
            return first
        milliseconds = int(self._tenant.terms.remembered * 1000)
        record = which.put(Answer(which.request, content), milliseconds)
        guarded = Guarded(store, self.policies, record, self.changes)
        try:
            response = await work(self._with(guarded))
        except StorageError:
            if guarded.kept is not None:
                await idempotency.release(store, which, guarded.kept)
            raise
        await idempotency.keep(store, which, guarded.kept or 0, response, content, self._tenant.terms.remembered)
        return response

    def _with(self, guarded: Guarded) -> "Reach":
        own = self._tenant
        return Reach(Tenant(own.name, own.storage, own.blobs, own.terms, guarded), self.caller, self.changes)

    def uploaded(self, namespace: str, info: BlobInfo) -> None:
        """A blob was written."""
        if self.changes is not None:
            self.changes.add(Change("blob.uploaded", f"blobs/{namespace}/{info.key}", info.sha256))

    def removed(self, namespace: str, key: str) -> None:
        """A blob was deleted."""
        if self.changes is not None:
            self.changes.add(Change("blob.deleted", f"blobs/{namespace}/{key}"))

    def noting(self, changes: Changes) -> "Reach":
        """The same, telling what it changes."""
        own = self._tenant
        guarded = Guarded(own.storage.store, self.policies, changes=changes)
        return Reach(Tenant(own.name, own.storage, own.blobs, own.terms, guarded), self.caller, changes)

    async def once_claimed(
        self, which: Keyed | None, content: Callable[[], Awaitable[str]], work: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Do a write that is not one commit; ``content`` gives the digest of the body once it is read."""
        try:
            return await self._once_claimed(which, content, work)
        finally:
            await self.noted()

    async def _once_claimed(
        self, which: Keyed | None, content: Callable[[], Awaitable[str]], work: Callable[[], Awaitable[Response]]
    ) -> Response:
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
        await idempotency.keep(store, which, version, response, await content(), self._tenant.terms.remembered)
        return response


Work: TypeAlias = Callable[[Reach], Awaitable[Response]]


def _given(content: str) -> Callable[[], Awaitable[str]]:
    async def give() -> str:
        return content

    return give


class Desk:
    """Gives each caller its own view. One for the whole app."""

    def __init__(self, storage: Storage, blobs: Blobs, terms: Terms, audit: ChangeAudit) -> None:
        self.storage = storage
        self.blobs = blobs
        self.terms = terms
        self._audit = audit
        self._tenants: dict[str, Tenant] = {}

    def reach(self, request: Request) -> Reach:
        """What the verified caller of a request can reach."""
        principal: Principal = request.scope["state"]["principal"]
        tenant = self._tenants.get(principal.tenant)
        if tenant is None:
            if len(self._tenants) >= _REMEMBERED:
                self._tenants.clear()
            storage = self.storage.for_tenant(principal.tenant)
            tenant = self._tenants[principal.tenant] = Tenant(principal.tenant, storage, self.blobs, self.terms)
        return Reach(tenant, principal.urn)

    async def writer(self, request: Request) -> Reach:
        """The same for a request that changes something: what an administrator changes is noted."""
        reach = self.reach(request)
        changes = await self._audit.of(request.scope["state"]["principal"])
        return reach if changes is None else reach.noting(changes)


Desked = Annotated[Desk, inject(Desk)]
"""In an endpoint: where a request gets its :class:`Reach` from."""
