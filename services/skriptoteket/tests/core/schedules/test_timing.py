"""When a schedule is due: on both clock changes, on month ends, and never oftener than every five minutes."""

import itertools
from datetime import UTC, datetime

import pytest

from skriptoteket.core.schedules.timing import due_times, next_due, timing_issues

STOCKHOLM = "Europe/Stockholm"


def _next(cron: str, after: datetime, most: int, zone: str = STOCKHOLM) -> list[str]:
    found = itertools.islice(due_times(cron, zone, after), most)
    return [at.strftime("%m-%d %H:%M") for at in found]


def test_a_local_time_follows_the_season() -> None:
    """Half past seven in Stockholm is 06:30 UTC in winter and 05:30 UTC in summer."""
    after = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
    assert _next("30 7 * * *", after, 2) == ["03-28 06:30", "03-29 05:30"]


def test_a_time_that_the_clock_skips_is_due_right_after_the_gap() -> None:
    """On 29 March 2026 there is no 02:30 in Stockholm; it is due at 03:00 local, once."""
    after = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert _next("30 2 * * *", after, 2) == ["03-29 01:00", "03-30 00:30"]
    assert _next("0,30 2,3 29,30 3 *", after, 4)[:1] + _next(
        "0 2 * * *", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), 1
    ) == ["03-29 01:00", "03-30 00:00"]


def test_a_time_that_comes_twice_is_due_once() -> None:
    """On 25 October 2026 02:30 comes twice in Stockholm; it is due the first time."""
    after = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert _next("30 2 * * *", after, 2) == ["10-25 00:30", "10-26 01:30"]
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert _next("30 2 * * *", between, 1) == ["10-26 01:30"]


def test_a_zone_of_half_an_hour_shifts_by_half_an_hour() -> None:
    """Lord Howe Island skips 02:00 to 02:30 on 4 October 2026."""
    after = datetime(2026, 10, 3, 0, 0, tzinfo=UTC)
    assert _next("15 2 4 10 *", after, 1, "Australia/Lord_Howe") == ["10-03 15:30"]


@pytest.mark.parametrize(
    ("cron", "zone", "code"),
    [
        ("* * * * *", STOCKHOLM, "too_often"),
        ("0,3 9 * * *", STOCKHOLM, "too_often"),
        ("58 23,0 * * *", STOCKHOLM, ""),
        ("58,1 23,0 * * *", STOCKHOLM, "too_often"),
        ("*/5 * * * *", STOCKHOLM, ""),
        ("0 0 0 * * *", STOCKHOLM, "pattern"),
        ("@daily", STOCKHOLM, "pattern"),
        ("61 * * * *", STOCKHOLM, "pattern"),
        ("0 0 31 2 *", STOCKHOLM, "pattern"),
        ("0 0 * * *", "Nowhere/Here", "unknown"),
        ("0 0 * * *", "../etc/passwd", "unknown"),
        ("0 0 * * *", "", "unknown"),
        ("0 0 * * *", "Europe", "unknown"),
    ],
)
def test_what_is_wrong_is_told(cron: str, zone: str, code: str) -> None:
    """Seconds, words, minutes that do not exist, intervals below five minutes and unknown zones are refused."""
    assert ([code] if code else []) == [issue.code for issue in timing_issues(cron, zone)]


def test_leap_days_are_found() -> None:
    """29 February is due in leap years."""
    assert datetime(2028, 2, 29, 6, 0, tzinfo=UTC) == next_due(
        "0 7 29 2 *", STOCKHOLM, datetime(2026, 3, 1, tzinfo=UTC)
    )
