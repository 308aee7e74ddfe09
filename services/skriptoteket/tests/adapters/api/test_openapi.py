"""The document of the API: every operation says what it does, what it asks for and how it refuses, and is played."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import skriptoteket
from au_sys_python_factory.gauntlet.coverage import operations_of
from au_sys_python_factory.gauntlet.rows import read_folder
from au_sys_storage_sdk import Blobs, open_blobs
from fastapi_services_platform import Capability, Contribution, Manifest, Service, create_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.manifest.permissions import PERMISSIONS
from skriptoteket.manifest.plugin import Skriptoteket

ROWS = Path(skriptoteket.__file__).parent / "gauntlet"
ERRORS = {"400", "401", "403", "404", "406", "409", "413", "422", "429", "503"}
WITH_BODY = {"post", "put", "patch"}
ELSEWHERE = {"POST /api/v1/operations/workers/{worker}/drain"}
"""It would end the worker that plays the rows: ``test_administration`` sends it."""
_VARIABLE = re.compile(r"\$\{[^}]+\}")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:  # Any: an OpenAPI document
    """The API as the platform writes it down."""

    async def written() -> dict[str, Any]:
        blobs = open_blobs("memory://")
        stored = Contribution(services=(Service(Blobs, lambda _: blobs),))
        storage = Prepared(Manifest("storage", "1.0", "Blobs in memory"), stored)
        parts: list[Capability] = [believing_identity(), storage, Skriptoteket()]
        app: Any = create_app(settings_for(tmp_path_factory.mktemp("document")), capabilities=parts)
        async with app.router.lifespan_context(app):
            found: dict[str, Any] = app.openapi()
        await blobs.close()
        return found

    return asyncio.run(written())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation of the library."""
    for path, methods in document["paths"].items():
        if path.startswith("/api/v1/"):
            yield from ((method, path, found) for method, found in methods.items())


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """A sentence, a name of its own, its permission, and every way in which it refuses, as problem documents."""
    found = list(operations(document))
    assert len(found) > 80
    assert len({each["operationId"] for _, _, each in found}) == len(found)
    known = {permission.name for permission in PERMISSIONS}
    for method, path, each in found:
        told = f"{method} {path}"
        assert each["description"].strip().endswith("."), told
        assert each["x-permission"] in known, told
        assert set(each["responses"]) >= ERRORS, f"{told}: {ERRORS - set(each['responses'])}"
        refusals = [answer for status, answer in each["responses"].items() if status[0] in "45" and status != "416"]
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in refusals), told
        assert [status for status in each["responses"] if status[0] == "2"] != [], told


def test_every_answer_and_body_has_its_shape(document: dict[str, Any]) -> None:
    """Successes with JSON have a schema that says something; what a path holds is a parameter of the operation."""
    for method, path, each in operations(document):
        told = f"{method} {path}"
        named = {one["name"] for one in each.get("parameters", ()) if one["in"] == "path"}
        assert set(re.findall(r"\{(\w+)\}", path)) == named, told
        for status, answer in each["responses"].items():
            json_answer = answer.get("content", {}).get("application/json")
            if status in ("200", "201", "202") and json_answer is not None:
                assert json_answer["schema"] != {}, f"{told} {status}"
        assert method in WITH_BODY or "requestBody" not in each, told


def test_every_operation_is_played(document: dict[str, Any]) -> None:
    """Over real HTTP by ``just gauntlet``: each once with success, and refused to strangers by its last stage."""
    rows = [row for row in read_folder(ROWS, "skriptoteket") if any(status < 400 for status in row.expect.status)]
    paths = [(row.method, _VARIABLE.sub("x", row.path).partition("?")[0]) for row in rows]
    missing = [
        str(each)
        for each in operations_of(document)
        if each.path.startswith("/api/v1/")
        and not any(method == each.method and each.pattern.match(path) for method, path in paths)
    ]
    assert set(missing) == ELSEWHERE
