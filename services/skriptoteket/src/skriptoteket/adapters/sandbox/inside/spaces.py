"""Make the namespaces of slots: a small process, so that the first process of each costs next to nothing.

Forked from the zygote before it imports anything, into the zygote's user namespace. Every request brings a plan, a
dialog socket and, where the worker could make it, a workspace. The first process of the new namespaces builds the file
system, gives up everything, sends its pidfd and its namespaces to the worker, and from then on only collects orphans;
with it everything in its namespaces dies. The script's own process is forked by the zygote and joins.
"""

import json
import os
import resource
import signal
import socket
from contextlib import suppress
from typing import Any, NoReturn

from skriptoteket.adapters.sandbox.inside import kernel

Plan = dict[str, Any]  # JSON from the worker
INSIDE = 1000
MANY = 1 << 16
"""More descriptors than a zygote ever has open."""
JOINED = ("pid", "user", "net", "ipc", "uts", "mnt")
"""The namespaces that a script's process joins, in this order; the first one decides about its children only."""
_SPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
)
_STAGED = ("script.py", "request.json", "input")
_PACKET = 1 << 16
_SIGKILL = 9


class Lifeline:
    """Tells a child whether its parent still lives, also where the parent has no number in the child's namespace."""

    def __init__(self) -> None:
        self._reading, self._held = os.pipe()
        os.set_blocking(self._reading, False)

    def die_with_parent(self) -> None:
        """For a child, after its last change of user, which would take the parent-death signal away again.

        Raises:
            OSError: the parent died before the kernel could promise anything.
        """
        kernel.prctl(kernel.PR_SET_PDEATHSIG, _SIGKILL)
        os.close(self._held)
        with suppress(BlockingIOError):
            if os.read(self._reading, 1) == b"":
                raise OSError("the zygote is gone")


def serve(control: socket.socket, program: bytes) -> NoReturn:
    """Make first processes until the worker hangs up or the zygote dies; ``program`` is the system call filter."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, _SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    lifeline = Lifeline()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _PACKET, 2)
        if not message:
            os._exit(0)
        _make(json.loads(message), descriptors, program, lifeline)
        for descriptor in descriptors:
            os.close(descriptor)


def _make(plan: Plan, descriptors: list[int], program: bytes, lifeline: Lifeline) -> None:
    told, telling = os.pipe()
    try:
        first = kernel.clone(_SPACES)
        if first == 0:
            os.close(telling)
            _guarded_first(plan, descriptors, told, program, lifeline)
        own = plan["uid"]
        kernel.map_user(first, (INSIDE, INSIDE), (os.getuid(), os.getgid()) if own is None else (own, own))
        os.write(telling, b"+")
    except OSError as problem:
        _complain(descriptors[0], problem)
    finally:
        os.close(told)
        os.close(telling)


def _complain(dialog: int, problem: Exception) -> None:
    with suppress(OSError):
        os.write(dialog, json.dumps({"error": str(problem)}).encode())


def _guarded_first(plan: Plan, descriptors: list[int], told: int, program: bytes, lifeline: Lifeline) -> NoReturn:
    try:
        if os.read(told, 1) == b"+":
            _first(plan, descriptors, program, lifeline)
    except (OSError, ValueError, KeyError) as problem:
        _complain(descriptors[0], problem)
    os._exit(125)


def _first(plan: Plan, descriptors: list[int], program: bytes, lifeline: Lifeline) -> NoReturn:
    os.setresgid(INSIDE, INSIDE, INSIDE)
    os.setresuid(INSIDE, INSIDE, INSIDE)
    lifeline.die_with_parent()
    spaces = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in JOINED]
    dialog, *given = descriptors
    root = given[0] if given else kernel.make_workspace(plan["workspace_bytes"], plan["inodes"])
    if not given:
        kernel.make_folders(root, None, None)
    _mount_all(plan, root)
    kernel.set_host_name("sandbox")
    os.chdir("/")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kernel.drop_capabilities()
    # Not dumpable: the script has the same user, and may not reach this process through /proc.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.install_filter(program)
    with socket.socket(fileno=dialog) as channel:
        socket.send_fds(channel, [b"built"], [os.pidfd_open(os.getpid()), *spaces, *([] if given else [root])])
    os.closerange(0, MANY)
    while True:
        signal.pause()  # for ever: where SIGCHLD is ignored the kernel collects the orphans


def _mount_all(plan: Plan, root: int) -> None:
    kernel.attach(root, "/workspace")
    kernel.mount("/workspace/work", "/job", "", kernel.MS_BIND)
    for name in _STAGED:
        kernel.bind_read_only(f"/workspace/stage/{name}", f"/job/{name}")
    kernel.detach("/workspace")
    quiet = kernel.MS_NOSUID | kernel.MS_NODEV
    for folder, size in (("/tmp", plan["tmp_bytes"]), ("/dev/shm", plan["shm_bytes"])):  # noqa: S108 - the slot's own
        kernel.mount("tmpfs", folder, "tmpfs", quiet, f"size={size},nr_inodes={plan['inodes']},mode=1777")
    kernel.mount("proc", "/proc", "proc", quiet | kernel.MS_NOEXEC)
