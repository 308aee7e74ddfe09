"""Build a run's file system and give up every privilege, then become bubblewrap.

A program of its own, started by the worker as ``python -I -S launcher.py CONTROL`` and importing nothing but the
standard library and its neighbours: it must be single-threaded, because it changes namespaces and users. CONTROL is a
SOCK_SEQPACKET socket on which it

1. receives its plan (JSON), 2. forks the first process of a process namespace, tells the worker which one it is, and
   from then on only waits for its end. The first process
3. makes the workspace, a tmpfs without a path on the host, and sends its descriptor,
4. waits for ``staged`` - the worker has put the inputs in and moved this process into its cgroup,
5. mounts a view of what the script may read, drops to the run's own user, and executes bubblewrap, which passes the
   socket on to the entry code.

The namespace of our own is there because bubblewrap forks before it asks to die with its parent: killed in between, it
would leave a child that waits for ever. Everything in the namespace dies with its first process, and that with us.

On any failure it sends ``{"error": …}`` and exits with 125.
"""

import json
import os
import resource
import socket
import stat
import sys
from collections.abc import Callable

sys.path.insert(0, os.path.abspath(__file__).rsplit("/", 5)[0])

from skriptoteket.adapters.sandbox.inside import kernel

_STAGE = "/tmp"  # noqa: S108 - covered at once by a private mount that only this process and its children see
_SIGKILL = 9
_DESCRIPTORS = 1024


def enter_own_mounts(own_user: bool, sources: list[str], more: int = 0) -> list[int]:
    """A private mount namespace, and ``more`` of them, made with root's rights or with those of a new user namespace.

    Returns a descriptor for each source: opened before the stage covers ``/tmp``, where an installation may well live.
    """
    if own_user:
        kernel.unshare(kernel.CLONE_NEWNS | more)
    else:
        uid, gid = os.getuid(), os.getgid()
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWUSER | more)
        kernel.map_user(os.getpid(), (uid, gid), (uid, gid))
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    opened = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources]
    kernel.mount("tmpfs", _STAGE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=0755")
    return opened


def show(source: int, target: str) -> None:
    """Bind an opened file or folder to a place that is made for it.

    Done while still privileged: the run's own user may not pass through every folder above the interpreter.
    """
    if stat.S_ISDIR(os.fstat(source).st_mode):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    kernel.mount(f"/proc/self/fd/{source}", target, "", kernel.MS_BIND | kernel.MS_REC)
    os.close(source)


def give_up(uid: int | None, gid: int | None, limits: dict[str, int], parent: int) -> None:
    """Limits, then the unprivileged user, then the promise to die with the worker, in this order."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if uid is not None and gid is not None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:
        raise OSError("the worker is gone")


def _launch(control: socket.socket, plan: dict) -> None:  # type: ignore[type-arg]  # JSON from the worker
    opened = enter_own_mounts(plan["uid"] is not None, [source for source, _ in plan["view"]], kernel.CLONE_NEWPID)
    above, below = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    first = os.fork()
    if first == 0:
        above.close()
        _become_bubblewrap(control, plan, opened, below)
    below.close()
    socket.send_fds(control, [json.dumps({"first": first}).encode()], [os.pidfd_open(first)])
    give_up(plan["uid"], plan["gid"], {}, plan["parent"])
    if above.recv(1):
        above.send(b"+")
    os.closerange(0, _DESCRIPTORS)
    _, how = os.waitpid(first, 0)
    code = os.waitstatus_to_exitcode(how)
    os._exit(code if code >= 0 else 128 - code)


def _become_bubblewrap(control: socket.socket, plan: dict, opened: list[int], above: socket.socket) -> None:  # type: ignore[type-arg]  # JSON
    uid, gid = plan["uid"], plan["gid"]
    root = kernel.make_workspace(plan["workspace_bytes"], plan["inodes"])
    os.mkdir(f"{_STAGE}/workspace")
    kernel.attach(root, f"{_STAGE}/workspace")
    kernel.make_folders(root, uid, gid)
    socket.send_fds(control, [b'{"workspace": true}'], [root])
    os.close(root)
    if control.recv(64) != b"staged":
        raise OSError("the worker gave up before the inputs were in place")
    for source, (_, place) in zip(opened, plan["view"], strict=True):
        show(source, f"{_STAGE}/{place}")
    # Bubblewrap looks its child up by the number that it has in this namespace.
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    give_up(uid, gid, plan["rlimits"], 0)
    # Asked only now that its death would be ours: it may have died before.
    above.send(b"?")
    if above.recv(1) != b"+":
        raise OSError("the launcher is gone")
    above.close()
    os.execve(plan["argv"][0], plan["argv"], plan["environment"])  # noqa: S606 - no shell is wanted


def serve(launch: Callable[[socket.socket, dict], None]) -> None:  # type: ignore[type-arg]  # JSON from the worker
    """Receive the plan and carry it out; returns only by failing, after telling the worker why."""
    control = socket.socket(fileno=int(sys.argv[1]))
    try:
        launch(control, json.loads(control.recv(1 << 20)))
    except (OSError, ValueError, KeyError) as problem:
        control.send(json.dumps({"error": str(problem)}).encode())
    os._exit(125)


if __name__ == "__main__":
    serve(_launch)
