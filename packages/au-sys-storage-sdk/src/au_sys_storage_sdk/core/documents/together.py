"""Writes that need not be atomic, in as few commits as possible: one commit of a hundred costs little more than one of
one. What a common commit refuses is tried again one by one, so that each gets its own answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from au_sys_storage_sdk.core.documents.operations import MAX_COMMIT_BYTES, Operation, Outcome, weight
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Fenced, ReadOnly, StorageError, Unavailable

Answered: TypeAlias = Outcome | StorageError

_HOPELESS = (Unavailable, ReadOnly, Fenced)
"""These concern the store and not one of the operations."""


async def commit_together(store: DocumentStore, steps: Sequence[Operation]) -> list[Answered]:
    """One answer for each operation, in order."""
    answers: list[Answered] = []
    for part in _parts(steps):
        answers += await _commit(store, part)
    return answers


def _parts(steps: Sequence[Operation]) -> Iterator[list[Operation]]:
    part, size = list[Operation](), 0
    for step in steps:
        size += weight(step)
        if part and size > MAX_COMMIT_BYTES:
            yield part
            part, size = [], weight(step)
        part.append(step)
    if part:
        yield part


async def _commit(store: DocumentStore, part: list[Operation]) -> list[Answered]:
    try:
        return list(await store.commit(part))
    except _HOPELESS as error:
        return [error] * len(part)
    except StorageError as error:
        if len(part) == 1:
            return [error]
    return [
        answer for answers in await asyncio.gather(*(_commit(store, [step]) for step in part)) for answer in answers
    ]
