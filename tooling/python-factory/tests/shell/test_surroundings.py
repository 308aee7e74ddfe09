"""Bad surroundings: each is named with its fix, and nothing was changed."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from au_sys_python_factory.errors import MISSING, FactoryError, Missing, Refused
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.preflight import check_address, check_disk, check_tools
from au_sys_python_factory.shell.services.unprivileged import Account, folder_for
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.wheels.environment import make_environment
from au_sys_python_factory.wheels.uv import UvFailed


class Usage(NamedTuple):
    """What the system says of a file system."""

    total: int
    used: int
    free: int


def fake_uv(folder: Path, text: str) -> str:
    """A program that stands where uv is looked for."""
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_an_old_uv_is_named_with_the_command_that_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 5, and the line to type."""
    monkeypatch.setenv("UV", fake_uv(tmp_path, "echo uv 0.4.9"))
    with pytest.raises(Missing) as caught:
        check_tools(tmp_path)
    assert "uv 0.4.9 is too old" in caught.value.sentence
    assert (caught.value.exit_code, "pip install --upgrade uv" in caught.value.fix) == (MISSING, True)


def test_an_old_python_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way to a newer one."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    with pytest.raises(Missing, match="is too old"):
        check_tools(tmp_path)


def test_a_full_disk_is_named_with_path_and_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is built."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 7 * 2**20))
    with pytest.raises(Refused) as caught:
        check_disk(tmp_path / "not" / "there")
    assert caught.value.sentence.startswith(f"{tmp_path}: 7 MB are free, 500 MB are needed")


def test_a_disk_that_fills_while_installing_leaves_the_old_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv's own words, the fix, and what was there still is."""
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "fsp").write_text("the old one")
    monkeypatch.setenv("UV", fake_uv(tmp_path, "echo 'No space left on device (os error 28)' >&2; exit 1"))
    with pytest.raises(UvFailed) as caught:
        make_environment(folder, root=tmp_path, requirements="", wheels=())
    assert "free some disk space; what was there before still works" in caught.value.sentence
    assert (folder / "bin" / "fsp").read_text() == "the old one"


@pytest.mark.needs_uv
def test_without_a_network_and_a_cache_the_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment under construction is removed."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cold"))
    folder = tmp_path / "venv"
    with pytest.raises(UvFailed) as caught:
        make_environment(folder, root=tmp_path, requirements=f"click==8.3.0 --hash=sha256:{'0' * 64}\n", wheels=())
    assert ("click" in caught.value.sentence, "try again with a network" in caught.value.sentence) == (True, True)
    assert not folder.exists()


def test_an_address_that_others_reach_has_to_be_named() -> None:
    """Nobody is put on the network by accident."""
    with pytest.raises(Refused, match="reachable from other machines"):
        check_address("0.0.0.0", 0, host_was_named=False)


def test_a_state_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """Secrets are written where the caller thinks they are."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="the state folder is a link"):
        StateFolder(tmp_path / "link").prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_state_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """With the command that takes it over."""
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    with pytest.raises(Refused, match="belongs to user 65534") as caught:
        StateFolder(folder).check()
    assert "chown" in caught.value.fix


def test_without_a_terminal_progress_is_plain_lines() -> None:
    """No control character, nothing that the encoding does not have, the same content."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    progress = Progress(stream)
    with progress.step("wheels") as step:
        step.result = "5 built … ok"
    text = raw.getvalue().decode("ascii")
    assert text.startswith("  wheels         5 built ? ok (")
    assert "\033" not in text
    assert text.endswith(")\n")


@pytest.mark.needs_uv
def test_two_starts_at_once_have_one_winner(tiny: PlatformFolder, state: StateFolder) -> None:
    """The other one shows the status, or that one is starting; both end with 0."""
    command = [sys.executable, "-m", "au_sys_python_factory", "shell", "up", "--detach", "--port", str(free_port())]
    place = ["--workspace", str(tiny.workspace.root), "--state", str(state.root), "--json", "--timeout", "240"]
    both = [subprocess.Popen([*command, *place], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum(b"a shell runs here already" in err for _, err in outputs) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers lie outside of the state folder")
def test_servers_data_of_a_removed_state_folder_are_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their passwords went with the folder: they are kept, and a new start begins anew."""
    monkeypatch.setattr("au_sys_python_factory.shell.services.unprivileged.ROOT_PLACE", tmp_path / "outside")
    (tmp_path / "outside").mkdir()
    account = Account("nobody", 65534, 65534)
    first = folder_for(account, tmp_path / "services", "redis")
    (first / "kept").write_text("old")
    assert folder_for(account, tmp_path / "services", "redis") == first
    shutil.rmtree(tmp_path / "services")
    again = folder_for(account, tmp_path / "services", "redis")
    assert (again, list(again.iterdir())) == (first, [])
    assert (first.with_name(f"{first.name}.1") / "kept").read_text() == "old"


def test_every_refusal_has_a_fix_or_says_all() -> None:
    """A message has what, where and how to go on, in this order."""
    error = FactoryError("it is broken", where="here", fix="mend it")
    assert error.sentence == "here: it is broken\n  fix: mend it"
