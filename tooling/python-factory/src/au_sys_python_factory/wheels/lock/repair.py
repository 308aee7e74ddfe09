"""Bring the public index back into ``uv.lock``: the same versions, the same hashes, other addresses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.wheels.lock.guard import find_leak, foreign_packages, hashes, public_index
from au_sys_python_factory.wheels.uv import UvFailed, run_uv


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did."""

    hosts: tuple[str, ...]
    packages: tuple[str, ...]


def repair(root: Path) -> Repaired | None:
    """Lock the affected packages again at their versions through the public index; ``None`` when nothing was foreign.

    Raises:
        Refused: a version is not on the public index, or its files differ; the lock is as it was.
    """
    leak = find_leak(root)
    if leak is None:
        return None
    path = root / "uv.lock"
    before, known, affected = path.read_bytes(), hashes(root), foreign_packages(root)
    environment = {"UV_DEFAULT_INDEX": public_index(root)}
    try:
        chosen = [part for name, version in affected.items() for part in ("--upgrade-package", f"{name}=={version}")]
        run_uv(["lock", "--quiet", *chosen], doing="locking again", folder=root, extra=environment)
        _compare(known, root, affected)
        run_uv(["lock", "--check", "--quiet"], doing="uv lock --check", folder=root, extra=environment)
    except UvFailed as error:
        path.write_bytes(before)
        raise Refused(
            f"a locked version is not on the public index; nothing was changed\n{error.sentence}", where=str(path)
        ) from None
    except BaseException:
        path.write_bytes(before)
        raise
    return Repaired(leak.hosts, tuple(sorted(affected)))


def _compare(known: dict[tuple[str, str], frozenset[str]], root: Path, affected: dict[str, str]) -> None:
    """A mirror may hold fewer files than the public index, but never others."""
    now = hashes(root)
    left = find_leak(root)
    if left is not None:
        raise Refused(f"still {left.sentence}; nothing was changed", where=str(root / "uv.lock"))
    for (name, version), before in known.items():
        after = now.get((name, version))
        if after is None:
            raise Refused(
                f"{name} {version} is not on the public index; nothing was changed", where=str(root / "uv.lock")
            )
        if not before <= after and name in affected:
            raise Refused(
                f"the files of {name} {version} on the public index are others; nothing was changed",
                where=str(root / "uv.lock"),
                fix="look at what the other index delivered before you trust it",
            )
