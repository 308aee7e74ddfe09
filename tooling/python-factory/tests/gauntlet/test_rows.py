"""Rows are read strictly: a slip of the author is named with file, row and the right form."""

from __future__ import annotations

from pathlib import Path

import pytest

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.gauntlet.rows import read_folder
from au_sys_python_factory.gauntlet.sources import without
from au_sys_python_factory.gauntlet.variables import Unknown, Variables

GOOD = 'stage = "storage"\n[[row]]\nname = "it"\npath = "/x"\nexpect = { status = 200 }\n'


def test_rows_come_in_the_order_of_files_and_rows(tmp_path: Path) -> None:
    """Names of files decide, then the order inside; stage and method have defaults."""
    (tmp_path / "20.toml").write_text(GOOD.replace('"it"', '"last"'))
    (tmp_path / "10.toml").write_text(
        GOOD + '[[row]]\nname = "b"\npath = "/y"\nstage = "boot"\nexpect = { status = [1, 2] }\n'
    )
    rows = read_folder(tmp_path, "demo")
    assert [(row.name, row.stage, row.method, row.expect.status) for row in rows] == [
        ("it", "storage", "GET", (200,)),
        ("b", "boot", "GET", (1, 2)),
        ("last", "storage", "GET", (200,)),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("stage = ", "stge = "), "unknown key stge"),
        (('"storage"', '"stroage"'), "stage is 'stroage'"),
        (('path = "/x"', 'path = "x"'), "path is 'x'"),
        (('path = "/x"', 'path = "/x"\npth = 1'), "unknown key pth"),
        (("status = 200", "stat = 200"), "expect.status is missing"),
        (("status = 200", "status = 200, field = {}"), "unknown key expect.field"),
        (('path = "/x"', 'path = "/x"\nas = "root"'), "as is 'root'"),
        (('path = "/x"', 'path = "/x"\nneeds = ["that"]'), "needs the unknown row 'that'"),
        (('path = "/x"', 'path = "/x"\njson = {}\nbody = ""'), "several bodies"),
        (('path = "/x"', 'path = "/x"\nfiles = { a = { file = "no.csv" } }'), "file 'no.csv' is not there"),
        (('name = "it"\n', ""), "a row has no name"),
        (("[[row]]", "[[row"), "not valid TOML"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """The message has the file and what is wrong."""
    (tmp_path / "rows.toml").write_text(GOOD.replace(*change))
    with pytest.raises(UsageError) as caught:
        read_folder(tmp_path, "demo")
    assert message in caught.value.sentence
    assert str(tmp_path / "rows.toml") in caught.value.sentence


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    """``needs`` could not tell them apart."""
    (tmp_path / "rows.toml").write_text(GOOD + GOOD.partition("\n")[2])
    with pytest.raises(UsageError, match="the name is there twice"):
        read_folder(tmp_path, "demo")


def test_variables_are_the_capabilitys_own_first() -> None:
    """Own names win, another capability's are reached by its name, an unknown one says which."""
    variables = Variables({"run": "r1", "id": "global"})
    variables.save("demo", "id", 7)
    filled = variables.fill({"path": ["/x/${id}", "${demo.id}-${run}"], "n": 3}, "demo")
    assert filled == {"path": ["/x/7", "7-r1"], "n": 3}
    assert variables.fill("${id}", "other") == "global"
    with pytest.raises(Unknown, match=r"\$\{gone\}"):
        variables.fill("${gone}", "demo")


def test_what_changes_the_whole_installation_is_left_out_with_all_that_needs_it(tmp_path: Path) -> None:
    """A running platform is proved without being changed, and nothing of that counts as skipped."""
    row = '[[row]]\nname = "{}"\npath = "/x"\nexpect = {{ status = 200 }}\n'
    text = 'stage = "storage"\n' + row.format("reset") + "destructive = true\n"
    text += (
        row.format("after") + 'needs = ["reset"]\n' + row.format("later") + 'needs = ["after"]\n' + row.format("read")
    )
    (tmp_path / "10.toml").write_text(text)
    rows = read_folder(tmp_path, "demo")
    assert [row.name for row in without(rows, lambda row: row.destructive)] == ["read"]
