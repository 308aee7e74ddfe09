"""Settings that administrators change while the platform runs.

Each is kept sealed in a row of its own; every process sees a change within a second. What the environment says is
pinned. A change that lowers the guard is made only when it is confirmed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.errors import InvalidInput, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SETTINGS, Freshness
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.settings.errors import SettingPinned, WeakerSetting
from au_sys_identity.core.settings.models import (
    HIDDEN,
    Setting,
    ShownSetting,
    ShownSettings,
    Source,
    masked,
    unmasked,
)
from au_sys_identity.core.settings.ports import KeptSetting

SECRET_FIELDS = frozenset({"password", "client_secret"})
Values = Mapping[str, object]
Follower = Callable[[Values], None]
Guard = Callable[[object, str], Awaitable[None]]
"""Asked about a new value and who sets it; raises what forbids it."""


class RuntimeSettings:
    """``read`` makes a checked value of what came as JSON; ``check`` refuses values that contradict each other."""

    def __init__(
        self,
        catalogue: Sequence[Setting],
        read: Callable[[str, object], object],
        check: Callable[[Values], None],
        transactions: Transactions,
        sealing: Sealing,
        freshness: Freshness,
        clock: Clock,
    ) -> None:
        self._catalogue = {setting.name: setting for setting in catalogue}
        self._read = read
        self._check = check
        self._transactions = transactions
        self._sealing = sealing
        self._freshness = freshness
        self._clock = clock
        self._followers: list[Follower] = []
        self._guards: dict[str, Guard] = {}
        self._seen: int | None = None
        self._lock = asyncio.Lock()

    def follow(self, follower: Follower) -> None:
        """Call it with all values after each change, on this and on every other node."""
        self._followers.append(follower)

    def guard(self, name: str, check: Guard) -> None:
        """Ask before a value of this setting is kept: the right to change settings is not the right to everything."""
        self._guards[name] = check

    async def refresh(self) -> None:
        """Tell the followers when something changed since they were told."""
        version = await self._freshness.version(SETTINGS)
        if version == self._seen:
            return
        async with self._lock:
            if version == self._seen:
                return
            async with self._transactions.reading() as unit:
                chosen, _ = await self._chosen(unit)
            values = self._effective(chosen)
            for follower in self._followers:
                follower(values)
            self._seen = version

    async def shown(self) -> ShownSettings:
        """Everything that may be set, secrets masked."""
        async with self._transactions.reading() as unit:
            chosen, version = await self._chosen(unit)
        return self._shown(chosen, version)

    async def change(
        self, wanted: Values, *, by: str, accept_weaker: bool = False, expected_version: int | None = None
    ) -> ShownSettings:
        """Set values; ``None`` goes back to the default. All or nothing.

        Raises:
            InvalidInput: a name is unknown, or a value breaks a rule.
            SettingPinned: the environment says what the value is, or it is read at the start only.
            WeakerSetting: the guard would be lowered, and nobody confirmed that.
            Stale: somebody else changed settings meanwhile.
            ExceedsOwnRights: a value would give away more than the caller holds.
        """
        for name in wanted:
            setting = self._catalogue.get(name)
            if setting is None:
                raise InvalidInput(f"values.{name[:80]}", "is unknown", "Use a name of the list.")
            if setting.pinned:
                raise SettingPinned(name, fixed=setting.fixed and not setting.in_environment)
        for name in self._guards.keys() & wanted.keys():
            await self._guards[name](wanted[name], by)
        async with self._transactions.writing() as unit:
            await unit.versions.raise_topic(SETTINGS)  # first: whoever changes settings at this moment waits
            chosen, version = await self._chosen(unit)
            if expected_version is not None and version != expected_version:
                raise Stale
            before = self._effective(chosen)
            for name, value in wanted.items():
                chosen[name] = self._checked(name, value, before[name])
            after = self._effective(chosen)
            self._check(after)
            weaker = tuple(name for name in wanted if self._catalogue[name].weakened(before[name], after[name]))
            if weaker and not accept_weaker:
                raise WeakerSetting(weaker)
            for name in wanted:
                await self._keep(unit, name, chosen[name])
                unit.record(Fact("setting.changed", by, f"urn:au:setting:{name.lower()}"))
            chosen, version = await self._chosen(unit)
        await self.refresh()
        return self._shown(chosen, version)

    async def values_in(self, unit: UnitOfWork) -> Values:
        """All values as a transaction sees them."""
        return self._effective((await self._chosen(unit))[0])

    async def check_given(self, before: Values, after: Values, by: str) -> None:
        """Refuse values that give away more than the caller holds, where they differ from what is.

        Raises:
            ExceedsOwnRights: one does.
        """
        for name, check in self._guards.items():
            if after[name] != before[name]:
                await check(after[name], by)

    def weaker(self, before: Values, after: Values) -> tuple[str, ...]:
        """Which settings lower the guard."""
        return tuple(name for name, known in self._catalogue.items() if known.weakened(before[name], after[name]))

    def _checked(self, name: str, value: object, before: object) -> object:
        if value is None:
            return None
        return self._read(name, unmasked(value, before, SECRET_FIELDS))

    async def _keep(self, unit: UnitOfWork, name: str, value: object) -> None:
        kept = await unit.settings.get(name)
        if value is None and isinstance(self._catalogue[name].default, list):
            value = []  # lists are read by others too, who know no null
        sealed = self._sealing.seal(f"settings:{name}", json.dumps(value).encode())
        await unit.settings.put(KeptSetting(name, sealed, kept.version + 1 if kept else 1, self._clock()))

    async def _chosen(self, unit: UnitOfWork) -> tuple[dict[str, object], int]:
        """What was chosen at run time, and the version of the whole."""
        kept = [row for row in await unit.settings.all() if row.name in self._catalogue]
        chosen = {row.name: json.loads(self._sealing.unseal(f"settings:{row.name}", row.sealed)) for row in kept}
        return chosen, sum(row.version for row in kept)

    def _effective(self, chosen: Values) -> dict[str, object]:
        return {name: self._value(setting, chosen) for name, setting in self._catalogue.items()}

    def _value(self, setting: Setting, chosen: Values) -> object:
        if setting.pinned or chosen.get(setting.name) is None:
            return setting.given
        return chosen[setting.name]

    def _shown(self, chosen: Values, version: int) -> ShownSettings:
        items = tuple(self._shown_one(setting, chosen) for setting in self._catalogue.values())
        return ShownSettings(items, version, self._effective(chosen))

    def _shown_one(self, setting: Setting, chosen: Values) -> ShownSetting:
        value = self._value(setting, chosen)
        source: Source = "default"
        if setting.in_environment:
            source = "environment"
        elif not setting.fixed and chosen.get(setting.name) not in (None, []):
            source = "runtime"
        if setting.secret and not isinstance(value, list):
            return ShownSetting(setting, HIDDEN if value else None, None, source)
        return ShownSetting(setting, masked(value, SECRET_FIELDS), setting.default, source)
