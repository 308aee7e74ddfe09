"""Build the root that a zygote and all its slots live in, give up every privilege, then become the zygote.

Started by the worker as ``python -I -S zygote_root.py CONTROL``; the plan comes over CONTROL as for launcher.py.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.abspath(__file__).rsplit("/", 5)[0])

from skriptoteket.adapters.sandbox.inside import kernel
from skriptoteket.adapters.sandbox.inside.launcher import enter_own_mounts, give_up, serve, show

_ROOT = "/tmp/root"  # noqa: S108 - in the launcher's private mount
_DEVICES = ("null", "zero", "full", "random", "urandom")
_EMPTY = ("job", "tmp", "proc", "workspace")
_KEPT = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC


def _launch(control: socket.socket, plan: dict) -> None:  # type: ignore[type-arg]  # JSON from the worker
    uid, gid = plan["uid"], plan["gid"]
    opened = enter_own_mounts(uid is not None, [source for source, _ in plan["view"]])
    os.mkdir(_ROOT)
    kernel.mount("tmpfs", _ROOT, "tmpfs", kernel.MS_NOSUID, "size=1m,mode=0755")
    for source, (_, target) in zip(opened, plan["view"], strict=True):
        show(source, _ROOT + target)
        _lock(_ROOT + target)
    for folder in plan["hidden"]:
        kernel.mount("tmpfs", _ROOT + folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_RDONLY, "size=4k,mode=0755")
    for target, link in plan["links"]:
        os.makedirs(os.path.dirname(_ROOT + link), exist_ok=True)
        os.symlink(target, _ROOT + link)
    for name in _EMPTY:
        os.mkdir(f"{_ROOT}/{name}")
    os.makedirs(f"{_ROOT}/dev/shm")  # noqa: S108 - the slot's own
    for device in _DEVICES:
        show(os.open(f"/dev/{device}", os.O_PATH | os.O_CLOEXEC), f"{_ROOT}/dev/{device}")
    # The host's /proc, for the zygote only: the kernel asks for it before a slot may mount its own over it.
    kernel.mount("/proc", f"{_ROOT}/proc", "", kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("none", _ROOT, "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID)
    kernel.change_root(_ROOT)
    give_up(uid, gid, plan["rlimits"], plan["parent"])
    os.execve(plan["argv"][0], plan["argv"], plan["environment"])  # noqa: S606 - no shell is wanted


def _lock(target: str) -> None:
    # Flags that the source has cannot be taken away in a user namespace, so they are asked for again.
    flags = os.statvfs(target).f_flag & _KEPT | kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("none", target, "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | flags)


if __name__ == "__main__":
    serve(_launch)
