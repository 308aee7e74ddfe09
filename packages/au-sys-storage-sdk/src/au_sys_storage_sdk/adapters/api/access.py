"""What an endpoint works with: the namespace in the caller's own tenant, under its policy."""

from typing import Annotated

from fastapi import Depends

from au_sys_storage_sdk.core.address import space
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.namespace import Namespace
from au_sys_storage_sdk.core.policies import Policies, Policy
from au_sys_storage_sdk.core.storage import Storage
from fastapi_services_platform.fastapi import CurrentPrincipal, inject


class Reach:
    """The caller's view of storage. The tenant comes from the verified principal and from nowhere else."""

    def __init__(self, storage: Storage, blobs: Blobs, policies: Policies, tenant: str) -> None:
        self.storage = storage.for_tenant(tenant)
        self.policies = policies
        self._blobs = blobs
        self._tenant = tenant

    def documents(self, namespace: str) -> tuple[Namespace[object], Policy]:
        """The documents of a namespace and its rules. Raises ``InvalidInput`` and ``OutOfReach``."""
        space(namespace, self._tenant)
        policy = self.policies.of(namespace)
        return self.storage.namespace(namespace), policy

    def blobs(self, namespace: str) -> tuple[Blobs, Policy]:
        """The blobs of a namespace and its rules. Raises ``InvalidInput`` and ``OutOfReach``."""
        scoped = self._blobs.scoped(namespace, self._tenant)
        return scoped, self.policies.of(namespace)


async def _reach(
    principal: CurrentPrincipal,
    storage: Annotated[Storage, inject(Storage)],
    blobs: Annotated[Blobs, inject(Blobs)],
    policies: Annotated[Policies, inject(Policies)],
) -> Reach:
    return Reach(storage, blobs, policies, principal.tenant)


Reached = Annotated[Reach, Depends(_reach)]
"""In an endpoint: what the caller can reach."""
