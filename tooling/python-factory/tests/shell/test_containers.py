"""An engine that is not there is named, and what goes into an image is chosen for the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from au_sys_python_factory.errors import MISSING, Missing
from au_sys_python_factory.shell.containers.engine import find_engine
from au_sys_python_factory.shell.containers.image import Base

LOCKED = """\
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:aa
click==8.3.0 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
pywin32==311 ; sys_platform == 'win32' \\
    --hash=sha256:dd
"""


def program(folder: Path, text: str) -> None:
    """An executable called docker."""
    folder.mkdir()
    (folder / "docker").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "docker").chmod(0o755)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 'Is the docker daemon running?' >&2; exit 1", "`docker info` failed: Is the docker daemon running?"),
        ('[ "$1" = info ]', "`docker compose version` failed, and there is no docker-compose"),
    ],
)
def test_no_engine_and_no_compose_are_named(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 5 with the command that shows why; never a silent fall-back."""
    program(tmp_path / "bin", text)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(Missing) as caught:
        find_engine("docker")
    assert (said in caught.value.sentence, caught.value.exit_code) == (True, MISSING)


def test_requirements_are_those_of_the_image() -> None:
    """Markers are asked about the image's Python, not about the one that runs the factory."""
    old, new = Base("3.11.2", "x86_64", 36), Base("3.13.1", "aarch64", 41)
    assert old.wanted(LOCKED).splitlines()[0] == "async-timeout==5.0.1 \\"
    assert [line.split("==")[0] for line in new.wanted(LOCKED).splitlines() if "==" in line] == ["click"]
    assert "manylinux_2_36_x86_64" in old.options
    assert "manylinux_2_40_x86_64" not in old.options
