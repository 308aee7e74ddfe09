"""GrantStore and VersionStore protocols."""

from collections.abc import Mapping
from typing import Protocol

from au_sys_identity.core.access.models import Assignment, Role


class GrantStore(Protocol):
    """Local roles, and who holds which role."""

    async def roles(self) -> list[Role]: ...

    async def role(self, name: str) -> Role | None: ...

    async def add_role(self, role: Role) -> None:
        """Keep a new role.

        Raises:
            Conflict: the name is taken.
        """

    async def save_role(self, role: Role) -> None: ...

    async def remove_role(self, name: str) -> None: ...

    async def assign(self, assignment: Assignment) -> bool:
        """Keep an assignment; ``False`` when the subject holds the role in that domain already."""

    async def withdraw(self, subject: str, role: str, domain: str) -> bool: ...

    async def of_subject(self, subject: str) -> list[Assignment]: ...

    async def holders(self, role: str) -> list[Assignment]: ...


class VersionStore(Protocol):
    """A number per topic that grows in the transaction of each change, so that every process notices."""

    async def read(self) -> Mapping[str, int]: ...

    async def raise_topic(self, topic: str) -> int: ...
