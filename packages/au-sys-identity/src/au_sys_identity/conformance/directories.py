"""What any store of settings, directory entries, outside logins and runs must do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from au_sys_identity.core.directories.errors import SyncRunning
from au_sys_identity.core.directories.models import KnownEntry, LinkedLogin, SyncRun
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.settings.ports import KeptSetting
from au_sys_identity.core.subjects.models import Person, SubjectId

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
_SOURCE = "directory:staff"


async def _kept(transactions: Transactions, email: str) -> Person:
    person = Person(SubjectId(uuid7()), email, email, "Somebody", "active", NOW, NOW)
    async with transactions.writing() as unit:
        await unit.subjects.add(person)
    return person


class DirectoryStoreConformance:
    """Settings, entries, logins and runs."""

    async def test_a_setting_is_replaced_by_its_successor_only(self, transactions: Transactions) -> None:
        """Of two who read the same version one is refused, also for the first version of all."""
        first = KeptSetting("PROVIDERS", b"sealed", 1, NOW)
        async with transactions.writing() as unit:
            assert await unit.settings.get("PROVIDERS") is None
            await unit.settings.put(first)
            assert await unit.settings.get("PROVIDERS") == first
            with pytest.raises(Stale):
                await unit.settings.put(first)
            second = KeptSetting("PROVIDERS", b"other", 2, LATER)
            await unit.settings.put(second)
            with pytest.raises(Stale):
                await unit.settings.put(second)
            assert await unit.settings.get("PROVIDERS") == second
            assert await unit.settings.all() == [second]

    async def test_an_entry_is_kept_under_its_directory(self, transactions: Transactions) -> None:
        """Keeping it again replaces it; the same id in another directory is another entry."""
        ann = await _kept(transactions, "entry@example.org")
        entry = KnownEntry("staff", "1", ann.id, "uid=ann", b"f" * 32, NOW)
        moved = replace(entry, dn="uid=ann,ou=new", fingerprint=b"g" * 32, seen_at=LATER)
        async with transactions.writing() as unit:
            await unit.directory_entries.keep(entry)
            await unit.directory_entries.keep(moved)
            assert await unit.directory_entries.find("staff", "1") == moved
            assert await unit.directory_entries.find("guests", "1") is None
            assert await unit.directory_entries.of_directory("staff") == [moved]
            assert await unit.directory_entries.of_subject(ann.id) == [moved]

    async def test_an_outside_login_leads_to_one_account(self, transactions: Transactions) -> None:
        """The same issuer and id cannot be kept twice; uses are noted; unlinked, it is unknown."""
        ann = await _kept(transactions, "login@example.org")
        login = LinkedLogin(uuid7(), ann.id, "corp", "https://idp.example.org", "42", NOW)
        other = replace(login, id=uuid7(), external_id="43")
        async with transactions.writing() as unit:
            await unit.linked_logins.add(login)
            await unit.linked_logins.add(other)
            with pytest.raises(Conflict):
                await unit.linked_logins.add(replace(login, id=uuid7()))
            await unit.linked_logins.used(login.id, at=LATER)
            assert await unit.linked_logins.find(login.issuer, "42") == replace(login, last_used_at=LATER)
            await unit.linked_logins.remove(login.id)
            assert await unit.linked_logins.of_subject(ann.id) == [other]
            await unit.linked_logins.remove_all(ann.id)
            assert await unit.linked_logins.find(login.issuer, "43") is None

    async def test_one_run_of_a_source_is_under_way(self, transactions: Transactions) -> None:
        """A second one is refused until the first has ended, or has been silent for too long."""
        run = SyncRun(uuid7(), _SOURCE, "running", False, NOW, NOW, "urn:au:system:identity")
        done = replace(run, state="done", heartbeat_at=LATER, report={"seen": 3})
        next_run = replace(run, id=uuid7())
        async with transactions.writing() as unit:
            await unit.sync_runs.begin(run)
            with pytest.raises(SyncRunning):
                await unit.sync_runs.begin(next_run)
            await unit.sync_runs.begin(replace(run, id=uuid7(), source="directory:other"))
            await unit.sync_runs.save(done)
            assert await unit.sync_runs.get(run.id) == done
            await unit.sync_runs.begin(next_run)
            await unit.sync_runs.beat(next_run.id, at=LATER)
            await unit.sync_runs.abandon_silent(_SOURCE, before=LATER)
            assert await unit.sync_runs.newest(_SOURCE, 5) == [replace(next_run, heartbeat_at=LATER), done]
            await unit.sync_runs.abandon_silent(_SOURCE, before=LATER + timedelta(seconds=1))
            assert [known.state for known in await unit.sync_runs.newest(_SOURCE, 1)] == ["failed"]
            assert len(await unit.sync_runs.newest(None, 10)) == 3
