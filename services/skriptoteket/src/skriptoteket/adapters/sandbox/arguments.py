"""The plan of one run: what the launcher mounts, and the command line with which it becomes bubblewrap."""

from dataclasses import dataclass

from skriptoteket.adapters.sandbox.view import RUNNER_AT, InterpreterView
from skriptoteket.core.runs.models import Limits

_MIB = 1024 * 1024
_STAGE = "/tmp"  # noqa: S108 - inside the launcher's private mount namespace, see inside/launcher.py
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SMALL = "65536"
_INSIDE_ID = "1000"
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the script's own, sized tmpfs
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}
"""All variables that a script ever sees; no input travels by environment (script contract 1)."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Numbers of the descriptors that bubblewrap inherits."""

    control: int
    seccomp: int


def launch_plan(
    bubblewrap: str,
    view: InterpreterView,
    limits: Limits,
    descriptors: Descriptors,
    *,
    identity: tuple[int, int] | None,
    address_space: bool,
    timezone: str,
    parent: int,
) -> dict[str, object]:
    """The launcher's plan. ``identity`` is the user and group to become, ``None`` to stay who we are;
    ``address_space`` limits memory by RLIMIT_AS, for hosts without memory groups."""
    uid, gid = identity or (None, None)
    return {
        "uid": uid,
        "gid": gid,
        "parent": parent,
        "workspace_bytes": limits.workspace_mib * _MIB,
        "inodes": limits.inodes,
        "view": [[bind.source, f"v{place}"] for place, bind in enumerate(view.binds)],
        "rlimits": _rlimits(limits, address_space),
        "argv": [
            bubblewrap,
            *_isolation(descriptors),
            *_files(view, limits),
            *_variables(timezone),
            *_command(view, limits, descriptors),
        ],
        "environment": {},
    }


def _rlimits(limits: Limits, address_space: bool) -> dict[str, int]:
    rlimits = {
        "RLIMIT_FSIZE": limits.file_mib * _MIB,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 64 * 1024,
    }
    return {**rlimits, "RLIMIT_AS": limits.memory_mib * _MIB} if address_space else rlimits


def _isolation(descriptors: Descriptors) -> list[str]:
    spaces = [f"--unshare-{one}" for one in ("user", "pid", "net", "ipc", "uts", "cgroup")]
    return [
        *spaces,
        *("--uid", _INSIDE_ID, "--gid", _INSIDE_ID, "--hostname", "sandbox"),
        *("--disable-userns", "--die-with-parent", "--new-session", "--clearenv"),
        *("--seccomp", str(descriptors.seccomp)),
    ]


def _files(view: InterpreterView, limits: Limits) -> list[str]:
    found: list[str] = []
    for place, bind in enumerate(view.binds):
        found += ["--ro-bind", f"{_STAGE}/v{place}", bind.target]
    for target, link in view.links:
        found += ["--symlink", target, link]
    for folder in view.hidden:
        found += ["--size", _SMALL, "--tmpfs", folder, "--remount-ro", folder]
    workspace = f"{_STAGE}/workspace"
    found += ["--bind", f"{workspace}/work", "/job"]
    for name in ("script.py", "request.json", "input"):
        found += ["--ro-bind", f"{workspace}/stage/{name}", f"/job/{name}"]
    found += ["--proc", "/proc", "--size", _SMALL, "--tmpfs", "/dev"]
    for device in _DEVICES:
        found += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    found += ["--size", str(limits.shm_mib * _MIB), "--tmpfs", "/dev/shm"]  # noqa: S108 - the script's own
    found += ["--size", str(limits.tmp_mib * _MIB), "--tmpfs", "/tmp"]  # noqa: S108 - the script's own
    return [*found, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/job"]


def _variables(timezone: str) -> list[str]:
    found: list[str] = []
    for name, value in {**ENVIRONMENT, "TZ": timezone}.items():
        found += ["--setenv", name, value]
    return found


def _command(view: InterpreterView, limits: Limits, descriptors: Descriptors) -> list[str]:
    entry = [f"{RUNNER_AT}/entrypoint.py", "/job", str(descriptors.control), str(limits.processes)]
    return ["--", view.program, "-I", "-S", "-B", "-u", *entry]
