"""Build a run's file system and give up every privilege, then become bubblewrap.

A program of its own, started by the worker as ``python -I -S launcher.py CONTROL`` and importing nothing of this
package: it must be single-threaded, because it changes namespaces and users. CONTROL is a SOCK_SEQPACKET socket on
which it

1. receives its plan (JSON), 2. makes the workspace, a tmpfs without a path on the host, and sends its descriptor,
3. waits for ``staged`` - the worker has put the inputs in and moved this process into its cgroup,
4. mounts a view of what the script may read, drops to the run's own user, and executes bubblewrap, which passes the
   socket on to the entry code.

On any failure it sends ``{"error": …}`` and exits with 125.
"""

import ctypes
import json
import os
import resource
import socket
import sys

_NEWNS, _NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
_FSOPEN, _FSCONFIG, _FSMOUNT, _MOVE_MOUNT = 430, 431, 432, 429
_FSCONFIG_SET_STRING, _FSCONFIG_CMD_CREATE = 1, 6
_ATTRIBUTES = 0x2 | 0x4  # nosuid, nodev
_MOVE_EMPTY_PATH = 0x4
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9
_AT_FDCWD = -100
_STAGE = "/tmp"  # noqa: S108 - covered at once by a private mount that only this process and its children see

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _syscall(what: str, number: int, *arguments: object) -> int:
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), what)


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _checked(result, f"mount {kind or source} on {target}")


def _enter_namespaces(own_user: bool) -> None:
    uid, gid = os.getuid(), os.getgid()
    _checked(_libc.unshare(_NEWNS | (0 if own_user else _NEWUSER)), "unshare")
    if not own_user:
        for file, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as stream:
                stream.write(text)
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", _STAGE, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=0755")


def _workspace(size: int, inodes: int) -> int:
    context = _syscall("fsopen", _FSOPEN, b"tmpfs", 0)
    options = (("size", size), ("nr_inodes", inodes), ("mode", "0755"))
    for key, value in options:
        text = str(value).encode()
        _syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_SET_STRING, key.encode(), text, 0)
    _syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0)
    root = _syscall("fsmount", _FSMOUNT, context, 0, _ATTRIBUTES)
    os.close(context)
    os.mkdir(f"{_STAGE}/workspace")
    target = f"{_STAGE}/workspace".encode()
    _syscall("move_mount", _MOVE_MOUNT, root, b"", _AT_FDCWD, target, _MOVE_EMPTY_PATH)
    return root


def _folders(root: int, uid: int | None, gid: int | None) -> None:
    for name in ("stage", "stage/input", "work", "work/output"):
        os.mkdir(name, 0o755, dir_fd=root)
        if uid is not None and gid is not None and name.startswith("work"):
            os.chown(name, uid, gid, dir_fd=root)


def _view(paths: list[list[str]]) -> None:
    # Bound here, while still privileged: the run's own user may not pass through every folder above the interpreter.
    for source, place in paths:
        target = f"{_STAGE}/{place}"
        if os.path.isdir(source):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        _mount(source, target, "", _MS_BIND | _MS_REC)


def _give_up(uid: int | None, gid: int | None, limits: dict[str, int], parent: int) -> None:
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if uid is not None and gid is not None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        raise OSError("the worker is gone")


def _launch(control: socket.socket, plan: dict) -> None:  # type: ignore[type-arg]  # JSON from the worker; typing would cost start-up time
    uid, gid = plan["uid"], plan["gid"]
    _enter_namespaces(own_user=uid is not None)
    root = _workspace(plan["workspace_bytes"], plan["inodes"])
    _folders(root, uid, gid)
    socket.send_fds(control, [b'{"workspace": true}'], [root])
    os.close(root)
    if control.recv(64) != b"staged":
        raise OSError("the worker gave up before the inputs were in place")
    _view(plan["view"])
    _give_up(uid, gid, plan["rlimits"], plan["parent"])
    os.execve(plan["argv"][0], plan["argv"], plan["environment"])  # noqa: S606 - no shell is wanted


def main() -> None:
    """Launch one run; returns only by failing."""
    control = socket.socket(fileno=int(sys.argv[1]))
    try:
        _launch(control, json.loads(control.recv(1 << 20)))
    except (OSError, ValueError, KeyError) as problem:
        control.send(json.dumps({"error": str(problem)}).encode())
    os._exit(125)


if __name__ == "__main__":
    main()
