"""``inventory`` answers people and programs, and refuses what it cannot read."""

import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

Unpacked = Callable[[str], Path]


def _ask(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["inventory", *arguments])


def test_a_folder_an_sdist_and_a_wheel_say_the_same(unpacked: Unpacked, tmp_path: Path) -> None:
    """The one folder that an sdist has on top is not part of any name."""
    root = unpacked("legacy_notes")
    with tarfile.open(tmp_path / "notes-1.tar.gz", "w:gz") as tape:
        tape.add(root, "notes-1")
    with zipfile.ZipFile(tmp_path / "notes.whl", "w") as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root))
    said = [json.loads(_ask(str(tmp_path / name), "--json").stdout)["data"]["routes"]
            for name in ("legacy_notes", "notes-1.tar.gz", "notes.whl")]  # fmt: skip
    assert (len(said[0]), said[1], said[2]) == (13, said[0], said[0])


def test_people_get_a_table_and_a_picture(unpacked: Unpacked, tmp_path: Path) -> None:
    """What is guessed is said to be; circles are red in the picture."""
    ended = _ask(str(unpacked("legacy_notes")))
    assert (ended.exit_code, "/debug/memory" in ended.stdout, "(guessed)" in ended.stdout) == (0, True, True)
    picture = tmp_path / "tangle.svg"
    assert _ask(str(unpacked("legacy_tangle")), "--format", "svg", "--output", str(picture)).exit_code == 0
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert "tangle.alpha" in picture.read_text()


@pytest.mark.parametrize("kind", ["missing", "no archive"])
def test_what_is_no_source_is_exit_4(kind: str, tmp_path: Path) -> None:
    """With what could be named instead, and no traceback."""
    path = tmp_path / "thing"
    if kind == "no archive":
        path.write_bytes(b"hello")
    ended = _ask(str(path))
    assert (ended.exit_code, "fix:" in ended.output, "Traceback" in ended.output) == (4, True, False)


def test_an_archive_that_says_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    """A bomb is not unpacked."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"part{number}.py", b"\0" * 70_000_000)
    ended = _ask(str(path))
    assert (ended.exit_code, "larger than source code is" in ended.output) == (4, True)
