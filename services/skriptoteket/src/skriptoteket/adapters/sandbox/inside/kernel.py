"""The system calls that Python does not offer: namespaces, mounts, capabilities, filters.

Numbers above 423 are the same on every architecture (linux/unistd.h); pivot_root is looked up by machine.
"""

import ctypes
import errno
import os
import struct

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 0x1, 0x2, 0x4, 0x8, 0x20, 0x1000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_FSOPEN, _FSCONFIG, _FSMOUNT, _MOVE_MOUNT = 430, 431, 432, 429
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CLONE = {"x86_64": 56, "aarch64": 220}
_SIGCHLD = 17
_FSCONFIG_SET_STRING, _FSCONFIG_CMD_CREATE = 1, 6
_ATTRIBUTES = 0x2 | 0x4  # nosuid, nodev
_MOVE_EMPTY_PATH = 0x4
_MNT_DETACH = 2
_AT_FDCWD = -100
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _syscall(what: str, number: int, *arguments: object) -> int:
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), what)


def unshare(flags: int) -> None:
    """New namespaces for this process (and, for processes, for its children)."""
    _checked(_libc.unshare(flags), "unshare")


def clone(spaces: int) -> int:
    """Fork straight into new namespaces; 0 in the child. Only for a process with one thread that stays small.

    The child skips what os.fork() does in children, so it must use neither threads nor random numbers.
    """
    number = _CLONE[os.uname().machine]
    return _syscall("clone", number, ctypes.c_ulong(spaces | _SIGCHLD), None, None, None, None)


def join(space: int) -> None:
    """Enter the namespace that a descriptor stands for (for processes: its later children do)."""
    _checked(_libc.setns(space, 0), "setns")


def prctl(option: int, first: int = 0, second: int = 0) -> None:
    """One option of this process."""
    _checked(_libc.prctl(option, ctypes.c_ulong(first), ctypes.c_ulong(second), 0, 0), f"prctl {option}")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2)."""
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _checked(result, f"mount {kind or source} on {target}")


def bind_read_only(source: str, target: str) -> None:
    """Show a file or folder in another place, without any way to write through it."""
    mount(source, target, "", MS_BIND | MS_REC)
    mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def detach(target: str) -> None:
    """Take a mount away, also while it is in use."""
    _checked(_libc.umount2(target.encode(), _MNT_DETACH), f"umount {target}")


def change_root(folder: str) -> None:
    """Make a mounted folder the root of this mount namespace and take the old one away."""
    os.chdir(folder)
    number = _PIVOT_ROOT[os.uname().machine]
    _syscall("pivot_root", number, b".", b".")
    detach(".")
    os.chdir("/")


def make_workspace(size: int, inodes: int, owner: int | None = None) -> int:
    """A tmpfs that is mounted nowhere, as a descriptor; closing it removes everything. ``owner`` owns its root.

    Raises:
        OSError: without CAP_SYS_ADMIN in the own user namespace, or on a kernel before 5.2.
    """
    context = _syscall("fsopen", _FSOPEN, b"tmpfs", 0)
    options = [("size", size), ("nr_inodes", inodes), ("mode", "0755")]
    options += [] if owner is None else [("uid", owner), ("gid", owner)]
    for key, value in options:
        text = str(value).encode()
        _syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_SET_STRING, key.encode(), text, 0)
    _syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0)
    root = _syscall("fsmount", _FSMOUNT, context, 0, _ATTRIBUTES)
    os.close(context)
    return root


def attach(detached: int, target: str) -> None:
    """Mount a detached mount at a path."""
    _syscall("move_mount", _MOVE_MOUNT, detached, b"", _AT_FDCWD, target.encode(), _MOVE_EMPTY_PATH)


def make_folders(root: int, uid: int | None, gid: int | None) -> None:
    """The folders of a workspace, with the places that the staged files will be shown at.

    ``work`` belongs to the run's own user, ``stage`` to whoever makes it.
    """
    for name in ("stage", "stage/input", "work", "work/input", "work/output"):
        os.mkdir(name, dir_fd=root)
        os.chmod(name, 0o755, dir_fd=root)  # noqa: S103 - whatever the umask is, the run's own user must pass
        if uid is not None and gid is not None and name in ("work", "work/output"):
            os.chown(name, uid, gid, dir_fd=root)
    for name in ("script.py", "request.json"):
        for folder in ("stage", "work"):
            descriptor = os.open(f"{folder}/{name}", os.O_CREAT | os.O_WRONLY, dir_fd=root)
            os.fchmod(descriptor, 0o644)
            os.close(descriptor)


def map_user(pid: int, inside: tuple[int, int], outside: tuple[int, int], count: int = 1) -> None:
    """Map ``count`` users and groups, as (uid, gid), into a process's user namespace; nobody else is anybody there.

    Raises:
        OSError: the caller may not map them.
    """
    lines = (
        ("setgroups", "deny"),
        ("uid_map", f"{inside[0]} {outside[0]} {count}"),
        ("gid_map", f"{inside[1]} {outside[1]} {count}"),
    )
    for file, text in lines:
        with open(f"/proc/{pid}/{file}", "w", encoding="ascii") as stream:
            stream.write(text)


def drop_capabilities() -> None:
    """Empty every capability set for good: bounding, ambient, permitted, effective, inheritable."""
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            if ctypes.get_errno() == errno.EINVAL:
                break  # past the kernel's last one
            _checked(-1, "prctl: bounding set")
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")


def install_filter(program: bytes) -> None:
    """Put a system call filter on this process and all its children, for good."""
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    held = ctypes.create_string_buffer(described, len(described))
    prctl(PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(held))


def set_host_name(name: str) -> None:
    """The name of the host in this UTS namespace."""
    raw = name.encode()
    _checked(_libc.sethostname(raw, ctypes.c_size_t(len(raw))), "sethostname")
