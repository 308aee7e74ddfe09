"""Text for people, in a file that is rotated."""

from pathlib import Path

import pytest

from fastapi_services_platform.observability.text_lines import TextFile, text_of


def test_an_event_is_one_line() -> None:
    """Time, level, logger and event come first, then the fields; odd values are quoted."""
    event: dict[str, object] = {"time": "2026-01-02T03:04:05Z", "level": "info", "logger": "a.b", "event": "said"}
    line = text_of({**event, "words": "two words\nhere", "n": 3})
    assert line == '2026-01-02 03:04:05Z         INFO     a.b: said  words="two words\\nhere" n=3'


def test_an_event_cannot_forge_a_line() -> None:
    """A line feed inside an event's name does not begin a new line."""
    assert "\n" not in text_of({"event": "one\ntwo", "field": "x\ny"})


def test_a_traceback_follows_indented() -> None:
    """The lines of an exception stand below their event."""
    shown = text_of({"event": "failed", "exception": "Traceback\nValueError: no"})
    assert shown.splitlines()[1:] == ["    Traceback", "    ValueError: no"]


def test_a_full_file_is_renamed(tmp_path: Path) -> None:
    """What does not fit goes to a new file; at most ``keep`` old ones stay."""
    file = TextFile(tmp_path / "logs" / "p.log", max_bytes=10, keep=2)
    for word in (b"first....", b"second...", b"third....", b"fourth..."):
        file.write(word)
    file.close()
    found = {path.name: path.read_bytes() for path in (tmp_path / "logs").iterdir()}
    assert found == {"p.log": b"fourth...", "p.log.1": b"third....", "p.log.2": b"second..."}


def test_a_file_that_was_moved_is_opened_anew(tmp_path: Path) -> None:
    """An operator's own rotation does not swallow what follows."""
    file = TextFile(tmp_path / "p.log")
    file.write(b"one")
    (tmp_path / "p.log").rename(tmp_path / "moved")
    file.write(b"two")
    file.close()
    assert (tmp_path / "p.log").read_bytes() == b"two"


def test_a_disk_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    """The caller learns that nothing was written."""
    (tmp_path / "taken").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="taken"):
        TextFile(tmp_path / "taken" / "p.log").write(b"x")
