"""What any stores of credentials, factors, sessions and keys must do."""

from datetime import timedelta

from au_sys_identity.conformance.samples import LATER, NOW, a_person, a_session, kept
from au_sys_identity.core.credentials.models import Device, PasswordRecord
from au_sys_identity.core.factors.models import Challenge, Enrolled, TotpSecret
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.sessions.models import RefreshToken
from au_sys_identity.core.tokens.models import ApiKey


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
