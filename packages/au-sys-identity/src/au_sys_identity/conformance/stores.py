"""What any set of stores inside one unit of work must do.

A test class inherits a suite and has a fixture ``transactions``.
"""

import pytest

from au_sys_identity.conformance.approvals import ApprovalStoreConformance
from au_sys_identity.conformance.audit import AuditStoreConformance
from au_sys_identity.conformance.directories import DirectoryStoreConformance
from au_sys_identity.conformance.graph import GraphStoreConformance
from au_sys_identity.conformance.invitations import InvitationStoreConformance
from au_sys_identity.conformance.machines import MachineStoreConformance
from au_sys_identity.conformance.passkeys import PasskeyStoreConformance
from au_sys_identity.conformance.proofs import (
    CredentialStoreConformance,
    FactorStoreConformance,
    KeyStoreConformance,
    SessionStoreConformance,
)
from au_sys_identity.conformance.samples import LATER, NOW, a_person, kept
from au_sys_identity.core.access.models import Assignment, Role
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import OneTimeToken, OutboxItem
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.subjects.ports import PersonFilter
from au_sys_identity.core.tokens.models import KeyState, SigningKey


class SubjectStoreConformance:
    """Persons."""

    async def test_what_is_kept_comes_back_equal(self, transactions: Transactions) -> None:
        """A person is read back with every field, by id and by address."""
        ann = await kept(transactions, a_person())
        async with transactions.reading() as unit:
            assert await unit.subjects.get(ann.id) == ann
            assert await unit.subjects.by_email("ann@example.org") == ann
            assert await unit.subjects.many([ann.id, SubjectId(uuid7())]) == [ann]

    async def test_an_address_belongs_to_one_person(self, transactions: Transactions) -> None:
        """A second person with the same canonical address is a conflict and leaves nothing behind."""
        await kept(transactions, a_person("Ann@example.org"))
        second = a_person("ann@example.org")
        with pytest.raises(Conflict):
            await kept(transactions, second)
        async with transactions.reading() as unit:
            assert await unit.subjects.get(second.id) is None

    async def test_a_closed_account_frees_its_address(self, transactions: Transactions) -> None:
        """The tombstone stays, is not found by address, and somebody else may take it."""
        ann = await kept(transactions, a_person())
        async with transactions.writing() as unit:
            await unit.subjects.save(ann.distrusted(LATER, status="closed"), expected_version=ann.version)
        new = await kept(transactions, a_person())
        async with transactions.reading() as unit:
            assert await unit.subjects.by_email("ann@example.org") == new
            tombstone = await unit.subjects.get(ann.id)
            assert tombstone is not None
            assert tombstone.status == "closed"
            assert await unit.subjects.page(PersonFilter()) == [new]

    async def test_a_lost_update_is_refused(self, transactions: Transactions) -> None:
        """Saving on top of another version raises Stale and changes nothing."""
        ann = await kept(transactions, a_person())
        async with transactions.writing() as unit:
            await unit.subjects.save(ann.distrusted(LATER), expected_version=ann.version)

        async def lose() -> None:
            async with transactions.writing() as unit:
                await unit.subjects.save(ann.distrusted(LATER, status="disabled"), expected_version=ann.version)

        with pytest.raises(Stale):
            await lose()
        async with transactions.reading() as unit:
            found = await unit.subjects.get(ann.id)
        assert found is not None
        assert found.status == "active"

    async def test_pages_follow_each_other(self, transactions: Transactions) -> None:
        """Pages are in the order of ids, without a gap, and the filter takes parts of name and address literally."""
        people = sorted([a_person(f"p{n}@example.org", f"Person {n}") for n in range(5)], key=lambda found: found.id)
        for person in people:
            await kept(transactions, person)
        async with transactions.reading() as unit:
            first = await unit.subjects.page(PersonFilter(limit=2))
            rest = await unit.subjects.page(PersonFilter(after=first[-1].id, limit=10))
            assert [*first, *rest] == people
            assert await unit.subjects.page(PersonFilter(q="PERSON 3")) == [
                person for person in people if person.display_name == "Person 3"
            ]
            assert await unit.subjects.page(PersonFilter(q="%")) == []
            assert await unit.subjects.page(PersonFilter(status="disabled")) == []

    async def test_a_block_that_raises_leaves_nothing_behind(self, transactions: Transactions) -> None:
        """An error inside a unit of work rolls all of it back."""
        ann = a_person()

        async def fail() -> None:
            async with transactions.writing() as unit:
                await unit.subjects.add(ann)
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        async with transactions.reading() as unit:
            assert await unit.subjects.get(ann.id) is None


class GrantStoreConformance:
    """Roles, assignments, versions, signing keys."""

    async def test_roles_come_back_equal(self, transactions: Transactions) -> None:
        """A role is read back with its permissions, and changed as a whole."""
        role = Role("reader", "Reads", frozenset({"identity.users.read", "storage.documents.read"}))
        smaller = Role("reader", "Reads less", frozenset({"identity.users.read"}), version=2)
        async with transactions.writing() as unit:
            await unit.grants.add_role(role)
            assert await unit.grants.role("reader") == role
            await unit.grants.save_role(smaller)
            assert await unit.grants.roles() == [smaller]
            await unit.grants.remove_role("reader")
            assert await unit.grants.role("reader") is None

    async def test_a_role_name_is_taken_once(self, transactions: Transactions) -> None:
        """A second role of the same name is a conflict."""
        async with transactions.writing() as unit:
            await unit.grants.add_role(Role("reader", "", frozenset()))
            with pytest.raises(Conflict):
                await unit.grants.add_role(Role("reader", "", frozenset()))

    async def test_an_assignment_is_made_once(self, transactions: Transactions) -> None:
        """Assigning again changes nothing; withdrawing tells whether there was anything."""
        held = Assignment(uuid7(), "urn:au:user:1", "reader", "default", NOW, "urn:au:system:test", LATER)
        again = Assignment(uuid7(), "urn:au:user:1", "reader", "default", NOW, "urn:au:system:test")
        async with transactions.writing() as unit:
            assert await unit.grants.assign(held) is True
            assert await unit.grants.assign(again) is False
            assert await unit.grants.of_subject("urn:au:user:1") == [held]
            assert await unit.grants.holders("reader") == [held]
            assert await unit.grants.withdraw("urn:au:user:1", "reader", "default") is True
            assert await unit.grants.withdraw("urn:au:user:1", "reader", "default") is False

    async def test_listeners_hear_of_raised_versions(self, transactions: Transactions) -> None:
        """A commit that raised a topic calls the listeners, others do not."""
        heard: list[str] = []
        transactions.subscribe(lambda: heard.append("raised"))
        async with transactions.writing() as unit:
            await unit.grants.withdraw("urn:au:user:nobody", "helpdesk", "default")
        assert heard == []
        async with transactions.writing() as unit:
            first = await unit.versions.raise_topic("access")
        async with transactions.writing() as unit:
            assert await unit.versions.raise_topic("access") == first + 1
        async with transactions.reading() as unit:
            assert (await unit.versions.read())["access"] == first + 1
        assert heard == ["raised", "raised"]

    async def test_one_signing_key_is_active(self, transactions: Transactions) -> None:
        """A second active key is refused; states change and keys go."""

        def key(kid: str, state: KeyState = "active") -> SigningKey:
            return SigningKey(kid, "ES256", "{}", b"sealed", state, NOW)

        async with transactions.writing() as unit:
            assert await unit.signing_keys.add(key("a")) is True
            assert await unit.signing_keys.add(key("b")) is False
            await unit.signing_keys.set_state("a", "retiring", retire_at=LATER)
            assert await unit.signing_keys.add(key("b")) is True
            states = {found.kid: found.state for found in await unit.signing_keys.all()}
            assert states == {"a": "retiring", "b": "active"}
            await unit.signing_keys.remove("a")
            assert [found.kid for found in await unit.signing_keys.all()] == ["b"]


class NoticeStoreConformance:
    """Outbox and one-time tokens."""

    async def test_a_letter_is_claimed_once_a_try(self, transactions: Transactions) -> None:
        """Of two processes one sends; a failed try comes due later; a dead one stays visible, a sent one goes."""
        item = OutboxItem(uuid7(), "reset", b"sealed", NOW, created_at=NOW)
        async with transactions.writing() as unit:
            await unit.outbox.add(item)
            assert await unit.outbox.due(NOW, 10) == [item]
            assert await unit.outbox.claim(item, until=LATER) is True
            assert await unit.outbox.claim(item, until=LATER) is False
            assert await unit.outbox.due(NOW, 10) == []
            again = await unit.outbox.due(LATER, 10)
            assert [found.attempts for found in again] == [1]
            await unit.outbox.give_up(item.id, at=LATER)
            assert await unit.outbox.due(LATER, 10) == []
            assert await unit.outbox.waiting() == (0, 1)
            other = OutboxItem(uuid7(), "verify", b"sealed", NOW, created_at=NOW)
            await unit.outbox.add(other)
            assert await unit.outbox.waiting() == (1, 1)
            await unit.outbox.done(other.id)
            assert await unit.outbox.waiting() == (0, 1)

    async def test_a_link_has_one_purpose_and_one_use(self, transactions: Transactions) -> None:
        """It is found for its purpose in its time, used once, and killed by a newer one."""
        ann = await kept(transactions, a_person())

        def link(token_hash: bytes) -> OneTimeToken:
            return OneTimeToken(uuid7(), "reset", token_hash, ann.id, "ann@example.org", LATER)

        first, second = link(b"1" * 32), link(b"2" * 32)
        async with transactions.writing() as unit:
            await unit.one_time_tokens.add(first)
            assert await unit.one_time_tokens.find("reset", b"1" * 32, now=NOW) == first
            assert await unit.one_time_tokens.find("verify", b"1" * 32, now=NOW) is None
            assert await unit.one_time_tokens.find("reset", b"1" * 32, now=LATER) is None
            await unit.one_time_tokens.add(second)
            assert await unit.one_time_tokens.find("reset", b"1" * 32, now=NOW) is None
            assert await unit.one_time_tokens.use(second) is True
            assert await unit.one_time_tokens.use(second) is False
            await unit.one_time_tokens.add(first)
            await unit.one_time_tokens.forget_expired(LATER)
            assert await unit.one_time_tokens.find("reset", b"1" * 32, now=NOW) is None


class StoreConformance(
    AuditStoreConformance,
    ApprovalStoreConformance,
    PasskeyStoreConformance,
    InvitationStoreConformance,
    DirectoryStoreConformance,
    MachineStoreConformance,
    GraphStoreConformance,
    NoticeStoreConformance,
    KeyStoreConformance,
    FactorStoreConformance,
    SubjectStoreConformance,
    CredentialStoreConformance,
    SessionStoreConformance,
    GrantStoreConformance,
):
    """All of them. Same names would hide each other, so each test is named once."""

    test_a_session_comes_back_equal = SessionStoreConformance.test_what_is_kept_comes_back_equal
    test_what_is_kept_comes_back_equal = SubjectStoreConformance.test_what_is_kept_comes_back_equal
