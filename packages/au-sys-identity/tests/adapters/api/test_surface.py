"""The running OpenAPI document against the tables of the requirements, which ``surface.txt`` holds.

What is not built yet stands by name in ``missing.txt`` and nowhere else. The list only shrinks: an operation that is
there and still listed fails as well.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Document = dict[str, Any]  # Any: OpenAPI is JSON of many shapes
PASSWORD = "correct horse battery staple"
ADMIN = {"email": "root@example.org", "password": PASSWORD}
TOKEN = "a bootstrap token of this test"
HERE = Path(__file__).parent
OTHERS = (
    *("/health", "/discovery", "/platform", "/openapi.json", "/metrics", "/storage", "/audit-log", "/problems", "/mcp"),
)
"""Served by the runtime or another capability."""


@dataclass(frozen=True)
class Promised:
    """One line of the tables."""

    method: str
    path: str
    permissions: frozenset[str]
    step_up: bool
    irreversible: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.method, anonymous(self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def anonymous(path: str) -> str:
    """The path without the names of its parameters."""
    return re.sub(r"{[^}]+}", "{}", path)


def promised() -> list[Promised]:
    """Every line of ``surface.txt``."""
    found = []
    for line in (HERE / "surface.txt").read_text(encoding="utf-8").splitlines():
        if line and line[0].isupper():
            method, path, permissions, *marks = line.split()
            mark = "".join(marks)
            found.append(Promised(method, path, frozenset(permissions.split("|")), "^" in mark, "+" in mark))
    return found


@pytest.fixture
async def client(start: Start) -> AsyncIterator[AsyncClient]:
    """A platform whose first administrator is signed in with the password."""
    async with start(bootstrap_token=TOKEN, verification="required") as client:
        assert (await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})).status_code == 201
        tokens = (await client.post("/auth/jwt/login", json=ADMIN)).json()
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        yield client


@pytest.fixture
async def document(client: AsyncClient) -> Document:
    found: Document = (await client.get("/openapi.json")).json()
    return found


def operations(document: Document) -> dict[tuple[str, str], Document]:
    """What the document describes of identity."""
    return {
        (method.upper(), anonymous(path)): operation
        for path, item in document["paths"].items()
        if not path.startswith(OTHERS)
        for method, operation in item.items()
    }


def test_the_tables_are_whole() -> None:
    """Forty-seven fixed operations and the additions, each once."""
    keys = [line.key for line in promised()]
    assert len(keys) == len(set(keys)) == 176


def test_every_operation_of_the_tables_is_there(document: Document) -> None:
    """What is missing is exactly what ``missing.txt`` names: take a line out when you build its operation."""
    there = operations(document).keys()
    missing = sorted(str(line) for line in promised() if line.key not in there)
    listed = (HERE / "missing.txt").read_text(encoding="utf-8").splitlines()
    assert missing == sorted(line for line in listed if line and not line.startswith("#"))


def test_nothing_else_is_there(document: Document) -> None:
    """No operation beyond the tables."""
    assert sorted(operations(document).keys() - {line.key for line in promised()}) == []


def test_permissions_and_reversibility(document: Document) -> None:
    """Each operation says who may call it and what cannot be undone, as the tables do; each has a name and problems."""
    there, wrong = operations(document), []
    for line in promised():
        operation = there.get(line.key)
        if operation is None:
            continue
        if operation["x-permission"] not in line.permissions:
            wrong.append(f"{line}: asks for {operation['x-permission']}, not {'|'.join(sorted(line.permissions))}")
        reading = line.method == "GET"
        expected = "irreversible" if line.irreversible else "reversible" if reading else "recoverable"
        if operation["x-reversibility"] != expected:
            wrong.append(f"{line}: says {operation['x-reversibility']}, not {expected}")
        if not operation.get("summary") or not operation.get("operationId") or "429" not in operation["responses"]:
            wrong.append(f"{line}: lacks a summary, an id or its problems")
    assert wrong == []
    ids = [operation["operationId"] for operation in there.values()]
    assert len(ids) == len(set(ids))


async def test_the_sign_in_page_answers(client: AsyncClient) -> None:
    """E48."""
    answer = await client.get("/login", headers={"accept": "text/html", "authorization": ""})
    assert answer.status_code == 200
    assert "<form" in answer.text
