"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a repeated write gets the answer of the first.

The record lies beside the documents, in a namespace that no caller reaches. For a single document and for a transaction
it is part of the same commit: after a crash or a lost connection either both are there or neither is, so a repetition
never does a thing twice. What is not one commit (a batch, a blob) first leaves a claim that ends by itself.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from fastapi import Request, Response

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Delete, Put
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, KeyReused, StorageError, Unavailable, Unfinished
from au_sys_storage_sdk.core.preconditions import ABSENT

NAMESPACE = "storage.idempotency"
_CLAIM_MS = 120_000
_KEY = re.compile(r'"?[\x21\x23-\x7e]{1,255}"?', re.ASCII)
_MEANT = ("if-match", "if-none-match", "storage-ttl", "content-type")
_KEPT = ("etag", "content-type", "location")


class Answer(msgspec.Struct, omit_defaults=True):
    """What is remembered: which request it was, and once known its answer."""

    request: str
    content: str = ""
    status: int = 0
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request with an idempotency key: where its record lies, and what it asked for."""

    space: Space
    key: str
    request: str

    def put(self, answer: Answer, ttl: int, condition: object = ABSENT) -> Put:
        """The step that keeps an answer for so many milliseconds."""
        known = condition if isinstance(condition, int) else ABSENT
        return Put(self.space, self.key, msgspec.json.encode(answer), known, ttl)


def keyed(request: Request, tenant: str, caller: str) -> Keyed | None:
    """The key of a request, each caller's own. Raises ``InvalidInput`` for a malformed one."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    if _KEY.fullmatch(given) is None:
        raise InvalidInput("Idempotency-Key", "it is not 1 to 255 visible characters", "send a random UUID")
    name = hashlib.sha256(f"{caller}\0{given.strip(chr(34))}".encode()).hexdigest()
    meant = [request.method, request.url.path, request.url.query, *(request.headers.get(n, "") for n in _MEANT)]
    return Keyed(Space(tenant, NAMESPACE), name, hashlib.sha256("\0".join(meant).encode()).hexdigest())


async def known(store: DocumentStore, which: Keyed, content: Callable[[], Awaitable[str]]) -> Response | None:
    """The first answer, or ``None`` when there was no such request. ``content`` gives the digest of the body.

    Raises:
        KeyReused: the first request was another one.
        Unfinished: it has left no answer.
    """
    found = await store.get(which.space, which.key)
    if found is None:
        return None
    return _replayed(found, which, await content())


def _replayed(found: Stored, which: Keyed, content: str) -> Response:
    answer = msgspec.json.decode(found.value, type=Answer)
    if answer.request != which.request or (answer.content and answer.content != content):
        raise KeyReused
    if not answer.status:
        raise Unfinished
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    return Response(answer.body.encode(), answer.status, headers=headers)


async def claim(store: DocumentStore, which: Keyed) -> int:
    """Say that the request is under way; the version of the claim. Raises ``Unfinished`` when it is already."""
    try:
        (outcome,) = await store.commit((which.put(Answer(which.request), _CLAIM_MS),))
    except Conflict as error:
        raise Unfinished from error
    return outcome.version or 0


async def release(store: DocumentStore, which: Keyed, version: int) -> None:
    """Forget a request that had no effect, so that it may be sent again."""
    try:
        await store.commit((Delete(which.space, which.key, version),))
    except (Conflict, Unavailable):
        return  # it ends by itself


async def keep(
    store: DocumentStore, which: Keyed, version: int, response: Response, content: str, seconds: float
) -> None:
    """Remember the answer. When that fails the write has still happened, so its answer is given all the same."""
    headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
    answer = Answer(which.request, content, response.status_code, headers, bytes(response.body).decode())
    try:
        await store.commit((which.put(answer, int(seconds * 1000), version),))
    except StorageError:
        return
