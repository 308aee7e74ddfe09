"""Acknowledged writes survive a power cut at any point; the proof notices a lying disk and a cheating writer."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.storage.power.check import Broken
from tests.faults.storage.power.run import main, play

from au_sys_storage_sdk.adapters.sqlite.writer import Writer

SCHEDULES = 2_000


def test_every_acknowledged_write_survives_every_power_cut() -> None:
    """Two thousand power cuts and more: what was acknowledged is there, nothing else is, the file is whole."""
    played, seed = 0, 0
    while played < SCHEDULES:
        played += play(seed, 6).schedules
        seed += 1


def _without_sync(writer: Writer) -> None:
    writer._connection.execute("PRAGMA synchronous=OFF")


def _without_sync_of_the_log(writer: Writer) -> None:
    writer._connection.execute("PRAGMA synchronous=NORMAL")


def _in_two_transactions(writer: Writer) -> None:
    note = writer._note

    def split(*noted: object) -> None:
        writer._connection.execute("COMMIT")
        writer._connection.execute("BEGIN")
        note(*noted)  # type: ignore[arg-type]  # what the writer notes, passed on

    writer._note = split  # type: ignore[method-assign,assignment]  # the planted error


@pytest.mark.parametrize("spoil", [_without_sync, _without_sync_of_the_log, _in_two_transactions])
def test_a_planted_error_is_found(spoil: Callable[[Writer], None]) -> None:
    """A writer that does not sync, or commits in two halves, makes the proof fail."""
    with pytest.raises(Broken, match="seed 0, event"):
        play(0, 6, spoil=spoil)


def test_a_lying_disk_is_found() -> None:
    """A disk that acknowledges a sync and does nothing makes the proof fail."""
    with pytest.raises(Broken, match="seed 0, event"):
        play(0, 6, lying=True)


def test_the_count_goes_on_where_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The state file holds what was played, and a second call with the same goal plays nothing."""
    chosen = ["--images", "1", "--processes", "1", "--per-point", "2", "--state", str(tmp_path / "state.json")]
    assert main(chosen) == 0
    before = (tmp_path / "state.json").read_text()
    assert main(chosen) == 0
    assert before == (tmp_path / "state.json").read_text() == capsys.readouterr().out.splitlines()[-1]
