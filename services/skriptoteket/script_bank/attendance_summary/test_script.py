"""Absence out of an export, through the real contract in a real sandbox."""

from pathlib import Path

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent

pytestmark = pytest.mark.needs_bwrap


async def tried(tmp_path: Path, content: bytes, *values: str) -> Tried:
    """The tool run on this export."""
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, [str(path)], values)


async def test_the_sample(tmp_path: Path) -> None:
    """Three ways of writing a date, hours and minutes; the pupil above the limit and the unreadable row are told."""
    outcome = await tried(tmp_path, (FOLDER / "sample.csv").read_bytes())
    told = [str(block.get("message")) for block in outcome.answer.outputs if block["kind"] == "notice"]
    assert told[0] == "1 pupils from 10 hours on: Ali Ahmadi (11.0 h)."
    assert told[1].endswith(": 6.")
    table = outcome.answer.outputs[-1]
    assert table["rows"] == [
        ["Ali Ahmadi", "7A", "11.0", "5.0", 2],
        ["Åke Dahl", "7A", "1.5", "1.5", 1],
        ["Elsa Bergström", "7A", "1.0", "0.0", 1],
    ]
    plot = next(block for block in outcome.answer.outputs if block["kind"] == "plot")
    assert "week 10: 6.0 h, week 11: 7.5 h" in str(plot["alt"])


async def test_no_absence(tmp_path: Path) -> None:
    """A file with a header only is no error."""
    outcome = await tried(tmp_path, b"Elev;Datum;Minuter\n")
    assert outcome.answer.outputs[0]["message"] == "There is no absence in this file."


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "empty"), (b"Namn;Tid\nx;1\n", "Columns are missing: Datum, Minuter")]
)
async def test_what_cannot_be_used_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    """The refusal names what is missing."""
    assert told in (await tried(tmp_path, content)).answer.refusal
