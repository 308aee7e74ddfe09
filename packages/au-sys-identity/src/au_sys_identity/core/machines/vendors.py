"""AI providers: made, changed, switched off with their agents, closed."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from au_sys_identity.core.errors import HasDependents, InvalidInput, NotFound, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Provider
from au_sys_identity.core.machines.succession import forget_edges
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import Status, SubjectId
from au_sys_identity.core.subjects.names import display_name

_MOST_MODELS = 200


@dataclass(frozen=True, slots=True)
class ProviderChange:
    """What a provider is to be; ``None`` leaves a field as it is."""

    name: str | None = None
    vendor: str | None = None
    models: tuple[str, ...] | None = None
    region: str | None = None
    homepage: str | None = None
    status: Status | None = None
    status_reason: str | None = None


class Providers:
    """Who hosts the models that agents use."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def every(self, status: Status | None = None) -> list[Provider]:
        """All that are not closed, by name."""
        async with self._transactions.reading() as unit:
            return await unit.providers.every(status)

    async def get(self, provider: SubjectId | None) -> Provider:
        """One that is not closed.

        Raises:
            NotFound: there is none.
        """
        async with self._transactions.reading() as unit:
            return await _known(unit, provider)

    async def create(self, wanted: ProviderChange, *, by: str) -> Provider:
        """Make a provider.

        Raises:
            InvalidInput: a field breaks a rule.
            Conflict: the name is taken.
        """
        now = self._clock()
        blank = Provider(SubjectId(uuid7()), "", "", now, now)
        made = _changed(blank, replace(wanted, name=wanted.name or "", vendor=wanted.vendor or ""))
        async with self._transactions.writing() as unit:
            await unit.providers.add(made)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("provider.created", by, made.urn))
        return made

    async def change(
        self, provider: SubjectId | None, change: ProviderChange, *, by: str, expected_version: int | None = None
    ) -> Provider:
        """Change a provider; switched off, its agents are refused from the next request on.

        Raises:
            NotFound, Stale, InvalidInput, Conflict: nothing is changed.
        """
        async with self._transactions.writing() as unit:
            known = await _known(unit, provider)
            if expected_version is not None and known.version != expected_version:
                raise Stale
            changed = replace(_changed(known, change), version=known.version + 1, updated_at=self._clock())
            if change.status is not None and change.status != known.status:
                changed = replace(changed, status=change.status, epoch=known.epoch + 1)
            if change.status_reason is not None:
                changed = replace(changed, status_reason=change.status_reason)
            await unit.providers.save(changed, expected_version=known.version)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("provider.changed", by, known.urn, reason=change.status_reason or ""))
        return changed

    async def close(self, provider: SubjectId | None, *, by: str) -> None:
        """Close a provider that no agent names any more.

        Raises:
            NotFound: there is none.
            HasDependents: with those agents.
        """
        async with self._transactions.writing() as unit:
            known = await _known(unit, provider)
            agents = await unit.machines.of_provider(known.id)
            if agents:
                raise HasDependents(tuple(agent.urn for agent in agents), "Close them, or give them another provider.")
            await forget_edges(unit, known.id)
            closed = replace(known, status="closed", version=known.version + 1, updated_at=self._clock())
            await unit.providers.save(closed, expected_version=known.version)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("provider.closed", by, known.urn))


async def _known(unit: UnitOfWork, provider: SubjectId | None) -> Provider:
    found = await unit.providers.get(provider) if provider else None
    if found is None or found.status == "closed":
        raise NotFound("provider")
    return found


def _changed(known: Provider, change: ProviderChange) -> Provider:
    models = known.models if change.models is None else change.models
    if len(models) > _MOST_MODELS:
        raise InvalidInput("models", f"has more than {_MOST_MODELS} names", "A final * stands for the rest.")
    return replace(
        known,
        name=known.name if change.name is None else display_name(change.name, "name"),
        vendor=known.vendor if change.vendor is None else display_name(change.vendor, "vendor"),
        models=tuple(display_name(name, "models") for name in models),
        region=known.region if change.region is None else (change.region and display_name(change.region, "region")),
        homepage=known.homepage if change.homepage is None else _homepage(change.homepage),
    )


def _homepage(text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or len(text) > 500 or not text.isprintable():
        raise InvalidInput("homepage", "is not an https address", "Give one such as https://example.org/.")
    return text
