"""fsp: answers for people and machines, exit codes, and no traceback for a user's mistake."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from fastapi_services_platform import PlatformError, cli
from fastapi_services_platform.capability import discovery
from fastapi_services_platform.engine.inspection import report
from fastapi_services_platform.testing.stand_ins import Prepared

WITHOUT = "capabilities:\n  identity: {enabled: false}\n  skriptoteket: {enabled: false}\n  storage: {enabled: false}\n"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Fsp = Callable[..., Done]


@pytest.fixture
def fsp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fsp:
    def run(*arguments: str, features: str = WITHOUT, **variables: str) -> Done:
        for name, value in {**settings_in(tmp_path, features), **variables}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["fsp", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        assert isinstance(code, int)
        return Done(code, captured.out, captured.err)

    return run


def settings_in(folder: Path, features: str = WITHOUT) -> dict[str, str]:
    config = folder / "config"
    config.mkdir(exist_ok=True)
    (config / "router_factory_features.yaml").write_text(features)
    return {"FSP_DATA_DIR": str(folder / "data"), "FSP_CONFIG_DIR": str(config)}


def test_list_tells_machines_everything(fsp: Fsp) -> None:
    """Version, summary, routes, permissions, database head, processes and commands of each capability."""
    done = fsp("list", "--json")
    found = {item["name"]: item for item in json.loads(done.stdout)["capabilities"]}
    assert done.returncode == 0
    assert found["hub"]["state"] == "initialized"
    assert set(found["hub"]) >= {
        "version",
        "summary",
        "routes",
        "permissions",
        "database",
        "processes",
        "commands",
        "provides",
        "requires",
        "reason",
    }


@pytest.mark.parametrize(
    "command", [["list"], ["routes"], ["graph"], ["migrate", "upgrade"], ["--help"], ["--version"]]
)
def test_commands_answer_people(fsp: Fsp, command: list[str]) -> None:
    """Every command prints something and ends with 0."""
    done = fsp(*command)
    assert (done.returncode, done.stderr) == (0, "") or command == ["migrate", "upgrade"]
    assert done.stdout.strip() != ""


def test_migrate_status_tells_who_is_behind(fsp: Fsp) -> None:
    """Exit 1 before the upgrade, 0 after it, and the check finds no difference."""
    before = fsp("migrate", "status", "--json")
    fsp("migrate", "upgrade")
    after = fsp("migrate", "status", "--json")
    check = fsp("migrate", "check", "--json")
    assert (before.returncode, after.returncode, check.returncode) == (1, 0, 0), check.stdout
    assert [item["state"] for item in json.loads(after.stdout)] == ["at head"]


def test_doctor_warns_of_what_will_not_work(fsp: Fsp) -> None:
    """Without an authenticator everything but public routes answers 503."""
    done = fsp("doctor", "--json")
    assert "authenticator@1" in [item["what"] for item in json.loads(done.stdout)]


def test_a_warning_is_silenced_by_its_code_and_an_error_is_not(fsp: Fsp) -> None:
    """Every finding has one; a code that nobody uses is a warning itself."""
    found = json.loads(fsp("doctor", "--json").stdout)
    left = json.loads(fsp("doctor", "--json", FSP_SILENCED_CHECKS="FSP003,FSP006,FSP999").stdout)
    strict = fsp("doctor", "--json", FSP_SILENCED_CHECKS="FSP004", FSP_ENVIRONMENT="prod", FSP_SECRET_KEY="x" * 40)
    assert {"FSP003", "FSP006"} == {item["code"] for item in found}
    assert [(item["code"], item["what"]) for item in left] == [("FSP008", "FSP_SILENCED_CHECKS")]
    assert (strict.returncode, "FSP004" in strict.stdout) == (1, True)


def test_doctor_tells_what_a_start_is_made_of(fsp: Fsp) -> None:
    """Steps by capability, the longest first."""
    steps = json.loads(fsp("doctor", "--timings", "--json").stdout)["timings"]
    assert {("hub", "import"), ("hub", "initialize")} <= {(item["capability"], item["step"]) for item in steps}
    assert [item["seconds"] for item in steps] == sorted((item["seconds"] for item in steps), reverse=True)
    assert "initialize" in fsp("doctor", "--timings").stdout


def test_migrations_are_taken_back(fsp: Fsp) -> None:
    """To a revision and to nothing; then the database is behind, and an upgrade brings it to its head again."""
    fsp("migrate", "upgrade")
    back = fsp("migrate", "downgrade", "--capability", "hub", "--to", "0001", "--json")
    base = fsp("migrate", "downgrade", "--capability", "hub", "--to", "base", "--json")
    again = fsp("migrate", "upgrade", "--json")
    unknown = fsp("migrate", "downgrade", "--capability", "hub", "--to", "9999")
    assert (back.returncode, json.loads(back.stdout)[0]["current"]) == (1, "0001")
    assert (base.returncode, json.loads(base.stdout)[0]["current"]) == (1, None)
    assert (again.returncode, json.loads(again.stdout)[0]["state"]) == (0, "at head")
    assert (unknown.returncode, "9999" in unknown.stderr, "Traceback" in unknown.stderr) == (2, True, False)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch, sample: Callable[..., Prepared]) -> None:
    """A capability with two commands is installed."""

    @click.command("count", help="Count the notes.")
    @click.option("--times", default=1)
    def count(times: int) -> None:
        click.echo("three " * times)

    @click.command("forget", help="Forget the notes.")
    def forget() -> None:
        raise PlatformError("The notes are kept.", "ask their owner.")

    found = discovery.adopt([sample("notes", commands=(count, forget))], "2.0.0")
    monkeypatch.setattr(report, "find_capabilities", lambda _: found)


@pytest.mark.usefixtures("notes")
def test_a_command_of_a_capability_runs(fsp: Fsp) -> None:
    """Behind the capability's name, with its options, its help, and its mistakes as one sentence."""
    done = fsp("notes", "count", "--times", "2", features="{}")
    helped = fsp("notes", "--help", features="{}")
    refused = fsp("notes", "forget", features="{}")
    unknown = fsp("notse", features="{}")
    assert (done.returncode, done.stdout.strip()) == (0, "three three")
    assert (helped.returncode, "Count the notes." in helped.stdout) == (0, True)
    assert (refused.returncode, refused.stderr) == (2, "fsp: The notes are kept. Fix: ask their owner.\n")
    assert (unknown.returncode, "No such command 'notse' (capabilities with commands: notes)" in unknown.stderr) == (
        2,
        True,
    )


@pytest.mark.usefixtures("notes")
def test_a_command_that_is_switched_off_is_not_there(fsp: Fsp) -> None:
    """The file of features names it; a name that is no command's is refused."""
    off = fsp("notes", "forget", features="capabilities:\n  notes:\n    commands: {forget: false}\n")
    wrong = fsp("list", features="capabilities:\n  notes:\n    commands: {forgte: false}\n")
    assert (off.returncode, "No such command 'forget'" in off.stderr) == (2, True)
    assert (wrong.returncode, "notes has no command 'forgte' (it has: count, forget)" in wrong.stderr) == (2, True)


MISTAKES = [
    (["list"], {"FSP_ENVIRONMNT": "x"}, "FSP_ENVIRONMNT: unknown variable. Fix: did you mean FSP_ENVIRONMENT?"),
    (["list"], {"features": "capabilities: ["}, "not valid YAML"),
    (["list"], {"features": "capabilities:\n  hubb: {}\n"}, "did you mean hub?"),
    (["run", "--app", "nowhere:make"], {}, "'nowhere:make' cannot be loaded"),
    (["run", "--host", "203.0.113.1"], {}, "cannot listen on 203.0.113.1:8000"),
    (["migrate", "upgrade", "--capability", "nobody"], {}, "nobody has no migrations"),
    (["list"], {"FSP_DATABASE_URL": "mysql://x/y"}, "mysql is not served"),
    (["lisst"], {}, "No such command 'lisst'"),
]


@pytest.mark.parametrize(("command", "variables", "message"), MISTAKES)
def test_a_users_mistake_gets_one_sentence(
    fsp: Fsp, command: list[str], variables: dict[str, str], message: str
) -> None:
    """Exit code 2, the cause and the fix, no traceback."""
    done = fsp(*command, **variables)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(fsp: Fsp) -> None:
    """The message says which port, and what to do."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = fsp("run", "--port", str(port))
    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 is taken by another process." in done.stderr


def test_a_platform_that_cannot_start_ends_with_3(tmp_path: Path) -> None:
    """The cause is logged in one line, without a traceback of ours."""
    features = "capabilities:\n  skriptoteket: {required: true}\n  identity: {enabled: false}\n"
    done = subprocess.run(
        [sys.executable, "-m", "fastapi_services_platform.cli", "run", "--port", "0"],
        capture_output=True,
        text=True,
        env={**os.environ, **settings_in(tmp_path, features)},
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert "requires" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["list"], ["routes"], ["graph"], ["doctor"], ["migrate", "status"]])
def test_looking_leaves_nothing_behind(fsp: Fsp, tmp_path: Path, command: list[str]) -> None:
    """Whatever is installed: no key, no database and no lock is made by a command that only tells."""
    fsp(*command, features="{}\n")
    assert sorted(found.name for found in tmp_path.rglob("*") if found.is_file()) == ["router_factory_features.yaml"]


@pytest.mark.parametrize(
    "command",
    [["list"], ["routes"], ["doctor"], ["graph"], ["migrate", "status"], ["migrate", "upgrade"], ["migrate", "check"]],
)
def test_every_command_speaks_to_machines_and_explains_itself(fsp: Fsp, command: list[str]) -> None:
    """``--json`` is JSON and nothing else; ``--help`` ends with 0 and names the option."""
    told = fsp(*command, "--json")
    helped = fsp(*command, "--help")
    assert isinstance(json.loads(told.stdout), list | dict)
    assert told.returncode in (0, 1)
    assert (helped.returncode, "--json" in helped.stdout) == (0, True)
