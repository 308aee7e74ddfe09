"""What any store of passkeys and of values that count once must do."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from au_sys_identity.core.credentials.models import Device
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.factors.models import Enrolled, Passkey
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.models import Person, SubjectId

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


async def _kept(transactions: Transactions) -> Person:
    address = f"{uuid7()}@example.org"
    person = Person(SubjectId(uuid7()), address, address, "Ann", "active", NOW, NOW)
    async with transactions.writing() as unit:
        await unit.subjects.add(person)
    return person


def _passkey(person: Person, credential: bytes) -> Passkey:
    return Passkey(uuid7(), person.id, credential, b"key", "Phone", NOW, 3, "aaguid", ("internal", "hybrid"), True)


class PasskeyStoreConformance:
    """Passkeys, and values that count once."""

    async def test_passkeys_come_back_equal(self, transactions: Transactions) -> None:
        """With every field, oldest first; they are renamed and removed by their owner only, and count as enrolled."""
        ann, bob = await _kept(transactions), await _kept(transactions)
        first, second = _passkey(ann, b"1" * 64), _passkey(ann, b"2" * 64)
        async with transactions.writing() as unit:
            await unit.passkeys.add(first)
            await unit.passkeys.add(second)
            assert await unit.passkeys.of_subject(ann.id) == [first, second]
            assert await unit.passkeys.by_credential(b"1" * 64) == first
            assert await unit.factors.enrolled(ann.id) == Enrolled(passkeys=2)
            assert await unit.passkeys.rename(bob.id, first.id, "Mine") is False
            assert await unit.passkeys.rename(ann.id, first.id, "Key") is True
            assert await unit.passkeys.by_credential(b"1" * 64) == replace(first, name="Key")
            assert await unit.passkeys.remove(bob.id, second.id) is False
            assert await unit.passkeys.remove(ann.id, second.id) is True
            assert await unit.passkeys.remove_all(ann.id) == 1
            assert await unit.passkeys.of_subject(ann.id) == []

    async def test_a_credential_belongs_to_one_account(self, transactions: Transactions) -> None:
        """The second account that brings it is a conflict."""
        ann, bob = await _kept(transactions), await _kept(transactions)
        async with transactions.writing() as unit:
            await unit.passkeys.add(_passkey(ann, b"3" * 64))
            with pytest.raises(Conflict):
                await unit.passkeys.add(_passkey(bob, b"3" * 64))

    async def test_a_counter_moves_once(self, transactions: Transactions) -> None:
        """Of two uses that read the same counter one is noted."""
        ann = await _kept(transactions)
        passkey = _passkey(ann, b"4" * 64)
        async with transactions.writing() as unit:
            await unit.passkeys.add(passkey)
            assert await unit.passkeys.used(passkey, sign_count=4, backed_up=True, at=LATER) is True
            assert await unit.passkeys.used(passkey, sign_count=5, backed_up=True, at=LATER) is False
            found = await unit.passkeys.by_credential(b"4" * 64)
        assert found == replace(passkey, sign_count=4, backed_up=True, last_used_at=LATER)

    async def test_a_value_counts_once(self, transactions: Transactions) -> None:
        """Of ten that claim it at once one has it; another kind, and a forgotten one, are free."""

        async def claim() -> bool:
            async with transactions.writing() as unit:
                return await unit.used_values.claim("test", b"5" * 32, until=LATER)

        assert sorted(await asyncio.gather(*(claim() for _ in range(10)))) == [False] * 9 + [True]
        async with transactions.writing() as unit:
            assert await unit.used_values.claim("other", b"5" * 32, until=LATER) is True
            await unit.used_values.forget_expired(NOW)
            assert await unit.used_values.claim("test", b"5" * 32, until=LATER) is False
            await unit.used_values.forget_expired(LATER)
            assert await unit.used_values.claim("test", b"5" * 32, until=LATER) is True

    async def test_devices_are_listed_and_forgotten(self, transactions: Transactions) -> None:
        """Last seen first; a forgotten one is gone."""
        ann = await _kept(transactions)
        old, new = Device(ann.id, b"6" * 32, "Old", NOW), Device(ann.id, b"7" * 32, "New", LATER)
        async with transactions.writing() as unit:
            await unit.credentials.keep_device(old)
            await unit.credentials.keep_device(new)
            assert await unit.credentials.devices(ann.id) == [new, old]
            assert await unit.credentials.forget_device(old) is True
            assert await unit.credentials.forget_device(old) is False
            assert await unit.credentials.devices(ann.id) == [new]
