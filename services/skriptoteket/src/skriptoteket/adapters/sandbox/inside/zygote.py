"""A warm interpreter: imports an environment once, then forks a process into waiting namespaces for every script.

Started by zygote_root.py as ``zygote.py CONTROL SPACES`` with an empty environment and without any privilege; it never
held a secret. It enters a user namespace of its own, so that it may join those of its slots, and leaves their making to
a small process beside it (spaces.py), which answers on SPACES. On CONTROL it is told the modules to import, answers
``warm``, and then forks a script's process for every request, whose descriptors come along: channel, stdout, stderr,
status, the namespaces to join, and the doors of its control groups.

A slot is two processes: the first one of the namespaces, and the script's, which is a child of the zygote. Only the
zygote can write to status.
"""

import importlib
import json
import os
import resource
import select
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

from skriptoteket.adapters.sandbox.inside import kernel, shared_pages, spaces
from skriptoteket.adapters.sandbox.inside.randomness import Renewal

_PACKET = 1 << 16
_CHANNEL = 3
_MOST_GROUPS = 8
_GIVEN = 4 + len(spaces.JOINED) + _MOST_GROUPS


class Zygote:
    """The warm process: what its children inherit, and which of them live."""

    def __init__(self, control: socket.socket, program: bytes, maker: int, renewal: Renewal) -> None:
        self._control = control
        self._program = program
        self._maker = maker
        self._renewal = renewal
        self._lifeline = spaces.Lifeline()
        self._status: dict[int, int] = {}
        self._woken, waking = os.pipe()
        for descriptor in (self._woken, waking):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Until the worker hangs up."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken in ready:
                with suppress(BlockingIOError):
                    os.read(self._woken, _PACKET)
                self._tell_ends()
            if self._control.fileno() in ready and not self._answer():
                return

    def _tell_ends(self) -> None:
        while True:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            if ended.si_pid == self._maker:
                os._exit(1)
            status = self._status.pop(ended.si_pid)
            code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            with suppress(OSError):
                os.write(status, struct.pack("=i", code))
            os.close(status)
            # Only now: the first process of its namespaces cannot end before this one is collected.
            os.waitpid(ended.si_pid, 0)

    def _answer(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, _PACKET, _GIVEN)
        if not message:
            return False
        channel, out, err, status, own_numbers, *rest = descriptors
        joined, groups = rest[: len(spaces.JOINED) - 1], rest[len(spaces.JOINED) - 1 :]
        try:
            kernel.join(own_numbers)
            child = os.fork()
            if child == 0:
                self._become_script(json.loads(message), channel, (out, err), joined, groups)
            self._status[child] = status
            process = os.pidfd_open(child)
            with socket.socket(fileno=os.dup(channel)) as line:
                socket.send_fds(line, [json.dumps({"pid": child}).encode()], [process])
            os.close(process)
        except OSError as problem:
            _complain(channel, problem)
        kept = set(self._status.values())
        for descriptor in descriptors:
            if descriptor not in kept:
                os.close(descriptor)
        return True

    def _become_script(
        self, plan: spaces.Plan, channel: int, streams: tuple[int, int], joined: list[int], groups: list[int]
    ) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for group in groups:
                os.write(group, b"0")
            for space in joined:
                kernel.join(space)
            kernel.unshare(kernel.CLONE_NEWCGROUP)
            os.setresgid(spaces.INSIDE, spaces.INSIDE, spaces.INSIDE)
            os.setresuid(spaces.INSIDE, spaces.INSIDE, spaces.INSIDE)
            self._lifeline.die_with_parent()
            os.chdir("/job")
            _arrange(channel, *streams)
            channel = _CHANNEL
            for name, value in plan["rlimits"].items():
                resource.setrlimit(getattr(resource, name), (value, value))
            kernel.drop_capabilities()
            kernel.install_filter(self._program)
        except (OSError, ValueError, KeyError) as problem:
            _complain(channel, problem)
            os._exit(125)
        self._renewal.in_fork()
        _script(plan["processes"])


def main() -> None:
    """Serve until the worker hangs up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, spaces.MANY),) * 2)
    control, making = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    order = json.loads(control.recv(_PACKET))
    with open("/filter.bpf", "rb") as stream:
        program = stream.read()
    _enter_own_users(control, order["mapped_by_worker"])
    maker = os.fork()
    if maker == 0:
        control.close()
        spaces.serve(making, program)
    making.close()
    renewal = Renewal()
    for name in order["modules"]:
        with suppress(ImportError):  # an environment without it serves every script that does not need it
            importlib.import_module(name)
    entrypoint.toolkit_of_scripts()
    renewal.ready()
    shared_pages.gather()
    zygote = Zygote(control, program, maker, renewal)
    control.send(b"warm")
    zygote.serve()


def _enter_own_users(control: socket.socket, mapped_by_worker: bool) -> None:
    own = (os.getuid(), os.getgid())
    kernel.unshare(kernel.CLONE_NEWUSER)
    if mapped_by_worker:
        control.send(b"unshared")
        if control.recv(64) != b"mapped":
            raise OSError("the worker could not map the users of the slots")
        return
    kernel.map_user(os.getpid(), own, own)


def _complain(channel: int, problem: Exception) -> None:
    with suppress(OSError):
        os.write(channel, json.dumps({"error": str(problem)}).encode())


def _arrange(channel: int, out: int, err: int) -> None:
    nothing = os.open("/dev/null", os.O_RDONLY)
    for descriptor, number in ((nothing, 0), (out, 1), (err, 2), (channel, _CHANNEL)):
        os.dup2(descriptor, number)
    os.closerange(_CHANNEL + 1, spaces.MANY)


def _script(processes: int) -> NoReturn:
    os.setsid()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    sys.argv = ["entrypoint.py", "/job", str(_CHANNEL), str(processes)]
    code = 1
    try:
        code = entrypoint.main()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
