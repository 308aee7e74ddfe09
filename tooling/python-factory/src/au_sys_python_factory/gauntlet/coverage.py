"""The last stage: what of ``/openapi.json`` was called, and does everything that is not public refuse a stranger?"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.gauntlet.playing import Outcome
from au_sys_python_factory.gauntlet.rows import Expectation, Row

METHODS = frozenset({"get", "put", "post", "patch", "delete"})
REFUSED = frozenset({401, 403})
NOBODY = "00000000-0000-4000-8000-000000000000"
_PARAMETER = re.compile(r"\{[^}]+\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path template."""

    method: str
    path: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of this operation."""
        parts = [re.escape(part) for part in _PARAMETER.split(self.path)]
        return re.compile("^" + "[^/]+".join(parts) + "/?$")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the rows reached."""

    operations: tuple[Operation, ...]
    never_succeeded: tuple[Operation, ...]
    never_refused: tuple[Operation, ...]

    @property
    def sentence(self) -> str:
        """For the end of the report."""
        total = len(self.operations)
        return (
            f"{total - len(self.never_succeeded)} of {total} operations answered with success, "
            f"{total - len(self.never_refused)} with a refusal"
        )


def measure(operations: Iterable[Operation], outcomes: Iterable[Outcome]) -> Coverage:
    """Operations against the calls that were made."""
    known = tuple(operations)
    calls = [(item.method, item.path.partition("?")[0], item.status) for item in outcomes if item.status]
    succeeded: set[Operation] = set()
    refused: set[Operation] = set()
    for operation in known:
        pattern = operation.pattern
        for method, path, status in calls:
            if method == operation.method and pattern.match(path):
                (succeeded if status < 400 else refused).add(operation)
    return Coverage(
        known,
        tuple(operation for operation in known if operation not in succeeded),
        tuple(operation for operation in known if operation not in refused),
    )


def operations_of(document: dict[str, Any]) -> tuple[Operation, ...]:  # Any: OpenAPI
    """Every operation of an OpenAPI document."""
    return tuple(
        Operation(method.upper(), path)
        for path, methods in sorted(document.get("paths", {}).items())
        for method in methods
        if method in METHODS
    )


async def strangers_are_refused(
    client: httpx.AsyncClient, operations: Iterable[Operation], public: set[tuple[str, str]], folder: Path
) -> list[Outcome]:
    """Call each operation as nobody: what is not public must answer 401 or 403 before it looks at the request."""
    outcomes = []
    for operation in operations:
        if (operation.method, operation.path) in public:
            continue
        started = time.monotonic()
        path = _PARAMETER.sub(NOBODY, operation.path)
        answer = await client.request(operation.method, path)
        good = answer.status_code in REFUSED
        row = Row(
            name=f"{operation} refuses a stranger",
            stage="coverage",
            owner="platform",
            folder=folder,
            method=operation.method,
            path=path,
            expect=Expectation(status=tuple(sorted(REFUSED))),
        )
        reasons = () if good else (f"status is {answer.status_code}, expected 401 or 403",)
        outcomes.append(
            Outcome(
                row,
                "passed" if good else "failed",
                time.monotonic() - started,
                reasons,
                operation.method,
                path,
                answer.status_code,
                answer.text[:500],
            )
        )
    return outcomes


def nothing_is_left_out(coverage: Coverage, gaps: Mapping[str, str], folder: Path) -> Outcome:
    """Every operation answered with success at least once, but those that cannot here, each for its reason."""
    left = [str(operation) for operation in coverage.never_succeeded if str(operation) not in gaps]
    row = Row(
        name="every operation was called with success",
        stage="coverage",
        owner="platform",
        folder=folder,
        method="GET",
        path="/openapi.json",
        expect=Expectation(status=(200,)),
    )
    return Outcome(
        row, "failed" if left else "passed", reasons=tuple(f"no row calls {name} with success" for name in left)
    )


def read_gaps(path: Path) -> dict[str, str] | None:
    """Operations and reasons of a file with lines like ``POST /path: why no row can``; None where there is no file.

    Raises:
        UsageError: a line is not in the form.
    """
    if not path.is_file():
        return None
    found = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        operation, colon, reason = line.partition(": ")
        if not colon or not reason.strip() or operation.partition(" ")[0].lower() not in METHODS:
            raise UsageError(f"{line!r} is no gap", where=f"{path}:{number}", fix="METHOD /path: the reason")
        found[operation] = reason.strip()
    return found


def public_routes(discovery: dict[str, Any]) -> set[tuple[str, str]]:  # Any: JSON of /discovery
    """What ``/discovery`` shows to a stranger."""
    return {(method, str(route["path"])) for route in discovery.get("routes", []) for method in route["methods"]}
