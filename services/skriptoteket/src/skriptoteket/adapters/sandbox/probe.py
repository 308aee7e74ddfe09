"""What this host can isolate, found by doing it in a throw-away sandbox; with the fix for what is missing."""

import platform
import shutil
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.by_environment import EnvironmentSandboxes
from skriptoteket.adapters.sandbox.container.image import REPOSITORY
from skriptoteket.adapters.sandbox.container.sandbox import ContainerSandbox
from skriptoteket.adapters.sandbox.host.seccomp import shipped_filter
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import Exited, Printed, RunSpec, Sandbox, SandboxFailed

_PROBE = """
import os, socket
def run_tool(input_dir, output_dir):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    found = []
    if status["Seccomp"].strip() == "2": found.append("seccomp")
    if int(status["CapBnd"], 16) == 0 and int(status["CapEff"], 16) == 0: found.append("no_capabilities")
    if len([name for name in os.listdir("/proc") if name.isdigit()]) < 4: found.append("pid_isolation")
    if not os.path.exists("/etc/passwd"): found.append("filesystem_isolation")
    try: socket.socket()
    except OSError: found.append("network_isolation")
    print(",".join(found))
"""
RUNNERS = ("zygote", "bubblewrap", "container")
"""Every way of isolating scripts, in the order in which it is tried."""

_EXPECTED = ("seccomp", "no_capabilities", "pid_isolation", "filesystem_isolation", "network_isolation")


@dataclass(frozen=True, slots=True)
class Finding:
    """One feature: whether it is there, what was seen, and how to get it."""

    feature: str
    found: bool
    detail: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class HostReport:
    """Everything that was found. ``usable`` is true when scripts may run here."""

    findings: tuple[Finding, ...]
    capabilities: Mapping[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """True when nothing that isolation needs is missing."""
        return bool(self.capabilities)

    @property
    def problem(self) -> str:
        """What is missing, in one line; empty when nothing is."""
        return "; ".join(f"{one.feature}: {one.detail}" for one in self.findings if not one.found and not self.usable)

    @property
    def fix(self) -> str:
        """What the operator does about it."""
        return " ".join(one.fix for one in self.findings if not one.found and one.fix and not self.usable)


async def probe_host(sandbox: Sandbox, program: str | None = None) -> HostReport:
    """Probe in order; later features are not tried when an earlier one is missing."""
    if sandbox.name == ContainerSandbox.name:
        findings = [await _engine(sandbox)]
    else:
        findings = _preconditions(program, needs_bubblewrap=sandbox.name == "bubblewrap")
    if all(one.found for one in findings):
        findings.append(await _trial(sandbox))
    capabilities = await sandbox.capabilities()
    findings += [
        Finding(name, True, capabilities.get(name, "soft"), _CGROUP_FIX if capabilities.get(name) != "hard" else "")
        for name in ("memory_limit", "process_limit", "cpu_limit")
    ]
    usable = all(one.found for one in findings)
    return HostReport(tuple(findings), capabilities if usable else {})


_DEPLOYMENT = Path(__file__).parent / "host" / "deployment"
_LINUX_FIX = (
    "Run the worker on Linux, or with SKRIPTOTEKET_RUNNER=container and an engine in SKRIPTOTEKET_CONTAINER_URL; for "
    "development alone there is skriptoteket worker --unsafe-subprocess. Browsing and authoring work anywhere."
)
_CGROUP_FIX = "For hard limits run the worker with a delegated cgroup (systemd unit with Delegate=yes) or as root."


def _preconditions(program: str | None, *, needs_bubblewrap: bool) -> list[Finding]:
    linux = sys.platform == "linux"
    findings = [Finding("linux", linux, sys.platform, _LINUX_FIX)]
    if needs_bubblewrap:
        findings.append(_bubblewrap(program or shutil.which("bwrap")))
    there = shipped_filter() is not None
    machine = platform.machine()
    findings.append(
        Finding("seccomp_filter", there, machine, f"No filter is shipped for {machine}; use x86_64 or aarch64.")
    )
    spaces = _number("/proc/sys/user/max_user_namespaces")
    findings.append(
        Finding(
            "user_namespaces",
            spaces is None or spaces > 0,
            f"user.max_user_namespaces={spaces}",
            "Allow them: sysctl -w user.max_user_namespaces=15000",
        )
    )
    return findings


async def _engine(sandbox: Sandbox) -> Finding:
    problem = "" if await sandbox.capabilities() else await _missing(sandbox)
    fix = (
        "Start Docker or Podman, name its socket in SKRIPTOTEKET_CONTAINER_URL (unix:///run/docker.sock), let the "
        "worker's user open it, and make the image: skriptoteket environment build --image"
    )
    return Finding("container_engine", not problem, problem or "answers, and has the image", fix)


async def _missing(sandbox: Sandbox) -> str:
    asked = sandbox.first if isinstance(sandbox, EnvironmentSandboxes) else sandbox
    return await asked.missing() if isinstance(asked, ContainerSandbox) else ""


def _bubblewrap(program: str | None) -> Finding:
    detail = program or "no program bwrap in PATH"
    return Finding("bubblewrap", program is not None, detail, "Install it: apt-get install bubblewrap")


async def _trial(sandbox: Sandbox) -> Finding:
    limits = Limits(wall_seconds=20)
    spec = RunSpec(RunId(uuid.uuid4()), 0, "", _PROBE, "run_tool", {"entrypoint": "run_tool"}, (), limits)
    printed = b""
    try:
        handle = await sandbox.start(spec)
    except SandboxFailed as problem:
        return Finding("isolation", False, str(problem), _trial_fix())
    try:
        async for event in sandbox.events(handle):
            if isinstance(event, Printed):
                printed += event.data
            if isinstance(event, Exited) and event.code != 0:
                return Finding("isolation", False, printed.decode(errors="replace").strip()[-500:], _trial_fix())
    finally:
        await sandbox.destroy(handle)
    missing = [name for name in _EXPECTED if name.encode() not in printed]
    detail = f"missing: {', '.join(missing)}" if missing else "tried in a throw-away sandbox"
    return Finding("isolation", not missing, detail, _trial_fix())


def _trial_fix() -> str:
    restricted = _number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted:
        return (
            "AppArmor keeps unprivileged programs from making namespaces: install the profile "
            f"{_DEPLOYMENT / 'apparmor.profile'}, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if _number("/proc/sys/kernel/unprivileged_userns_clone") == 0:
        return "Allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1"
    return (
        "See the detail; in a container allow namespaces and a /proc of its own as "
        f"{_DEPLOYMENT / 'worker.compose.yaml'} does (seccomp=nested.json, systempaths=unconfined; in a pod procMount: "
        "Unmasked with hostUsers: false), and "
        "install Python where other users can read it."
    )


def _number(file: str) -> int | None:
    try:
        return int(Path(file).read_text())  # factory: allow Y03 -- a file of /proc, which the kernel answers at once
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class RunnerChoice:
    """What an operator may say about runners. ``environments`` has the folder of packages of each environment, ``None``
    for the standard library alone; ``container_url`` is ``None`` where no engine is to be used."""

    runner: str = "auto"
    timezone: str = "Europe/Stockholm"
    environments: Mapping[str, Path | None] = field(default_factory=lambda: {"standard@1": None})
    warm_slots: int = 2
    zygote_max_runs: int = 1000
    zygote_max_minutes: int = 60
    slot_uids: range = range(61_000, 61_512)
    container_url: str | None = None
    container_repository: str = REPOSITORY
    container_runtime: str | None = None


def runner_of(name: str, state_dir: Path, choice: RunnerChoice) -> Sandbox | None:
    """One runner by its name; ``None`` for containers where no engine is named.

    Each environment has a sandbox with a folder and with users of its own.
    """
    if name == "container" and choice.container_url is None:
        return None
    share = len(choice.slot_uids) // len(choice.environments)
    sandboxes: dict[str, Sandbox] = {}
    for place, environment in enumerate(choice.environments):
        folder = state_dir / "environments" / environment if place else state_dir
        uids = choice.slot_uids[place * share : (place + 1) * share]
        sandboxes[environment] = _sandbox_of(name, folder, choice, environment, uids)
    return EnvironmentSandboxes(sandboxes) if len(sandboxes) > 1 else sandboxes[next(iter(sandboxes))]


def _sandbox_of(name: str, state_dir: Path, choice: RunnerChoice, environment: str, uids: range) -> Sandbox:
    packages = choice.environments[environment]
    if name == "zygote":
        return ZygoteSandbox(
            state_dir,
            timezone=choice.timezone,
            packages=packages,
            warm_slots=choice.warm_slots,
            max_runs=choice.zygote_max_runs,
            max_seconds=choice.zygote_max_minutes * 60,
            slot_uids=uids,
        )
    if name == "bubblewrap":
        return BubblewrapSandbox(state_dir, packages=packages, slot_uids=uids)
    return ContainerSandbox(
        state_dir,
        choice.container_url or "",
        repository=choice.container_repository,
        runtime=choice.container_runtime,
        environment=environment,
        slot_uids=uids,
    )


async def choose_sandbox(state_dir: Path, choice: RunnerChoice | None = None) -> tuple[Sandbox, HostReport]:
    """The runner that was asked for, or with ``auto`` the first that works here: zygote, bubblewrap, container.

    The report says whether it is usable; ``auto`` answers with bubblewrap's report when none is.

    Raises:
        ValueError: containers were asked for, and no engine is named.
    """
    wanted = RunnerChoice() if choice is None else choice
    kept: tuple[Sandbox, HostReport] | None = None
    for name in RUNNERS if wanted.runner == "auto" else (wanted.runner,):
        sandbox = runner_of(name, state_dir, wanted)
        if sandbox is None:
            continue
        report = await probe_host(sandbox)
        if report.usable:
            return sandbox, report
        await sandbox.close()
        if kept is None or name == "bubblewrap":
            kept = (sandbox, report)
    if kept is None:
        raise ValueError("container_url: name the engine's socket to use the container runner")
    return kept


def default_sandbox(state_dir: Path) -> BubblewrapSandbox:
    """The cold runner."""
    return BubblewrapSandbox(state_dir)
