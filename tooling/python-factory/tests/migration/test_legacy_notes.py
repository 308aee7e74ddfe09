"""An older application becomes a capability that passes the house rules and answers as it did."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Factory = Callable[..., Result]
PACKAGE = "packages/au-sys-older-notes"


def digests(root: Path) -> dict[str, str]:
    """Every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def decide(folder: Path) -> None:
    """Leave what only trips a wire behind, as proposed."""
    plan = folder / "migration.toml"
    asked = plan.read_text()
    assert asked.count("\ndecide = true\n") == 1
    assert "src/notes/__init__.py" in asked
    plan.write_text(asked.replace("\ndecide = true\n", "\n"))


def test_it_moves_whole_passes_check_and_answers_as_before(
    older: Path, folder: Path, bare: Path, plain: Factory, factory: Factory
) -> None:
    """No waiver, no hand patch, nothing of the old layout left; every recorded exchange is equal; undo is exact."""
    planned = plain("migrate", "plan", str(older), "--as", "older-notes", "--into", str(folder))
    assert planned.exit_code == 0, planned.output
    decide(folder)
    recorded = plain("migrate", "record", str(folder), "--from", str(older))
    assert recorded.exit_code == 0, recorded.output
    before = digests(bare)
    moved = factory("migrate", "apply", str(folder), "--from", str(older), "--no-sync")
    assert moved.exit_code == 0, moved.output
    assert "warning: everybody may call POST /api/v1/notes, as before" in moved.output
    package = bare / PACKAGE
    assert not (package / "waivers.toml").exists()
    assert [path for path in package.rglob("*.py") if "src.notes" in path.read_text()] == []
    checked = json.loads(factory("check", str(package), "--json").stdout)
    assert checked["findings"] == []
    verified = factory("migrate", "verify", str(folder), "--json")
    assert verified.exit_code == 0, verified.output
    assert json.loads(verified.stdout)["data"]["exchanges"] == 17
    assert factory("undo", "--no-sync").exit_code == 0
    assert before == digests(bare)


def test_what_is_undecided_is_refused_before_anything_is_written(
    older: Path, folder: Path, bare: Path, plain: Factory, factory: Factory
) -> None:
    """The entry is named with its reason; the tree is as before."""
    (older / "src/notes/helpers.py").write_text("def double(number):\n    return 2 * number\n")
    plain("migrate", "plan", str(older), "--as", "older-notes", "--into", str(folder))
    before = digests(bare)
    refused = factory("migrate", "apply", str(folder), "--from", str(older), "--no-sync")
    assert (4, before) == (refused.exit_code, digests(bare))
    assert "helpers says nothing: name it" in refused.output


def test_what_no_codemod_can_do_is_listed_with_its_line(
    older: Path, folder: Path, bare: Path, plain: Factory, factory: Factory
) -> None:
    """An evaluated text stays a finding that a person has to mend; nothing is written."""
    with (older / "src/notes/admin.py").open("a") as file:
        file.write("\n\ndef counted(text):\n    return eval(text)\n")
    plain("migrate", "plan", str(older), "--as", "older-notes", "--into", str(folder))
    decide(folder)
    before = digests(bare)
    refused = factory("migrate", "apply", str(folder), "--from", str(older), "--no-sync")
    assert (4, before) == (refused.exit_code, digests(bare))
    assert "S05" in refused.output
