"""MachineStore and ProviderStore on SQL."""

import json
from collections.abc import Collection

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.feed import SqlFeed
from au_sys_identity.adapters.db.relations.graph import SubjectRow, add_subject, in_parts, save_subject
from au_sys_identity.adapters.db.tables import machines, providers, subjects
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.machines.models import Machine, MachineMfa, Provider
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.organizations.models import DEFAULT_ORGANIZATION
from au_sys_identity.core.subjects.models import Status, SubjectId


def _selected() -> Select[tuple[object, ...]]:
    return select(subjects, machines).join(machines, machines.c.subject_id == subjects.c.id)


def _machine(row: Row[tuple[object, ...]]) -> Machine:
    return Machine(
        id=row.id,
        kind=row.kind,
        name=row.name,
        purpose=row.purpose,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status_reason=row.status_reason,
        epoch=row.epoch,
        version=row.version,
        mfa=MachineMfa(row.mfa_mode, row.mfa_applies_to, tuple(json.loads(row.certificates))),
        cap=row.cap,
        organization_id=row.organization_id or DEFAULT_ORGANIZATION,
        provider=row.provider_id,
        model_names=tuple(json.loads(row.model_names)),
        provenance=row.provenance,
        hosting=row.hosting,
        stopped_with=row.stopped_with,
    )


class SqlMachines:
    """Machines in the tables ``subjects`` and ``machines``."""

    def __init__(self, session: AsyncSession, feed: SqlFeed) -> None:
        self._session = session
        self._feed = feed

    async def add(self, machine: Machine) -> None:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        await add_subject(self._session, self._feed, _row(machine))
        await self._session.execute(insert(machines).values(subject_id=machine.id, **_own(machine)))

    async def save(self, machine: Machine, *, expected_version: int) -> None:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        await save_subject(self._session, self._feed, _row(machine), expected_version=expected_version)
        await self._session.execute(update(machines).where(machines.c.subject_id == machine.id).values(**_own(machine)))

    async def get(self, subject_id: SubjectId) -> Machine | None:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        row = (await self._session.execute(_selected().where(subjects.c.id == subject_id))).first()
        return _machine(row) if row else None

    async def page(self, wanted: MachineFilter) -> list[Machine]:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        query = _selected().where(subjects.c.status != "closed")
        if wanted.q:
            query = query.where(subjects.c.name.icontains(wanted.q, autoescape=True))
        if wanted.status:
            query = query.where(subjects.c.status == wanted.status)
        if wanted.kind:
            query = query.where(subjects.c.kind == wanted.kind)
        if wanted.organization_id:
            query = query.where(subjects.c.organization_id == wanted.organization_id)
        if wanted.after:
            query = query.where(subjects.c.id > wanted.after)
        if wanted.among is not None:
            query = query.where(subjects.c.id.in_(wanted.among))
        rows = await self._session.execute(query.order_by(subjects.c.id).limit(wanted.limit))
        return [_machine(row) for row in rows]

    async def many(self, ids: Collection[SubjectId]) -> list[Machine]:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        found: list[Machine] = []
        for part in in_parts(ids):
            rows = await self._session.execute(_selected().where(subjects.c.id.in_(part)).order_by(subjects.c.id))
            found += [_machine(row) for row in rows]
        return found

    async def of_provider(self, provider: SubjectId) -> list[Machine]:
        """See :class:`~au_sys_identity.core.machines.ports.MachineStore`."""
        query = _selected().where(machines.c.provider_id == provider, subjects.c.status != "closed")
        return [_machine(row) for row in await self._session.execute(query.order_by(subjects.c.id))]


class SqlProviders:
    """Providers in the tables ``subjects`` and ``providers``."""

    def __init__(self, session: AsyncSession, feed: SqlFeed) -> None:
        self._session = session
        self._feed = feed

    async def add(self, provider: Provider) -> None:
        """See :class:`~au_sys_identity.core.machines.ports.ProviderStore`."""
        await self._free(provider)
        await add_subject(self._session, self._feed, _provider_row(provider))
        await self._session.execute(insert(providers).values(subject_id=provider.id, **_vendor(provider)))

    async def save(self, provider: Provider, *, expected_version: int) -> None:
        """See :class:`~au_sys_identity.core.machines.ports.ProviderStore`."""
        await self._free(provider)
        await save_subject(self._session, self._feed, _provider_row(provider), expected_version=expected_version)
        own = update(providers).where(providers.c.subject_id == provider.id)
        await self._session.execute(own.values(**_vendor(provider)))

    async def get(self, subject_id: SubjectId) -> Provider | None:
        """See :class:`~au_sys_identity.core.machines.ports.ProviderStore`."""
        row = (await self._session.execute(_providers().where(subjects.c.id == subject_id))).first()
        return _provider(row) if row else None

    async def every(self, status: Status | None = None) -> list[Provider]:
        """See :class:`~au_sys_identity.core.machines.ports.ProviderStore`."""
        query = _providers().where(subjects.c.status == status if status else subjects.c.status != "closed")
        return [_provider(row) for row in await self._session.execute(query.order_by(subjects.c.name, subjects.c.id))]

    async def _free(self, provider: Provider) -> None:
        await self._feed.hold("graph")  # two of one name at once: the second waits, then sees the first
        same = _providers().where(subjects.c.name == provider.name, subjects.c.status != "closed")
        if (await self._session.execute(same.where(subjects.c.id != provider.id))).first() is not None:
            raise Conflict("name")


def _providers() -> Select[tuple[object, ...]]:
    return select(subjects, providers).join(providers, providers.c.subject_id == subjects.c.id)


def _provider(row: Row[tuple[object, ...]]) -> Provider:
    return Provider(
        id=row.id,
        name=row.name,
        vendor=row.vendor,
        created_at=row.created_at,
        updated_at=row.updated_at,
        models=tuple(json.loads(row.models)),
        region=row.region,
        homepage=row.homepage,
        status=row.status,
        status_reason=row.status_reason,
        epoch=row.epoch,
        version=row.version,
    )


def _vendor(provider: Provider) -> dict[str, object]:
    return {
        "vendor": provider.vendor,
        "models": json.dumps(provider.models),
        "region": provider.region,
        "homepage": provider.homepage,
    }


def _provider_row(provider: Provider) -> SubjectRow:
    return SubjectRow(
        provider.id,
        "provider",
        provider.name,
        provider.status,
        provider.created_at,
        provider.updated_at,
        provider.version,
        provider.epoch,
        provider.status_reason,
    )


def _row(machine: Machine) -> SubjectRow:
    return SubjectRow(
        machine.id,
        machine.kind,
        machine.name,
        machine.status,
        machine.created_at,
        machine.updated_at,
        machine.version,
        machine.epoch,
        machine.status_reason,
        machine.organization_id,
        machine.provider,
    )


def _own(machine: Machine) -> dict[str, object]:
    return {
        "purpose": machine.purpose,
        "mfa_mode": machine.mfa.mode,
        "mfa_applies_to": machine.mfa.applies_to,
        "certificates": json.dumps(machine.mfa.certificates),
        "cap": machine.cap,
        "provider_id": machine.provider,
        "model_names": json.dumps(machine.model_names),
        "provenance": machine.provenance,
        "hosting": machine.hosting,
        "stopped_with": machine.stopped_with,
    }
