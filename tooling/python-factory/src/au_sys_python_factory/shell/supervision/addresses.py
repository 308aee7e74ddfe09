"""TCP addresses: is one free, which one is free, and who holds it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody holds at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        number: int = probe.getsockname()[1]
    return number


def holder(port: int) -> str:
    """Who listens on a port, as far as this user may see: "python (process 4711)", or what is known instead."""
    inodes = _listening_inodes(port)
    if not inodes:
        return "a process that this user may not see"
    for process in Path("/proc").glob("[0-9]*"):
        if _holds(process, inodes):
            return f"{_name(process)} (process {process.name})"
    return "a process of another user"


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("utf-8").splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        folder = process / "fd"
        return any(os.readlink(folder / number) in inodes for number in os.listdir(folder))
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8").strip()
    except OSError:
        return "a process"
