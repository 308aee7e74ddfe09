"""Files that differ from a commit, asked from git."""

import subprocess
from pathlib import Path

from au_sys_python_factory.errors import Missing, UsageError


def changed_files(root: Path, since: str) -> set[str]:
    """Paths from the root that differ from ``since``: committed, staged, unstaged and untracked.

    Raises:
        Missing: there is no git, or the folder is no repository.
        UsageError: git does not know the reference.
    """
    if _git(root, "rev-parse", "--is-inside-work-tree") is None:
        raise Missing(f"{root} is no git repository, or git is missing.", fix="run it in a clone with its history.")
    base = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}")
    if base is None:
        shallow = (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
        if shallow:
            raise Missing(f"this clone is shallow and lacks {since}.", fix="git fetch --unshallow")
        raise UsageError(f"git knows no commit {since}.", fix="a branch, a tag or a commit: --since main.")
    names = _git(root, "diff", "--name-only", "--no-renames", "-z", base.strip(), "--") or ""
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z") or ""
    return {name for name in (names + new).split("\0") if name}


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words, our own root
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
