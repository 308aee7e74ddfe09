"""The command line, as an operator runs it."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import bcrypt
import pytest

from au_sys_identity.adapters.cli.people import _newcomer

SCRIPT = Path(sys.executable).parent / "au-sys-identity"


def run(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The console script on a database of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FSP_", "IDENTITY_"))}
    environment |= {"FSP_DATA_DIR": str(folder), "IDENTITY_PASSWORD_MEMORY_KIB": "8"}
    return subprocess.run(
        [str(SCRIPT), *arguments], input=stdin, capture_output=True, text=True, env=environment, check=False
    )


def test_an_administrator_is_made_on_an_empty_database(tmp_path: Path) -> None:
    """It migrates, makes the account, and prints one JSON object with a password that must be changed."""
    made = run(tmp_path, "create-admin", "--email", "admin@example.org", "--generate", "--json")
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    assert answer.keys() == {"urn", "email", "must_change_password", "password"}
    assert answer["must_change_password"] is True
    again = run(tmp_path, "create-admin", "--email", "ADMIN@example.org", "--generate", "--json")
    assert json.loads(again.stdout)["urn"] == answer["urn"]
    assert json.loads(again.stdout)["password"] != answer["password"]


def test_a_chosen_password_comes_from_stdin(tmp_path: Path) -> None:
    """It is not shown again; a weak one is refused with its rules and nothing is made."""
    weak = run(tmp_path, "create-admin", "--email", "admin@example.org", stdin="short\n")
    assert weak.returncode == 1
    assert "at least 12 characters" in weak.stderr
    made = run(tmp_path, "create-admin", "--email", "admin@example.org", "--json", stdin="rain on a tin roof\n")
    assert made.returncode == 0
    assert "rain on a tin roof" not in made.stdout + made.stderr
    assert json.loads(made.stdout)["must_change_password"] is False


def test_rules_go_in_and_out_as_casbin_text(tmp_path: Path) -> None:
    """A bad line stops an import; the export reads as what went in; an invariant that it breaks is told by its case."""
    source = tmp_path / "in.csv"
    rule = "p,role:helpdesk,default,/desk/:id,read|write,allow\n"
    source.write_text(rule + "p,role:helpdesk,default,/a*b,read,allow\n")
    refused = run(tmp_path, "import-policies", str(source), "--replace", "--real")
    assert (refused.returncode, json.loads(refused.stdout)["refused"][0]["line"]) == (1, 2), refused.stderr
    source.write_text(rule)
    done = json.loads(run(tmp_path, "import-policies", str(source), "--real").stdout)
    assert (done["added"], done["existing"], done["dry_run"]) == (1, 0, False)
    assert run(tmp_path, "export-policies").stdout == rule
    broken = run(tmp_path, "prove-policies", "--role", "helpdesk", "--resource", "/desk/*")
    assert (broken.returncode, json.loads(broken.stdout)["counterexample"]["subject"]) == (1, "role:helpdesk")


def test_people_are_taken_over(tmp_path: Path) -> None:
    """A dry run first; nobody with one bad line; nobody twice; and their old password is good for them."""
    lines = tmp_path / "people.jsonl"
    kept = bcrypt.hashpw(b"rain on a tin roof", bcrypt.gensalt(4)).decode()
    good = [{"email": "ann@example.org", "display_name": "Ann", "password_hash": kept}, {"email": "bo@example.org"}]
    lines.write_text("\n".join(json.dumps(line) for line in [*good, {"email": "c@example.org", "password_hash": "x"}]))
    bad = run(tmp_path, "import-people", str(lines), "--real")
    assert (bad.returncode, [line["line"] for line in json.loads(bad.stdout)["refused"]]) == (1, [3])
    lines.write_text("\n".join(json.dumps(line) for line in good))
    told = [json.loads(run(tmp_path, "import-people", str(lines), *more).stdout) for more in (["--real"], [])]
    assert [(one["added"], one["known"], one["dry_run"]) for one in told] == [(2, 0, False), (0, 2, True)]
    with sqlite3.connect(tmp_path / "identity.db") as database:
        assert database.execute("SELECT hash FROM passwords").fetchall() == [(kept,)]


def test_a_line_says_nothing_that_is_not_known() -> None:
    """Rights, foreign fields and wrong types are refused with the line and what may stand there."""
    for line in ('{"email": "d@example.org", "is_superuser": true}', '{"email": 3}', "[]", "no JSON", '{"name": "d"}'):
        with pytest.raises(ValueError, match=r"^line 7: "):
            _newcomer(7, line)
