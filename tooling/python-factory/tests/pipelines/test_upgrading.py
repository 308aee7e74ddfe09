"""A package between two template versions: the second one is made here, from the first."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from au_sys_python_factory.blueprint.rendering import TEMPLATES
from au_sys_python_factory.blueprint.state import STATE, read_state
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.pipelines.upgrading import Upgrade, plan_upgrade, upgrade
from au_sys_python_factory.plan.apply import apply, writing
from au_sys_python_factory.workspace.members import Member, find_workspace

Command = Callable[..., Result]
README = "README.md"
CREATING = "src/au_sys_notes/core/notes/creating.py"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Two versions: the second one has another heading, one file more and one less."""
    folder = tmp_path / "templates"
    shutil.copytree(TEMPLATES / "capability" / "v1", folder / "capability" / "v1")
    shutil.copytree(TEMPLATES / "capability" / "v1", folder / "capability" / "v2")
    second = folder / "capability" / "v2"
    readme = second / "README.md.jinja"
    readme.write_text(readme.read_text() + "\n## From the second version\n\nMore to read.\n")
    (second / "NOTICE.md.jinja").write_text("{{ names.dist }}\n")
    (second / "tests/core/__many__/test_removing.py.jinja").unlink()
    return folder


def member_of(root: Path) -> Member:
    """The package, read anew."""
    return next(item for item in find_workspace(root).members if item.dist == "au-sys-notes")


def upgraded(root: Path, templates: Path, *, marks: bool = False) -> Upgrade:
    """Plan and apply."""
    member = member_of(root)
    tracked = read_state(member)
    assert tracked is not None
    found = upgrade(member, tracked, None, marks=marks, templates=templates)
    with writing(root):
        apply(root, plan_upgrade(find_workspace(root), (found,), "upgrade au-sys-notes"))
    return found


def kinds(found: Upgrade) -> dict[str, str]:
    """Outcome by path, quiet ones left out."""
    return {item.path: item.kind for item in found.told}


def test_an_untouched_package_becomes_the_new_version(house: Path, templates: Path) -> None:
    """New content, a new file, a dropped one, and state of the new version."""
    found = upgraded(house, templates)
    expected = {README: "new content", "NOTICE.md": "created", "tests/core/notes/test_removing.py": "deleted"}
    assert expected == kinds(found)
    state = read_state(member_of(house))
    assert state is not None
    assert state.version == "2"
    assert (member_of(house).path / "NOTICE.md").read_text() == "au-sys-notes\n"
    assert upgraded(house, templates).verdict == "up to date"


def test_the_owners_edits_stay(house: Path, templates: Path) -> None:
    """An edit elsewhere in a changed file, an edit in an unchanged one, a deleted file and a file of his own."""
    package = member_of(house).path
    readme = package / README
    readme.write_text("<!-- mine -->\n" + readme.read_text())
    (package / CREATING).write_text((package / CREATING).read_text() + "\nMINE = 1\n")
    (package / "own.md").write_text("own\n")
    found = upgraded(house, templates)
    assert kinds(found)[README] == "merged"
    text = readme.read_text()
    assert text.startswith("<!-- mine -->\n")
    assert text.endswith("More to read.\n")
    assert (package / CREATING).read_text().endswith("MINE = 1\n")
    assert (package / "own.md").read_text() == "own\n"


def test_line_ends_and_byte_order_mark_of_the_owner_stay(house: Path, templates: Path) -> None:
    """A file saved on Windows is merged and stays one."""
    readme = member_of(house).path / README
    readme.write_bytes(b"\xef\xbb\xbf" + b"mine\r\n" + readme.read_bytes().replace(b"\n", b"\r\n"))
    upgraded(house, templates)
    after = readme.read_bytes()
    assert after.startswith(b"\xef\xbb\xbfmine\r\n")
    assert after.endswith(b"More to read.\r\n")
    assert after.count(b"\n") == after.count(b"\r\n")


def test_a_file_that_is_no_text_is_refused_by_name(house: Path, templates: Path) -> None:
    """No traceback and nothing written: the file, the byte and the way on."""
    readme = member_of(house).path / README
    readme.write_bytes("Grüße\n".encode("latin-1"))
    with pytest.raises(Refused, match=r"README\.md: not UTF-8 at byte 2"):
        upgraded(house, templates)
    assert "Grüße\n".encode("latin-1") == readme.read_bytes()


def clash(house: Path) -> Path:
    """The owner writes where the second version writes."""
    readme = member_of(house).path / README
    readme.write_text(readme.read_text() + "\n## My own end\n")
    return readme


def test_a_conflict_leaves_the_package_alone(house: Path, templates: Path) -> None:
    """Nothing is written, not even what could be merged."""
    readme = clash(house)
    before = {path: path.read_bytes() for path in member_of(house).path.rglob("*") if path.is_file()}
    found = upgraded(house, templates)
    assert (found.verdict, kinds(found)[README]) == ("conflict", "conflict")
    assert before == {path: path.read_bytes() for path in readme.parent.rglob("*") if path.is_file()}


def test_marks_are_settled_and_continued_or_taken_back(house: Path, templates: Path, run: Command) -> None:
    """An open upgrade refuses another one and fails the check until it is settled or aborted."""
    readme = clash(house)
    before = readme.read_bytes()
    upgraded(house, templates, marks=True)
    assert "<<<<<<< yours" in readme.read_text()
    state = read_state(member_of(house))
    assert state is not None
    assert (state.version, state.open_to) == ("1", "2")
    with pytest.raises(Refused, match="is open"):
        upgrade(member_of(house), state, None, templates=templates)
    assert ((ended := run("upgrade", "notes", "--continue")).exit_code, "marks" in ended.output) == (4, True)
    readme.write_text("settled half way\n")
    assert run("upgrade", "notes", "--abort").exit_code == 0
    assert before == readme.read_bytes()
    state = read_state(member_of(house))
    assert state is not None
    assert (state.version, state.open_to) == ("1", "")


def test_what_a_migration_ran_is_never_merged(house: Path, templates: Path) -> None:
    """The template's first migration changes; the package's does not."""
    (path,) = (templates / "capability/v2").rglob("create___many__.py.jinja")
    path.write_text(path.read_text() + "\n# another history\n")
    found = upgraded(house, templates)
    assert [item for item in kinds(found) if "migrations" in item] == []


def test_the_command_tells_what_happened(run: Command) -> None:
    """At the newest version there is nothing to do; an unknown one is refused; an untracked package is named."""
    assert ((told := run("upgrade", "notes")).exit_code, told.output) == (0, "au-sys-notes: up to date\n")
    assert run("upgrade", "--all").exit_code == 0
    assert run("upgrade", "notes", "--to", "99").exit_code == 4
    assert run("upgrade").exit_code == 2
    assert run("eject", "notes", "--no-sync").exit_code == 0
    refused = run("upgrade", "notes")
    assert (refused.exit_code, "does not track" in refused.output) == (4, True)


def test_an_ejected_package_is_whole_and_can_be_tracked_again(run: Command, house: Path) -> None:
    """Only the state goes; undo brings it back, byte for byte."""
    state = member_of(house).path / STATE
    before = state.read_bytes()
    assert run("eject", "notes", "--no-sync").exit_code == 0
    assert not state.exists()
    assert run("check").exit_code == 0
    assert run("undo", "--no-sync").exit_code == 0
    assert before == state.read_bytes()


def test_a_difference_shows_what_the_owner_changed(run: Command, house: Path) -> None:
    """Nothing at first; then the file, its lines, and their number."""
    assert ((shown := run("diff", "notes")).exit_code, shown.output) == (0, "")
    path = member_of(house).path / CREATING
    path.write_text(path.read_text() + "\nMINE = 1\n")
    shown = run("diff", "notes", "--exit-code")
    assert (shown.exit_code, "+MINE = 1" in shown.output) == (6, True)
    assert f"{CREATING}  +2 -0\n" == run("diff", "notes", "--stat").output
