"""A disk that fails, or a process that ends, at the nth change of the file system."""

import builtins
import errno
import io
import os
import shutil
from collections.abc import Callable
from typing import Any  # Any: the functions of the standard library that are wrapped

import pytest

_CHANGES = ("replace", "fsync", "mkdir", "unlink", "rmdir", "chmod")

_NEED_SPACE = ("replace", "fsync", "mkdir", "chmod")


class Killed(BaseException):
    """The process is no more: nothing may catch it, and nothing happens after it."""


class Faults:
    """Counts what changes the file system; the change number ``at`` fails. ``killed``: so does every later one."""

    def __init__(self, at: int, *, killed: bool) -> None:
        self.at = at
        self.killed = killed
        self.seen = 0
        self.over = False

    def step(self) -> None:
        """One change is about to happen."""
        self.seen += 1
        if self.killed and (self.over or self.seen == self.at):
            self.over = True
            raise Killed
        if not self.killed and self.seen == self.at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "the disk")


def install(patch: pytest.MonkeyPatch, faults: Faults) -> None:
    """Let every change of the file system ask ``faults`` first."""
    for name in _CHANGES if faults.killed else _NEED_SPACE:
        patch.setattr(os, name, _guarded(getattr(os, name), faults))
    patch.setattr(io, "open", _opening(io.open, faults))
    patch.setattr(builtins, "open", _opening(builtins.open, faults))
    if faults.killed:
        patch.setattr(shutil, "rmtree", _guarded(shutil.rmtree, faults))


def _guarded(real: Callable[..., Any], faults: Faults) -> Callable[..., Any]:
    def changed(*arguments: Any, **named: Any) -> Any:
        faults.step()
        return real(*arguments, **named)

    return changed


def _opening(real: Callable[..., Any], faults: Faults) -> Callable[..., Any]:
    def opened(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if set(mode) & set("wax+"):
            faults.step()
        return real(file, mode, *arguments, **named)

    return opened
