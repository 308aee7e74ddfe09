"""Seal everything anew after the root key was changed, while the platform runs.

Each value is replaced only if nobody changed it meanwhile; what is there already under the new key is left alone, so a
run that was cut off is simply started again. A change that can be undone holds rows with sealed columns of their own.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, Table, select, update

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.tables import change_log, metadata
from fastapi_services_platform import Database

_AT_ONCE = 200
_SEALED = ("_enc", "wrapped_key")


@dataclass(frozen=True, slots=True)
class _Place:
    """A sealed column; the row's key is part of what seals it."""

    table: Table
    key: Column[object]
    value: Column[bytes]


def sealed_places() -> Iterator[_Place]:
    """Every sealed column of the schema, found by its name."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.name.endswith(_SEALED):
                (key,) = table.primary_key.columns
                yield _Place(table, key, column)


class Rewrapping:
    """Goes through all sealed columns."""

    def __init__(self, database: Database, root: RootKey) -> None:
        self._database = database
        self._root = root

    async def run(self) -> dict[str, int]:
        """Seal with the present key what the previous one sealed; how many values of each table.

        Raises:
            Unsealable: a value opens with neither key; those before it are done.
        """
        return {place.table.name: await self._table(place) for place in sealed_places()}

    async def _table(self, place: _Place) -> int:
        done, last = 0, None
        while True:
            wanted = select(place.key, place.value).where(place.value.is_not(None)).order_by(place.key).limit(_AT_ONCE)
            if last is not None:
                wanted = wanted.where(place.key > last)
            async with self._database.session() as session:
                rows = (await session.execute(wanted)).all()
            if not rows:
                return done
            last = rows[-1][0]
            anew = [
                (row[0], row[1], new) for row in rows if (new := self._anew(place, row[0], bytes(row[1]))) is not None
            ]
            if anew:
                async with self._database.session(write=True) as session, session.begin():
                    for key, old, new in anew:
                        same = (place.key == key) & (place.value == old)
                        changed = update(place.table).where(same).values({place.value.name: new})
                        done += (await session.execute(changed.returning(place.key))).first() is not None

    def _anew(self, place: _Place, key: object, sealed: bytes) -> bytes | None:
        named = f"{place.table.name}:{key}"
        if place.table is not change_log:
            return self._root.sealed_anew(named, sealed)
        images = json.loads(self._root.unseal(named, sealed))
        inner = [self._row(image["table"], row) for image in images for row in (image["before"], image["after"]) if row]
        return (
            self._root.seal(named, json.dumps(images).encode()) if any(inner) else self._root.sealed_anew(named, sealed)
        )

    def _row(self, name: str, row: dict[str, object]) -> bool:
        """Seal anew what is sealed in a row that was kept for an undo; whether there was something to do."""
        table, changed = metadata.tables[name], False
        for column in table.columns:
            value = row.get(column.name)
            if not column.name.endswith(_SEALED) or value is None:
                continue
            (key,) = table.primary_key.columns
            new = self._root.sealed_anew(f"{name}:{row[key.name]}", base64.b64decode(str(value)))
            if new is not None:
                row[column.name], changed = base64.b64encode(new).decode(), True
        return changed
