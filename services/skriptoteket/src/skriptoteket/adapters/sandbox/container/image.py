"""The image of an environment, made of this host's own interpreter: no registry and no build are needed.

It holds what the other runners show a script and nothing else: interpreter, standard library, the libraries that these
are linked to, the entry code, and the environment's packages. No shell, no users, no package manager.
"""

import asyncio
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import IO

from skriptoteket.adapters.sandbox.container.engine import Engine, EngineProblem
from skriptoteket.adapters.sandbox.view import ENVIRONMENT_AT, RUNNER_AT, runner_folder

REPOSITORY = "localhost/skriptoteket-runner"
DIGEST_LABEL = "skriptoteket.environment-digest"
_MOUNTED = {"job": 0o1777, "tmp": 0o1777, "dev": 0o755, "proc": 0o755, "sys": 0o755, "etc": 0o755}
_LEFT_OUT = frozenset({"site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "ensurepip"})
_DATA = ("/usr/share/zoneinfo", "/usr/lib/locale/C.utf8")
_CHUNK = 1024 * 1024
_UPLOAD_SECONDS = 600.0


def image_name(environment: str, repository: str = REPOSITORY) -> str:
    """The image of ``name@revision``."""
    return f"{repository}:{environment.replace('@', '-')}"


async def build_image(engine: Engine, environment: str, packages: Path | None, digest: str, repository: str) -> str:
    """Make the image of an environment from this host and give it to the engine; the answer is its name.

    Raises:
        EngineProblem: the engine did not take it.
    """
    name = image_name(environment, repository)
    with tempfile.TemporaryFile() as archive:
        await asyncio.to_thread(_write, archive, packages)
        archive.seek(0)
        query = {
            "fromSrc": "-",
            "repo": name,
            "changes": f"LABEL {DIGEST_LABEL}={digest or 'none'}",
        }
        said = await engine.upload("POST", "/images/create", query, _chunks(archive), _UPLOAD_SECONDS)
    if b'"error"' in said:
        raise EngineProblem(0, f"the image was refused: {said[-500:].decode(errors='replace')}")
    return name


async def image_digest(engine: Engine, name: str) -> str | None:
    """The digest of the environment that an image was made of, ``None`` where there is no such image."""
    try:
        found = await engine.call("GET", f"/images/{name}/json")
    except EngineProblem as problem:
        if problem.status == 404:
            return None
        raise
    labels = (found.get("Config") or {}).get("Labels") or {}
    return str(labels.get(DIGEST_LABEL, "")).replace("none", "")


async def _chunks(archive: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(archive.read, _CHUNK):
        yield chunk


def _write(archive: IO[bytes], packages: Path | None) -> None:
    program = os.path.realpath(sys.executable)
    standard = Path(os.__file__).parent
    given = [(Path(program), program), (standard, str(standard)), (runner_folder(), RUNNER_AT)]
    given += [(Path(path), path) for path in _DATA if os.path.exists(path)]
    if packages is not None:
        given.append((packages, ENVIRONMENT_AT))
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as image:
        for folder, mode in _MOUNTED.items():
            image.addfile(_member(folder, tarfile.DIRTYPE, mode))
        linked: set[str] = set()
        for source, target in given:
            linked.update(_add(image, source, target))
        shown = [f"{source}/" for source, _ in given]
        for path in sorted(_libraries([program, *linked])):
            if not path.startswith(tuple(shown)):  # what a wheel brings for itself is there already
                _add_file(image, os.path.realpath(path), path)


def _add(image: tarfile.TarFile, source: Path, target: str) -> Iterator[str]:
    """Add a file or folder as root's, readable by everybody; yields the programs in it that may need libraries."""
    if source.is_file():
        _add_file(image, str(source), target)
        return
    for folder, names, files in os.walk(source):
        names[:] = sorted(name for name in names if name not in _LEFT_OUT or str(source) == str(runner_folder()))
        place = target + folder[len(str(source)) :]
        image.addfile(_member(place, tarfile.DIRTYPE, 0o755))
        for name in sorted(files):
            path = os.path.join(folder, name)
            if os.path.islink(path) and os.path.isdir(path):
                continue
            _add_file(image, path, f"{place}/{name}")
            if ".so" in name:
                yield path


def _add_file(image: tarfile.TarFile, source: str, target: str) -> None:
    with open(source, "rb") as stream:
        facts = os.fstat(stream.fileno())
        member = _member(target, tarfile.REGTYPE, 0o755 if facts.st_mode & 0o100 else 0o644)
        member.size, member.mtime = facts.st_size, int(facts.st_mtime)
        image.addfile(member, stream)


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.type, member.mode = kind, mode
    return member


def _libraries(programs: Iterable[str]) -> set[str]:
    told = subprocess.run(  # noqa: S603 - the loader's own listing of our own interpreter
        ["/usr/bin/ldd", *programs], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    ).stdout
    found: set[str] = set()
    for line in io.StringIO(told):
        words = line.split()
        path = words[2] if len(words) > 2 and words[1] == "=>" else words[0] if words else ""
        if path.startswith("/") and not path.endswith(":") and os.path.isfile(path):
            found.add(os.path.normpath(path))
    return found
