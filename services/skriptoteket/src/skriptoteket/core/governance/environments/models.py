"""An environment as it was built, and what was decided about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

NAME = re.compile(r"[a-z][a-z0-9-]{0,40}@[1-9][0-9]{0,3}")


class EnvironmentVerdict(StrEnum):
    """What an administrator said."""

    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """``name@revision``, the digest of its lock, its packages as ``name version``. Without a digest it is the standard
    library alone, which needs no approval."""

    name: str
    digest: str = ""
    packages: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentDecision:
    """One verdict about one content of an environment; never changed, only followed by another."""

    id: UUID
    name: str
    digest: str
    verdict: EnvironmentVerdict
    rationale: str
    by: str
    at: datetime


def usable(built: Iterable[BuiltEnvironment], approved: frozenset[tuple[str, str]]) -> frozenset[str]:
    """The names that scripts may run in: what was approved exactly as it was built, and the bare standard library."""
    return frozenset(
        one.name for one in built if not one.problem and (not one.digest or (one.name, one.digest) in approved)
    )
