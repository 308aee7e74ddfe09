"""When a job runs next: on its interval, or when its cron expression says so in its time zone."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi_services_platform.capability.contribution import Job

_JITTER = 0.1


class BadSchedule(ValueError):
    """A job says no time, two times, or a time that cannot be read."""


def check_schedule(job: Job) -> None:
    """Whether the job says when it runs.

    Raises:
        BadSchedule: it names the part at fault.
    """
    if (job.interval > 0) == bool(job.cron):
        raise BadSchedule("needs either an interval or a cron expression")
    if job.cron:
        next_run(job, datetime.now(UTC))


def next_run(job: Job, after: datetime) -> datetime:
    """The first moment after ``after``, in UTC, without jitter. A time that a change of the clock leaves out comes
    right after the gap; one that it repeats comes once.

    Raises:
        BadSchedule: expression or zone cannot be read, or there is no such moment.
    """
    if not job.cron:
        return after + timedelta(seconds=job.interval)
    from cronsim import CronSim, CronSimError

    try:
        zone = ZoneInfo(job.timezone)
        return next(CronSim(job.cron, after.astimezone(zone))).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadSchedule(f"time zone {job.timezone!r} is not one of the IANA names, like Europe/Stockholm") from None
    except CronSimError as error:
        raise BadSchedule(f"cron expression {job.cron!r}: {error}") from None
    except StopIteration:
        raise BadSchedule(f"cron expression {job.cron!r} never comes true") from None


def seconds_until_run(job: Job, now: datetime) -> float:
    """How long to wait. Jitter spreads what would else begin everywhere at once: a tenth of the interval either way,
    or up to ``job.jitter`` seconds later.
    """
    seconds = (next_run(job, now) - now).total_seconds()
    if job.jitter is not None:
        return seconds + random.uniform(0.0, job.jitter)  # noqa: S311 - spreads load
    if job.cron:
        return seconds
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - as above
