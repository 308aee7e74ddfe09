"""The inventory names what is there, from the text alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_python_factory.inventory.taking import Inventory, take

Unpacked = Callable[[str], Path]

_RUN = """
import json
from src.main import app
from starlette.routing import Mount
from fastapi_services_platform.http.fastapi_seams import flatten

def served(routes, before=""):
    for flat in flatten(routes):
        if isinstance(flat.route, Mount):
            yield from served(flat.route.routes or [], before + flat.path.rstrip("/").removesuffix("/{path:path}"))
        elif flat.endpoint.__module__.startswith("src."):
            yield before + flat.path, sorted(flat.methods or ["WEBSOCKET"])

print(json.dumps(sorted(served(app.routes))))
"""


def _paths(found: Inventory) -> list[tuple[str, list[str]]]:
    return sorted((route.path, sorted(route.methods)) for route in found.routes)


def _facts(found: Inventory, kind: str) -> list[str]:
    return [f"{fact.path}:{fact.line} {fact.what}" for fact in found.facts if fact.kind == kind]


def test_routes_are_those_of_the_running_application(unpacked: Unpacked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefixes, loops, partials, methods of classes, mounts, websockets, what a setting switches on."""
    root = unpacked("legacy_notes")
    (root / "src/requests.py").write_text("def get(*given, **named): ...\n")
    monkeypatch.setenv("NOTES_DEBUG", "1")
    run = [sys.executable, "-c", f"import sys; sys.path[:0] = ['.', 'src']\n{_RUN}"]
    ended = subprocess.run(run, cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (root / "src/requests.py").unlink()
    assert [(path, methods) for path, methods in json.loads(ended.stdout)] == _paths(take(root))


def test_only_what_runs_decides_is_a_guess(unpacked: Unpacked) -> None:
    """The debug page is there when the environment says so."""
    guessed = [route.path for route in take(unpacked("legacy_notes")).routes if not route.certain]
    assert guessed == ["/debug/memory"]


def test_endpoints_are_told_with_their_shape(unpacked: Unpacked) -> None:
    """Async or not, parameters, model of the answer, dependencies, place."""
    found = {(route.path, route.methods): route.endpoint for route in take(unpacked("legacy_notes")).routes}
    create = found["/api/v1/notes", ("POST",)]
    assert (create.name, create.is_async, create.response_model, create.dependencies) == (
        "notes.api.create", False, "NoteIn", ("session",),
    )  # fmt: skip
    assert (create.path, create.parameters) == ("src/notes/api.py", ("note: NoteIn", "session"))
    assert found["/api/v1/notes/{note_id}", ("GET", "HEAD")].is_async


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("blocking call", ["src/notes/api.py:43 requests.get(…) in read"]),
        ("database model", ["src/notes/db.py:13 Person", "src/notes/db.py:20 Note"]),
        ("environment", ["src/main.py:16 NOTES_DEBUG", "src/notes/__init__.py:4 TRIPWIRE",
                         "src/notes/__init__.py:5 TRIPWIRE", "src/notes/db.py:6 NOTES_DATABASE_URL"]),
        ("exception", ["src/notes/api.py:14 NoteNotFound"]),
        ("exception handler", ["src/main.py:26 exception_handler(api.NoteNotFound)"]),
        ("global state", ["src/notes/api.py:10 CACHE", "src/notes/api.py:11 COUNT"]),
        ("hook", ["src/main.py:20 on_event('startup')"]),
        ("logger", ["src/notes/admin.py:6 logging.getLogger(__name__)"]),
        ("print", ["src/main.py:23 print(…)"]),
        ("relation", ["src/notes/db.py:17 Person related to 'Note'",
                      "src/notes/db.py:24 Note foreign key to 'people.id'"]),
        ("request model", ["src/notes/api.py:18 NoteIn"]),
        ("secret", ["src/notes/api.py:9 API_KEY has its value in the code"]),
        ("static files", ["src/main.py:11 'static'"]),
        ("template", ["src/notes/pages.py:4 'src/templates'", "src/templates/home.html:1 home.html"]),
        ("tests", ["tests/test_notes.py:1 1"]),
    ],
)  # fmt: skip
def test_facts_have_their_line(kind: str, facts: list[str], unpacked: Unpacked) -> None:
    """Each kind is found where it stands, and nowhere else."""
    assert _facts(take(unpacked("legacy_notes")), kind) == facts


def test_a_secret_is_named_and_never_shown(unpacked: Unpacked) -> None:
    """What the inventory says goes into tickets and chats."""
    assert "k-1234567890" not in repr(take(unpacked("legacy_notes")).facts)


def test_a_tangle_is_told_apart(unpacked: Unpacked) -> None:
    """Circles, imports by star, by string and below conditions, the same name twice, files that cannot be read."""
    found = take(unpacked("legacy_tangle"))
    assert found.circles == (("tangle.alpha", "tangle.beta", "tangle.gamma"),)
    assert found.unused == ("tangle.declared", "tangle.forgotten", "tangle.other.one")
    assert found.twice == (("tangle/other/one.py", "tangle/plugins/one.py"),)
    assert [(item.path, item.line) for item in found.unreadable] == [("tangle/broken.py", 1), ("tangle/latin.py", 1)]
    by_name = {module.name: module for module in found.modules}
    beta = {(item.target, item.conditional, item.by_string) for item in by_name["tangle.beta"].imports}
    assert {("tangle.alpha", True, False), ("tangle.plugins.one", True, True)} <= beta
    assert ("queue", "internal") in {(item.target, item.kind) for item in by_name["tangle.alpha"].imports}
    assert any(item.by_string and item.target == "tangle.plugins.one" for item in by_name["tangle.gamma"].imports)
    assert any(item.target.startswith("<") for item in by_name["tangle.beta"].imports)


@pytest.mark.parametrize("name", ["legacy_notes", "legacy_tangle"])
def test_nothing_is_imported(name: str, unpacked: Unpacked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing either package would touch a file."""
    wire = tmp_path / "tripwire"
    monkeypatch.setenv("TRIPWIRE", str(wire))
    before = set(sys.modules)
    take(unpacked(name))
    assert not wire.exists()
    assert not {module for module in set(sys.modules) - before if module.startswith(("tangle", "notes", "src"))}
