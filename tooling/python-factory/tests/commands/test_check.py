"""``check`` and ``explain`` answer people and programs with the promised exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

Factory = Callable[..., Result]


def test_a_clean_workspace_is_exit_0(factory: Factory) -> None:
    """Nothing on stdout, the counts on stderr."""
    ended = factory("check")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "2 members" in ended.stderr


def test_a_finding_is_exit_1_with_place_rule_and_fix(factory: Factory, bare: Path) -> None:
    """One line to jump to, one to go on with."""
    planted = bare / "packages/fsp-runtime/src/fastapi_services_platform/engine/planted.py"
    planted.write_text('"""Planted."""\n\nLIMIT = 3  # TODO: ask\n')
    ended = factory("check")
    assert ended.exit_code == 1
    assert f"{planted.relative_to(bare).as_posix()}:3:14: Z01" in ended.stdout
    found = json.loads(factory("check", "--json").stdout)
    assert (found["ok"], found["exit"], found["findings"][0]["rule"]) == (False, 1, "Z01")


def test_only_and_paths_narrow_what_is_reported(factory: Factory, bare: Path) -> None:
    """A family, a rule, a folder."""
    (bare / "packages/fsp-runtime/README.md").unlink()
    assert factory("check", "--only", "Z").exit_code == 0
    assert factory("check", "--only", "L01").exit_code == 1
    assert factory("check", str(bare / "platforms")).exit_code == 0


@pytest.mark.parametrize("arguments", [("--only", "Q99"), ("nowhere.py",), ("/",), ("--unknown",)])
def test_a_mistake_is_exit_2(arguments: tuple[str, ...], factory: Factory) -> None:
    """With what would be right, and no traceback."""
    ended = factory("check", *arguments)
    assert ended.exit_code == 2
    assert "Traceback" not in ended.output


def test_outside_a_workspace_is_exit_4(tmp_path: Path) -> None:
    """The message says how to get into one."""
    ended = CliRunner().invoke(main, ["check", "--workspace", str(tmp_path)])
    assert (ended.exit_code, "in no workspace" in ended.output) == (4, True)


def test_a_damaged_project_file_is_exit_4_with_its_line(factory: Factory, bare: Path) -> None:
    """File and line, not a traceback."""
    (bare / "packages/fsp-runtime/pyproject.toml").write_text("[project\n")
    ended = factory("check")
    assert (ended.exit_code, "line 1" in ended.output) == (4, True)


def test_unreadable_python_is_a_finding_and_the_rest_is_checked(factory: Factory, bare: Path) -> None:
    """Latin-1, a syntax error and null bytes do not stop the others."""
    folder = bare / "packages/fsp-runtime/src/fastapi_services_platform/engine"
    (folder / "latin.py").write_bytes('"""Grüße."""\n'.encode("latin-1"))
    (folder / "broken.py").write_text("def broken(:\n")
    (folder / "null.py").write_bytes(b"x = 1\x00\n")
    (folder / "planted.py").write_text('"""Planted."""\n\nLIMIT = 3  # FIXME\n')
    rules = [item["rule"] for item in json.loads(factory("check", "--json").stdout)["findings"]]
    assert sorted(rules) == ["L00", "L00", "L00", "Z01"]


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("LIMIT = 3  # TODO ask  # factory: allow Z01 -- a word of the file format", []),
        ("LIMIT = 3  # TODO ask  # factory: allow Z01", ["T05", "Z01"]),
        ("LIMIT = 3  # factory: allow Z01 -- nothing here", ["T05"]),
    ],
)
def test_a_waiver_needs_a_reason_and_a_violation(line: str, rules: list[str], factory: Factory, bare: Path) -> None:
    """One that gives none does not count; one that is not needed is itself a finding."""
    planted = bare / "packages/fsp-runtime/src/fastapi_services_platform/engine/planted.py"
    planted.write_text(f'"""Planted."""\n\n{line}\n')
    found = json.loads(factory("check", "--json").stdout)["findings"]
    assert rules == sorted(item["rule"] for item in found)


def test_explain_says_why_and_shows_both_examples() -> None:
    """In any case of letters; an unknown rule is exit 2."""
    shown = CliRunner().invoke(main, ["explain", "z10"])
    assert (shown.exit_code, "wrong:" in shown.output and "right:" in shown.output) == (0, True)
    assert CliRunner().invoke(main, ["explain", "Z99"]).exit_code == 2


def test_sarif_names_rule_level_and_place(factory: Factory, bare: Path, tmp_path: Path) -> None:
    """What a code host needs to show the finding beside its line."""
    (bare / "packages/fsp-runtime/src/fastapi_services_platform/engine/planted.py").write_text("LIMIT = 3  # FIXME\n")
    target = tmp_path / "findings.sarif"
    assert factory("check", "--sarif", str(target)).exit_code == 1
    document = json.loads(target.read_text())
    run = document["runs"][0]
    results = {(item["ruleId"], item["level"]) for item in run["results"]}
    assert ("2.1.0", {("L07", "error"), ("Z01", "error")}) == (document["version"], results)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uriBaseId"], place["region"]["startLine"]) == ("ROOT", 1)
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= {"A01", "Z01"}


def test_a_sarif_file_that_cannot_be_written_is_exit_4(factory: Factory, tmp_path: Path) -> None:
    """The message names the file."""
    ended = factory("check", "--sarif", str(tmp_path / "nowhere" / "findings.sarif"))
    assert (ended.exit_code, "nowhere" in ended.output) == (4, True)
