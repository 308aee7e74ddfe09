"""From an answer of the API back to what the core knows: errors, versions, times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

import httpx
import msgspec

from au_sys_storage_sdk.core import errors

Problem: TypeAlias = Mapping[str, Any]  # Any: members of a problem (RFC 9457), checked where they are used
Made: TypeAlias = Callable[[str, str, Problem], errors.StorageError]

_TAG = re.compile(r'"(\d{1,18})"', re.ASCII)
_LONGEST_WAIT = 60.0
_READS = frozenset({"GET", "HEAD"})
_NOT_DONE = frozenset({501, 503, 507})


def _invalid(problem: Problem) -> errors.InvalidInput:
    field, fix = str(problem.get("field", "request")), str(problem.get("fix", "see the description of the API"))
    detail = str(problem.get("detail", "it is not valid"))
    return errors.InvalidInput(field, detail.removeprefix(f"{field}: ").removesuffix(".").removesuffix(f"; {fix}"), fix)


def _number(problem: Problem, name: str) -> int | None:
    value = problem.get(name)
    return value if isinstance(value, int) else None


def _conflict(namespace: str, key: str, problem: Problem) -> errors.Conflict:
    return errors.Conflict(
        str(problem.get("namespace", namespace)), str(problem.get("key", key)),
        _number(problem, "expected"), _number(problem, "actual"),
    )  # fmt: skip


_MADE: dict[str, Made] = {
    "not-found": lambda namespace, key, _: errors.NotFound(namespace, key),
    "conflict": _conflict,
    "invalid-input": lambda _namespace, _key, problem: _invalid(problem),
    "outside-range": lambda _namespace, _key, problem: errors.OutsideRange(0, None, _number(problem, "size") or 0),
    "condition-required": lambda namespace, _key, _problem: errors.ConditionRequired(namespace),
    "out-of-reach": lambda namespace, _key, _problem: errors.OutOfReach(namespace),
    "not-permitted": lambda namespace, _key, _problem: errors.NotPermitted(namespace, "use"),
    "key-reused": lambda _namespace, _key, _problem: errors.KeyReused(),
    "unfinished": lambda _namespace, _key, _problem: errors.Unfinished(),
    "offset-mismatch": lambda _namespace, _key, problem: errors.OffsetMismatch(
        _number(problem, "expected_offset") or 0, _number(problem, "provided_offset") or 0
    ),
    "too-large": lambda namespace, key, problem: errors.TooLarge(
        f"what was sent for {key[:80]!r} of {namespace!r}", _number(problem, "limit") or 0,
        unit=str(problem.get("unit", "bytes")),
    ),
    "unsupported": lambda _namespace, _key, problem: errors.Unsupported("http", str(problem.get("detail", "this"))),
    "outcome-unknown": lambda _namespace, _key, problem: errors.OutcomeUnknown(str(problem.get("detail", ""))),
    "read-only": lambda _namespace, _key, problem: errors.ReadOnly("http", str(problem.get("detail", ""))),
    "feed-compacted": lambda _namespace, _key, problem: errors.FeedCompacted(
        0, _number(problem, "snapshot_seq") or 0
    ),
    "corrupt": lambda namespace, key, problem: errors.Corrupt(
        f"{key[:80]!r} of namespace {namespace!r} on the server", str(problem.get("detail", ""))
    ),
}  # fmt: skip


def error_of(response: httpx.Response, namespace: str, key: str) -> errors.StorageError:
    """The error that an answer of 400 and more stands for; its body has been read."""
    problem = _problem(response)
    slug = str(problem.get("type", "")).rpartition("/")[2]
    if slug in _MADE:
        return _MADE[slug](namespace, key, problem)
    host, title = response.url.host, str(problem.get("title", response.reason_phrase))[:200]
    if response.status_code in {401, 403}:
        return errors.AccessDenied(host, title)
    if response.status_code == 404 and response.request.method == "HEAD":
        return errors.NotFound(namespace, key)
    if response.status_code == 416:
        return errors.OutsideRange(0, None, 0)
    if response.status_code == 413:
        return errors.TooLarge(f"what was sent for {key[:80]!r} of {namespace!r}", 0)
    if response.status_code not in _NOT_DONE and response.status_code >= 500 and response.request.method not in _READS:
        return errors.OutcomeUnknown(f"{host} answers {response.status_code} {title}")
    if response.status_code >= 500 or response.status_code == 429:
        return errors.Unavailable(f"{host} answers {response.status_code} {title}", _retry_after(response))
    return errors.InvalidInput("request", f"{host} answers {response.status_code} {title}", "check the URL of storage")


def _problem(response: httpx.Response) -> Problem:
    try:
        found = msgspec.json.decode(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(response: httpx.Response) -> float:
    try:
        return min(max(float(response.headers.get("retry-after", "1")), 0.0), _LONGEST_WAIT)
    except ValueError:
        return 1.0


def version_of(response: httpx.Response) -> int:
    """The version in the entity tag. Raises ``Unavailable`` when whoever answered is no storage."""
    found = _TAG.fullmatch(response.headers.get("etag", ""))
    return int(found[1]) if found else not_storage(response)


def times_of(response: httpx.Response) -> list[int]:
    """The numbers of ``Storage-Times``. Raises ``Unavailable`` when whoever answered is no storage."""
    try:
        return [int(text) for text in response.headers["storage-times"].split(",")]
    except (KeyError, ValueError):
        not_storage(response)


def not_storage(response: httpx.Response) -> NoReturn:
    """Whoever answered is no storage API, or one of another version."""
    raise errors.Unavailable(f"{response.url.host} does not answer as a storage API", retry_after=30)
