"""A release is one commit with its tags, or nothing; the one on top can be taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.release.scratch import DAY, Scratch

pytestmark = pytest.mark.needs_uv
Copy = Callable[[Scratch], Scratch]


def test_apply_then_undo_leaves_no_trace(begun: Scratch, copy: Copy) -> None:
    """Commit, tags and tree are what they were; the release itself held versions, logs and tags."""
    scratch = copy(begun)
    before = scratch.state
    scratch.apply()
    assert scratch.git("tag", "--list").splitlines() == [
        "tiny-notes/v0.1.0",
        "tiny-runtime/v1.0.0",
        "tiny-shell/v1.0.0",
    ]
    assert scratch.git("cat-file", "-t", "tiny-notes/v0.1.0") == "tag"
    assert (scratch.git("status", "--porcelain"), scratch.git("branch", "--show-current")) == ("", "main")
    done = scratch.factory("undo")
    assert (done.exit_code, scratch.state) == (0, before), done.output


def test_what_is_not_ready_is_refused_and_untouched(applied: Scratch, copy: Copy) -> None:
    """Nothing to release, a dirty tree, another branch, a tag that exists."""
    scratch = copy(applied)

    def refused() -> str:
        before = scratch.state
        done = scratch.release("apply", "--date", DAY)
        assert (done.exit_code, scratch.state) == (4, before), done.output
        return done.output

    assert "no package has changes" in refused()
    scratch.write("packages/tiny-notes/changes/more.fixed.md", "More.\n")
    assert "the tree is dirty: packages/tiny-notes/changes" in refused()
    scratch.commit()
    scratch.git("switch", "--quiet", "--create", "feature")
    assert "this is feature, releases are made on main" in refused()
    scratch.git("switch", "--quiet", "main")
    scratch.git("tag", "tiny-notes/v0.1.1", "HEAD")
    assert "tiny-notes" in refused()


def test_what_was_pushed_is_not_taken_back(applied: Scratch, copy: Copy) -> None:
    """Somebody may have it already; and only a release is taken back."""
    scratch = copy(applied)
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    before = scratch.state
    done = scratch.release("undo")
    assert (done.exit_code, "the release was pushed" in done.output, scratch.state) == (4, True, before)
    scratch.write("note.txt", "more")
    scratch.commit()
    assert "the last commit is no release" in scratch.release("undo").output


def test_a_kill_between_branch_and_files_is_finished(begun: Scratch, copy: Copy) -> None:
    """The branch had moved, the files not: the next call brings them along."""
    scratch = copy(begun)
    before = scratch.git("rev-parse", "HEAD")
    scratch.apply()
    after = scratch.git("rev-parse", "HEAD")
    scratch.git("read-tree", "-m", "-u", after, before)
    scratch.write(".git/fsp-release.json", f'{{"before": "{before}", "after": "{after}"}}')
    assert scratch.git("status", "--porcelain")
    assert "no package has changes" in scratch.release("apply", "--date", DAY).output
    assert scratch.git("status", "--porcelain") == ""
