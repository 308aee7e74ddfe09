"""The store behind a writing request: every put is held to its namespace's rules, whichever way it came."""

from collections.abc import Sequence

from au_sys_storage_sdk.adapters.api.auditing import Changes
from au_sys_storage_sdk.core.documents.operations import Increment, Operation, Outcome, Put
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Conflict, TooLarge, Unfinished
from au_sys_storage_sdk.core.policies import Policies
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding


class Guarded(Forwarding):
    """Checks size and shape of what is stored. With a ``record`` it is committed together with the first commit, so
    that the write and the memory of it cannot come apart; ``kept`` is then its version. ``changes`` are told what was
    committed.
    """

    def __init__(
        self, inner: DocumentStore, policies: Policies, record: Put | None = None, changes: Changes | None = None
    ) -> None:
        super().__init__(inner)
        self.kept: int | None = None
        self._policies = policies
        self._record = record
        self._changes = changes

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port. Raises ``TooLarge`` and ``InvalidInput`` where the rules say so."""
        for operation in operations:
            self._check(operation)
        outcomes = await self._commit(operations)
        if self._changes is not None:
            self._changes.committed(operations, outcomes)
        return outcomes

    async def _commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        record = self._record
        if record is None:
            return await self.inner.commit(operations)
        try:
            outcomes = await self.inner.commit((*operations, record))
        except Conflict as error:
            if error.namespace == record.space.namespace:
                raise Unfinished from error
            raise
        self.kept = outcomes[-1].version
        return outcomes[:-1]

    def _check(self, operation: Operation) -> None:
        if isinstance(operation, Increment):
            self._policies.of(operation.space.namespace).fits(b"0")
        if isinstance(operation, Put) and isinstance(operation.value, bytes):
            policy = self._policies.of(operation.space.namespace)
            if len(operation.value) > policy.max_value:
                raise TooLarge("document", policy.max_value, len(operation.value))
            policy.fits(operation.value)
