"""Values that only this program can read, and that cannot be moved, swapped or rolled back unnoticed.

Namespaces, keys, sizes and times stay readable: they are what the backend works with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from msgspec.structs import replace

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.operations import Delete, Emit, Increment, Operation, Outcome, Put
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Conflict, Corrupt, InvalidInput
from au_sys_storage_sdk.core.paging import MAX_LIMIT, Page
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding
from au_sys_storage_sdk.core.wrappers.keys import KeyRing

SEALED = 1
"""The codec of sealed values."""

_EVENT = b"\x01"
_ATTEMPTS = 100
_PAGE_BYTES = 4 * 1024 * 1024
_INT64 = range(-(2**63), 2**63)


class Encrypted(Forwarding):
    """Seals values on their way in.

    ``accept_plain`` lets documents be read that were stored before encryption was on; without it they are ``Corrupt``,
    so that nobody can slip one in. ``seals`` tells of a namespace whether it is sealed at all; what lies in one that is
    not any more is still opened.
    """

    def __init__(
        self, inner: DocumentStore, keys: KeyRing, *, accept_plain: bool = False,
        seals: Callable[[str], bool] = lambda _namespace: True,
    ) -> None:  # fmt: skip
        super().__init__(inner)
        self._keys = keys
        self._accept_plain = accept_plain
        self._seals = lru_cache(maxsize=1024)(seals)

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        found = await self.inner.get(space, key)
        return None if found is None else self._opened(space, found)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        page = await self.inner.scan(space, prefix, after, limit, max_bytes, keys_only)
        if keys_only:
            return page
        return Page(tuple(self._opened(space, found) for found in page.items), page.after)

    def _opened(self, space: Space, found: Stored) -> Stored:
        where = f"document {found.key!r} of namespace {space.namespace!r}"
        if found.codec == SEALED:
            bound = _bound(space, found.key, found.version, found.schema)
            value = self._keys.open(found.value, found.key_generation, space, bound, where)
            return replace(found, value=value, codec=0)
        if found.codec == 0 and (self._accept_plain or not self._seals(space.namespace)):
            return found
        raise Corrupt(where, "it is not sealed")

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port. Increments are computed here, under the condition that nothing comes between."""
        if not any(isinstance(operation, Increment) for operation in operations):
            return await self.inner.commit([self._sealed(operation) for operation in operations])
        counters = {
            (operation.space.namespace, operation.key) for operation in operations if isinstance(operation, Increment)
        }
        for _ in range(_ATTEMPTS):
            steps, sums = await self._computed(operations)
            try:
                outcomes = await self.inner.commit([self._sealed(step) for step in steps])
            except Conflict as conflict:
                if (conflict.namespace, conflict.key) in counters:
                    continue
                raise
            return [replace(outcome, value=total) for outcome, total in zip(outcomes, sums, strict=True)]
        raise Conflict(operations[0].space.namespace, operations[0].key, None, None)

    async def _computed(self, operations: Sequence[Operation]) -> tuple[list[Operation], list[int | None]]:
        steps: list[Operation] = []
        sums: list[int | None] = []
        known: dict[tuple[Space, str], tuple[bytes, int | None] | None] = {}
        for operation in operations:
            address = (operation.space, operation.key)
            if isinstance(operation, Increment):
                step, total = await self._put_of(operation, known)
                known[address] = (str(total).encode(), step.expires)
                steps.append(step)
                sums.append(total)
                continue
            if isinstance(operation, Put):
                known[address] = (operation.value if isinstance(operation.value, bytes) else b"", None)
            elif isinstance(operation, Delete):
                known[address] = None
            steps.append(operation)
            sums.append(None)
        return steps, sums

    async def _put_of(
        self, operation: Increment, known: dict[tuple[Space, str], tuple[bytes, int | None] | None]
    ) -> tuple[Put, int]:
        space, key = operation.space, operation.key
        if (space, key) in known:
            state = known[space, key]
            text, expires = state if state is not None else (b"0", None)
            return Put(space, key, _sum(text, operation), expires=expires), int(_sum(text, operation))
        found = await self.get(space, key)
        text = _sum(found.value if found else b"0", operation)
        condition = found.version if found else ABSENT
        return Put(space, key, text, condition, expires=found.expires if found else None), int(text)

    def _sealed(self, operation: Operation) -> Operation:
        if not self._seals(operation.space.namespace):
            return operation
        if isinstance(operation, Put):
            seal = partial(self._seal, operation)
            return replace(operation, value=seal, codec=SEALED, key_generation=self._keys.current)
        if isinstance(operation, Emit):
            head = _EVENT + self._keys.current.to_bytes(4)
            sealed = self._keys.seal(operation.data, operation.space, _bound(operation.space, operation.key, 0, 0))
            return replace(operation, data=head + sealed)
        return operation

    def _seal(self, operation: Put, version: int) -> bytes:
        text = operation.value if isinstance(operation.value, bytes) else operation.value(version)
        bound = _bound(operation.space, operation.key, version, operation.schema)
        return self._keys.seal(text, operation.space, bound)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        found, seen = await self.inner.changes(since, limit, space)
        return [self._opened_event(change) for change in found], seen

    def _opened_event(self, change: Change) -> Change:
        if change.data is None or change.data[:1] != _EVENT:
            return change
        generation, sealed = int.from_bytes(change.data[1:5]), change.data[5:]
        bound = _bound(change.space, change.key, 0, 0)
        return replace(change, data=self._keys.open(sealed, generation, change.space, bound, f"event {change.seq}"))

    async def rotate(self) -> int:
        """Seal anew what an older key (or none) has sealed, and open what is not to be sealed any more; how many.

        Others read and write meanwhile.
        """
        moved = 0
        for used in await self.inner.usage():
            space, after = Space(used.tenant, used.namespace), ""
            wanted = (SEALED, self._keys.current) if self._seals(space.namespace) else (0, 0)
            while True:
                page = await self.inner.scan(space, "", after, MAX_LIMIT, _PAGE_BYTES, keys_only=False)
                for found in page.items:
                    if (found.codec, found.key_generation) != wanted:
                        moved += await self._resealed(space, found)
                if page.after is None:
                    break
                after = page.after
        return moved

    async def _resealed(self, space: Space, found: Stored) -> int:
        text = self._opened(space, found).value
        put = Put(space, found.key, text, found.version, schema=found.schema, expires=found.expires)
        try:
            await self.commit((put,))
        except Conflict:
            return 0  # whoever came between has sealed it with the present key
        return 1


def _bound(space: Space, key: str, version: int, schema: int) -> bytes:
    return b"%b%b\0%d\0%d" % (_prefix(space), key.encode(), version, schema)


@lru_cache(maxsize=1024)
def _prefix(space: Space) -> bytes:
    return f"{space.tenant}\0{space.namespace}\0".encode()


def _sum(text: bytes, operation: Increment) -> bytes:
    try:
        total = int(text) + operation.by
    except ValueError:
        raise InvalidInput(
            "increment", f"key {operation.key!r} holds no whole number", "increment counters only"
        ) from None
    if total not in _INT64:
        raise InvalidInput("increment", f"key {operation.key!r} would leave 64 bits", "start a new counter")
    return str(total).encode()
