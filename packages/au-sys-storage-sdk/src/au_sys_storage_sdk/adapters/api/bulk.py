"""Several documents in one request: batch, transaction, and the change feed as server-sent events."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from au_sys_storage_sdk.adapters.api.access import Desked, Reach
from au_sys_storage_sdk.adapters.api.followers import Followers, FollowersOf
from au_sys_storage_sdk.adapters.api.headers.digests import demanded
from au_sys_storage_sdk.adapters.api.headers.idempotency import keyed
from au_sys_storage_sdk.adapters.api.problems import PROBLEMS
from au_sys_storage_sdk.adapters.api.steps import BATCH, TRANSACTION, Batched, Step, condition_of
from au_sys_storage_sdk.core.documents.models import Change, Document
from au_sys_storage_sdk.core.documents.namespace import Delete, Get, Namespace, Put
from au_sys_storage_sdk.core.documents.transactions import Promise, Transaction
from au_sys_storage_sdk.core.documents.values import check_json
from au_sys_storage_sdk.core.errors import FeedCompacted, InvalidInput, StorageError
from au_sys_storage_sdk.core.policies import Policy
from au_sys_storage_sdk.core.switching.divided import position
from fastapi_services_platform import access

router = APIRouter()

_HEARTBEAT = 15.0
_JSON = "application/json"
_PROBLEM_OF = {mapping.error: mapping for mapping in PROBLEMS}


def _body(schema: Mapping[str, Any]) -> dict[str, Any]:  # Any: OpenAPI
    return {"requestBody": {"required": True, "content": {_JSON: {"schema": schema}}}}


@router.post("/storage/{namespace}:batch", openapi_extra=_body(BATCH))
@access(permission="storage.documents.write")
async def run_batch(request: Request, desk: Desked, namespace: str) -> Response:
    """Up to 1,000 reads and writes of one namespace; not atomic, one result per item in order."""
    reach = await desk.writer(request)
    documents, policy = reach.writable(namespace)
    body = await request.body()
    demanded(request).check(body)

    async def work() -> Response:
        batch = _converted(body, Batched)
        items = [_item(documents, policy, item) for item in batch.items]
        answers = await documents.many(items)
        return _json({"results": [_result(item, answer) for item, answer in zip(batch.items, answers, strict=True)]})

    async def content() -> str:
        return hashlib.sha256(body).hexdigest()

    return await reach.once_claimed(keyed(request, reach.tenant, reach.caller), content, work)


def _item(documents: Namespace[object], policy: Policy, item: Step) -> Get | Put | Delete:
    if item.op == "get":
        return Get(item.key)
    condition = condition_of(item)
    if item.op == "delete":
        policy.demand(documents.name, condition)
        return Delete(item.key, condition)
    if item.op == "put":
        size = len(msgspec.json.encode(item.value))
        return Put(item.key, item.value, condition, policy.admit(documents.name, size, item.ttl, condition))
    raise InvalidInput("op", f"{item.op!r} is not for a batch", "send get, put or delete")


def _result(item: Step, answer: Document[object] | int | bool | StorageError | None) -> dict[str, object]:
    if isinstance(answer, StorageError):
        mapping = _PROBLEM_OF[type(answer)]
        return {"key": item.key, "status": mapping.status, "problem": mapping.slug, "detail": str(answer)}
    if isinstance(answer, Document):
        return {"key": item.key, "status": 200, "version": answer.version, "value": answer.value}
    if answer is None or answer is False:
        return {"key": item.key, "status": 404}
    if answer is True:
        return {"key": item.key, "status": 204}
    return {"key": item.key, "status": 200, "version": answer}


@router.post("/storage:transaction", openapi_extra=_body(TRANSACTION))
@access(permission="storage.documents.write")
async def run_transaction(request: Request, desk: Desked) -> Response:
    """Checks, writes, increments and events over several namespaces: all or nothing."""
    body = await request.body()
    demanded(request).check(body)

    async def work(reach: Reach) -> Response:
        steps = _converted(body, Batched)
        async with reach.changing.transaction() as transaction:
            promises = [_add(reach, transaction, step) for step in steps.items]
        return _json({"results": [_promised(promise) for promise in promises]})

    return await (await desk.writer(request)).once(request, body, work)


def _promised(promise: Promise) -> dict[str, object]:
    created = promise.outcome.created if promise.outcome else False
    return {"version": promise.version, "value": promise.value, "created": created}


def _add(reach: Reach, transaction: Transaction, step: Step) -> Promise:
    documents, policy = reach.writable(step.namespace)
    condition = condition_of(step)
    if step.op == "check":
        return transaction.check(documents, step.key, condition)
    if step.op == "increment":
        return transaction.increment(documents, step.key, step.by)
    if step.op == "emit":
        return transaction.emit(documents, step.key, step.value)
    if step.op == "delete":
        policy.demand(documents.name, condition)
        return transaction.delete(documents, step.key, if_match=condition)
    if step.op == "put":
        ttl = policy.admit(documents.name, len(msgspec.json.encode(step.value)), step.ttl, condition)
        return transaction.put(
            documents, step.key, step.value, if_match=condition, ttl=ttl, schema=step.schema, expires=step.expires
        )
    raise InvalidInput("op", f"{step.op!r} is not for a transaction", "send check, put, delete, increment or emit")


@router.get("/storage/{namespace}:watch", response_class=StreamingResponse)
@access(permission="storage.documents.read")
async def watch_namespace(
    request: Request,
    desk: Desked,
    followers: FollowersOf,
    namespace: str,
    since: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    prefix: str = "",
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
) -> Response:
    """Every later change as a server-sent event whose id is its sequence; without a starting point, from now on.

    410 when the feed no longer reaches back that far; a follower that falls behind the feed meanwhile gets a last event
    ``compacted``.
    """
    reach = desk.reach(request)
    documents = reach.documents(namespace)
    start = last_event_id if last_event_id is not None else since
    if start is None:
        start = await position(reach.storage.store, documents.space)
    await reach.storage.store.changes(start, 1, documents.space)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(documents, start, prefix, followers)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(documents: Namespace[object], since: int, prefix: str, followers: Followers) -> AsyncIterator[bytes]:
    yield b": following from %d\n\n" % since
    feed = documents.watch(since, prefix)
    with followers.one() as follower:
        coming = asyncio.ensure_future(anext(feed))
        try:
            while True:
                done, _ = await asyncio.wait([coming], timeout=_HEARTBEAT)
                if not done:
                    yield b": alive\n\n"
                    continue
                try:
                    change = coming.result()
                except FeedCompacted as error:
                    yield b'event: compacted\ndata: {"snapshot_seq":%d}\n\n' % error.snapshot_seq
                    return
                except (StorageError, StopAsyncIteration):
                    return
                yield _event(change)
                follower.sent(change.at)
                coming = asyncio.ensure_future(anext(feed))
        finally:
            coming.cancel()


def _event(change: Change) -> bytes:
    known: dict[str, object] = {"key": change.key, "version": change.seq, "at": change.at}
    if change.data is not None:
        known["data"] = msgspec.Raw(change.data)
    return b"id: %d\nevent: %s\ndata: %b\n\n" % (change.seq, change.event.encode(), msgspec.json.encode(known))


def _converted(body: bytes, kind: type[Batched]) -> Batched:
    try:
        return msgspec.convert(check_json(body), kind)
    except msgspec.ValidationError as error:
        raise InvalidInput("body", str(error), "see the description of the request in /openapi.json") from error
    except UnicodeEncodeError as error:
        raise InvalidInput("body", "it contains a lone surrogate", "send well-formed Unicode") from error


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type=_JSON)
