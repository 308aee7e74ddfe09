"""The probe tells what a host can isolate by doing it, and how to get what is missing."""

from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.probe import probe_host
from skriptoteket.conformance.endings import script_of
from skriptoteket.core.runs.queueing.matching import missing, requirements_of
from skriptoteket.core.runs.sandbox import SandboxFailed


@pytest.mark.needs_bwrap
async def test_a_good_host_is_usable(tmp_path: Path) -> None:
    """Where everything is there, the probe says so and the default requirements are met."""
    report = await probe_host(BubblewrapSandbox(tmp_path))

    assert report.usable, report
    assert (report.problem, report.fix) == ("", "")
    assert missing(report.capabilities, requirements_of(())) == ()


async def test_missing_bubblewrap_is_told_with_its_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bubblewrap nothing is usable, the fix is the command that installs it, and nothing is ever run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox = BubblewrapSandbox(tmp_path)
    report = await probe_host(sandbox)

    assert not report.usable
    assert "apt-get install bubblewrap" in report.fix
    assert await sandbox.capabilities() == {}
    with pytest.raises(SandboxFailed):
        await sandbox.start(script_of("pass").spec())


async def test_a_bubblewrap_that_fails_is_told(tmp_path: Path) -> None:
    """A bubblewrap that cannot make namespaces is reported with what it said."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho bwrap: No permissions to create new namespace >&2\nexit 1\n")
    broken.chmod(0o755)
    tmp_path.chmod(0o755)
    report = await probe_host(BubblewrapSandbox(tmp_path, program=str(broken)), str(broken))

    assert not report.usable
    assert report.fix
