"""The rules of this process: loaded once, and brought up to date by the feed before they are asked."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from au_sys_identity.core.access.models import EVERYWHERE, PLATFORM_ADMIN, Catalogue, role_subject, rule_parts
from au_sys_identity.core.access.ports import PolicyEngine
from au_sys_identity.core.access.rules import Change, Membership, Rule
from au_sys_identity.core.errors import PolicyBehind
from au_sys_identity.core.freshness import ACCESS, Freshness
from au_sys_identity.core.graph.ports import FeedEntry
from au_sys_identity.core.ports import Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId, person_id

EVERY_PERSON = "urn:au:user:*"
"""The role of all persons: it holds the default bundles."""
_MOST_TOLD = 2000
_MANY = 5000
_STALE_SECONDS = 1.0
_LOOK_SECONDS = 0.02
_PAYLOAD = Mapping[str, str | int | bool | None]


def kind_of(subject: str) -> str | None:
    """The role that a subject holds by its kind."""
    return EVERY_PERSON if subject.startswith("urn:au:user:") else None


def told(changes: Sequence[Change]) -> tuple[str, _PAYLOAD]:
    """Changes as an entry of the feed; very many are told as "load anew"."""
    if len(changes) > _MOST_TOLD:
        return "reload", {}
    return "changed", {"changes": json.dumps([[change.add, *change.item] for change in changes])}


def heard(payload: _PAYLOAD) -> list[Change]:
    """The changes of an entry."""
    return [
        Change(add, Rule(*parts) if len(parts) == len(Rule._fields) else Membership(*parts))
        for add, *parts in json.loads(str(payload["changes"]))
    ]


class LivePolicy:
    """Gives the engine as it was at most a moment ago, whichever process changed the rules."""

    def __init__(
        self,
        transactions: Transactions,
        freshness: Freshness,
        catalogue: Catalogue,
        engine: PolicyEngine,
        *,
        patience: float = 1.0,
    ) -> None:
        self._transactions = transactions
        self._freshness = freshness
        self._catalogue = catalogue
        self._engine = engine
        self._patience = patience
        self._loaded = False
        self._lock = asyncio.Lock()

    async def current(self) -> PolicyEngine:
        """The engine.

        Raises:
            PolicyBehind: the database did not say within a second what is current.
        """
        if self._is_current():
            return self._engine
        try:
            async with asyncio.timeout(_STALE_SECONDS if self._loaded else None):  # nothing is stale before the first
                version = await self._freshness.version(ACCESS)
        except TimeoutError:
            raise PolicyBehind(0, self._engine.revision) from None
        if not self._loaded or self._engine.revision < version:
            async with self._lock:
                if not self._loaded:
                    await self._load()
                elif self._engine.revision < version:
                    await self._follow()
        return self._engine

    async def at_least(self, revision: int | None) -> PolicyEngine:
        """The engine with everything up to a revision, which is waited for.

        Raises:
            PolicyBehind: that revision is not here within a second.
        """
        engine = self._engine if self._is_current() else await self.current()
        if revision is None or engine.revision >= revision:
            return engine
        ends = time.monotonic() + self._patience
        while True:
            self._freshness.expire()
            engine = await self.current()
            if engine.revision >= revision:
                return engine
            if time.monotonic() >= ends:
                raise PolicyBehind(revision, engine.revision)
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_current(self) -> bool:
        known = self._freshness.known(ACCESS)
        return known is not None and self._loaded and self._engine.revision >= known

    async def reload(self) -> PolicyEngine:
        """Load the rules anew; the old ones answer until the new ones are whole."""
        async with self._lock:
            await self._load()
        return self._engine

    def shipped(self) -> tuple[list[Rule], list[Membership]]:
        """What the capabilities bring, and what every installation has."""
        rules = [Rule(role_subject(PLATFORM_ADMIN), EVERYWHERE, EVERYWHERE, EVERYWHERE)]
        memberships = []
        for bundle in self._catalogue.bundles.values():
            subject = role_subject(bundle.name)
            rules += [Rule(subject, EVERYWHERE, *rule_parts(name)) for name in sorted(bundle.permissions)]
            if bundle.default:
                memberships.append(Membership(EVERY_PERSON, subject, EVERYWHERE))
        return rules, memberships

    async def _load(self) -> None:
        async with self._transactions.reading() as unit:
            revision, rules, memberships = await unit.grants.everything()
        own_rules, own_memberships = self.shipped()
        everything = [*own_rules, *rules], [*own_memberships, *memberships]
        if len(rules) + len(memberships) > _MANY:
            await asyncio.to_thread(self._engine.load_policy, *everything, revision)
        else:
            self._engine.load_policy(*everything, revision)
        self._loaded = True

    async def _follow(self) -> None:
        async with self._transactions.reading() as unit:
            entries = await unit.feed.since(ACCESS, self._engine.revision)
            changes = None if entries is None else await _changes_of(unit, entries)
        if changes is None:
            await self._load()
        elif entries:
            shipped = set(self.shipped()[0])
            kept = [change for change in changes if change.add or change.item not in shipped]
            self._engine.apply(kept, entries[-1].version)


async def _changes_of(unit: UnitOfWork, entries: Sequence[FeedEntry]) -> list[Change] | None:
    changes: list[Change] = []
    for entry in entries:
        if entry.operation == "changed":
            changes += heard(entry.payload)
        elif entry.operation in ("joined", "left"):
            changes.append(await _membership(unit, entry))
        else:
            return None
    return changes


async def _membership(unit: UnitOfWork, entry: FeedEntry) -> Change:
    ends = [person_id(str(entry.payload[name])) for name in ("source", "target")]
    known = await unit.names.many([end for end in ends if end is not None])
    source, target = (_urn(known, end) for end in ends)
    end = entry.payload.get("end")
    until = datetime.fromisoformat(str(end)).timestamp() if end else None
    return Change(entry.operation == "joined", Membership(source, target, EVERYWHERE, until))


def _urn(known: Mapping[SubjectId, object], subject: SubjectId | None) -> str:
    found = known.get(subject) if subject is not None else None
    return str(getattr(found, "urn", subject))
