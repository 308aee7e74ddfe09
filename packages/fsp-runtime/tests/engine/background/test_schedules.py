"""Jobs run on intervals, or by cron expressions in a time zone, across changes of the clock."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fastapi_services_platform import Job, PlatformSettings, create_app
from fastapi_services_platform.engine.background.schedules import (
    BadSchedule,
    check_schedule,
    next_run,
    seconds_until_run,
)
from fastapi_services_platform.errors import InvalidContribution
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared

NOON = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)


async def work() -> None:
    """Nothing to do."""


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("30 4 * * *", "UTC", "2026-03-28T04:30:00+00:00"),
        ("30 4 * * *", "Europe/Stockholm", "2026-03-28T03:30:00+00:00"),
        ("0 9 * * MON", "Europe/Stockholm", "2026-03-30T07:00:00+00:00"),  # after the clock went forward on the 29th
        ("*/15 * * * *", "UTC", "2026-03-27T12:15:00+00:00"),
        ("0 0 L * *", "UTC", "2026-03-31T00:00:00+00:00"),
    ],
)
def test_a_cron_expression_counts_in_its_zone(cron: str, zone: str, expected: str) -> None:
    """The next moment is in UTC, whatever the zone's clock does in between."""
    assert next_run(Job("x", work, cron=cron, timezone=zone), NOON).isoformat() == expected


def test_a_time_that_the_clock_leaves_out_is_not_lost() -> None:
    """02:30 does not exist on the night of the change; the job runs right after the gap, and the next day as usual."""
    job = Job("x", work, cron="30 2 * * *", timezone="Europe/Stockholm")
    first = next_run(job, datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
    assert [first.isoformat(), next_run(job, first).isoformat()] == [
        "2026-03-29T01:00:00+00:00",
        "2026-03-30T00:30:00+00:00",
    ]


def test_jitter_spreads_the_runs() -> None:
    """A tenth of an interval either way, no later than asked for, and none for a cron expression by itself."""
    tenth = {round(seconds_until_run(Job("x", work, 100.0), NOON), 3) for _ in range(50)}
    asked = [seconds_until_run(Job("x", work, cron="0 13 * * *", jitter=10.0), NOON) for _ in range(50)]
    assert len(tenth) > 1
    assert 90 <= min(tenth) <= max(tenth) <= 110
    assert 3600 <= min(asked) < max(asked) <= 3610
    assert seconds_until_run(Job("x", work, cron="0 13 * * *"), NOON) == 3600


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (Job("x", work), "either an interval or a cron"),
        (Job("x", work, 5.0, cron="* * * * *"), "either an interval or a cron"),
        (Job("x", work, cron="61 * * * *"), "Bad minute"),
        (Job("x", work, cron="often"), "cron expression 'often'"),
        (Job("x", work, cron="0 0 30 2 *"), "30 2"),
        (Job("x", work, cron="* * * * *", timezone="Mars/Base"), "Mars/Base"),
    ],
)
def test_a_time_that_cannot_be_read_is_refused(job: Job, reason: str) -> None:
    """The error names the part at fault."""
    with pytest.raises(BadSchedule, match=reason):
        check_schedule(job)


async def test_a_capability_with_a_bad_schedule_does_not_start(
    settings: PlatformSettings, sample: Callable[..., Prepared]
) -> None:
    """The start names capability, job and fix."""
    app = create_app(settings, capabilities=[sample(jobs=(Job("sweep", work, cron="61 * * * *"),))])
    with pytest.raises(InvalidContribution, match=r"'demo': job 'sweep': cron expression .* Fix: give interval"):
        async with started_app(app):
            pass
