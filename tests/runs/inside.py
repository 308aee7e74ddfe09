"""What `just proof-cgroup2` and `just proof-nested` do inside: the v2 driver, endings and attacks, as root or somebody.

Both users get a group of the unified hierarchy that was delegated to them, as ``Delegate=yes`` in a unit file gives it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from skriptoteket.adapters.sandbox import bubblewrap, zygote
from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.host.cgroups import Cgroups, GroupLimits, choose_cgroups
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.conformance.abuse.campaign import campaign, planted_secret
from skriptoteket.conformance.abuse.catalogue import ATTACKS
from skriptoteket.conformance.endings import ENDINGS
from skriptoteket.conformance.playing import play
from skriptoteket.core.runs.sandbox import Sandbox

_TOP = Path("/sys/fs/cgroup")
_SOMEBODY = 64_321
_MIB = 1024 * 1024
_PATIENCE_SECONDS = 180.0
_LIMITS = ("memory_limit", "process_limit", "cpu_limit")
SAMPLE = (
    "R01 R02 R03 R06 R07 R08 R09 R10 R11 R13 R16 R17 R31 R32 L01 L02 L03 L05 L06 L13 "
    "L16 F04 F05 F07 F14 F16 F17 F18 S01 S05 S16"
)


def main() -> int:
    """0 when everything held; each user's part is a process of its own in its own group."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", choices=("root", "somebody", "nested"), default=None)
    parser.add_argument("--attacks", default=SAMPLE, help="ids, or all")
    parser.add_argument("--runners", default="zygote bubblewrap")
    chosen = parser.parse_args()
    if chosen.part is not None:
        attacks = list(ATTACKS) if chosen.attacks == "all" else chosen.attacks.split()
        return asyncio.run(_part(chosen.part, chosen.runners.split(), attacks))
    controllers = (_TOP / "cgroup.controllers").read_text(encoding="ascii").split()
    print(f"Linux {os.uname().release}, unified hierarchy: {' '.join(controllers)}", flush=True)
    (_TOP / "cgroup.subtree_control").write_text("+memory +pids +cpu", encoding="ascii")
    arguments = ["--attacks", chosen.attacks, "--runners", chosen.runners]
    return max(
        _delegated("root", 0, sys.executable, arguments), _delegated("somebody", _SOMEBODY, open_python(), arguments)
    )


def open_python() -> str:
    """An interpreter that everybody may run."""
    for candidate in (os.path.realpath(sys.executable), f"/usr/bin/python3.{sys.version_info.minor}"):
        if Path(candidate).is_file() and all(folder.stat().st_mode & 0o001 for folder in Path(candidate).parents):
            return candidate
    raise SystemExit(f"proof-cgroup2: no Python 3.{sys.version_info.minor} here that other users can read")


def _delegated(part: str, uid: int, program: str, arguments: list[str]) -> int:
    group, home = _TOP / f"delegated-{part}", Path("/tmp") / part
    group.mkdir()
    home.mkdir(mode=0o755)
    for path in (home, group, *(group / name for name in ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads"))):
        os.chown(path, uid, uid)
    places = [str(Path.cwd()), *dict.fromkeys(path for path in sys.path if path), sysconfig.get_path("purelib")]
    # Through a shell that is in the group before it becomes somebody else: what is delegated is entered by root.
    entering = ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(group)]
    becoming = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    ended = subprocess.run(
        [*entering, *becoming, program, "-B", "-m", "tests.runs.inside", "--part", part, *arguments],
        env={"PYTHONPATH": os.pathsep.join(places), "PATH": os.environ.get("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")},
        check=False,
    )
    return 1 if ended.returncode else 0


def _be_patient() -> None:
    # An emulated machine is ten times slower, on a busy host a hundred times: what is proved is not how fast it starts.
    for module in (bubblewrap, zygote):
        vars(module)["_START_SECONDS"] = _PATIENCE_SECONDS


async def _part(part: str, runners: list[str], attacks: list[str]) -> int:
    state = Path("/tmp") / part
    wrong = 0
    _be_patient()
    cgroups = choose_cgroups()
    level = "soft" if part == "nested" else "hard"
    for told in () if part == "nested" else _driver(cgroups):
        print(f"{part}: driver: {told}", flush=True)
        wrong += told.startswith("WRONG")
    for runner in runners:
        sandbox = _sandbox(runner, state / runner, cgroups)
        capabilities = await sandbox.capabilities()
        wrong += any(capabilities.get(name) != level for name in _LIMITS)
        print(f"{part}: {runner}: {json.dumps(dict(capabilities))}", flush=True)
        wrong += await _endings(sandbox, f"{part}: {runner}")
        wrong += await _attacks(sandbox, f"{part}: {runner}", state / runner, attacks)
        await sandbox.close()
        left = [str(one) for one in (state / runner / "sandboxes").glob("*")] + list(cgroups.leftovers())
        wrong += bool(left)
        print(f"{part}: {runner}: left over: {left or 'nothing'}", flush=True)
    print(f"{part}: {wrong} wrong", flush=True)
    return 1 if wrong else 0


def _sandbox(runner: str, folder: Path, cgroups: Cgroups) -> Sandbox:
    if runner == "zygote":
        return ZygoteSandbox(folder, cgroups=cgroups, warm_slots=0)
    return BubblewrapSandbox(folder, cgroups=cgroups)


async def _endings(sandbox: Sandbox, title: str) -> int:
    wrong = 0
    for name, (script, expected) in ENDINGS.items():
        played = await play(sandbox, script)
        wrong += played.code is not expected
        told = "ok   " if played.code is expected else f"WRONG  {played.stderr[-300:]!r}"
        print(f"{title}: {told}  {name}: {played.code.value}", flush=True)
    return wrong


async def _attacks(sandbox: Sandbox, title: str, folder: Path, wanted: list[str]) -> int:
    wrong = 0
    async with planted_secret(folder):
        async for verdict in campaign(sandbox, [ATTACKS[one] for one in wanted]):
            wrong += bool(verdict.complaint)
            word = f"ESCAPED  {verdict.complaint}" if verdict.complaint else "contained"
            print(f"{title}: {verdict.attack.id} {verdict.attack.name} {verdict.seconds:.1f} s: {word}", flush=True)
    return wrong


def _driver(cgroups: Cgroups) -> Iterator[str]:
    """Each promise of the driver, tried alone."""
    yield _told(f"chosen is {cgroups.name}", cgroups.name == "v2")
    group = cgroups.create("driver-1", GroupLimits(96 * _MIB, 16, 0.5))
    try:
        hungry = _in_group(group.add, "x = b'1' * (400 * 1024 * 1024)")
        yield _told(f"memory kills the hungry ({hungry.wait()})", hungry.returncode == -9 and group.ran_out_of_memory())
        forking = "import os\nn = 0\ntry:\n while n < 64 and os.fork(): n += 1\nexcept BlockingIOError: os._exit(7)"
        yield _told("a seventeenth process is refused", _in_group(group.add, forking).wait() == 7)
        sleeping = [_in_group(group.add, "import time; time.sleep(600)") for _ in range(3)]
        began = time.monotonic()
        group.kill()
        codes = [one.wait() for one in sleeping]
        yield _told(f"one kill for all, {time.monotonic() - began:.3f} s", codes == [-9, -9, -9])
        cpu, peak = group.usage()
        yield _told(f"usage is counted ({cpu} s, {peak} MiB)", cpu is not None and cpu > 0)
        before, began = group.usage()[0] or 0.0, time.monotonic()
        spinning = _in_group(group.add, "while True: pass")
        time.sleep(3)
        spinning.kill()
        spinning.wait()
        share = ((group.usage()[0] or 0.0) - before) / (time.monotonic() - began)
        yield _told(f"half a core is {share:.2f}", share < 0.65)
        yield _told("what is left is found by its label", list(cgroups.leftovers()) == ["driver-1"])
    finally:
        group.kill()
        group.remove()
    yield _told("an empty group goes", not cgroups.leftovers())


def _in_group(add: Callable[[int], None], program: str) -> "subprocess.Popen[bytes]":
    waiting = f"import sys; sys.stdin.readline()\n{program}"
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", waiting], stdin=subprocess.PIPE)
    add(child.pid)
    if child.stdin is not None:
        child.stdin.write(b"go\n")
        child.stdin.close()
    return child


def _told(what: str, held: bool) -> str:
    return f"{'ok' if held else 'WRONG'}: {what}"


if __name__ == "__main__":
    sys.exit(main())
