"""All tables in and out, backups, and what the ledger has still to take."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, Table, delete, func, insert, literal, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.evidence.personal import PersonalKeys, SqlSubjectKeys
from au_sys_identity.adapters.db.evidence.rows import (
    SEALED,
    Row,
    key_of,
    opened_row,
    owner_of,
    plain_row,
    sealed_row,
    typed_row,
)
from au_sys_identity.adapters.db.tables import (
    api_keys,
    backups,
    linked_logins,
    metadata,
    passkeys,
    passwords,
    persons,
    recovery_codes,
    revocations,
    role_assignments,
    sessions,
    subject_keys,
    subjects,
    totp_secrets,
    versions,
)
from au_sys_identity.adapters.db.tables.recovery import AUDIT, NOT_ARCHIVED
from au_sys_identity.core.access.models import PLATFORM_ADMIN
from au_sys_identity.core.errors import BackupCorrupt
from au_sys_identity.core.recovery.models import Backup, Revocation
from au_sys_identity.core.subjects.models import SubjectId

_BATCH = 500


def archived(*, include_audit: bool) -> list[Table]:
    """Every table that an archive holds, parents first."""
    left_out = NOT_ARCHIVED if include_audit else NOT_ARCHIVED | set(AUDIT)
    return [table for table in metadata.sorted_tables if table.name not in left_out]


class SqlArchives:
    """Snapshots and restores inside one transaction."""

    def __init__(self, session: AsyncSession, keys: SqlSubjectKeys, personal: PersonalKeys) -> None:
        self._session = session
        self._keys = keys
        self._personal = personal

    @property
    def _postgres(self) -> bool:
        return self._session.get_bind().dialect.name == "postgresql"

    async def begin_snapshot(self) -> None:
        """Have every following statement see the same state."""
        if self._postgres:
            await self._session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))

    async def make_keys(self, at: datetime) -> int:
        """A key for each person who has none yet, so that nothing of them is archived in clear."""
        known = select(subject_keys.c.subject_id)
        wanted = select(subjects.c.id).where(subjects.c.kind == "person", subjects.c.id.not_in(known))
        missing = list((await self._session.execute(wanted.limit(1_000))).scalars())
        for subject_id in missing:
            await self._keys.key(SubjectId(subject_id), at)
        return len(missing)

    async def all_keys(self) -> dict[UUID, bytes]:
        """Every subject's key that was not destroyed."""
        rows = await self._session.execute(
            select(subject_keys.c.subject_id, subject_keys.c.wrapped_key).where(subject_keys.c.wrapped_key.is_not(None))
        )
        return {row.subject_id: self._personal.unwrap(row.subject_id, row.wrapped_key) for row in rows}

    async def schema(self) -> str:
        """The revision of the database."""
        return str((await self._session.execute(text("SELECT version_num FROM identity_alembic_version"))).scalar())

    async def lines(self, keys: Mapping[UUID, bytes], *, include_audit: bool) -> AsyncIterator[tuple[str, Row]]:
        """Every row by table, personal columns sealed."""
        for table in archived(include_audit=include_audit):
            async for row in self._rows(table):
                owner = owner_of(table, row)
                yield table.name, row if owner is None else sealed_row(table, row, keys.get(owner))

    async def _rows(self, table: Table) -> AsyncIterator[Row]:
        """Every row in the order of its key, some at a time: no statement runs for long."""
        key = list(table.primary_key.columns)
        query = select(table).order_by(*key).limit(_BATCH)
        found = (await self._session.execute(query)).mappings().all()
        while found:
            for one in found:
                yield plain_row(table, one)
            if len(found) < _BATCH:
                return
            last = tuple_(*(literal(found[-1][column.name], column.type) for column in key))
            found = (await self._session.execute(query.where(tuple_(*key) > last))).mappings().all()

    async def hashes(self) -> dict[str, dict[str, int]]:
        """A short hash of each row by table and key: what a preview compares."""
        found: dict[str, dict[str, int]] = {}
        for table in archived(include_audit=False):
            found[table.name] = {
                key_of(table, row): hash(json.dumps(row, sort_keys=True)) async for row in self._rows(table)
            }
        return found

    async def audit_is_empty(self) -> bool:
        """Whether there is no log of the present to go on with."""
        return not (
            await self._session.execute(select(func.count()).select_from(metadata.tables["audit_leaves"]))
        ).scalar()

    async def lock(self) -> None:
        """Keep every other writer out until the end of the transaction."""
        if self._postgres:
            await self._session.execute(select(versions.c.topic).with_for_update())
            names = ", ".join(table.name for table in archived(include_audit=False))
            await self._session.execute(text(f"LOCK TABLE {names}, sessions, refresh_tokens IN EXCLUSIVE MODE"))
        else:
            await self._session.execute(text("PRAGMA defer_foreign_keys=ON"))

    async def clear(self) -> None:
        """Empty every archived table, and end every session."""
        await self._session.execute(delete(sessions))
        for table in reversed(archived(include_audit=False)):
            await self._session.execute(delete(table))

    async def load(self, name: str, rows: Sequence[Row], keys: Mapping[UUID, bytes]) -> int:
        """Insert rows of an archive; how many were left out because their person was erased.

        A column that an older archive does not have gets what its migration gave to rows that were there.

        Raises:
            BackupCorrupt: it holds a table that there never was.
        """
        table = metadata.tables.get(name)
        if table is None or name in NOT_ARCHIVED:
            raise BackupCorrupt(f"the table {name[:60]}")
        ready: list[Row] = []
        erased = 0
        for row in rows:
            owner = owner_of(table, row)
            opened = row if owner is None else opened_row(table, row, keys.get(owner))
            if opened is None:
                erased += 1
                opened = _tombstone(table, row)
            if opened is not None:
                ready.append(typed_row(table, opened))
        if ready:
            await self._session.execute(insert(table), ready)
        return erased

    async def keep_keys(self, keys: Mapping[UUID, bytes], at: datetime) -> None:
        """Take keys that the database does not know; one that was destroyed stays so."""
        known = set((await self._session.execute(select(subject_keys.c.subject_id))).scalars())
        fresh = [
            {"subject_id": owner, "wrapped_key": self._personal.wrap(SubjectId(owner), key), "created_at": at}
            for owner, key in keys.items()
            if owner not in known
        ]
        if fresh:
            await self._session.execute(insert(subject_keys), fresh)

    async def destroyed(self) -> set[UUID]:
        """Whose keys were destroyed."""
        query = select(subject_keys.c.subject_id).where(subject_keys.c.destroyed_at.is_not(None))
        return set((await self._session.execute(query)).scalars())

    async def replay(self, entries: Sequence[Revocation], at: datetime) -> None:
        """End again what was ended after the archive was made."""
        for entry in entries:
            await self._replay(entry, at)

    async def _replay(self, entry: Revocation, at: datetime) -> None:
        subject_or_row = UUID(entry.what)
        deletions = {
            "password.replaced": passwords.c.subject_id,
            "totp.removed": totp_secrets.c.subject_id,
            "recovery_code.used": recovery_codes.c.subject_id,
            "passkey.removed": passkeys.c.id,
            "linked_login.removed": linked_logins.c.id,
        }
        if entry.kind in deletions:
            column = deletions[entry.kind]
            await self._session.execute(delete(column.table).where(column == subject_or_row))
        elif entry.kind == "key.ended":
            await self._session.execute(
                update(api_keys)
                .where(api_keys.c.id == subject_or_row, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=at)
            )
        elif entry.kind.startswith("subject."):
            await self._settle(subject_or_row, entry.kind.partition(".")[2], at)

    async def _settle(self, subject_id: UUID, status: str, at: datetime) -> None:
        if status == "erased":
            await self.erase_personal(subject_id, at)
            status = "closed"
        if status not in ("disabled", "closed"):
            return
        await self._session.execute(
            update(subjects).where(subjects.c.id == subject_id).values(status=status, epoch=subjects.c.epoch + 1)
        )
        if status == "closed":
            await self._session.execute(update(persons).where(persons.c.subject_id == subject_id).values(closed=True))
            for column in (
                passwords.c.subject_id,
                passkeys.c.subject_id,
                totp_secrets.c.subject_id,
                recovery_codes.c.subject_id,
                linked_logins.c.subject_id,
            ):
                await self._session.execute(delete(column.table).where(column == subject_id))
            await self._session.execute(
                update(api_keys)
                .where(api_keys.c.owner_id == subject_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=at)
            )
            await self._session.execute(
                delete(role_assignments).where(role_assignments.c.subject.endswith(f":{subject_id}"))
            )

    async def erase_personal(self, subject_id: UUID, at: datetime) -> None:
        """Delete the rows that are only a person's own, and blank what stays of the account."""
        for table in metadata.sorted_tables:
            if table.name in ("persons", "subjects", "edges", *AUDIT, "subject_keys", "revocations"):
                continue
            for name in ("subject_id", "owner_id"):
                if name in table.c and table.name not in ("organization_members",):
                    await self._session.execute(delete(table).where(table.c[name] == subject_id))
        await self._session.execute(
            update(persons)
            .where(persons.c.subject_id == subject_id)
            .values(
                email="",
                email_canonical=f"erased:{subject_id}",
                email_verified_at=None,
                locale=None,
                timezone=None,
                closed=True,
            )
        )
        await self._session.execute(
            update(subjects).where(subjects.c.id == subject_id).values(name="", status_reason=None, updated_at=at)
        )

    async def mistrust(self, at: datetime) -> None:
        """Without a ledger: machine keys are suspended, and every password needs a reset."""
        machines = select(subjects.c.id).where(subjects.c.kind != "person")
        await self._session.execute(
            update(api_keys)
            .where(api_keys.c.owner_id.in_(machines), api_keys.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        await self._session.execute(delete(passwords))

    async def end_trust(self) -> None:
        """Every older session and token ends, every process reads anew."""
        await self._session.execute(update(subjects).values(epoch=subjects.c.epoch + 1))
        await self._session.execute(update(versions).values(version=versions.c.version + 1_000))

    async def has_admin(self, *, credential: bool = True) -> bool:
        """Whether an active person who can sign in holds everything."""
        ways = select(passwords.c.subject_id).union(select(passkeys.c.subject_id), select(linked_logins.c.subject_id))
        query = (
            select(func.count())
            .select_from(role_assignments)
            .join(subjects, subjects.c.urn == role_assignments.c.subject)
            .where(
                role_assignments.c.role == PLATFORM_ADMIN, subjects.c.status == "active", subjects.c.kind == "person"
            )
        )
        if credential:
            query = query.where(subjects.c.id.in_(ways))
        return bool((await self._session.execute(query)).scalar())

    async def add(self, backup: Backup) -> None:
        """Keep what is known of an archive."""
        manifest = {"schema": backup.schema, "counts": dict(backup.counts), "audit_head": backup.audit_head}
        await self._session.execute(
            insert(backups).values(
                id=backup.id,
                at=backup.at,
                label=backup.label,
                blob=backup.blob,
                size=backup.size,
                sha256=backup.sha256,
                manifest=json.dumps(manifest),
                state=backup.state,
                verified_at=backup.verified_at,
            )
        )

    async def page(self) -> list[Backup]:
        """Newest first."""
        rows = (await self._session.execute(select(backups).order_by(backups.c.at.desc()).limit(1_000))).mappings()
        return [_backup(row) for row in rows]

    async def get(self, backup_id: UUID) -> Backup | None:
        """One of them."""
        row = (await self._session.execute(select(backups).where(backups.c.id == backup_id))).mappings().first()
        return None if row is None else _backup(row)

    async def set_state(self, backup_id: UUID, state: str, at: datetime) -> None:
        """What checking it found."""
        await self._session.execute(
            update(backups).where(backups.c.id == backup_id).values(state=state, verified_at=at)
        )

    async def remove(self, backup_id: UUID) -> None:
        """Forget it."""
        await self._session.execute(delete(backups).where(backups.c.id == backup_id))

    async def unwritten(self, limit: int) -> list[Revocation]:
        """What the ledger has not taken yet, oldest first."""
        query = select(revocations).where(revocations.c.number.is_(None)).order_by(revocations.c.id).limit(limit)
        return [Revocation(row.id, row.at, row.kind, row.what) for row in await self._session.execute(query)]

    async def written(self, entry_id: UUID, number: int) -> None:
        """It has its place in the ledger."""
        await self._session.execute(update(revocations).where(revocations.c.id == entry_id).values(number=number))

    async def note_erased(self, entry: Revocation) -> None:
        """An erasure, which no row tells of."""
        await self._session.execute(
            insert(revocations).values(id=entry.id, at=entry.at, kind=entry.kind, what=entry.what)
        )


def _tombstone(table: Table, row: Row) -> Row | None:
    """What is left of an erased person's row: the account without anything personal, and nothing else."""
    kept = {name: value for name, value in row.items() if name != SEALED}
    if table.name == "subjects":
        return {**kept, "name": "", "status": "closed", "status_reason": None}
    if table.name == "persons":
        blank = {"email": "", "email_canonical": f"erased:{row['subject_id']}", "locale": None, "timezone": None}
        return {**kept, **blank, "closed": True}
    return None


def _backup(row: RowMapping) -> Backup:
    manifest = json.loads(row["manifest"])
    return Backup(
        row["id"],
        row["at"],
        row["label"],
        row["size"],
        row["sha256"],
        manifest["schema"],
        manifest["counts"],
        manifest["audit_head"],
        row["verified_at"],
        row["state"],
    )
