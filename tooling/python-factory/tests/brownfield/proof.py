"""Bring released applications home and show that they answer as they did: ``just proof-brownfield [NAME…]``.

Each step ends the run when it fails: the application's own tests, a recording of it, the move, the house rules, the
moved tests, the replay, and the way back. What an application needs is locked with hashes beside its plan.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any  # Any: what TOML holds

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
FACTORY = [sys.executable, "-m", "au_sys_python_factory"]
SKELETON = HERE.parent / "skeleton"
RELEASED = ("simple-repository-server", "optimade")


def main(arguments: list[str]) -> int:
    """Prove the named applications, or all."""
    for name in arguments or RELEASED:
        print(f"== {name}", flush=True)
        with TemporaryDirectory(prefix="proof-brownfield-") as place:
            _prove(name, Path(place))
    return 0


def _prove(name: str, place: Path) -> None:
    plan = place / "plan"
    shutil.copytree(HERE / "plans" / name, plan)
    where = _unpacked(name, place)
    if (plan / "given").is_dir():  # what its tests need, and its sdist lacks
        shutil.copytree(plan / "given", where, dirs_exist_ok=True)
    _index(place / "index")
    workspace = place / "workspace"
    shutil.copytree(SKELETON, workspace)
    before = _digests(workspace)
    known = {"source": str(where), "place": str(place)}
    about = _spelled(tomllib.loads((plan / "proof.toml").read_text(encoding="utf-8")), known)
    steps = _steps(plan, where, workspace, _environment(place, plan), about)
    for step, (command, folder) in steps.items():
        began = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1", **about["environment"]}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        said = [line for line in done.stdout.splitlines() if "passed" in line or "differences" in line]
        said = said or [line for line in done.stdout.splitlines() if line.strip()]
        print(f"{step:<18} {time.perf_counter() - began:6.1f} s  {(said or [''])[-1][:90]}", flush=True)
        if step == "apply":
            print(f"{'':<28}{done.stderr.strip().replace(chr(10), '; ').rpartition('as before; ')[2]}", flush=True)
        if done.returncode:
            wrong = "\n".join(line for line in done.stdout.splitlines() if line.startswith(("E  ", "FAILED", "ERROR")))
            raise SystemExit(f"{step} failed:\n{wrong or done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    if before != _digests(workspace):
        raise SystemExit("the workspace is NOT as before")
    print("the workspace is byte for byte as before")


def _steps(
    plan: Path, where: Path, workspace: Path, python: Path, about: Mapping[str, Any]
) -> dict[str, tuple[list[str], Path]]:  # Any: what TOML holds
    """What is run, in order, and where."""
    made = tomllib.loads((plan / "migration.toml").read_text(encoding="utf-8"))
    package = workspace / "packages" / f"au-sys-{made['name']}"
    inside = ["--workspace", str(workspace)]
    values = [part for value in about["set"] for part in ("--set", value)]
    ignored = [part for pattern in about["ignore"] for part in ("--ignore", pattern)]
    testing = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    own = [item.format(tests=about["tests"]) for item in about["pytest"]]
    moved = [item.format(tests="tests/server") for item in about["pytest"]]
    under = ["--python", str(python)]
    return {
        "its own tests": ([*testing, *own, about["tests"]], where),
        "record": ([*FACTORY, "migrate", "record", str(plan), "--from", str(where), *under, *values], plan),
        "apply": ([*FACTORY, "migrate", "apply", str(plan), "--from", str(where), "--no-sync", *inside], plan),
        "check": ([*FACTORY, "check", str(package), *inside], plan),
        "its tests, moved": (
            [*testing, *moved, "-o", "asyncio_mode=auto", "--import-mode=importlib", "tests"], package
        ),
        "verify": ([*FACTORY, "migrate", "verify", str(plan), *under, *values, *ignored, *inside], plan),
        "undo": ([*FACTORY, "undo", "--no-sync", *inside], plan),
    }  # fmt: skip


def _spelled(value: Any, known: Mapping[str, str]) -> Any:  # Any: what TOML holds
    """The same with the places filled in."""
    if isinstance(value, dict):
        return {name: _spelled(item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item, known) for item in value]
    for word, place in known.items():
        value = str(value).replace(f"{{{word}}}", place)
    return value


def _unpacked(name: str, place: Path) -> Path:
    source = tomllib.loads((HERE / "sources.toml").read_text(encoding="utf-8"))[name]
    archive = place / str(source["url"]).rsplit("/", 1)[1]
    urllib.request.urlretrieve(source["url"], archive)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != source["sha256"]:
        raise SystemExit(f"{archive.name} is not the file that was pinned")
    with tarfile.open(archive) as tape:
        tape.extractall(place, filter="data")
    return place / archive.name.removesuffix(".tar.gz")


def _environment(place: Path, plan: Path) -> Path:
    """What the old application needs, and the runtime."""
    python = place / "venv/bin/python"
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(place / "venv")], check=True)
    install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "--require-hashes", "--requirement", str(plan / "requirements.txt")], check=True)
    subprocess.run([*install, "blockbuster", "httpx", "--editable", str(ROOT / "packages/fsp-runtime")], check=True)
    return python


def _index(folder: Path) -> None:
    """Two projects, one of them with wheels."""
    (folder / "demo-two").mkdir(parents=True)
    (folder / "demo").mkdir()
    for version in ("1.0", "1.1"):
        with zipfile.ZipFile(folder / f"demo/demo-{version}-py3-none-any.whl", "w") as wheel:
            about = f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n"
            wheel.writestr(zipfile.ZipInfo(f"demo-{version}.dist-info/METADATA"), about)


def _digests(root: Path) -> dict[str, str]:
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
