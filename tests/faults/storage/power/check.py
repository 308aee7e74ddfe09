"""Open what a power cut left with the product's own code, and compare it with what was acknowledged."""

from __future__ import annotations

from pathlib import Path

import apsw
from tests.faults.storage.power.disk import Image
from tests.faults.storage.power.workload import FIRST, SPACES, State, in_any_order

from au_sys_storage_sdk.adapters.sqlite import reader
from au_sys_storage_sdk.adapters.sqlite.schema import open_reader
from au_sys_storage_sdk.adapters.sqlite.writer import Writer
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Put
from au_sys_storage_sdk.core.paging import MAX_LIMIT

_PAGE = 10_000_000


class Broken(AssertionError):
    """An image shows that storage does not keep its word."""


def check(image: Image, folder: Path, acknowledged: int, states: list[State]) -> None:
    """Raise ``Broken`` unless the image opens and holds the state after step ``acknowledged`` or the next."""
    path = folder / "documents.db"
    for name, content in image.items():
        (folder / name).write_bytes(content)
    try:
        found = _opened(path)
    except Exception as error:
        raise Broken(f"the image does not open: {error!r}") from error
    finally:
        for name in ("documents.db", "documents.db-wal", "documents.db-shm"):
            (folder / name).unlink(missing_ok=True)
    if found not in states[acknowledged : acknowledged + 2]:
        raise Broken(_difference(found, acknowledged, states))


def _opened(path: Path) -> State:
    writer = Writer(path, lambda: FIRST)
    try:
        reading = open_reader(path)
        try:
            found = _state(reading, writer)
            whole = reading.execute("PRAGMA integrity_check(1)").get
        finally:
            reading.close()
        if whole != "ok":
            raise Broken(f"integrity: {whole}")
        (answer,) = writer.apply([(Put(SPACES[0], "after", b"1"),)]).answers
        if isinstance(answer, Exception) or answer[0].version != found.sequence + 1:
            raise Broken(f"the first write after the cut answered {answer!r} at sequence {found.sequence}")
    finally:
        writer.close()
    return found


def _state(connection: apsw.Connection, writer: Writer) -> State:
    records: dict[tuple[Space, str], Stored] = {}
    for space in SPACES:
        page = reader.page(connection, space, "", "", 0, MAX_LIMIT, _PAGE)
        records |= {(space, found.key): found for found in page.items}
    changes, _ = reader.changes(connection, writer.compacted, MAX_LIMIT, None)
    return State(writer.sequence, writer.compacted, records, in_any_order(changes))


def _difference(found: State, acknowledged: int, states: list[State]) -> str:
    for number, state in enumerate(states):
        if state == found:
            return f"it holds the state after step {number}, acknowledged is step {acknowledged}"
    expected = states[acknowledged]
    lost = [address for address in expected.records if found.records.get(address) != expected.records[address]]
    return (
        f"it holds a state that never was: sequence {found.sequence}, acknowledged {expected.sequence}, differs: {lost}"
    )
