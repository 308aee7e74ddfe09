"""Take people over from another system, with the hashes of their passwords."""

from collections.abc import Sequence
from dataclasses import dataclass

from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.credentials.ports import PasswordHasher
from au_sys_identity.core.errors import IdentityError
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.addresses import email_address
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.names import display_name, locale_tag

MOST = 10_000
"""People in one transaction."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody as another system knows them. Without a hash they choose a password by mail."""

    email: str
    name: str | None = None
    locale: str | None = None
    password_hash: str | None = None
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Adopted:
    """What it came to, or would; ``refused`` are line numbers with reasons, and with one of them nothing is done."""

    added: int
    known: int
    refused: tuple[tuple[int, str], ...]
    dry_run: bool


class Adoption:
    """Makes persons of newcomers: all of them, or with one refused none."""

    def __init__(self, transactions: Transactions, hasher: PasswordHasher, clock: Clock) -> None:
        self._transactions = transactions
        self._hasher = hasher
        self._clock = clock

    async def adopt(self, newcomers: Sequence[Newcomer], *, by: str, dry_run: bool) -> Adopted:
        """Add those whose address has no account yet; accounts that are there stay as they are."""
        people, refused = self._checked(newcomers)
        if len(newcomers) > MOST:
            refused.insert(0, (MOST + 1, f"more than {MOST} lines at once"))
        if refused or dry_run:
            async with self._transactions.reading() as unit:
                known = len(people) - len(await _new(unit, people))
            return Adopted(len(people) - known, known, tuple(refused), dry_run)
        async with self._transactions.writing() as unit:
            new = await _new(unit, people)
            for person, password_hash in new:
                await unit.subjects.add(person)
                if password_hash is not None:
                    await unit.credentials.set_password(PasswordRecord(person.id, password_hash, person.created_at))
                unit.record(Fact("subject.created", by, person.urn, reason="taken over from another system"))
        return Adopted(len(new), len(people) - len(new), (), dry_run)

    def _checked(self, newcomers: Sequence[Newcomer]) -> tuple[list[tuple[Person, str | None]], list[tuple[int, str]]]:
        people: dict[str, tuple[Person, str | None]] = {}
        refused: list[tuple[int, str]] = []
        for number, newcomer in enumerate(newcomers, 1):
            try:
                person = self._person(newcomer)
            except IdentityError as error:
                refused.append((number, str(error)))
                continue
            if newcomer.password_hash is not None and not self._hasher.verifies(newcomer.password_hash):
                refused.append((number, "password_hash is neither argon2id, bcrypt nor PBKDF2 within bounds"))
            elif person.email_canonical in people:
                refused.append((number, "the address stands in another line too"))
            else:
                people[person.email_canonical] = (person, newcomer.password_hash)
        return list(people.values()), refused

    def _person(self, newcomer: Newcomer) -> Person:
        address, now = email_address(newcomer.email), self._clock()
        return Person(
            id=SubjectId(uuid7()),
            email=address.shown,
            email_canonical=address.canonical,
            display_name=display_name(newcomer.name or address.shown.partition("@")[0]),
            status="active" if newcomer.verified else "pending",
            created_at=now,
            updated_at=now,
            email_verified_at=now if newcomer.verified else None,
            locale=locale_tag(newcomer.locale) if newcomer.locale else None,
        )


async def _new(unit: UnitOfWork, people: Sequence[tuple[Person, str | None]]) -> list[tuple[Person, str | None]]:
    return [pair for pair in people if await unit.subjects.by_email(pair[0].email_canonical) is None]
