"""Every ending and every attack in containers, on an engine of its own: `just proof-docker`, `just proof-podman`.

Debian's `docker.io` or `podman` (with `runc`) is enough: the engine gets a folder of its own, no network and no
registry; the image is made of this interpreter. `SKRIPTOTEKET_CONTAINER_URL` names a running engine instead.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from skriptoteket.adapters.sandbox.container.engine import Engine, EngineProblem
from skriptoteket.adapters.sandbox.container.image import REPOSITORY, build_image
from skriptoteket.adapters.sandbox.container.sandbox import ContainerSandbox
from skriptoteket.adapters.sandbox.probe import probe_host
from skriptoteket.conformance.abuse.campaign import campaign, planted_secret
from skriptoteket.conformance.abuse.catalogue import ATTACKS
from skriptoteket.conformance.endings import ENDINGS
from skriptoteket.conformance.playing import play

_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_RUNTIMES = ("runsc", "crun")
_GIVEN = "SKRIPTOTEKET_CONTAINER_URL"


def _docker(folder: str, url: str) -> Sequence[str]:
    places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    more = [f"--add-runtime={name}={path}" for name in _RUNTIMES if (path := shutil.which(name))]
    return ["dockerd", "-H", url, *places, *more, "--iptables=false", "--ip6tables=false", "--bridge=none"]


def _podman(folder: str, url: str) -> Sequence[str]:
    # runc where there is one: crun refuses a host with both kinds of control groups.
    runtime = shutil.which("runc") or "crun"
    places = ["--root", f"{folder}/data", "--runroot", f"{folder}/exec", "--tmpdir", f"{folder}/tmp"]
    ways = ["--runtime", runtime, "--cgroup-manager", "cgroupfs", "--events-backend", "file"]
    return ["podman", *places, *ways, "system", "service", "--time", "0", url]


_ENGINES = {"docker": _docker, "podman": _podman}


@contextmanager
def running_engine(kind: str = "docker") -> Iterator[str]:
    """The address of an engine: the one that is named, or one of our own for as long as this lasts."""
    if os.environ.get(_GIVEN):
        yield os.environ[_GIVEN]
        return
    with tempfile.TemporaryDirectory(prefix="fsp-engine-", ignore_cleanup_errors=True) as folder:
        url = f"unix://{folder}/engine.sock"
        command = _ENGINES[kind](folder, url)
        if shutil.which(command[0]) is None or os.geteuid() != 0:
            raise SystemExit(f"needs root and {command[0]} (Debian's docker.io or podman), or an engine in {_GIVEN}")
        with (Path(folder) / "engine.log").open("wb") as log:
            engine = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            asyncio.run(_until_ready(Engine(url)))
            yield url
        finally:
            engine.terminate()
            engine.wait(_STOP_SECONDS)


async def _until_ready(engine: Engine) -> None:
    until = time.monotonic() + _READY_SECONDS
    while True:
        with contextlib.suppress(EngineProblem):
            await engine.call("GET", "/info")
            return
        if time.monotonic() > until:
            raise SystemExit("the engine did not start; see its log")
        await asyncio.sleep(0.2)


async def _prove(url: str, folder: Path, runtime: str | None, only: str) -> int:
    engine = Engine(url)
    print(f"image {await build_image(engine, 'standard@1', None, '', REPOSITORY)}", flush=True)
    sandbox = ContainerSandbox(folder, url, runtime=runtime)
    report = await probe_host(sandbox)
    print(f"usable {report.usable} {report.problem} {dict(report.capabilities)}", flush=True)
    if not report.usable:
        return 3
    wrong = 0
    for name, (script, expected) in ENDINGS.items():
        played = await play(sandbox, script)
        wrong += played.code is not expected
        print(f"{'ok   ' if played.code is expected else 'WRONG'}  {name}: {played.code.value}", flush=True)
    attacks = [ATTACKS[one] for one in only.split()] if only != "all" else list(ATTACKS.values())
    async with planted_secret(folder):
        async for verdict in campaign(sandbox, attacks):
            wrong += bool(verdict.complaint)
            word = "ESCAPED  " if verdict.complaint else "contained"
            print(f"{word}  {verdict.attack.id} {verdict.attack.name}  {verdict.complaint}".rstrip(), flush=True)
    left = await _left(engine)
    print(f"{len(ENDINGS)} endings, {len(attacks)} attacks, {wrong} wrong, left over: {left or 'nothing'}", flush=True)
    return 1 if wrong or left else 0


async def _left(engine: Engine) -> list[str]:
    filters = {"filters": '{"label": ["skriptoteket.worker"]}'}
    containers = await engine.call("GET", "/containers/json", query={"all": "1", **filters})
    volumes = await engine.call("GET", "/volumes", query=filters)
    return [str(one["Id"]) for one in containers or ()] + [str(one["Name"]) for one in volumes.get("Volumes") or ()]


def main() -> int:
    """0 when every script ended as it must and nothing is left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=_ENGINES, default="docker")
    parser.add_argument("--runtime", help="runsc or crun instead of the engine's own")
    parser.add_argument("--attacks", default="all", help="ids")
    chosen = parser.parse_args()
    with (
        running_engine(chosen.engine) as url,
        tempfile.TemporaryDirectory(prefix="fsp-containers-") as folder,
    ):
        return asyncio.run(_prove(url, Path(folder), chosen.runtime, chosen.attacks))


if __name__ == "__main__":
    sys.exit(main())
