"""Make, check, list and remove backups."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.audit.tree import Frontier
from au_sys_identity.core.errors import BackupCorrupt
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.recovery.ledger import Ledger
from au_sys_identity.core.recovery.models import SYSTEM, Backup, Header
from au_sys_identity.core.recovery.ports import Cipher, Clock, RecoveryTransactions, Row, Vault

KEYS = "subject-keys"
_MOST_KEYS = 1_000


@dataclass(slots=True)
class Checked:
    """What walking through an archive found."""

    header: Header
    counts: dict[str, int] = field(default_factory=dict)


class Backups:
    """Archives of everything that identity knows."""

    def __init__(
        self,
        transactions: RecoveryTransactions,
        sequencing: Sequencing,
        ledger: Ledger,
        vault: Vault,
        cipher: Cipher,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._sequencing = sequencing
        self._ledger = ledger
        self._vault = vault
        self._cipher = cipher
        self._clock = clock

    async def back_up(self, *, by: str, label: str = "", include_audit: bool = True) -> Backup:
        """Write an archive while everything goes on.

        Raises:
            StoreUnavailable: it cannot be written.
        """
        await self._sequencing.place_all()
        head = await self._sequencing.sign_now() if include_audit else None
        number = await self._ledger.flush()
        await self._make_keys()
        counts: dict[str, int] = {}
        async with self._transactions.reading() as unit:
            await unit.archives.begin_snapshot()
            header = Header(
                uuid7(),
                self._clock(),
                await unit.archives.schema(),
                self._cipher.new_salt(),
                label,
                include_audit,
                number,
                head.shown() if head else None,
            )
            keys = await unit.archives.all_keys()
            lines = _counted(unit.archives.lines(keys, include_audit=include_audit), counts)
            name = f"archives/{header.id}"
            size, sha256 = await self._vault.write(name, self._cipher.encrypted(header, lines))
        await self.replace_keys()
        backup = Backup(header.id, header.at, label, size, sha256, header.schema, counts, header.audit_head)
        async with self._transactions.writing() as unit:
            await unit.archives.add(backup)
            unit.record(Fact("backup.made", by, f"urn:au:backup:{backup.id}", details={"size": size}))
        return backup

    async def replace_keys(self) -> None:
        """Write the keys of all subjects anew: one that was destroyed lies nowhere any more."""
        async with self._transactions.reading() as unit:
            keys = await unit.archives.all_keys()
        plain = json.dumps({str(owner): base64.b64encode(key).decode() for owner, key in keys.items()}).encode()
        await self._vault.replace(KEYS, self._cipher.seal(KEYS, plain))

    async def kept_keys(self) -> dict[UUID, bytes]:
        """Keys of subjects as they lie beside the archives.

        Raises:
            BackupCorrupt: they were changed.
        """
        sealed = await self._vault.get(KEYS)
        if sealed is None:
            return {}
        found = json.loads(self._cipher.unseal(KEYS, sealed))
        return {UUID(owner): base64.b64decode(key) for owner, key in found.items()}

    async def page(self) -> list[Backup]:
        """Newest first; archives that the database does not know are found in the store."""
        async with self._transactions.reading() as unit:
            known = await unit.archives.page()
        listed = {backup.id for backup in known}
        for name in await self._vault.names("archives/"):
            if (found := _id_of(name)) is not None and found not in listed:
                known.append(await self.get(found))
        return sorted(known, key=lambda backup: backup.at, reverse=True)

    async def get(self, backup_id: UUID) -> Backup:
        """One of them.

        Raises:
            NotFound: there is none.
            BackupCorrupt: its header cannot be read.
        """
        async with self._transactions.reading() as unit:
            known = await unit.archives.get(backup_id)
        if known is not None:
            return known
        header = await self.header(backup_id)
        return Backup(header.id, header.at, header.label, 0, "", header.schema, {}, header.audit_head)

    async def header(self, backup_id: UUID) -> Header:
        """What stands in clear at the start.

        Raises:
            NotFound, BackupCorrupt: there is no such archive, or it is none.
        """
        async for piece in self._cipher.decrypted(self._vault.read(f"archives/{backup_id}")):
            if isinstance(piece, Header) and piece.id == backup_id:
                return piece
            break
        raise BackupCorrupt("header")

    async def verify(self, backup_id: UUID, *, by: str) -> Backup:
        """Read everything without restoring it: chunks, counts, references, the root of the log.

        Raises:
            NotFound: there is no such archive.
            BackupCorrupt: with the place.
        """
        known = await self.get(backup_id)
        state = "verified"
        try:
            checked = await self.check(backup_id)
        except BackupCorrupt:
            state = "corrupt"
            raise
        finally:
            async with self._transactions.writing() as unit:
                await unit.archives.set_state(backup_id, state, self._clock())
                details = {"state": state}
                unit.record(Fact("backup.verified", by, f"urn:au:backup:{backup_id}", details=details))
        return replace(known, counts=checked.counts, state="verified", verified_at=self._clock())

    async def check(self, backup_id: UUID) -> Checked:
        """Walk through an archive.

        Raises:
            NotFound, BackupCorrupt: as :meth:`verify`.
        """
        header: Header | None = None
        counts: dict[str, int] = {}
        references, frontier, told = _References(), Frontier(), None
        async for piece in self._cipher.decrypted(self._vault.read(f"archives/{backup_id}")):
            if isinstance(piece, Header):
                header = piece
                continue
            name, row, told = _line(piece)
            if told is not None:
                break
            counts[name] = counts.get(name, 0) + 1
            references.seen(name, row)
            if name == "audit_leaves":
                frontier.append(base64.b64decode(str(row["leaf_hash"])))
                if header and header.audit_head and Head.read(header.audit_head).tree_size == frontier.size:
                    _same_root(frontier, header.audit_head)
        if header is None or header.id != backup_id:
            raise BackupCorrupt("header")
        if told != counts:
            raise BackupCorrupt("counts")
        if (dangling := references.dangling()) is not None:
            raise BackupCorrupt(f"a reference from {dangling}")
        if header.include_audit and header.audit_head and Head.read(header.audit_head).tree_size > frontier.size:
            raise BackupCorrupt("the audit log ends before its head")
        return Checked(header, counts)

    async def rows(self, backup_id: UUID) -> AsyncIterator[tuple[str, Row]]:
        """Every row of an archive by table."""
        async for piece in self._cipher.decrypted(self._vault.read(f"archives/{backup_id}")):
            if isinstance(piece, Header):
                continue
            name, row, told = _line(piece)
            if told is None:
                yield name, row

    async def remove(self, backup_id: UUID, *, by: str) -> None:
        """Delete an archive for ever.

        Raises:
            NotFound: there is none.
        """
        known = await self.get(backup_id)
        await self._vault.delete(known.blob)
        async with self._transactions.writing() as unit:
            await unit.archives.remove(backup_id)
            unit.record(Fact("backup.removed", by, f"urn:au:backup:{backup_id}"))

    async def run_due(self, *, every: float, keep: int) -> None:
        """Back up when it is time, and drop what is too much."""
        known = await self.page()
        if not known or (self._clock() - known[0].at).total_seconds() >= every:
            await self.back_up(by=SYSTEM, label="scheduled")
            known = await self.page()
        for backup in known[keep:]:
            await self.remove(backup.id, by=SYSTEM)

    async def _make_keys(self) -> None:
        made = _MOST_KEYS
        while made >= _MOST_KEYS:
            async with self._transactions.writing() as unit:
                made = await unit.archives.make_keys(self._clock())


class _References:
    """Whether every row that names an organization or a subject finds it; only ids are held."""

    _PARENTS = ("subjects", "organizations")

    def __init__(self) -> None:
        self._ids: dict[str, set[str]] = {name: set() for name in self._PARENTS}
        self._wanted: dict[str, set[str]] = {name: set() for name in self._PARENTS}
        self._from: dict[str, str] = {}

    def seen(self, name: str, row: Row) -> None:
        if name in self._ids:
            self._ids[name].add(str(row["id"]))
        for column, parent in (
            ("subject_id", "subjects"),
            ("owner_id", "subjects"),
            ("source_id", "subjects"),
            ("target_id", "subjects"),
            ("organization_id", "organizations"),
        ):
            value = row.get(column)
            if value is not None and str(value) not in self._ids[parent]:
                self._wanted[parent].add(str(value))
                self._from[str(value)] = name

    def dangling(self) -> str | None:
        for parent, wanted in self._wanted.items():
            for value in wanted - self._ids[parent]:
                return self._from[value]
        return None


async def _counted(rows: AsyncIterator[tuple[str, Row]], counts: dict[str, int]) -> AsyncIterator[bytes]:
    async for name, row in rows:
        counts[name] = counts.get(name, 0) + 1
        yield json.dumps([name, row], separators=(",", ":")).encode() + b"\n"
    yield json.dumps(["", counts]).encode() + b"\n"


def _line(text: bytes) -> tuple[str, Row, Mapping[str, int] | None]:
    try:
        name, row = json.loads(text)
    except ValueError:
        raise BackupCorrupt("a line that is no row") from None
    if not isinstance(name, str) or not isinstance(row, dict):
        raise BackupCorrupt("a line that is no row")
    return name, row, None if name else row


def _same_root(frontier: Frontier, head: Mapping[str, object]) -> None:
    if Head.read(head).root_hash != frontier.root():
        raise BackupCorrupt("the audit log is not that of its head")


def _id_of(name: str) -> UUID | None:
    try:
        return UUID(name.partition("/")[2])
    except ValueError:
        return None
