"""Namespace: the documents under one name, plain or typed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeAlias, TypeVar

from msgspec.structs import replace

from au_sys_storage_sdk.core.address import Space, valid_key, valid_prefix
from au_sys_storage_sdk.core.documents import operations
from au_sys_storage_sdk.core.documents.changes import follow
from au_sys_storage_sdk.core.documents.models import MAX_VALUE, Change, Document, Feature, Stored
from au_sys_storage_sdk.core.documents.patching import apply_steps, merge
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.queries import Filter, Query
from au_sys_storage_sdk.core.documents.together import commit_together
from au_sys_storage_sdk.core.documents.values import Values, decode_json, encode_json
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotFound, StorageError, TooLarge, Unsupported
from au_sys_storage_sdk.core.paging import DEFAULT_LIMIT, MAX_LIMIT, Page, valid_limit
from au_sys_storage_sdk.core.preconditions import ABSENT, Condition, require

T = TypeVar("T")
Work: TypeAlias = Callable[[Any], Any]  # Any: plain JSON, before the model sees it
TimeToLive: TypeAlias = float | timedelta | None

_MAX_SCAN_BYTES = 4 * 1024 * 1024
_ATTEMPTS = 100
_MAX_TTL_MS = 100 * 366 * 86_400_000


@dataclass(frozen=True, slots=True)
class Get:
    """In :meth:`Namespace.many`: read a key."""

    key: str


@dataclass(frozen=True, slots=True)
class Put:
    """In :meth:`Namespace.many`: store a value."""

    key: str
    value: Any  # checked by the namespace against its model
    if_match: Condition = None
    ttl: TimeToLive = None


@dataclass(frozen=True, slots=True)
class Delete:
    """In :meth:`Namespace.many`: remove a key."""

    key: str
    if_match: Condition = None


class Namespace(Generic[T]):
    """Documents of one namespace of one tenant. Values are copied: changing one in memory changes nothing stored.

    Every method validates its address and raises ``InvalidInput`` naming the rule.
    """

    __slots__ = ("_fields", "_max_value", "_space", "_store", "_values")

    def __init__(
        self,
        store: DocumentStore,
        where: Space,
        values: Values[T],
        *,
        max_value: int = MAX_VALUE,
        fields: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._fields = tuple(fields)
        self._space = where
        self._values = values
        self._max_value = max_value

    @property
    def name(self) -> str:
        """The namespace that keys belong to."""
        return self._space.namespace

    @property
    def space(self) -> Space:
        """Tenant and namespace."""
        return self._space

    def _able(self, condition: Condition) -> Condition:
        """The condition. Raises ``Unsupported``, before any effect, where conditions mean nothing."""
        if condition is not None:
            self._need(Feature.CAS)
        return condition

    def _need(self, feature: Feature) -> None:
        if feature not in self._store.features:
            raise Unsupported(self._store.name, feature.value)

    async def get(self, key: str) -> Document[T] | None:
        """The document, or ``None`` when nothing (live) is stored. Raises ``Corrupt``."""
        found = await self._store.get(self._space, valid_key(key))
        return None if found is None else self._document(found)

    def _document(self, found: Stored) -> Document[T]:
        where = f"document {found.key!r} of namespace {self._space.namespace!r}"
        value = self._values.decode(found.value, found.schema, where)
        return Document(found.key, value, found.version, found.created, found.updated, found.expires)

    async def put(self, key: str, value: T, *, if_match: Condition = None, ttl: TimeToLive = None) -> int:
        """Store a value durably; its new version.

        ``if_match``: the version that must be stored, or ``ABSENT``. ``ttl``: seconds or timedelta until it is gone.

        Raises:
            Conflict: ``if_match`` does not hold.
            TooLarge: the JSON text is over the limit.
            InvalidInput: the value is not JSON or not of the model.
            Unavailable: too many writers wait.
        """
        (outcome,) = await self._store.commit((self.put_operation(key, value, if_match, ttl),))
        return outcome.version or 0

    def put_operation(
        self,
        key: str,
        value: T,
        if_match: Condition = None,
        ttl: TimeToLive = None,
        *,
        schema: int | None = None,
        expires: int | None = None,
    ) -> operations.Put:
        """The checked step of a commit that stores a value; ``expires``: a point in time (Unix ms)."""
        put = self._put_text(key, self._values.encode(value), if_match, ttl)
        if schema is None and expires is None:
            return put
        return replace(put, schema=schema or put.schema, expires=expires)

    def _put_text(self, key: str, text: bytes, if_match: Condition, ttl: TimeToLive) -> operations.Put:
        if len(text) > self._max_value:
            raise TooLarge(f"document {key[:80]!r}", self._max_value, len(text))
        if ttl is not None:
            self._need(Feature.TTL)
        condition = self._able(if_match)
        return operations.Put(self._space, valid_key(key), text, condition, milliseconds(ttl), self._values.schema)

    async def head(self, key: str) -> Stored | None:
        """Version and times of a document, without its value."""
        return await self._store.head(self._space, valid_key(key))

    async def get_text(self, key: str) -> Stored | None:
        """The document with its value as JSON text in UTF-8, exactly as it is stored."""
        return await self._store.get(self._space, valid_key(key))

    async def put_text(
        self, key: str, text: bytes, *, if_match: Condition = None, ttl: TimeToLive = None
    ) -> operations.Outcome:
        """Store JSON text that is known to be valid. Raises as :meth:`put`."""
        (outcome,) = await self._store.commit((self._put_text(key, text, if_match, ttl),))
        return outcome

    async def scan_text(
        self,
        prefix: str = "",
        after: str = "",
        limit: int = DEFAULT_LIMIT,
        max_bytes: int = _MAX_SCAN_BYTES,
        *,
        keys_only: bool = False,
    ) -> Page[Stored]:
        """Documents in key order with their values as JSON text (or empty)."""
        return await self._scan(prefix, after, limit, max_bytes, keys_only=keys_only)

    async def delete(self, key: str, *, if_match: Condition = None) -> bool:
        """Whether something was deleted. Raises ``Conflict`` when ``if_match`` does not hold."""
        condition = self._able(if_match)
        (outcome,) = await self._store.commit((operations.Delete(self._space, valid_key(key), condition),))
        return outcome.version is not None

    async def take(self, key: str) -> Document[T] | None:
        """Read and delete: of many takers exactly one gets the document."""
        self._need(Feature.CAS)
        for _ in range(_ATTEMPTS):
            found = await self.get(key)
            if found is None:
                return None
            try:
                await self.delete(key, if_match=found.version)
            except Conflict:
                continue
            return found
        raise Conflict(self.name, key, None, None)

    async def patch(self, key: str, patch: object, *, if_match: Condition = None, ttl: TimeToLive = None) -> int:
        """Lay a merge patch (RFC 7396) over the value, or apply a list of JSON patch steps (RFC 6902); the new version.

        Raises:
            NotFound: nothing is stored (and the patch is a list of steps).
            Conflict: ``if_match`` does not hold.
        """
        if isinstance(patch, list):
            steps = patch
            return await self.change(key, lambda value: apply_steps(value, steps), if_match=if_match, ttl=ttl)
        return await self.change(key, lambda value: merge(value, patch), if_match=if_match, ttl=ttl, create=True)

    async def change(
        self,
        key: str,
        work: Work,
        *,
        if_match: Condition = None,
        ttl: TimeToLive = None,
        create: bool = False,
    ) -> int:
        """Read, compute, store under the condition that nothing came between; again if something did. The new version.

        The document keeps its end of life unless ``ttl`` is given.

        Raises:
            NotFound: nothing is stored and ``create`` is false.
            Conflict: ``if_match`` does not hold.
        """
        self._need(Feature.CAS)
        for _ in range(_ATTEMPTS):
            found = await self._store.get(self._space, valid_key(key))
            if found is None and not create:
                raise NotFound(self.name, key)
            try:
                return await self._replace(key, found, work, if_match, ttl)
            except Conflict:
                if if_match is not None:
                    raise
        raise Conflict(self.name, key, None, None)

    async def _replace(self, key: str, found: Stored | None, work: Work, if_match: Condition, ttl: TimeToLive) -> int:
        require(if_match, found.version if found else None, self.name, key)
        where = f"document {key!r} of namespace {self.name!r}"
        before = None if found is None else decode_json(found.value, where)
        text = encode_json(work(before))
        value = self._checked(text, found.schema if found else self._values.schema, where)
        kept = found.schema if found is not None and self._values.plain else None
        put = self.put_operation(key, value, ABSENT if found is None else found.version, ttl, schema=kept)
        if ttl is None and found is not None and found.expires is not None:
            put = replace(put, expires=found.expires)
        (outcome,) = await self._store.commit((put,))
        return outcome.version or 0

    def _checked(self, text: bytes, schema: int, where: str) -> T:
        try:
            return self._values.decode(text, schema, where)
        except StorageError as error:
            raise InvalidInput("value", f"the result does not fit ({error})", "patch to a valid value") from error

    async def scan(
        self, prefix: str = "", after: str = "", limit: int = DEFAULT_LIMIT, max_bytes: int = _MAX_SCAN_BYTES
    ) -> Page[Document[T]]:
        """Documents in key order. ``Page.after`` of one page is ``after`` of the next."""
        page = await self._scan(prefix, after, limit, max_bytes, keys_only=False)
        return Page(tuple(self._document(found) for found in page.items), page.after)

    async def keys(self, prefix: str = "", after: str = "", limit: int = DEFAULT_LIMIT) -> Page[str]:
        """Keys in order, without their values."""
        page = await self._scan(prefix, after, limit, _MAX_SCAN_BYTES, keys_only=True)
        return Page(tuple(found.key for found in page.items), page.after)

    async def _scan(self, prefix: str, after: str, limit: int, max_bytes: int, *, keys_only: bool) -> Page[Stored]:
        self._need(Feature.SCAN)
        return await self._store.scan(
            self._space, valid_prefix(prefix), valid_prefix(after), valid_limit(limit), max(max_bytes, 1), keys_only
        )

    async def query(
        self, where: Filter, *, prefix: str = "", order: str | None = None, after: str = "", limit: int = DEFAULT_LIMIT
    ) -> Page[Document[T]]:
        """Documents whose declared fields are as asked: ``{"age": Range(18), "name": Prefix("A"), "city": "Umeå"}``.

        By key, in pages as :meth:`scan`; or the first ``limit`` by ``order``, a field (``-age``: largest first). The
        whole namespace (or what begins with ``prefix``) is gone through.

        Raises:
            InvalidInput: a field is not declared, or a test makes no sense.
        """
        query = Query(where, order, self._fields)
        valid_limit(limit)
        if query.order is not None:
            if after:
                raise InvalidInput("after", "an order by field has no cursor", "leave it out, or leave the order out")
            found = [item async for item in self._fitting(query, prefix, after)]
            return Page(tuple(query.first(found, limit)))
        items: list[Document[T]] = []
        async for item in self._fitting(query, prefix, after):
            if len(items) == limit:
                return Page(tuple(items), items[-1].key)
            items.append(item)
        return Page(tuple(items))

    async def _fitting(self, query: Query, prefix: str, after: str) -> AsyncIterator[Document[T]]:
        cursor: str | None = after
        while cursor is not None:
            page = await self.scan(prefix, cursor, MAX_LIMIT)
            for item in page.items:
                if query.fits(item.value):
                    yield item
            cursor = page.after

    async def count(self, prefix: str = "", *, where: Filter | None = None) -> int:
        """How many live documents there are; with ``where``, how many of them :meth:`query` would find."""
        self._need(Feature.SCAN)
        if where is None:
            return await self._store.count(self._space, valid_prefix(prefix))
        number = 0
        async for _ in self._fitting(Query(where, None, self._fields), prefix, ""):
            number += 1
        return number

    async def sequence(self) -> int:
        """The sequence of the last write of this namespace: as long as it is the same, nothing has changed."""
        return await self._store.sequence(self._space)

    async def many(self, items: Sequence[Get | Put | Delete]) -> list[Document[T] | int | bool | StorageError | None]:
        """One answer per item, in order; not atomic: an item that fails answers its error and the others go on.

        An item sees what earlier items have done to its key.

        Raises:
            TooLarge: there are more than 1,000 items.
        """
        if len(items) > operations.MAX_OPERATIONS:
            raise TooLarge("many", operations.MAX_OPERATIONS, len(items), "items")
        answers: list[Document[T] | int | bool | StorageError | None] = []
        for together in _independent(items):
            answers += await self._together(together)
        return answers

    async def _together(self, items: list[Get | Put | Delete]) -> list[Document[T] | int | bool | StorageError | None]:
        answers: list[Document[T] | int | bool | StorageError | None] = [None] * len(items)
        writes: dict[int, operations.Operation] = {}
        for number, item in enumerate(items):
            try:
                if isinstance(item, Get):
                    answers[number] = await self.get(item.key)
                elif isinstance(item, Put):
                    writes[number] = self.put_operation(item.key, item.value, item.if_match, item.ttl)
                else:
                    writes[number] = operations.Delete(self._space, valid_key(item.key), item.if_match)
            except StorageError as error:
                answers[number] = error
        for number, answer in zip(writes, await commit_together(self._store, [*writes.values()]), strict=True):
            answers[number] = answer if isinstance(answer, StorageError) else _told(items[number], answer)
        return answers

    def watch(self, since: int = 0, prefix: str = "") -> AsyncIterator[Change]:
        """Every change after the sequence ``since``, in order and without gaps, for as long as the caller asks.

        Raises (on a step):
            FeedCompacted: changes after ``since`` are no longer kept.
        """
        self._need(Feature.WATCH)
        return follow(self._store, since, self._space, valid_prefix(prefix))


def _told(item: Get | Put | Delete, outcome: operations.Outcome) -> int | bool:
    return (outcome.version or 0) if isinstance(item, Put) else outcome.version is not None


def _independent(items: Sequence[Get | Put | Delete]) -> Iterator[list[Get | Put | Delete]]:
    """Runs of items that may go at once: no key is written and touched again within one."""
    run: list[Get | Put | Delete] = []
    read, written = set[str](), set[str]()
    for item in items:
        reads = isinstance(item, Get)
        if item.key in written or (not reads and item.key in read):
            yield run
            run, read, written = [], set(), set()
        (read if reads else written).add(item.key)
        run.append(item)
    yield run


def milliseconds(ttl: TimeToLive) -> int | None:
    """A time to live in milliseconds.

    Raises:
        InvalidInput: it is not positive, or longer than a century.
    """
    if ttl is None:
        return None
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else float(ttl)
    if not 0 < seconds * 1000 <= _MAX_TTL_MS:
        raise InvalidInput(
            "ttl", f"{seconds} seconds is out of range", "give a positive number of seconds up to a century"
        )
    return max(int(seconds * 1000), 1)
