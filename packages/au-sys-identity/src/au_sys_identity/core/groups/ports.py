"""GroupStore: find and save groups."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.subjects.models import SubjectId


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """Which groups to list: ``q`` is part of the name; ``owner`` leaves a subject's own; ``after`` is the last id."""

    q: str = ""
    organization_id: UUID | None = None
    owner: SubjectId | None = None
    after: SubjectId | None = None
    limit: int = 50


class GroupStore(Protocol):
    """Groups by id. Closed ones stay as tombstones. No two of an organization that are not closed share a name."""

    async def add(self, group: Group) -> None:
        """Keep a new group.

        Raises:
            Conflict: the name is taken.
        """

    async def save(self, group: Group, *, expected_version: int) -> None:
        """Replace a group.

        Raises:
            Stale: the stored version is another one.
            Conflict: the new name is taken.
        """

    async def get(self, subject_id: SubjectId) -> Group | None: ...

    async def page(self, wanted: GroupFilter) -> list[Group]:
        """Groups that are not closed, in the order of their ids."""
