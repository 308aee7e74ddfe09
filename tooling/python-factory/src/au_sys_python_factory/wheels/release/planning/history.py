"""What git knows: tags of a distribution, files that changed since, the state of the tree."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

from au_sys_python_factory.errors import Missing, Refused

NOT_RELEASED = ("changes/", "tests/", "CHANGELOG.md")
"""Below a member's folder: what a user of the distribution never gets."""


def git(root: Path, *arguments: str, given: str | None = None) -> str:
    """Run git in the repository and return what it wrote.

    Raises:
        Refused: with git's own words.
        Missing: there is no git.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _IDENTITY}
    try:
        done = subprocess.run(  # noqa: S603 (git, with arguments of our own)
            ["git", "-C", str(root), *arguments],  # noqa: S607 (the one on PATH is the user's)
            capture_output=True,
            text=True,
            input=given,
            env={**kept, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError:
        raise Missing("git is not installed", fix="apt-get install git") from None
    if done.returncode != 0:
        raise Refused(f"git {arguments[0]} failed: {(done.stderr or done.stdout).strip()}", where=str(root))
    return done.stdout


_IDENTITY = frozenset(
    {f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE")}
    | {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"}
)
"""A caller may say who commits; which repository is meant, we say."""


def tag_of(dist: str, version: str) -> str:
    """How a release of a distribution is tagged."""
    return f"{dist}/v{version}"


def tags_of(root: Path, dist: str, *, merged: bool) -> list[Version]:
    """The released versions of a distribution, lowest first; ``merged``: only those in the history of HEAD."""
    prefix = f"{dist}/v"
    options = ["--merged", "HEAD"] if merged else []
    found = []
    for line in git(root, "tag", "--list", f"{prefix}*", *options).splitlines():
        try:
            found.append(Version(line.removeprefix(prefix)))
        except InvalidVersion:
            continue
    return sorted(found)


def changed_since(root: Path, tag: str, folder: Path) -> list[str]:
    """Files of a member, as seen from its folder, that differ from the tag; what is not released does not count."""
    relative = folder.relative_to(root).as_posix()
    listed = git(root, "diff", "--name-only", tag, "--", relative).splitlines()
    listed += git(root, "ls-files", "--others", "--exclude-standard", "--", relative).splitlines()
    inside = sorted({path.removeprefix(f"{relative}/") for path in listed})
    return [path for path in inside if not path.startswith(NOT_RELEASED)]


def unpack(root: Path, tag: str, folder: Path, target: Path) -> bool:
    """Put a folder as it was at a tag below ``target``; false when it was not there."""
    relative = folder.relative_to(root).as_posix()
    if not git(root, "ls-tree", "-d", "--name-only", tag, "--", relative).strip():
        return False
    archive = subprocess.run(  # noqa: S603 (git, with arguments of our own)
        ["git", "-C", str(root), "archive", "--format=tar", tag, "--", relative],  # noqa: S607 (as above)
        capture_output=True,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tape:
        tape.extractall(target, filter="data")
    return True


def branch(root: Path) -> str:
    """The branch that is checked out; "" for a detached HEAD."""
    return git(root, "branch", "--show-current").strip()


def dirty(root: Path) -> Sequence[str]:
    """Paths that differ from HEAD, new ones included."""
    return [line[3:] for line in git(root, "status", "--porcelain").splitlines()]


def commit_of(root: Path, name: str) -> str:
    """The commit that a name stands for."""
    return git(root, "rev-parse", "--verify", f"{name}^{{commit}}").strip()
