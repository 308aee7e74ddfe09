"""Backups, restore and erasure on real databases."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from au_sys_identity.adapters.crypto.archive_cipher import BackupCipher
from au_sys_identity.adapters.crypto.head_signer import HeadKeys
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.storage.backups import BlobVault
from au_sys_identity.core.access.models import Assignment, Policy
from au_sys_identity.core.access.rules import Rule
from au_sys_identity.core.audit.models import Wanted
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.errors import BackupCorrupt, BackupIncompatible, InvalidInput, LastAdmin
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.recovery.backups import Backups
from au_sys_identity.core.recovery.erasing import Erasing
from au_sys_identity.core.recovery.ledger import Ledger
from au_sys_identity.core.recovery.restoring import Restoring
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.tokens.models import ApiKey
from au_sys_identity.manifest.plugin import MIGRATIONS
from au_sys_storage_sdk import open_blobs
from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server

BY = "urn:au:system:test"


def now() -> datetime:
    return datetime.now(UTC)


class NoSettings:
    """Settings that never differ."""

    async def values_in(self, unit: object) -> dict[str, object]:
        return {}

    def weaker(self, before: object, after: object) -> tuple[str, ...]:
        return ()


@dataclass
class House:
    """Identity's tables on one database, with everything that recovery is made of."""

    database: Database
    transactions: SqlTransactions
    audit: Audit
    backups: Backups
    restoring: Restoring
    erasing: Erasing
    ledger: Ledger
    vault: BlobVault

    async def person(self, name: str, *, admin: bool = False) -> Person:
        """Somebody with a password."""
        made = Person(SubjectId(uuid7()), f"{name}@example.org", f"{name}@example.org", name, "active", now(), now())
        async with self.transactions.writing() as unit:
            await unit.subjects.add(made)
            await unit.credentials.set_password(PasswordRecord(made.id, "hash", now()))
            if admin:
                await unit.grants.assign(Assignment(uuid7(), made.urn, "platform-admin", "*", now(), BY))
            unit.record(Fact("subject.created", BY, made.urn, reason=f"the secret of {name}"))
        return made

    async def machine(self) -> Machine:
        """A service account."""
        made = Machine(SubjectId(uuid7()), "app", "bot", "tests", "active", now(), now())
        async with self.transactions.writing() as unit:
            await unit.machines.add(made)
            unit.record(Fact("machine.created", BY, made.urn))
        return made

    async def key(self, owner: Person | Machine) -> ApiKey:
        """An API key."""
        made = ApiKey(
            uuid7(), uuid7().hex[-12:], b"0" * 32, owner.id, "k", frozenset({"*"}), now(), now() + timedelta(days=9)
        )
        async with self.transactions.writing() as unit:
            await unit.api_keys.add(made)
            unit.record(Fact("key.created", owner.urn, f"urn:au:key:{made.id}"))
        return made

    async def status(self, person: Person) -> str:
        async with self.transactions.reading() as unit:
            found = await unit.subjects.get(person.id)
        return found.status if found else "gone"

    async def contents(self) -> dict[str, dict[str, int]]:
        """A hash of every archived row."""
        async with self.transactions.reading() as unit:
            return await unit.archives.hashes()


async def house(url: str, folder: Path) -> House:
    """Build it; a second one on another database shares the vault."""
    database = Database("identity", url)
    await database.migrate(MIGRATIONS)
    root = RootKey(bytes(range(32)))
    transactions = SqlTransactions(database, PersonalKeys(root))
    signer = HeadKeys(transactions, root, now)
    sequencing = Sequencing(transactions, signer, [], now, head_every=timedelta(seconds=60))
    vault, cipher = BlobVault(partial(open_blobs, f"file://{folder}/vault")), BackupCipher(lambda: bytes(range(32)))
    ledger = Ledger(transactions, vault, cipher, now)
    backups = Backups(transactions, sequencing, ledger, vault, cipher, now)
    restoring = Restoring(transactions, backups, ledger, NoSettings(), now)
    erasing = Erasing(transactions, partial(ledger.run, backups.replace_keys), now)
    audit = Audit(transactions, sequencing, signer, [], now)
    return House(database, transactions, audit, backups, restoring, erasing, ledger, vault)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)])
async def here(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    """On both databases."""
    url = f"sqlite:///{tmp_path}/identity.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("server")
        url = server.database(f"recovery_{uuid7().hex[-8:]}")
    made = await house(url, tmp_path)
    yield made
    await made.database.close()
    await made.vault.close()


async def restored(here: House, backup_id: UUID) -> object:
    return await here.restoring.restore(backup_id, by=BY, dry_run=False, confirm=str(backup_id))


async def test_a_restore_brings_back_what_was_there(here: House) -> None:
    """Whatever was added, changed or removed since is as it was; the preview told exactly that."""
    root = await here.person("root", admin=True)
    ann = await here.person("ann")
    before = await here.contents()
    backup = await here.backups.back_up(by=BY, label="first")
    async with here.transactions.writing() as unit:
        person = await unit.subjects.get(ann.id)
        assert person is not None
        await unit.subjects.save(replace(person, display_name="Anna", version=2), expected_version=1)
        await unit.grants.assign(Assignment(uuid7(), ann.urn, "reader", "default", now(), BY))
        unit.record(Fact("role.granted", BY, ann.urn))
    await here.person("bob")
    preview = await here.restoring.restore(backup.id, by=BY)
    assert not preview.done
    assert await here.status(ann) == "active"
    assert preview.tables["subjects"] == {"added": 0, "removed": 1, "changed": 1}
    assert preview.tables["role_assignments"] == {"added": 0, "removed": 1, "changed": 0}
    await restored(here, backup.id)
    after = await here.contents()
    for table in ("persons", "role_assignments", "passwords", "api_keys"):
        assert after[table] == before[table]
    assert after["subjects"].keys() == before["subjects"].keys()
    assert await here.status(root) == "active"


async def test_the_log_goes_on(here: House) -> None:
    """Audit is never rewound: the tree grows over a restore and stays sound."""
    await here.person("root", admin=True)
    backup = await here.backups.back_up(by=BY)
    await here.person("late")
    size = (await here.audit.verify()).report.leaves
    await restored(here, backup.id)
    report = (await here.audit.verify()).report
    assert report.ok
    assert report.leaves > size
    found = await here.audit.find(Wanted(action="backup.restored"))
    assert len(found) == 1


async def test_what_was_revoked_stays_so(here: House) -> None:
    """A key, a password and an account that ended after the backup do not come back."""
    await here.person("root", admin=True)
    ann, bob = await here.person("ann"), await here.person("bob")
    key, other = await here.key(ann), await here.key(ann)
    backup = await here.backups.back_up(by=BY)
    async with here.transactions.writing() as unit:
        assert await unit.api_keys.revoke(key.id, at=now())
        await unit.credentials.set_password(PasswordRecord(ann.id, "another hash", now()))
        person = await unit.subjects.get(bob.id)
        assert person is not None
        await unit.subjects.save(replace(person, status="disabled", version=2), expected_version=1)
        unit.record(Fact("key.revoked", BY, f"urn:au:key:{key.id}"))
    await here.ledger.flush()
    report = await here.restoring.restore(backup.id, by=BY)
    assert any("revoked" in line for line in report.not_restored)
    await restored(here, backup.id)
    async with here.transactions.reading() as unit:
        dead, living = await unit.api_keys.get(key.id), await unit.api_keys.get(other.id)
        assert dead is not None
        assert living is not None
        assert (dead.revoked_at is not None, living.revoked_at) == (True, None)
        assert await unit.credentials.password(ann.id) is None
    assert await here.status(bob) == "disabled"


async def test_on_an_empty_database_it_is_all_there(here: House, tmp_path: Path) -> None:
    """A wiped database gets the tree of the archive, and the ledger beside it still counts."""
    await here.person("root", admin=True)
    ann = await here.person("ann")
    key = await here.key(ann)
    backup = await here.backups.back_up(by=BY)
    async with here.transactions.writing() as unit:
        await unit.api_keys.revoke(key.id, at=now())
    await here.ledger.flush()
    fresh = await house(f"sqlite:///{tmp_path}/fresh.db", tmp_path)
    try:
        assert [known.id for known in await fresh.backups.page()] == [backup.id]
        await fresh.restoring._maintain(on=False)
        found = await fresh.restoring.restore(backup.id, by=BY, dry_run=True)
        assert found.tables["persons"]["added"] == 2
        async with fresh.transactions.writing() as unit:
            header = (await fresh.backups.check(backup.id)).header
            await fresh.restoring._apply(unit, header, BY, accept_weaker=False)
        report = (await fresh.audit.verify()).report
        assert report.ok
        assert report.leaves > 3
        async with fresh.transactions.reading() as unit:
            person, dead = await unit.subjects.get(ann.id), await unit.api_keys.get(key.id)
        assert person is not None
        assert person.email == "ann@example.org"
        assert dead is not None
        assert dead.revoked_at is not None
    finally:
        await fresh.database.close()
        await fresh.vault.close()


async def test_without_a_ledger_nothing_is_trusted(here: House) -> None:
    """An entry that is missing shows: passwords need a reset, and the report says so."""
    await here.person("root", admin=True)
    ann = await here.person("ann")
    key, own = await here.key(await here.machine()), await here.key(ann)
    async with here.transactions.writing() as unit:
        await unit.credentials.set_password(PasswordRecord(ann.id, "another hash", now()))
    backup = await here.backups.back_up(by=BY)
    async with here.transactions.writing() as unit:
        await unit.credentials.set_password(PasswordRecord(ann.id, "a third hash", now()))
    await here.ledger.flush()
    names = await here.vault.names("ledger/")
    await here.vault.delete(names[-2])
    report = await here.restoring.restore(backup.id, by=BY)
    assert any("ledger" in line for line in report.not_restored)
    await restored(here, backup.id)
    async with here.transactions.reading() as unit:
        assert await unit.credentials.password(ann.id) is None
        suspended, kept = await unit.api_keys.get(key.id), await unit.api_keys.get(own.id)
    assert suspended is not None
    assert kept is not None
    assert (suspended.revoked_at is not None, kept.revoked_at) == (True, None)


async def test_an_older_archive_is_migrated_forward(here: House) -> None:
    """What the schema of an older archive did not have gets what the migration gave to rows that were there."""
    root = await here.person("root", admin=True)
    rule = Rule(root.urn, "default", "/a/*", "read")
    async with here.transactions.writing() as unit:
        await unit.grants.change(add=[Policy(uuid7(), rule, now(), BY)])
    backup = await here.backups.back_up(by=BY, include_audit=False)
    header = replace(await here.backups.header(backup.id), id=uuid7(), schema="0011")
    new = {"policies": ("expires_at", "source", "created_at", "created_by")}

    async def older() -> AsyncIterator[bytes]:
        counts: dict[str, int] = {}
        async for name, row in here.backups.rows(backup.id):
            if name not in ("notices", "invitations"):
                counts[name] = counts.get(name, 0) + 1
                kept = {column: value for column, value in row.items() if column not in new.get(name, ())}
                yield json.dumps([name, kept]).encode() + b"\n"
        yield json.dumps(["", counts]).encode() + b"\n"

    cipher = BackupCipher(lambda: bytes(range(32)))
    await here.vault.write(f"archives/{header.id}", cipher.encrypted(header, older()))
    await restored(here, header.id)
    async with here.transactions.reading() as unit:
        found = await unit.grants.find_policy(rule)
    assert found is not None
    assert (found.rule, found.source) == (rule, "local")


async def test_an_erased_person_is_unreadable_everywhere(here: House) -> None:
    """Her details are gone from the log, from the tables and from older backups, and every proof holds."""
    await here.person("root", admin=True)
    ann = await here.person("ann")
    backup = await here.backups.back_up(by=BY)
    event = (await here.audit.find(Wanted(target=ann.urn)))[0]
    assert event.members["details"] == {"reason": "the secret of ann"}
    async with here.transactions.writing() as unit:
        person = await unit.subjects.get(ann.id)
        assert person is not None
        await unit.subjects.save(replace(person, status="closed", version=2), expected_version=1)
        unit.record(Fact("subject.closed", BY, ann.urn))
    await here.erasing.erase(ann.id, by=BY)
    shown = await here.audit.get(event.id)
    assert (shown.erased, shown.members["details"]) == (True, {})
    await here.audit.prove_inclusion(event_id=event.id)
    assert (await here.audit.verify()).report.ok
    assert str(ann.id) not in {str(owner) for owner in await here.backups.kept_keys()}
    archived = [row async for _, row in here.backups.rows(backup.id)]
    assert "ann@example.org" not in json.dumps(archived)
    await restored(here, backup.id)
    async with here.database.session() as session:
        rows = (await session.execute(text("SELECT email, closed FROM persons ORDER BY email"))).all()
    assert [tuple(row) for row in rows] == [("", True), ("root@example.org", False)]
    assert await here.status(ann) == "closed"


async def test_archives_hold_no_secret_in_clear(here: House) -> None:
    """Neither names nor hashes are readable in what is stored."""
    await here.person("root", admin=True)
    backup = await here.backups.back_up(by=BY)
    stored = b"".join([piece async for piece in here.vault.read(backup.blob)])
    assert b"root@example.org" not in stored
    assert "root@" not in json.dumps([row async for _, row in here.backups.rows(backup.id)])


@pytest.mark.parametrize("kind", ["flipped", "cut", "mixed", "swapped header"])
async def test_a_damaged_archive_is_refused(here: House, kind: str) -> None:
    """A changed byte, a missing end, chunks of another archive: nothing is restored, and the place is told."""
    await here.person("root", admin=True)
    first, second = await here.backups.back_up(by=BY, label="one"), await here.backups.back_up(by=BY, label="two")
    one = b"".join([piece async for piece in here.vault.read(first.blob)])
    two = b"".join([piece async for piece in here.vault.read(second.blob)])
    damaged = {
        "flipped": one[:-40] + bytes([one[-40] ^ 1]) + one[-39:],
        "cut": one[: len(one) // 2],
        "mixed": one[:700] + two[700:],
        "swapped header": two,
    }[kind]
    await here.vault.replace(first.blob, damaged)
    with pytest.raises(BackupCorrupt):
        await here.backups.verify(first.id, by=BY)
    with pytest.raises(BackupCorrupt):
        await restored(here, first.id)
    listed = next(known for known in await here.backups.page() if known.id == first.id)
    assert listed.state == "corrupt"


async def test_what_a_restore_asks_for(here: House) -> None:
    """The id as confirmation, a schema that is known, and an administrator who can sign in."""
    ann = await here.person("ann")
    lonely = await here.backups.back_up(by=BY)
    await here.person("root", admin=True)
    with pytest.raises(InvalidInput):
        await here.restoring.restore(lonely.id, by=BY, dry_run=False, confirm="yes")
    with pytest.raises(LastAdmin):
        await restored(here, lonely.id)
    assert await here.status(ann) == "active"
    backup = await here.backups.back_up(by=BY)
    async with here.database.session(write=True) as session, session.begin():
        await session.execute(text("UPDATE identity_alembic_version SET version_num = '0001'"))
    with pytest.raises(BackupIncompatible):
        await restored(here, backup.id)


async def test_a_verified_backup_says_so(here: House) -> None:
    """Everything is read once: counts, references and the root of the log."""
    await here.person("root", admin=True)
    backup = await here.backups.back_up(by=BY)
    checked = await here.backups.verify(backup.id, by=BY)
    assert (checked.state, checked.counts["persons"], checked.counts["audit_leaves"] > 0) == ("verified", 1, True)


async def test_writes_go_on_during_a_backup(here: House) -> None:
    """The snapshot is consistent while others write."""
    await here.person("root", admin=True)

    async def arrivals() -> None:
        for number in range(10):
            await here.person(f"guest {number}".replace(" ", ""))

    backup, _ = await asyncio.gather(here.backups.back_up(by=BY), arrivals())
    counts = (await here.backups.check(backup.id)).counts
    assert counts["persons"] == counts["subjects"] == counts["passwords"]
