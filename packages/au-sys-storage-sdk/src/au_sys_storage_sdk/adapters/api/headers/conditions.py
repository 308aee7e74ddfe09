"""Conditional requests (RFC 9110 §13): headers in, conditions out."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request

from au_sys_storage_sdk.core.errors import Conflict, InvalidInput
from au_sys_storage_sdk.core.preconditions import ABSENT, Condition

T = TypeVar("T")

_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e]*)"\s*(?:,|$)')
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Tags:
    """The entity tags of a header: versions, or ``*``. A tag that is no version of ours matches nothing."""

    versions: frozenset[int]
    anything: bool = False

    def match(self, version: int | None) -> bool:
        """Whether the stored version is among them."""
        return version is not None and (self.anything or version in self.versions)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a request says about the state that it expects."""

    if_match: Tags | None
    if_none_match: Tags | None

    @property
    def unconditional(self) -> bool:
        """True when nothing was said."""
        return self.if_match is None and self.if_none_match is None

    def refused(self, version: int | None) -> bool:
        """Whether a write to something at this version must not happen."""
        if self.if_match is not None and not self.if_match.match(version):
            return True
        return self.if_none_match is not None and self.if_none_match.match(version)


_NAMES = frozenset({b"if-match", b"if-none-match"})
_NOTHING = Stated(None, None)


def stated(request: Request) -> Stated:
    """The conditions of a request. Raises ``InvalidInput`` for a malformed header."""
    for name, _ in request.scope["headers"]:
        if name in _NAMES:
            return Stated(_tags(request, "If-Match", weak=False), _tags(request, "If-None-Match", weak=True))
    return _NOTHING


def _tags(request: Request, name: str, *, weak: bool) -> Tags | None:
    text = ",".join(request.headers.getlist(name)).strip()
    if not text:
        return None
    if text == "*":
        return Tags(frozenset(), anything=True)
    versions, position = set(), 0
    while position < len(text):
        found = _TAG.match(text, position)
        if found is None:
            raise InvalidInput(name, f"{text[:80]!a} is no list of entity tags", 'send "version" as it came in ETag')
        if (weak or not found[1]) and found[2].isascii() and found[2].isdigit() and len(found[2]) < 19:
            versions.add(int(found[2]))
        position = found.end()
    return Tags(frozenset(versions))


async def conditionally(
    asked: Stated,
    version_of: Callable[[], Awaitable[int | None]],
    write: Callable[[Condition], Awaitable[T]],
    namespace: str,
    key: str,
) -> T:
    """Write under what was stated. Conditions that name no single version are decided on the version found, and again
    if it moves in between.

    Raises:
        Conflict: the condition does not hold.
    """
    if asked.unconditional:
        return await write(None)
    if asked.if_match is None and asked.if_none_match is not None and asked.if_none_match.anything:
        return await write(ABSENT)
    if asked.if_none_match is None and asked.if_match is not None and len(asked.if_match.versions) == 1:
        return await write(next(iter(asked.if_match.versions)))
    for _ in range(_ATTEMPTS):
        version = await version_of()
        if asked.refused(version):
            break
        try:
            return await write(ABSENT if version is None else version)
        except Conflict:
            continue
    version = await version_of()
    raise Conflict(namespace, key, _expected(asked), version)


def _expected(asked: Stated) -> int | None:
    return min(asked.if_match.versions, default=None) if asked.if_match else None
