"""NameStore over dictionaries."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from skriptoteket.adapters.memory.state import State


class MemoryNameStore:
    """Replaces a name everywhere."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def replace(self, subject: str, pseudonym: str) -> int:
        """Put the pseudonym wherever the subject is named; how many rows."""
        changed = len([lock for lock in self._state.locks.values() if lock.holder == subject])
        self._state.locks = {key: lock for key, lock in self._state.locks.items() if lock.holder != subject}
        self._state.keys = {key: kept for key, kept in self._state.keys.items() if not key.startswith(f"{subject}\n")}
        self._state.streams = {key: kept for key, kept in self._state.streams.items() if kept[0] != subject}
        for each in fields(State):
            rows: dict[Any, Any] = getattr(self._state, each.name)  # Any: dictionaries of many kinds
            for key, value in list(rows.items()):
                renamed = _renamed(value, subject, pseudonym)
                if renamed is not value:
                    rows[key] = renamed
                    changed += 1
        return changed


def _renamed(value: Any, subject: str, pseudonym: str) -> Any:  # Any: as above
    if isinstance(value, frozenset) and subject in value:
        return (value - {subject}) | {pseudonym}
    if is_dataclass(value) and not isinstance(value, type):
        named = [each.name for each in fields(value) if getattr(value, each.name) == subject]
        return replace(value, **dict.fromkeys(named, pseudonym)) if named else value
    return value
