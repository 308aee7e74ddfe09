"""A list of named things that an administrator edits while the platform runs, or that the environment pins."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.errors import Conflict, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SETTINGS, Freshness
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.settings.errors import SettingPinned
from au_sys_identity.core.settings.ports import KeptSetting


class Named(Protocol):
    """What such a list holds."""

    @property
    def name(self) -> str: ...

    @property
    def enabled(self) -> bool: ...

    def stored(self) -> dict[str, object]:
        """As JSON, secrets included."""


Item = TypeVar("Item", bound=Named)


class NamedList(Generic[Item]):
    """Kept sealed in one setting; every process sees a change within 250 ms."""

    def __init__(
        self,
        setting: str,
        read: Callable[[Mapping[str, object]], Item],
        pinned: str | None,
        transactions: Transactions,
        sealing: Sealing,
        freshness: Freshness,
        clock: Clock,
    ) -> None:
        self._setting = setting
        self._read = read
        self._transactions = transactions
        self._sealing = sealing
        self._freshness = freshness
        self._clock = clock
        self._known: tuple[Item, ...] = parsed(pinned, read) if pinned is not None else ()
        self._seen: int | None = None
        self.pinned = pinned is not None

    async def all(self) -> tuple[Item, ...]:
        """Everything, in the order of the names."""
        if not self.pinned:
            version = await self._freshness.version(SETTINGS)
            if self._seen != version:
                async with self._transactions.reading() as unit:
                    self._known = await self._stored(unit)
                self._seen = version
        return self._known

    async def enabled(self) -> tuple[Item, ...]:
        """What is switched on."""
        return tuple(item for item in await self.all() if item.enabled)

    async def get(self, name: str) -> Item | None:
        """One by its name."""
        return next((item for item in await self.all() if item.name == name), None)

    async def keep(self, item: Item, *, by: str, new: bool = False) -> None:
        """Add it, or put it in the place of the one with its name.

        Raises:
            SettingPinned: the environment says what the list is.
            Conflict: it should be new, and the name is taken.
            Stale: somebody else changed the list at the same moment.
        """

        def changed(known: Sequence[Item]) -> list[Item]:
            if new and any(other.name == item.name for other in known):
                raise Conflict("name")
            return [other for other in known if other.name != item.name] + [item]

        await self._change(changed, item.name, by)

    async def remove(self, name: str, *, by: str) -> None:
        """Take one away.

        Raises:
            SettingPinned, Stale: as :meth:`keep`.
            NotFound: there is none of that name.
        """

        def changed(known: Sequence[Item]) -> list[Item]:
            if all(other.name != name for other in known):
                raise NotFound("entry")
            return [other for other in known if other.name != name]

        await self._change(changed, name, by)

    async def _change(self, change: Callable[[Sequence[Item]], list[Item]], name: str, by: str) -> None:
        if self.pinned:
            raise SettingPinned(self._setting)
        now = self._clock()
        async with self._transactions.writing() as unit:
            before = await unit.settings.get(self._setting)
            items = change(await self._stored(unit))
            text = json.dumps([item.stored() for item in items])
            version = before.version + 1 if before else 1
            sealed = self._sealing.seal(self._place, text.encode())
            await unit.settings.put(KeptSetting(self._setting, sealed, version, now))
            await unit.versions.raise_topic(SETTINGS)
            resource = f"urn:au:setting:{self._setting.lower()}"
            unit.record(Fact("setting.changed", by, resource, details={"entry": name}))

    async def _stored(self, unit: UnitOfWork) -> tuple[Item, ...]:
        kept = await unit.settings.get(self._setting)
        if kept is None:
            return ()
        return parsed(self._sealing.unseal(self._place, kept.sealed).decode(), self._read)

    @property
    def _place(self) -> str:
        return f"settings:{self._setting}"


def parsed(text: str, read: Callable[[Mapping[str, object]], Item]) -> tuple[Item, ...]:
    """The items of a JSON list.

    Raises:
        ValueError: it is no list of objects, or a name comes twice.
        InvalidInput: an item breaks a rule.
    """
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError("must be a JSON list of objects")
    items = sorted((read(item) for item in found), key=lambda item: item.name)
    if len({item.name for item in items}) != len(items):
        raise ValueError("holds a name twice")
    return tuple(items)
