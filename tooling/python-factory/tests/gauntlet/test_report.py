"""Reports: nothing secret, everything else."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.gauntlet.coverage import Coverage, Operation, measure, nothing_is_left_out, read_gaps
from au_sys_python_factory.gauntlet.playing import Outcome
from au_sys_python_factory.gauntlet.report import Report, stage_table, summary, write_json, write_junit
from au_sys_python_factory.gauntlet.rows import Expectation, Row

ROW = Row("it works", "boot", "demo", Path(), "GET", "/x/1", Expectation((200,)))
SECRET = "correct-horse-battery"


def report() -> Report:
    """One step of each verdict; the failed one holds secrets of three kinds."""
    body = json.dumps({"access_token": "abc.def", "note": SECRET, "jwt": "eyJhbGciOi.eyJzdWIi.c2ln"})
    outcomes = (
        Outcome(ROW, "passed", 0.01, (), "GET", "/x/1", 200, "{}"),
        Outcome(ROW, "failed", 0.02, (f"status is 500 for {SECRET}",), "GET", "/x/2", 500, body),
        Outcome(ROW, "skipped", 0.0, ("needs 'that'",)),
    )
    operations = (Operation("GET", "/x/{n}"), Operation("DELETE", "/x/{n}"))
    return Report("http://127.0.0.1:1", outcomes, 1.5, (SECRET,), measure(operations, outcomes))


def test_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    """Known secrets, fields that are named like one, and tokens that look like one."""
    made = report()
    write_json(made, tmp_path / "gauntlet.json")
    write_junit(made, tmp_path / "gauntlet.xml")
    texts = [path.read_text() for path in tmp_path.iterdir()] + [
        stage_table("boot", made.outcomes, made),
        summary(made),
    ]
    for text in texts:
        assert not [word for word in (SECRET, "abc.def", "eyJhbGciOi") if word in text]


def test_the_counts_are_those_of_the_steps(tmp_path: Path) -> None:
    """Table, JUnit and JSON agree."""
    made = report()
    write_json(made, tmp_path / "gauntlet.json")
    write_junit(made, tmp_path / "gauntlet.xml")
    document = json.loads((tmp_path / "gauntlet.json").read_text())
    (suite,) = ElementTree.parse(tmp_path / "gauntlet.xml").getroot()
    assert (document["passed"], document["failed"], document["skipped"]) == (1, 1, 1)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    assert "gauntlet: 1 passed, 1 failed, 1 skipped in 1.5 s" in summary(made)


def test_coverage_counts_by_path_template(tmp_path: Path) -> None:
    """A call belongs to the operation whose template it fits; what was never called shows in the report."""
    made = report()
    assert made.coverage is not None
    assert [str(item) for item in made.coverage.never_succeeded] == ["DELETE /x/{n}"]
    assert [str(item) for item in made.coverage.never_refused] == ["DELETE /x/{n}"]
    assert made.coverage.sentence == "1 of 2 operations answered with success, 1 with a refusal"


def test_an_operation_that_nobody_called_is_a_failure(tmp_path: Path) -> None:
    """But one that cannot be called here, for a written reason; a line without a reason is refused."""
    called, gap, left = Operation("GET", "/a"), Operation("POST", "/b"), Operation("PUT", "/c")
    coverage = Coverage((called, gap, left), (gap, left), ())
    assert read_gaps(tmp_path / "gaps.txt") is None
    told = tmp_path / "gaps.txt"
    told.write_text("# why\nPOST /b: a handler has to fail first\n")
    outcome = nothing_is_left_out(coverage, read_gaps(told) or {}, tmp_path)
    assert (outcome.verdict, outcome.reasons) == ("failed", ("no row calls PUT /c with success",))
    told.write_text("POST /b: a handler has to fail first\nPUT /c: too\n")
    assert nothing_is_left_out(coverage, read_gaps(told) or {}, tmp_path).verdict == "passed"
    told.write_text("POST /b\n")
    with pytest.raises(UsageError, match=r"gaps\.txt:1"):
        read_gaps(told)
