"""Random edits in made-up workspaces: every test that loads the edited file is listed.

The tests are run one by one, in processes of their own, and say which files they loaded.
``python tooling/python-factory/tests/affected/edits.py --edits 500 --seed 1`` does it at length.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from au_sys_python_factory.affected.reach import reach
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.workspace.members import find_workspace

PACKAGES = ("ash", "birch", "cedar", "elm")
MODULES = 10
TESTS = 4
FORMS = ("import {m} as {v}", "from {p} import {n} as {v}", "from {m} import VALUE as {v}", "from {m} import *")
LOADING = """
import importlib.util, json, sys
from pathlib import Path
root = Path(sys.argv[1])
sys.path[:0] = [str(path) for path in sorted(root.glob("packages/*/src"))]
for number, name in enumerate(sys.argv[2:]):
    spec = importlib.util.spec_from_file_location(f"asked_{number}", name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"asked_{number}"] = module
    spec.loader.exec_module(module)
    for made in [value for key, value in vars(module).items() if key.startswith("test_")]:
        made()
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
print(json.dumps(sorted(Path(f).relative_to(root).as_posix() for f in files if f and f.startswith(str(root)))))
"""


def workspace(root: Path, chance: random.Random) -> list[str]:
    """Four packages whose modules import each other downwards in every way; gives the paths of all modules."""
    (root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    known: list[str] = []
    for package in PACKAGES:
        home = root / "packages" / package
        (home / "tests").mkdir(parents=True)
        (home / "pyproject.toml").write_text(f'[project]\nname = "{package}"\nversion = "0.1.0"\n')
        for folder in ("", "core", "outer"):
            (home / "src" / package / folder).mkdir(parents=True, exist_ok=True)
            (home / "src" / package / folder / "__init__.py").write_text('"""A folder."""\n')
        for number in range(MODULES):
            folder = chance.choice(("core", "outer"))
            name = f"{package}.{folder}.part{number}"
            (home / "src" / f"{name.replace('.', '/')}.py").write_text(_module(name, known, chance))
            known.append(name)
        (home / "tests/conftest.py").write_text(_lines(chance.sample(known, 1), chance))
        for number in range(TESTS):
            text = _lines(chance.sample(known, 2), chance)
            late = chance.choice(known)
            text += f"\n\ndef test_it():\n    from {late} import used\n\n    used()\n"
            (home / f"tests/test_{number}.py").write_text(text)
    return [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.py"))]


def _module(name: str, known: list[str], chance: random.Random) -> str:
    below = chance.sample(known, min(len(known), chance.randint(0, 2)))
    text = f'''"""Made up."""\n\n{_lines(below, chance)}\nVALUE = "{name}"\n\n\ndef used():\n'''
    if known and chance.random() < 0.5:
        text += f"    from {chance.choice(known)} import VALUE as late\n\n    return late\n"
    else:
        text += "    return VALUE\n"
    near = [other for other in known if other.rpartition(".")[0] == name.rpartition(".")[0]]
    return (
        text.replace("\n\nVALUE", f"\nfrom . import {chance.choice(near).rpartition('.')[2]}\n\nVALUE", 1)
        if near
        else text
    )


def _lines(names: list[str], chance: random.Random) -> str:
    found = []
    for number, name in enumerate(names):
        parent, _, last = name.rpartition(".")
        found.append(chance.choice(FORMS).format(m=name, p=parent, n=last, v=f"v{number}"))
    return "\n".join(found) + "\n"


def loaded(root: Path, test: Path) -> set[str]:
    """The files of the workspace that running a test loads, its fixtures' included."""
    command = [sys.executable, "-c", LOADING, str(root), str(test.with_name("conftest.py")), str(test)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise AssertionError(ended.stderr)
    return {*json.loads(ended.stdout), test.relative_to(root).as_posix()}


def prove(edits: int, seed: int, place: Path, *, each: int = 50) -> tuple[int, int]:
    """That many edits, ``each`` in one workspace; gives how many tests they broke, and how many were listed."""
    broken = listed = 0
    for number in range(0, edits, each):
        chance = random.Random(seed + number)
        root = place / str(number)
        root.mkdir()
        files = workspace(root, chance)
        runs = {path.relative_to(root).as_posix(): loaded(root, path) for path in sorted(root.rglob("test_*.py"))}
        project = read_project(find_workspace(root))
        for _ in range(min(each, edits - number)):
            edited = chance.choice(files)
            found = set(reach(project, {edited}).tests)
            fails = {test for test, files_of_it in runs.items() if edited in files_of_it}
            assert fails <= found, (seed + number, edited, fails - found)
            broken, listed = broken + len(fails), listed + len(found)
    return broken, listed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="factory-edits-") as folder:
        total, named = prove(given.edits, given.seed, Path(folder).resolve())
    print(f"{given.edits} edits broke {total} tests, all of them among the {named} that were listed")
