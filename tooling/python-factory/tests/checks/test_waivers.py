"""A package's waivers.toml allows by file, for a time and with a reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_python_factory.checks.engine import run
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.workspace.members import find_workspace

Look = Callable[[], list[tuple[str, str]]]
NOTES = "packages/au-sys-notes"


def _entry(rule: str, path: str, expires: str = "2120-01-31", reason: str = "it is moved in spring") -> str:
    return f'[[waiver]]\nrule = "{rule}"\npath = "{path}"\nreason = "{reason}"\nexpires = {expires}\n'


@pytest.fixture
def without_readme(garden: Path) -> Path:
    """The package without its README: one finding, L01."""
    (garden / NOTES / "README.md").unlink()
    return garden


def test_an_entry_allows_what_it_names(without_readme: Path, look: Look) -> None:
    """It is counted among the waivers with its reason."""
    assert [rule for rule, _ in look()] == ["L01"]
    (without_readme / NOTES / "waivers.toml").write_text(_entry("L01", "*"))
    assert look() == []
    report = run(read_project(find_workspace(without_readme)))
    assert [(item.reason, item.used) for item in report.waivers if item.pattern] == [("it is moved in spring", {"L01"})]


def test_an_entry_that_has_ended_is_a_finding(without_readme: Path, look: Look) -> None:
    """At its line."""
    (without_readme / NOTES / "waivers.toml").write_text("# kept\n\n" + _entry("L01", "*", "2020-01-31"))
    assert look() == [("T06", f"{NOTES}/waivers.toml:3")]


def test_an_entry_that_nothing_needs_is_a_finding(garden: Path, look: Look) -> None:
    """As a comment that nothing needs is."""
    (garden / NOTES / "waivers.toml").write_text(_entry("L01", "*"))
    assert look() == [("T05", f"{NOTES}/waivers.toml:1")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_entry("S01", "src/*"), "cannot be waived by file"),
        (_entry("A04", "src/*"), "cannot be waived by file"),
        ('[[waiver]]\nrule = "L01"\npath = "*"\nreason = "r"\n', "lacks"),
        (_entry("L01", "*", '"soon"'), "lacks"),
        ("[[waiver]\n", "not valid TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(text: str, said: str, garden: Path) -> None:
    """Architecture, security and the event loop are waived line by line only."""
    (garden / NOTES / "waivers.toml").write_text(text)
    with pytest.raises(Refused, match=said) as refused:
        run(read_project(find_workspace(garden)))
    assert "waivers.toml" in refused.value.sentence
