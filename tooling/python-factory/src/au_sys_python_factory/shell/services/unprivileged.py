"""Servers that refuse to run as root get a user without rights, and a folder that this user can reach."""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.errors import Missing, Refused

ROOT_PLACE = Path("/var/lib")
"""Where data of servers lie when root runs the shell: its state folder is closed to everybody else, also to them."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server runs as; ``name`` is "" for the present user."""

    name: str
    uid: int
    gid: int

    @property
    def as_arguments(self) -> dict[str, object]:
        """For ``subprocess``."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.name else {}


def account_for(candidates: Sequence[str]) -> Account:
    """The present user, or for root the first of the candidates that exists.

    Raises:
        Missing: none of them exists.
    """
    if os.geteuid() != 0:
        return Account("", os.geteuid(), os.getegid())
    for name in candidates:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise Missing(
        f"no user without rights to run a server as ({', '.join(candidates)})", fix=f"useradd -r {candidates[0]}"
    )


def folder_for(account: Account, services: Path, name: str) -> Path:
    """A folder that the account owns and nobody else enters; for root's shells it lies outside, with a link to it.

    Raises:
        Refused: something else is there.
    """
    link = services / name
    if not account.name:
        link.mkdir(mode=0o700, parents=True, exist_ok=True)
        return link
    number = hashlib.sha256(str(services.resolve()).encode()).hexdigest()[:12]
    folder = ROOT_PLACE / f"fsp-{name}-{number}"
    if not link.is_symlink() and folder.is_dir() and any(folder.iterdir()):
        _set_aside(folder)
    if not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
    if folder.is_symlink() or folder.stat().st_uid != account.uid:
        raise Refused(f"this folder does not belong to {account.name}", where=str(folder), fix=f"move {folder} away")
    services.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(folder)
    return folder


def _set_aside(folder: Path) -> None:
    """Data of a state folder that was removed: its passwords went with it, so they are kept and not used."""
    numbers = (number for number in range(1, 10_000) if not folder.with_name(f"{folder.name}.{number}").exists())
    folder.rename(folder.with_name(f"{folder.name}.{next(numbers)}"))
