"""Bring released applications home and show that they answer as they did: ``just proof-brownfield [NAME]``.

Each step ends the run when it fails: the application's own tests, a recording of it, the move, the house rules, the
moved tests, the replay, and the way back.
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
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
FACTORY = [sys.executable, "-m", "au_sys_python_factory"]
SKELETON = HERE.parent / "skeleton"
TESTING = ("pytest", "pytest-asyncio", "pytest-httpx", "pytest-httpserver", "blockbuster", "uvicorn", "httpx")


def main(arguments: list[str]) -> int:
    """Prove the named application, or the first."""
    name = arguments[0] if arguments else "simple-repository-server"
    with TemporaryDirectory(prefix="proof-brownfield-") as place:
        _prove(name, Path(place))
    return 0


def _prove(name: str, place: Path) -> None:
    plan = place / "plan"
    shutil.copytree(HERE / "plans" / name, plan)
    made = tomllib.loads((plan / "migration.toml").read_text(encoding="utf-8"))
    where = _unpacked(name, place)
    python = _environment(place, where)
    index = _index(place / "index")
    values = ["--set", f'repository_urls=["{index}"]']
    workspace = place / "workspace"
    shutil.copytree(SKELETON, workspace)
    before = _digests(workspace)
    package = workspace / "packages" / f"au-sys-{made['name']}"
    inside = ["--workspace", str(workspace)]
    moving = [*FACTORY, "migrate", "apply", str(plan), "--from", str(where), "--no-sync", *inside]
    testing = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
    steps = {
        "its own tests": ([*testing, "."], where),
        "record": ([*FACTORY, "migrate", "record", str(plan), "--from", str(where), "--python", str(python), *values,
                    "--set", "stream_http_resources=false"], place),
        "apply": (moving, place),
        "check": ([*FACTORY, "check", str(package), *inside], place),
        "its tests, moved": ([*testing, "--import-mode=importlib", "tests"], package),
        "verify": ([*FACTORY, "migrate", "verify", str(plan), "--python", str(python), *values, *inside], place),
        "undo": ([*FACTORY, "undo", "--no-sync", *inside], place),
    }  # fmt: skip
    for step, (command, folder) in steps.items():
        began = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(package / "src")}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        said = [line for line in done.stdout.splitlines() if line.strip()][-1:] or [""]
        print(f"{step:<18} {time.perf_counter() - began:6.1f} s  {said[0][:90]}", flush=True)
        if done.returncode:
            raise SystemExit(f"{step} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    same = before == _digests(workspace)
    print(f"the workspace is {'byte for byte as before' if same else 'NOT as before'}")
    raise SystemExit(not same)


def _unpacked(name: str, place: Path) -> Path:
    source = tomllib.loads((HERE / "sources.toml").read_text(encoding="utf-8"))[name]
    archive = place / str(source["url"]).rsplit("/", 1)[1]
    urllib.request.urlretrieve(source["url"], archive)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != source["sha256"]:
        raise SystemExit(f"{archive.name} is not the file that was pinned")
    with tarfile.open(archive) as tape:
        tape.extractall(place, filter="data")
    return place / archive.name.removesuffix(".tar.gz")


def _environment(place: Path, where: Path) -> Path:
    """What the old application needs, and the runtime."""
    python = place / "venv/bin/python"
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(place / "venv")], check=True)
    wanted = [f"{where}", *TESTING, "--editable", str(ROOT / "packages/fsp-runtime")]
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", str(python), *wanted], check=True)
    return python


def _index(folder: Path) -> Path:
    """Two projects, one of them with wheels."""
    (folder / "demo-two").mkdir(parents=True)
    (folder / "demo").mkdir()
    for version in ("1.0", "1.1"):
        with zipfile.ZipFile(folder / f"demo/demo-{version}-py3-none-any.whl", "w") as wheel:
            about = f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n"
            wheel.writestr(zipfile.ZipInfo(f"demo-{version}.dist-info/METADATA"), about)
    return folder


def _digests(root: Path) -> dict[str, str]:
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
