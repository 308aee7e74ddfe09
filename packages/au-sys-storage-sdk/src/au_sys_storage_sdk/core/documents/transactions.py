"""Transaction: collect steps over several namespaces, then commit all of them or none."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from au_sys_storage_sdk.core.address import valid_key
from au_sys_storage_sdk.core.documents import operations
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.documents.namespace import Namespace, TimeToLive
from au_sys_storage_sdk.core.documents.operations import MAX_COMMIT_BYTES, MAX_OPERATIONS, Operation, Outcome, weight
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.values import encode_json
from au_sys_storage_sdk.core.errors import InvalidInput, TooLarge, Unsupported
from au_sys_storage_sdk.core.preconditions import Condition

T = TypeVar("T")
AnyNamespace: TypeAlias = Namespace[Any]  # Any: only its address matters here


@dataclass(slots=True)
class Promise:
    """The answer to a step of a transaction; filled in by its commit."""

    outcome: Outcome | None = field(default=None)

    @property
    def version(self) -> int | None:
        """The version that the step made or found."""
        return self._committed().version

    @property
    def value(self) -> int | None:
        """The sum after an increment."""
        return self._committed().value

    def _committed(self) -> Outcome:
        if self.outcome is None:
            raise InvalidInput("transaction", "it is not committed", "read the answers after the block")
        return self.outcome


class Transaction:
    """Steps that are committed together when the ``async with`` block ends without an error.

    Raises (at the end of the block):
        Conflict: a condition does not hold; nothing was written.
    """

    def __init__(self, store: DocumentStore) -> None:
        if Feature.TXN not in store.features:
            raise Unsupported(store.name, "TXN")
        self._store = store
        self._steps: list[Operation] = []
        self._promises: list[Promise] = []
        self._bytes = 0

    def check(self, namespace: AnyNamespace, key: str, if_match: Condition) -> Promise:
        """Only demand a version (or ``ABSENT``)."""
        return self._add(operations.Check(namespace.space, valid_key(key), if_match))

    def put(
        self,
        namespace: Namespace[T],
        key: str,
        value: T,
        *,
        if_match: Condition = None,
        ttl: TimeToLive = None,
        schema: int | None = None,
        expires: int | None = None,
    ) -> Promise:
        """Store a value. ``schema`` and ``expires`` (Unix ms) are for values that were made elsewhere."""
        return self._add(namespace.put_operation(key, value, if_match, ttl, schema=schema, expires=expires))

    def delete(self, namespace: AnyNamespace, key: str, *, if_match: Condition = None) -> Promise:
        """Remove a document."""
        return self._add(operations.Delete(namespace.space, valid_key(key), if_match))

    def increment(self, namespace: AnyNamespace, key: str, by: int = 1) -> Promise:
        """Add to a whole number; an absent one counts as 0."""
        return self._add(operations.Increment(namespace.space, valid_key(key), by))

    def emit(self, namespace: AnyNamespace, key: str, data: object) -> Promise:
        """Put an event into the change feed without storing a document."""
        return self._add(operations.Emit(namespace.space, valid_key(key), encode_json(data)))

    def _add(self, operation: Operation) -> Promise:
        if len(self._steps) == MAX_OPERATIONS:
            raise TooLarge("transaction", MAX_OPERATIONS, len(self._steps) + 1, "operations")
        self._bytes += weight(operation)
        if self._bytes > MAX_COMMIT_BYTES:
            raise TooLarge("transaction", MAX_COMMIT_BYTES, self._bytes)
        promise = Promise()
        self._steps.append(operation)
        self._promises.append(promise)
        return promise

    async def __aenter__(self) -> Transaction:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or not self._steps:
            return
        outcomes = await self._store.commit(tuple(self._steps))
        for promise, outcome in zip(self._promises, outcomes, strict=True):
            promise.outcome = outcome
