"""Carry a plan out: in a worktree beside, then branch and tags move in one transaction; nothing can half-happen."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.blueprint.state import STATE
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.wheels.lock.guard import public_index, refuse_leak
from au_sys_python_factory.wheels.members import Workspace
from au_sys_python_factory.wheels.release.applying.writing import write_release
from au_sys_python_factory.wheels.release.planning.history import branch, commit_of, dirty, git
from au_sys_python_factory.wheels.release.planning.plan import Plan, Release
from au_sys_python_factory.wheels.uv import run_uv

BRANCH = "main"
SUBJECT = "Release "
_NOTE = "fsp-release.json"


@dataclass(frozen=True, slots=True)
class Applied:
    """The commit and its tags."""

    commit: str
    tags: tuple[str, ...]


def refuse_unready(workspace: Workspace) -> None:
    """What has to be true before anything is written.

    Raises:
        Refused: dirty tree, another branch, an open upgrade, a foreign host in the lock.
    """
    root = workspace.root
    finish_interrupted(root)
    found = branch(root)
    if found != BRANCH:
        raise Refused(
            f"this is {found or 'a detached HEAD'}, releases are made on {BRANCH}", fix=f"git switch {BRANCH}"
        )
    changed = dirty(root)
    if changed:
        some = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        raise Refused(f"the tree is dirty: {some}", where=str(root), fix="commit or remove what is named")
    for member in workspace.members:
        state = member.folder / STATE
        if state.is_file() and tomllib.loads(state.read_text("utf-8")).get("template", {}).get("open_to"):
            fix = f"python-factory upgrade {member.name} --continue, or --abort"
            raise Refused(f"an upgrade of {member.name} is open", where=str(state), fix=fix)
    refuse_leak(root)


def apply(root: Path, plan: Plan, day: str) -> Applied:
    """Write versions, floors, change logs and lock; one commit; a tag for each release.

    Raises:
        Refused: the plan has problems or nothing to release; nothing was written.
    """
    if plan.problems:
        raise Refused("\n".join(problem.sentence for problem in plan.problems))
    if not plan.releases:
        raise Refused("no package has changes: there is nothing to release", where=str(root))
    for release in plan.releases:
        if git(root, "tag", "--list", release.tag).strip():
            raise Refused(f"the tag {release.tag} exists", where=str(root), fix="look what it points to")
    before = commit_of(root, "HEAD")
    with _worktree(root) as copy:
        for release in plan.releases:
            write_release(copy, release, day)
        index = public_index(copy)
        run_uv(["lock", "--quiet"], doing="locking", folder=copy, extra={"UV_DEFAULT_INDEX": index})
        refuse_leak(copy)
        git(copy, "add", "--all")
        git(copy, "commit", "--quiet", "--no-verify", "--message", _message(plan))
        commit = commit_of(copy, "HEAD")
    tags = {release.tag: _tag_object(root, release, commit) for release in plan.releases}
    _move(root, before, commit, [f"create refs/tags/{name} {number}" for name, number in tags.items()])
    return Applied(commit, tuple(tags))


def last_release(root: Path) -> tuple[str, ...]:
    """The tags of the release that HEAD is; empty when HEAD is something else."""
    if not (root / ".git").exists() or not git(root, "log", "-1", "--format=%s").startswith(SUBJECT):
        return ()
    return tuple(name for name in git(root, "tag", "--points-at", "HEAD").splitlines() if "/v" in name)


def take_back(root: Path) -> Applied:
    """Remove the release that HEAD is: its commit and its tags.

    Raises:
        Refused: HEAD is no release, the tree is dirty, or it was pushed.
    """
    finish_interrupted(root)
    tags = last_release(root)
    if not tags:
        raise Refused("the last commit is no release", where=str(root), fix="only the release on top is taken back")
    if dirty(root):
        raise Refused("the tree is dirty", where=str(root), fix="commit or remove what git status names")
    commit = commit_of(root, "HEAD")
    if git(root, "branch", "--remotes", "--contains", commit).strip():
        raise Refused("the release was pushed", where=commit[:12], fix="release a new version instead")
    _move(root, commit, commit_of(root, "HEAD~1"), [f"delete refs/tags/{name}" for name in tags])
    return Applied(commit, tags)


def finish_interrupted(root: Path) -> None:
    """Bring the files to a commit that a killed process had already moved the branch to."""
    note = _note(root)
    if not note.is_file():
        return
    told = json.loads(note.read_text("utf-8"))
    if commit_of(root, "HEAD") == told["after"]:
        git(root, "read-tree", "-m", "-u", told["before"], told["after"])
    note.unlink()


def _move(root: Path, before: str, after: str, tags: list[str]) -> None:
    note = _note(root)
    note.write_text(json.dumps({"before": before, "after": after}), "utf-8")
    orders = [f"update refs/heads/{branch(root)} {after} {before}", *tags]
    git(root, "update-ref", "--stdin", given="".join(f"{order}\n" for order in orders))
    git(root, "read-tree", "-m", "-u", before, after)
    note.unlink()


def _note(root: Path) -> Path:
    return Path(git(root, "rev-parse", "--absolute-git-dir").strip()) / _NOTE


@contextlib.contextmanager
def _worktree(root: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fsp-release-"))
    copy = folder / "tree"
    try:
        git(root, "worktree", "add", "--quiet", "--detach", str(copy), "HEAD")
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        git(root, "worktree", "prune")


def _message(plan: Plan) -> str:
    names = ", ".join(f"{release.name} {release.version}" for release in plan.releases)
    lines = [f"{release.name} {release.version}: {'; '.join(release.reasons)}" for release in plan.releases]
    return f"{SUBJECT}{names}\n\n" + "\n".join(lines)


def _tag_object(root: Path, release: Release, commit: str) -> str:
    who = git(root, "var", "GIT_COMMITTER_IDENT").strip()
    text = f"object {commit}\ntype commit\ntag {release.tag}\ntagger {who}\n\n{release.name} {release.version}\n"
    return git(root, "mktag", given=text).strip()
