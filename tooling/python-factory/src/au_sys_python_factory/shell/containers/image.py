"""Build the image: a context with every package in it, for the Python of the base image, and no network."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from au_sys_python_factory.errors import Missing
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.containers.engine import Engine
from au_sys_python_factory.wheels.building import Built
from au_sys_python_factory.wheels.environment import export_lock
from au_sys_python_factory.wheels.uv import PUBLIC_INDEX, run_uv

LEAST = (3, 11)
_ASK = (
    "import sys, platform, json; "
    "print(json.dumps([platform.python_version(), platform.machine(), list(platform.libc_ver())]))"
)


@dataclass(frozen=True, slots=True)
class Base:
    """What the base image is made of."""

    version: str
    machine: str
    glibc: int

    @property
    def python(self) -> tuple[int, int]:
        """Major and minor."""
        major, minor, _ = self.version.split(".", 2)
        return int(major), int(minor)

    def wanted(self, requirements: str) -> str:
        """Pinned requirements without those whose marker excludes this base, and without markers."""
        surroundings = {
            "python_full_version": self.version,
            "python_version": ".".join(str(number) for number in self.python),
            "platform_machine": self.machine,
            "sys_platform": "linux",
            "platform_system": "Linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
        kept = []
        for entry in re.split(r"\n(?=\S)", requirements.strip()):
            marked = re.match(r"(?P<pin>\S+)\s*;\s*(?P<marker>[^\\]+?)\s*(?P<rest>\\\n.*)$", entry, re.DOTALL)
            if marked is None:
                kept.append(entry)
            elif Marker(marked["marker"]).evaluate(surroundings):
                kept.append(f"{marked['pin']} {marked['rest']}")
        return "\n".join(kept) + "\n"

    @property
    def options(self) -> list[str]:
        """For ``pip download``: wheels for exactly this."""
        major, minor = self.python
        names = [f"manylinux2014_{self.machine}", *(f"manylinux_2_{number}_{self.machine}" for number in range(17, 60))]
        known = [name for name in names if _glibc_of(name) <= self.glibc]
        chosen = ["--python-version", f"{major}.{minor}", "--implementation", "cp"]
        chosen += [part for abi in (f"cp{major}{minor}", "abi3", "none") for part in ("--abi", abi)]
        return chosen + [part for name in [*known, "any"] for part in ("--platform", name)]


def build_image(
    platform: PlatformFolder, engine: Engine, built: Built, *, base_image: str, tag: str, kept: Path, revision: str
) -> str:
    """Build ``tag``; the image's id. The wheelhouse stays in ``kept`` for the next time.

    Raises:
        Missing: the base image is not there, or its Python is too old.
        FactoryError: a package has no wheel for it, or the build failed.
    """
    base = ask_base(engine, base_image)
    requirements = base.wanted(export_lock(platform.workspace.root, [platform.member.name], ["postgres"]))
    wheelhouse = fill_wheelhouse(kept, requirements, base, platform.workspace.root)
    with tempfile.TemporaryDirectory(prefix="fsp-image-") as folder:
        context = Path(folder)
        _fill(context, platform, built, wheelhouse, requirements)
        engine.run(
            *("build", "--network", "none", "--tag", tag, "--build-arg", f"BASE_IMAGE={base_image}"),
            *("--build-arg", f"VERSION={platform.member.version}", "--build-arg", f"REVISION={revision}"),
            str(context),
        )
    return engine.run("image", "inspect", "--format", "{{.Id}}", tag).strip()


def ask_base(engine: Engine, image: str) -> Base:
    """Python, machine and C library of an image.

    Raises:
        Missing: no such image here, or it is too old.
    """
    known = engine.run("image", "ls", "--quiet", image).strip()
    if not known:
        raise Missing(f"there is no image {image} here", fix="pull it, or docker/make_base_image.sh, and --base-image")
    told = json.loads(engine.run("run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", _ASK))
    version, machine, (_, libc) = told
    base = Base(version, machine, int(libc.split(".")[1]))
    if base.python < LEAST:
        raise Missing(f"{image} has Python {version}", fix="take one with Python 3.11 or newer")
    return base


def fill_wheelhouse(kept: Path, requirements: str, base: Base, root: Path) -> Path:
    """A folder with a wheel of each locked package, hashes checked; one that is complete is taken as it is."""
    key = hashlib.sha256(f"{requirements}{base}".encode()).hexdigest()
    folder = kept / f"wheelhouse-{key[:16]}"
    if (folder / ".complete").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "locked.txt").write_text(requirements, "utf-8")
    run_uv(
        [
            *("tool", "run", "pip", "download", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *(*base.options, "--dest", str(folder), "--requirement", str(folder / "locked.txt")),
        ],
        doing="filling the wheelhouse",
        folder=root,
        extra={"PIP_INDEX_URL": PUBLIC_INDEX, "PIP_EXTRA_INDEX_URL": "", "PIP_NO_INDEX": ""},
    )
    (folder / ".complete").touch()
    return folder


def _fill(context: Path, platform: PlatformFolder, built: Built, wheelhouse: Path, requirements: str) -> None:
    docker = platform.folder / "docker"
    for name in ("Dockerfile", "entrypoint.sh"):
        shutil.copy(docker / name, context / name)
    shutil.copytree(platform.config, context / "config", ignore=shutil.ignore_patterns("*.example"))
    shutil.copytree(wheelhouse, context / "wheelhouse", ignore=shutil.ignore_patterns("locked.txt", ".complete"))
    for wheel in built.wheels:
        shutil.copy(wheel.path, context / "wheelhouse" / wheel.path.name)
    (context / "locked.txt").write_text(requirements, "utf-8")
    (context / "own.txt").write_text(_own(built), "utf-8")


def _own(built: Built) -> str:
    lines: Sequence[str] = [f"/wheelhouse/{wheel.path.name} --hash=sha256:{wheel.sha256}\n" for wheel in built.wheels]
    return "".join(lines)


def _glibc_of(name: str) -> int:
    found = re.match(r"manylinux_2_(\d+)_", name)
    return int(found[1]) if found else 17
