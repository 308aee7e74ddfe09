"""Every recipe, with an environment that names a hostile index: what it starts never sees it, and nothing may lock.

The programs that recipes call are replaced by one that notes its arguments and variables, so each recipe is really run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
JUST = Path(sys.executable).parent / "just"
HOSTILE = "http://someone:hunter2@127.0.0.1:9/simple"
INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL")
WRITERS = ("lock",)
"""The only recipe that calls uv so that it may write uv.lock; lock-repair does so through the factory."""
_NOTE = """#!/bin/sh
printf '%s\\n' "$UV_DEFAULT_INDEX|$UV_INDEX|$UV_EXTRA_INDEX_URL|${{0##*/}} $*" >> {log}
case "$*" in *lock\\ guard) exit 4;; esac
"""
_NEEDED = ("justfile", "uv.lock", "tests/release/lowest.sh", "services/skriptoteket/frontend/package.json")


def recipes() -> dict[str, Any]:  # Any: JSON of just
    """Every recipe by its name."""
    done = subprocess.run(
        [JUST, "--dump", "--dump-format", "json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)["recipes"]
    return {name: found[name] for name in sorted(found) if name != "default"}


RECIPES = recipes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the justfile and the lock, and the programs that only take notes."""
    root = tmp_path_factory.mktemp("recipes")
    for name in _NEEDED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    (root / "bin").mkdir()
    for program in ("uv", "npm", "node"):
        script = root / "bin" / program
        script.write_text(_NOTE.format(log=root / "notes"))
        script.chmod(0o755)
    return root


def run(place: Path, name: str) -> tuple[int, list[tuple[list[str], str]]]:
    """Exit code, and each program that was started with its indexes; a value for each parameter without a default."""
    given = ["x" for item in RECIPES[name]["parameters"] if item["default"] is None and item["kind"] == "singular"]
    (place / "notes").write_text("")
    environment = {**os.environ, **dict.fromkeys(INDEXES, HOSTILE), "PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run([JUST, name, *given], cwd=place, env=environment, capture_output=True, check=False)
    lines = [line.rpartition("|") for line in (place / "notes").read_text().splitlines()]
    return done.returncode, [(command.split(), indexes) for indexes, _, command in lines]


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_hands_a_hostile_index_on(name: str, place: Path) -> None:
    """Each program gets the public index, and only ``just lock`` may write the lock."""
    before = (place / "uv.lock").read_bytes()
    code, started = run(place, name)
    assert (code, (place / "uv.lock").read_bytes() == before) == (0, True)
    assert started or name in ("guard", "hooks")
    assert {indexes for _, indexes in started} <= {"https://pypi.org/simple||"}
    loose = [command for command, _ in started if not _leaves_the_lock(command)]
    assert loose == ([["uv", "lock"]] if name in WRITERS else [])


def _leaves_the_lock(command: list[str]) -> bool:
    in_a_copy = command[1:5] == [
        "sync",
        "--quiet",
        "--resolution",
        "lowest-direct",
    ]  # lowest.sh has a folder of its own
    return command[0] != "uv" or bool({"--no-sync", "--locked"} & set(command)) or command[1] == "tool" or in_a_copy


def test_every_recipe_looks_at_the_lock_first(place: Path) -> None:
    """A lock that names another host stops them all, but the one that repairs it."""
    first = {name: [item["recipe"] for item in recipe["dependencies"]][:1] for name, recipe in RECIPES.items()}
    assert [name for name, found in first.items() if found != ["guard"]] == ["check", "guard", "lock-repair"]
    clean = (place / "uv.lock").read_text()
    (place / "uv.lock").write_text(clean + '\nurl = "https://hostile.example/simple/x.whl"\n')
    try:
        asked = {name: run(place, name) for name in ("lint", "check", "lock", "lock-repair")}
    finally:
        (place / "uv.lock").write_text(clean)
    stopped = (4, ["uv run --no-sync python-factory lock guard"])
    found = {name: (code, [" ".join(command) for command, _ in started]) for name, (code, started) in asked.items()}
    assert (found["lint"], found["check"], found["lock"]) == (stopped, stopped, stopped)
    assert found["lock-repair"] == (0, ["uv run --no-sync python-factory lock repair"])
