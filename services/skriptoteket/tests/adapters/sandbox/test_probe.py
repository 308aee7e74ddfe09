"""The probe tells what a host can isolate by doing it, and how to get what is missing."""

import sys
from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox import probe
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


HOSTS = {
    "another system": ("darwin", {}, "SKRIPTOTEKET_RUNNER=container"),
    "no user namespaces": ("linux", {"max_user_namespaces": 0}, "sysctl -w user.max_user_namespaces=15000"),
    "namespaces for root alone": ("linux", {"unprivileged_userns_clone": 0}, "kernel.unprivileged_userns_clone=1"),
    "AppArmor": ("linux", {"apparmor_restrict_unprivileged_userns": 1}, "deployment/apparmor.profile"),
    "a container": ("linux", {}, "deployment/worker.compose.yaml"),
}


@pytest.mark.parametrize("host", HOSTS)
async def test_a_host_without_a_feature_is_told_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """On another system or kernel nothing is usable, nothing runs, and the fix is the one for what is missing."""
    system, values, fix = HOSTS[host]
    kept = {"max_user_namespaces": 15000, "apparmor_restrict_unprivileged_userns": 0, "unprivileged_userns_clone": 1}
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(probe, "_number", lambda file: {**kept, **values}.get(Path(file).name))
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho bwrap: No permissions to create new namespace >&2\nexit 1\n")
    broken.chmod(0o755)
    tmp_path.chmod(0o755)
    report = await probe_host(BubblewrapSandbox(tmp_path, program=str(broken)), str(broken))

    assert (report.usable, dict(report.capabilities)) == (False, {})
    assert fix in report.fix
    assert report.problem
