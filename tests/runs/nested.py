"""The worker's sandboxes inside a container without capabilities: `just proof-nested`.

The container has what `worker.compose.yaml` gives it: an ordinary user, no capability, no new privileges, a read-only
root, the profile `nested.json`, and system paths that are not masked. It sees this host's interpreter and checkout,
read-only. Needs root and dockerd, or an engine in `SKRIPTOTEKET_CONTAINER_URL`.
"""

import argparse
import asyncio
import io
import os
import struct
import sys
import sysconfig
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

from tests.runs.engine import running_engine
from tests.runs.inside import SAMPLE, open_python

import skriptoteket
from skriptoteket.adapters.sandbox.container.engine import Engine

_WORKSPACE = Path(__file__).parents[2]
_PROFILE = Path(skriptoteket.__file__).parent / "adapters" / "sandbox" / "host" / "deployment" / "nested.json"
_SHOWN = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
_IMAGE = "localhost/skriptoteket-nested:proof"
_USER = "10001:10001"
_MIB = 1024 * 1024
_SECONDS = 7200.0
_HEAD = 8


async def _nothing() -> AsyncIterator[bytes]:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in ("proc", "sys", "dev", "etc", "tmp", *(place.lstrip("/") for place in _SHOWN)):
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            if not name.endswith(".cache"):
                archive.addfile(member)
    yield content.getvalue()


def _asked(arguments: list[str]) -> dict[str, object]:
    places = [str(_WORKSPACE), *dict.fromkeys(path for path in sys.path if path), sysconfig.get_path("purelib")]
    shown = [place for place in _SHOWN if os.path.exists(place)]
    return {
        "Image": _IMAGE,
        "Entrypoint": [],
        "Cmd": [open_python(), "-B", "-m", "tests.runs.inside", "--part", "nested", *arguments],
        "User": _USER,
        "WorkingDir": str(_WORKSPACE),
        "Env": ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", f"PYTHONPATH={os.pathsep.join(places)}"],
        "HostConfig": {
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", f"seccomp={_PROFILE.read_text(encoding='utf-8')}"],
            "MaskedPaths": [],
            "ReadonlyPaths": [],
            "Binds": [f"{place}:{place}:ro" for place in (*shown, str(_WORKSPACE))],
            "Tmpfs": {"/tmp": "size=1g,mode=1777"},
            "PidsLimit": 1024,
            "Memory": 4096 * _MIB,
        },
    }


async def _prove(url: str, arguments: list[str]) -> int:
    engine = Engine(url)
    await engine.upload("POST", "/images/create", {"fromSrc": "-", "repo": _IMAGE}, _nothing(), _SECONDS)
    made = await engine.call("POST", "/containers/create", _asked(arguments))
    path = f"/containers/{made['Id']}"
    await engine.call("POST", f"{path}/start")
    query = {"stdout": "1", "stderr": "1", "follow": "1"}
    held = b""
    async with engine.stream("GET", f"{path}/logs", query) as answer:
        while chunk := await answer.read():
            held = _told(held + chunk)
    ended = await engine.call("POST", f"{path}/wait", seconds=_SECONDS)
    await engine.call("DELETE", path, query={"force": "1", "v": "1"})
    return int(ended["StatusCode"])


def _told(frames: bytes) -> bytes:
    """Print what is complete; the answer is the rest. Each frame begins with a kind and its size."""
    while len(frames) >= _HEAD:
        _, size = struct.unpack(">BxxxI", frames[:_HEAD])
        if len(frames) < _HEAD + size:
            break
        sys.stdout.write(frames[_HEAD : _HEAD + size].decode(errors="replace"))
        sys.stdout.flush()
        frames = frames[_HEAD + size :]
    return frames


def main() -> int:
    """0 when every script ended as it must, inside."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--attacks", default=SAMPLE, help="ids, or all")
    parser.add_argument("--runners", default="zygote bubblewrap")
    chosen = parser.parse_args()
    with running_engine() as url:
        return asyncio.run(_prove(url, ["--attacks", chosen.attacks, "--runners", chosen.runners]))


if __name__ == "__main__":
    sys.exit(main())
