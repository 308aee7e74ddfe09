"""Without isolation scripts run for whoever asked for it, with the same outcomes; never in production."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from skriptoteket.adapters.sandbox.unsafe_subprocess import UnsafeSubprocess
from skriptoteket.conformance.endings import ENDINGS, script_of
from skriptoteket.conformance.playing import GivenFile, Script, play
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import OutcomeCode
from skriptoteket.core.runs.queueing.matching import missing, requirements_of
from skriptoteket.manifest.command_line import main

_SAME = ("answer", "refusal", "exception", "exit 0 without a result", "syntax error", "sleep", "printing without end")


@pytest.mark.parametrize("name", _SAME)
async def test_endings_are_told_apart_all_the_same(tmp_path: Path, name: str) -> None:
    """A script ends with the outcome that a sandbox would give it, and its folder is gone."""
    script, expected = ENDINGS[name]

    assert (await play(UnsafeSubprocess(tmp_path), script)).code is expected
    assert list((tmp_path / "unsafe").iterdir()) == []


async def test_inputs_and_files(tmp_path: Path) -> None:
    """The path in the request leads to the upload, and what is written comes out."""
    source = (
        "def run_tool(input_dir, output_dir, files):\n"
        "    open(output_dir + '/x', 'wb').write(open(files[0]['path'], 'rb').read())\n"
    )
    listed: JsonValue = [{"name": "a.csv", "path": "/job/input/a.csv"}]
    script = Script(source, files=[GivenFile("a.csv", b"1,2")], request={"files": listed})

    assert (await play(UnsafeSubprocess(tmp_path), script)).artifacts == {"x": b"1,2"}


async def test_it_promises_nothing(tmp_path: Path) -> None:
    """No capability is claimed, so that no requirement is met by accident; what a killed worker left is removed."""
    sandbox = UnsafeSubprocess(tmp_path)
    (tmp_path / "unsafe" / "run-left").mkdir(parents=True)
    await sandbox.reap(())

    assert set(missing(await sandbox.capabilities(), requirements_of(()))) >= {"seccomp:yes", "network_isolation:yes"}
    assert list((tmp_path / "unsafe").iterdir()) == []
    assert (await play(sandbox, script_of("return 'x'"))).code is OutcomeCode.OK


def test_production_refuses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of a production platform does not start with it, and says which setting is in the way."""
    monkeypatch.setenv("FSP_ENVIRONMENT", "prod")
    monkeypatch.setenv("FSP_SECRET_KEY", "k" * 64)
    monkeypatch.setenv("FSP_DATA_DIR", str(tmp_path))
    ended = CliRunner().invoke(main, ["worker", "--once", "--unsafe-subprocess"])

    assert ended.exit_code == 1
    assert "FSP_ENVIRONMENT=prod" in ended.output
