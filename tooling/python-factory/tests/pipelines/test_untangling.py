"""What a command did is taken back, and what the owner did since is kept."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Factory = Callable[..., Result]
ROUTER = "packages/au-sys-notes/src/au_sys_notes/adapters/api/router.py"
ENDPOINT = ("endpoint", "POST", "/{note_id}/archive", "--verb", "archive", "--authenticated")


def test_later_edits_elsewhere_are_kept(run: Factory, house: Path) -> None:
    """A plain undo is refused and names the way out; with --merge the factory's lines go, the owner's stay."""
    router = house / ROUTER
    before = router.read_text()
    run("add", *ENDPOINT, "--no-sync")
    router.write_text(router.read_text().replace('"""Every route for programs."""', '"""Mine."""'))
    refused = run("undo", "--no-sync")
    assert refused.exit_code == 4
    assert "undo --merge" in refused.output
    assert run("undo", "--merge", "--no-sync").exit_code == 0
    assert router.read_text() == before.replace('"""Every route for programs."""', '"""Mine."""')
    assert not (house / "packages/au-sys-notes/src/au_sys_notes/core/notes/archiving.py").exists()


def test_edits_of_the_same_lines_are_a_conflict(run: Factory, house: Path) -> None:
    """Exit 3, the file is named, nothing is written."""
    router = house / ROUTER
    run("add", *ENDPOINT, "--no-sync")
    edited = router.read_text().replace("async def archive_note(", "async def put_away(")
    router.write_text(edited)
    refused = run("undo", "--merge", "--no-sync")
    assert (3, edited) == (refused.exit_code, router.read_text())
    assert ROUTER in refused.output
