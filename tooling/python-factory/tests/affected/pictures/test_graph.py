"""Pictures of imports: right, the same twice, and red where a rule is broken."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result

Command = Callable[..., Result]
SVG = "{http://www.w3.org/2000/svg}"
CORE = "packages/au-sys-notes/src/au_sys_notes/core/notes/models.py"
UPWARD = "from au_sys_notes.manifest import config\n"


def arrows(run: Command, *arguments: str) -> dict[tuple[str, str], str]:
    """What is wrong with each arrow, by its ends."""
    data = json.loads(run("graph", *arguments, "--json").output)["data"]
    return {(arrow["source"], arrow["target"]): arrow["wrong"] for arrow in data["arrows"]}


def test_packages_stand_above_what_they_import(run: Command) -> None:
    """The platform is made of the capability, which stands on the runtime."""
    found = arrows(run)
    ours = {target: wrong for (source, target), wrong in found.items() if source == "au-sys-notes"}
    assert ours == {"fastapi-services-platform": ""}
    assert ("fsp-shell-001", "au-sys-notes") in found


def test_layers_of_a_capability_point_downward(run: Command) -> None:
    """No arrow is wrong in what the factory makes."""
    found = arrows(run, "au-sys-notes")
    assert ("adapters", "core") in found
    assert {""} == set(found.values())


def test_an_upward_import_is_red_in_every_form(run: Command, house: Path) -> None:
    """Named in JSON, drawn in SVG, styled in Mermaid, and said in the description."""
    path = house / CORE
    path.write_text(path.read_text().replace('"""\n', f'"""\n\n{UPWARD}', 1))
    assert arrows(run, "au-sys-notes")["core", "manifest"] == "A02"
    drawing = ElementTree.fromstring(run("graph", "au-sys-notes", "--format", "svg").output)
    red = [item for item in drawing.iter(f"{SVG}path") if item.get("class") == "arrow wrong"]
    assert [title.text for item in red for title in item.iter(f"{SVG}title")] == ["core → manifest: 1 (A02)"]
    described = drawing.find(f"{SVG}desc")
    assert described is not None
    assert "core imports manifest against rule A02." in (described.text or "")
    assert "stroke:#c62828" in run("graph", "au-sys-notes").output


@pytest.mark.parametrize("form", ["svg", "mermaid"])
def test_the_same_code_gives_the_same_bytes(run: Command, form: str, tmp_path: Path) -> None:
    """Twice, once to a file."""
    first = run("graph", "au-sys-notes", "--modules", "--format", form).output
    assert run("graph", "au-sys-notes", "--modules", "--format", form, "--output", str(tmp_path / "x")).exit_code == 0
    assert first == (tmp_path / "x").read_text()


def test_the_reason_is_the_shortest_chain_with_its_places(run: Command) -> None:
    """From the plugin to the models, with file and line of each import; the other way round is refused."""
    shown = run("graph", "--reason", "au_sys_notes.adapters.api.router", "au_sys_notes.core.notes.models")
    first, *others = shown.output.splitlines()
    assert (shown.exit_code, "adapters/api/router.py:" in first) == (0, True)
    assert others[-1].strip() == "imports au_sys_notes.core.notes.models"
    assert run("graph", "--reason", "au_sys_notes.core.notes.models", "au_sys_notes.adapters.api.router").exit_code == 4
    assert run("graph", "--reason", "nothing", "au_sys_notes").exit_code == 2
    assert run("graph", "nothing").exit_code == 4
