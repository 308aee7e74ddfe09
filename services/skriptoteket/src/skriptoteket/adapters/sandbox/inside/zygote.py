"""A warm interpreter: imports an environment once, then forks a slot for every script into namespaces of its own.

Started by zygote_root.py as ``zygote.py CONTROL`` with an empty environment and without any privilege; it never held a
secret. On CONTROL it is told the modules to import, answers ``warm``, and then forks a slot for every request, whose
descriptors come along: channel, stdout, stderr, status and, where the worker could make it, the workspace.

A slot is three processes: the outer one makes the namespaces and waits; the first one inside builds the file system,
gives up everything and waits; the second one is the script's. Only the first one can write to status.
"""

import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import NoReturn

sys.path.insert(0, "/runner")
sys.path.append("/environment")
sys.path.insert(0, os.path.abspath(__file__).rsplit("/", 5)[0])

import entrypoint  # type: ignore[import-not-found]  # the entry code of script contract 1, found at /runner

from skriptoteket.adapters.sandbox.inside import kernel

_INSIDE = 1000
_SIGKILL = 9
_SPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
_STAGED = ("script.py", "request.json", "input")
_PACKET = 1 << 16


def main() -> None:
    """Serve until the worker hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    order = json.loads(control.recv(_PACKET))
    for name in order["modules"]:
        with suppress(ImportError):  # an environment without it serves every script that does not need it
            importlib.import_module(name)
    with open("/filter.bpf", "rb") as stream:
        program = stream.read()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    control.send(b"warm")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _PACKET, 8)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            _guarded_slot(json.loads(message), list(descriptors), program)
        for descriptor in descriptors:
            os.close(descriptor)


def _guarded_slot(plan: dict, descriptors: list[int], program: bytes) -> NoReturn:  # type: ignore[type-arg]  # JSON
    channel = socket.socket(fileno=descriptors[0])
    try:
        _slot(plan, channel, descriptors, program)
    except (OSError, ValueError, KeyError) as problem:
        with suppress(OSError):
            channel.send(json.dumps({"error": str(problem)}).encode())
    os._exit(125)


def _slot(plan: dict, channel: socket.socket, descriptors: list[int], program: bytes) -> None:  # type: ignore[type-arg]  # JSON
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    outside, zygote = (os.getuid(), os.getgid()), os.getppid()
    _ask(channel, json.dumps({"pid": os.getpid()}).encode(), b"placed")
    kernel.unshare(_SPACES)
    if plan["mapped_by_worker"]:
        _ask(channel, b"unshared", b"mapped")
    else:
        kernel.map_user(os.getpid(), (_INSIDE, _INSIDE), outside)
    os.setresgid(_INSIDE, _INSIDE, _INSIDE)
    os.setresuid(_INSIDE, _INSIDE, _INSIDE)
    # Only now: a change of user takes the parent-death signal away.
    kernel.prctl(kernel.PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != zygote:
        raise OSError("the zygote is gone")
    told, telling = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(telling)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, _SIGKILL)
        os.read(told, 1)
        os.close(told)
        _first(plan, channel, descriptors, program)
    process = os.pidfd_open(first)
    socket.send_fds(channel, [b'{"first": true}'], [process])
    os.closerange(3, 256)
    os.waitpid(first, 0)
    os._exit(0)


def _ask(channel: socket.socket, question: bytes, answer: bytes) -> None:
    channel.send(question)
    if channel.recv(64) != answer:
        raise OSError("the worker gave up on this slot")


def _first(plan: dict, channel: socket.socket, descriptors: list[int], program: bytes) -> NoReturn:  # type: ignore[type-arg]  # JSON
    _, out, err, status, *given = descriptors
    root = given[0] if given else kernel.make_workspace(plan["workspace_bytes"], plan["inodes"])
    if not given:
        kernel.make_folders(root, None, None)
        socket.send_fds(channel, [b'{"workspace": true}'], [root])
    _mount_all(plan, root)
    kernel.set_host_name("sandbox")
    os.chdir("/job")
    for name, value in plan["rlimits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    kernel.drop_capabilities()
    # Not dumpable: the script has the same user, and may not reach this process through /proc.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.install_filter(program)
    second = os.fork()
    if second == 0:
        os.close(status)
        _script(channel.fileno(), out, err, plan["processes"])
    for descriptor in (channel.detach(), out, err):
        os.close(descriptor)
    while True:
        ended, how = os.wait()
        if ended == second:
            os.write(status, struct.pack("=i", os.waitstatus_to_exitcode(how)))
            os._exit(0)


def _mount_all(plan: dict, root: int) -> None:  # type: ignore[type-arg]  # JSON from the worker
    kernel.attach(root, "/workspace")
    os.close(root)
    kernel.mount("/workspace/work", "/job", "", kernel.MS_BIND)
    for name in _STAGED:
        kernel.bind_read_only(f"/workspace/stage/{name}", f"/job/{name}")
    kernel.detach("/workspace")
    quiet = kernel.MS_NOSUID | kernel.MS_NODEV
    for folder, size in (("/tmp", plan["tmp_bytes"]), ("/dev/shm", plan["shm_bytes"])):  # noqa: S108 - the slot's own
        kernel.mount("tmpfs", folder, "tmpfs", quiet, f"size={size},nr_inodes={plan['inodes']},mode=1777")
    kernel.mount("proc", "/proc", "proc", quiet | kernel.MS_NOEXEC)


def _script(channel: int, out: int, err: int, processes: int) -> NoReturn:
    os.setsid()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    nothing = os.open("/dev/null", os.O_RDONLY)
    for descriptor, number in ((nothing, 0), (out, 1), (err, 2), (channel, 3)):
        os.dup2(descriptor, number)
    os.closerange(4, 256)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
    sys.argv = ["entrypoint.py", "/job", "3", str(processes)]
    code = 1
    try:
        code = entrypoint.main()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
