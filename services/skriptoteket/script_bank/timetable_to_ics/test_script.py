"""A timetable becomes a calendar, through the real contract in a real sandbox."""

import re
from datetime import date
from pathlib import Path

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent
TERM = ("first_day=2026-08-31", "last_day=2026-11-06")

pytestmark = pytest.mark.needs_bwrap


async def tried(tmp_path: Path, content: bytes, *values: str) -> Tried:
    """The tool run on this timetable."""
    path = tmp_path / "schema.csv"
    path.write_bytes(content)
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, [str(path)], values)


def starts(outcome: Tried) -> list[str]:
    """When each event starts."""
    return re.findall(r"DTSTART;TZID=Europe/Stockholm:(\d{8}T\d{6})", outcome.files["timetable.ics"].decode())


async def test_the_sample(tmp_path: Path) -> None:
    """Every Monday but the holiday, odd Wednesdays, Fridays of the named weeks; on both sides of the clock change."""
    sample = (FOLDER / "sample.csv").read_bytes()
    outcome = await tried(tmp_path, sample, *TERM, "holidays=2026-10-26 - 2026-10-30")
    days = [date.fromisoformat(f"{at[:4]}-{at[4:6]}-{at[6:8]}") for at in starts(outcome)]
    assert sum(day.weekday() == 0 for day in days) == 9
    assert all(day.isocalendar().week % 2 for day in days if day.weekday() == 2)
    assert [day.isocalendar().week for day in days if day.weekday() == 4] == [36, 37, 38, 42]
    assert "20261102T081500" in starts(outcome)
    text = outcome.files["timetable.ics"].decode()
    assert "SUMMARY:Svenska\\, läsning 7A" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


async def test_ids_are_stable(tmp_path: Path) -> None:
    """A second run gives the same file, so that an import doubles nothing."""
    sample = (FOLDER / "sample.csv").read_bytes()
    one, two = [await tried(tmp_path, sample, *TERM) for _ in range(2)]
    assert one.files == two.files
    ids = re.findall(r"UID:(.+)", one.files["timetable.ics"].decode())
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("content", "values", "told"),
    [
        (b"Dag;Start\nM;8\n", TERM, "Columns are missing: Slut"),
        ("Dag;Start;Slut;Ämne\nMondag;08:00;09:00;X\n".encode(), TERM, "Row 2: “Mondag” is no day"),
        ("Dag;Start;Slut;Ämne\nMåndag;8;09:00;X\n".encode(), TERM, "write it as 08:15"),
        ("Dag;Start;Slut;Ämne\nMåndag;10:00;09:00;X\n".encode(), TERM, "before it begins"),
        ("Dag;Start;Slut;Ämne\nMåndag;08:00;09:00;X\n".encode(), (*TERM, "holidays=höstlov"), "holds no date"),
        (
            "Dag;Start;Slut;Ämne\nMåndag;08:00;09:00;X\n".encode(),
            ("first_day=2026-05-01", "last_day=2026-01-01"),
            "after the first",
        ),
    ],
)
async def test_what_cannot_be_used_is_refused(
    tmp_path: Path, content: bytes, values: tuple[str, ...], told: str
) -> None:
    """The refusal names row, problem and fix."""
    assert told in (await tried(tmp_path, content, *values)).answer.refusal
