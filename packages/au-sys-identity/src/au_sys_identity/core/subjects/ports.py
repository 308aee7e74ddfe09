"""SubjectStore: find and save persons. NameStore: subjects of any kind, as lists show them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from au_sys_identity.core.subjects.models import Named, Person, Status, SubjectId, SubjectKind


@dataclass(frozen=True, slots=True)
class PersonFilter:
    """Which persons to list: ``q`` is part of name or address; ``after`` is the last id of the page before."""

    q: str = ""
    status: Status | None = None
    after: SubjectId | None = None
    limit: int = 50


class SubjectStore(Protocol):
    """Persons by id and by canonical address. Closed ones stay as tombstones and are not found by address."""

    async def add(self, person: Person) -> None:
        """Keep a new person.

        Raises:
            Conflict: the address belongs to somebody who is not closed.
        """

    async def save(self, person: Person, *, expected_version: int) -> None:
        """Replace a person.

        Raises:
            Stale: the stored version is another one.
            Conflict: the new address is taken.
        """

    async def get(self, subject_id: SubjectId) -> Person | None: ...

    async def by_email(self, canonical: str) -> Person | None: ...

    async def many(self, ids: Sequence[SubjectId]) -> list[Person]: ...

    async def page(self, wanted: PersonFilter) -> list[Person]:
        """Persons that are not closed, in the order of their ids."""


class NameStore(Protocol):
    """Subjects of any kind, tombstones too."""

    async def get(self, subject_id: SubjectId) -> Named | None: ...

    async def many(self, ids: Collection[SubjectId]) -> Mapping[SubjectId, Named]: ...

    def every(self) -> AsyncIterator[Sequence["Standing"]]:
        """All that are not closed, in portions: what the graph keeps in memory."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the graph keeps of a subject; an agent's ``provider`` stops it."""

    id: SubjectId
    kind: SubjectKind
    status: Status
    provider: SubjectId | None = None
