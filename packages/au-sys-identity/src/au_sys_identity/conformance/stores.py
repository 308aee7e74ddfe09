"""What any set of stores inside one unit of work must do.

A test class inherits a suite and has a fixture ``transactions``.
"""

from datetime import UTC, datetime, timedelta

import pytest

from au_sys_identity.conformance.approvals import ApprovalStoreConformance
from au_sys_identity.conformance.audit import AuditStoreConformance
from au_sys_identity.conformance.directories import DirectoryStoreConformance
from au_sys_identity.conformance.graph import GraphStoreConformance
from au_sys_identity.conformance.invitations import InvitationStoreConformance
from au_sys_identity.conformance.machines import MachineStoreConformance
from au_sys_identity.conformance.passkeys import PasskeyStoreConformance
from au_sys_identity.core.access.models import Assignment, Role
from au_sys_identity.core.credentials.models import Device, PasswordRecord
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.factors.models import Challenge, Enrolled, TotpSecret
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import OneTimeToken, OutboxItem
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.sessions.models import RefreshToken, Session, SessionId
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.ports import PersonFilter
from au_sys_identity.core.tokens.models import ApiKey, KeyState, SigningKey

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def a_person(email: str = "ann@example.org", name: str = "Ann") -> Person:
    """A new active person."""
    return Person(SubjectId(uuid7()), email, email.lower(), name, "active", NOW, NOW)


def a_session(person: Person, secret: bytes | None = None) -> Session:
    """A session that lives for a day."""
    return Session(
        id=SessionId(uuid7()),
        subject_id=person.id,
        kind="web" if secret else "token",
        strength="password",
        methods=("pwd",),
        epoch=person.epoch,
        auth_time=NOW,
        created_at=NOW,
        last_seen_at=NOW,
        idle_until=NOW + timedelta(days=1),
        expires_at=NOW + timedelta(days=2),
        secret_hash=secret,
        binding_hash=b"b" * 32,
    )


async def kept(transactions: Transactions, person: Person) -> Person:
    """The person, stored."""
    async with transactions.writing() as unit:
        await unit.subjects.add(person)
    return person


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


class CredentialStoreConformance:
    """Passwords, devices, counters."""

    async def test_a_password_is_replaced(self, transactions: Transactions) -> None:
        """The newer record takes the place of the older one, and can be removed."""
        ann = await kept(transactions, a_person())
        first = PasswordRecord(ann.id, "first", NOW, must_change=True, usable_until=LATER)
        second = PasswordRecord(ann.id, "second", LATER)
        async with transactions.writing() as unit:
            await unit.credentials.set_password(first)
            assert await unit.credentials.password(ann.id) == first
            await unit.credentials.set_password(second)
        async with transactions.writing() as unit:
            assert await unit.credentials.password(ann.id) == second
            await unit.credentials.remove_password(ann.id)
            assert await unit.credentials.password(ann.id) is None

    async def test_a_device_is_known_again(self, transactions: Transactions) -> None:
        """Keeping a device twice renews it."""
        ann = await kept(transactions, a_person())
        async with transactions.writing() as unit:
            await unit.credentials.keep_device(Device(ann.id, b"d" * 32, "old", NOW))
            await unit.credentials.keep_device(Device(ann.id, b"d" * 32, "new", LATER))
            assert await unit.credentials.device(b"d" * 32) == Device(ann.id, b"d" * 32, "new", LATER)
            assert await unit.credentials.device(b"e" * 32) is None

    async def test_counters_count(self, transactions: Transactions) -> None:
        """A counter grows by one, starts anew after its window, is blocked, lowered and cleared."""
        window = timedelta(minutes=10)
        async with transactions.writing() as unit:
            counts = [await unit.guesses.raise_by_one("s", b"k" * 32, now=NOW, window=window) for _ in range(3)]
            assert [counter.failures for counter in counts] == [1, 2, 3]
            await unit.guesses.block("s", b"k" * 32, LATER)
            await unit.guesses.lower_by_one("s", b"k" * 32)
            found = await unit.guesses.read("s", b"k" * 32)
            assert found is not None
            assert (found.failures, found.blocked_until) == (2, LATER)
            anew = await unit.guesses.raise_by_one("s", b"k" * 32, now=NOW + window, window=window)
            assert (anew.failures, anew.window_start) == (1, NOW + window)
            await unit.guesses.clear("s", b"k" * 32)
            assert await unit.guesses.read("s", b"k" * 32) is None

    async def test_old_counters_are_forgotten(self, transactions: Transactions) -> None:
        """Counters whose window began before the moment are deleted, the others stay."""
        async with transactions.writing() as unit:
            await unit.guesses.raise_by_one("s", b"1" * 32, now=NOW, window=timedelta(hours=1))
            await unit.guesses.raise_by_one("s", b"2" * 32, now=LATER, window=timedelta(hours=1))
            assert await unit.guesses.forget_before(LATER) == 1
            assert await unit.guesses.read("s", b"2" * 32) is not None


class SessionStoreConformance:
    """Sessions and refresh tokens."""

    async def test_what_is_kept_comes_back_equal(self, transactions: Transactions) -> None:
        """A session is read back with every field, by id and by the hash of its secret."""
        ann = await kept(transactions, a_person())
        session = a_session(ann, b"s" * 32)
        async with transactions.writing() as unit:
            await unit.sessions.add(session)
        async with transactions.reading() as unit:
            assert await unit.sessions.get(session.id) == session
            assert await unit.sessions.by_secret(b"s" * 32) == session
            assert await unit.sessions.of_subject(ann.id, now=NOW) == [session]
            assert await unit.sessions.of_subject(ann.id, now=NOW + timedelta(days=3)) == []

    async def test_an_ended_session_stays_ended(self, transactions: Transactions) -> None:
        """Ending is told once, and a late note of a use does not revive it."""
        ann = await kept(transactions, a_person())
        session = a_session(ann)
        async with transactions.writing() as unit:
            await unit.sessions.add(session)
            assert await unit.sessions.end(session.id, at=LATER, reason="test") is True
            assert await unit.sessions.end(session.id, at=LATER, reason="again") is False
            await unit.sessions.seen(session.id, at=LATER, idle_until=LATER + timedelta(days=1))
            found = await unit.sessions.get(session.id)
        assert found is not None
        assert (found.ended_at, found.end_reason, found.last_seen_at) == (LATER, "test", NOW)

    async def test_all_but_one_end(self, transactions: Transactions) -> None:
        """Ending all keeps the given one and other people's."""
        ann, bob = await kept(transactions, a_person()), await kept(transactions, a_person("bob@example.org"))
        first, second, foreign = a_session(ann), a_session(ann), a_session(bob)
        async with transactions.writing() as unit:
            for session in (first, second, foreign):
                await unit.sessions.add(session)
            assert await unit.sessions.end_all(ann.id, at=LATER, reason="test", keep=first.id) == [second.id]
            assert await unit.sessions.of_subject(ann.id, now=LATER) == [first]
            assert await unit.sessions.of_subject(bob.id, now=LATER) == [foreign]

    async def test_one_rotation_wins(self, transactions: Transactions) -> None:
        """Rotating the same generation twice succeeds once; the head is the successor."""
        ann = await kept(transactions, a_person())
        session = a_session(ann)
        head = RefreshToken(session.id, 0, b"0" * 32, NOW)
        async with transactions.writing() as unit:
            await unit.sessions.add(session)
            await unit.sessions.add_refresh(head)
            successor = RefreshToken(session.id, 1, b"1" * 32, LATER)
            assert await unit.sessions.rotate(head, successor, at=LATER) is True
            other = RefreshToken(session.id, 1, b"2" * 32, LATER)
            assert await unit.sessions.rotate(head, other, at=LATER) is False
            assert await unit.sessions.head(session.id) == successor
            replaced = await unit.sessions.refresh_by_hash(b"0" * 32)
        assert replaced == RefreshToken(session.id, 0, b"0" * 32, NOW, LATER)

    async def test_what_ended_long_ago_is_forgotten(self, transactions: Transactions) -> None:
        """Old sessions go with their refresh tokens, living ones stay."""
        ann = await kept(transactions, a_person())
        old, living = a_session(ann), a_session(ann)
        async with transactions.writing() as unit:
            for session in (old, living):
                await unit.sessions.add(session)
            await unit.sessions.add_refresh(RefreshToken(old.id, 0, b"0" * 32, NOW))
            await unit.sessions.end(old.id, at=NOW, reason="test")
            assert await unit.sessions.forget_ended_before(LATER) == 1
            assert await unit.sessions.get(old.id) is None
            assert await unit.sessions.refresh_by_hash(b"0" * 32) is None
            assert await unit.sessions.get(living.id) == living


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


class FactorStoreConformance:
    """Authenticator secrets, recovery codes, challenges."""

    async def test_a_factor_counts_once_confirmed(self, transactions: Transactions) -> None:
        """A waiting secret is not enrolled; confirmed it is, with the codes that are left; removed it is gone."""
        ann = await kept(transactions, a_person())
        async with transactions.writing() as unit:
            await unit.factors.set_totp(TotpSecret(ann.id, b"sealed"))
            assert await unit.factors.enrolled(ann.id) == Enrolled()
            confirmed = TotpSecret(ann.id, b"sealed", NOW, 5)
            await unit.factors.set_totp(confirmed)
            await unit.factors.set_recovery_codes(ann.id, [b"1" * 32, b"2" * 32])
            assert await unit.factors.totp(ann.id) == confirmed
            assert await unit.factors.enrolled(ann.id) == Enrolled(totp=True, recovery_codes_left=2)
            assert await unit.factors.remove_totp(ann.id) is True
            assert await unit.factors.remove_totp(ann.id) is False

    async def test_steps_only_go_forward(self, transactions: Transactions) -> None:
        """A time step is accepted once, and no earlier one after it."""
        ann = await kept(transactions, a_person())
        async with transactions.writing() as unit:
            await unit.factors.set_totp(TotpSecret(ann.id, b"sealed", NOW, 5))
            tried = [await unit.factors.accept_step(ann.id, step) for step in (5, 6, 6, 4, 7)]
        assert tried == [False, True, False, False, True]

    async def test_a_recovery_code_is_used_once(self, transactions: Transactions) -> None:
        """Using takes it away; a new set takes the place of the old one."""
        ann = await kept(transactions, a_person())
        async with transactions.writing() as unit:
            await unit.factors.set_recovery_codes(ann.id, [b"1" * 32, b"2" * 32])
            assert await unit.factors.use_recovery_code(ann.id, b"1" * 32) is True
            assert await unit.factors.use_recovery_code(ann.id, b"1" * 32) is False
            await unit.factors.set_recovery_codes(ann.id, [b"3" * 32])
            assert await unit.factors.use_recovery_code(ann.id, b"2" * 32) is False

    async def test_challenges_count_their_tries(self, transactions: Transactions) -> None:
        """Each try is counted, finishing works once, expired ones are forgotten."""
        ann = await kept(transactions, a_person())
        first = Challenge(uuid7(), ann.id, b"1" * 32, LATER)
        second = Challenge(uuid7(), ann.id, b"2" * 32, NOW)
        async with transactions.writing() as unit:
            await unit.factors.add_challenge(first)
            await unit.factors.add_challenge(second)
            tries = [await unit.factors.try_challenge(b"1" * 32) for _ in range(2)]
            assert [tried.attempts for tried in tries if tried] == [1, 2]
            assert await unit.factors.finish_challenge(first) is True
            assert await unit.factors.finish_challenge(first) is False
            assert await unit.factors.try_challenge(b"1" * 32) is None
            await unit.factors.forget_expired(NOW)
            assert await unit.factors.try_challenge(b"2" * 32) is None


class KeyStoreConformance:
    """API keys."""

    async def test_a_key_is_found_used_and_revoked(self, transactions: Transactions) -> None:
        """It is read back with every field; revoking is told once; all of an owner go together."""
        ann = await kept(transactions, a_person())

        def key(public_id: str) -> ApiKey:
            return ApiKey(uuid7(), public_id, b"h" * 32, ann.id, "Key", frozenset({"a.b.c", "d.e.f"}), NOW, LATER)

        first, second = key("a" * 12), key("b" * 12)
        async with transactions.writing() as unit:
            await unit.api_keys.add(first)
            await unit.api_keys.add(second)
            assert await unit.api_keys.of_owner(ann.id) == [first, second]
            assert await unit.api_keys.by_public_id("a" * 12) == first
            assert await unit.api_keys.by_public_id("c" * 12) is None
            await unit.api_keys.used(first.id, at=LATER)
            used = await unit.api_keys.get(first.id)
            assert used is not None
            assert used.last_used_at == LATER
            assert await unit.api_keys.revoke(first.id, at=LATER) is True
            assert await unit.api_keys.revoke(first.id, at=LATER) is False
            assert await unit.api_keys.revoke_all(ann.id, at=LATER) == 1
            assert [found.revoked_at for found in await unit.api_keys.of_owner(ann.id)] == [LATER, LATER]


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
