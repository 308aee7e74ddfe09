"""When a five-field cron expression is due on the clock of a time zone.

A local time that the clock skips is due at the first instant after the gap; one that comes twice is due once, the
first time.
"""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from skriptoteket.core.errors import FieldIssue, ValidationFailed

SHORTEST = timedelta(minutes=5)
_WIDEST_SHIFT = timedelta(hours=4)
"""No zone moves its clock by more at once, so looking so far back misses nothing."""
_MINUTE = timedelta(minutes=1)
_MOST_STEPS = 2000


def timing_issues(cron: str, timezone: str) -> tuple[FieldIssue, ...]:
    """What is wrong with an expression and its zone."""
    issues = []
    if _zone(timezone) is None:
        issues.append(FieldIssue("timezone", "unknown", "must be a time zone such as Europe/Stockholm"))
    if len(cron.split()) != 5:
        text = "must be five fields: minute hour day month weekday, such as 30 7 * * MON-FRI"
        return (FieldIssue("cron", "pattern", text), *issues)
    try:
        found = list(itertools.islice(_local(cron, datetime(2024, 1, 1)), 300))
    except CronSimError as error:
        return (FieldIssue("cron", "pattern", f"cannot be read: {error}"), *issues)
    if not found:
        issues.insert(0, FieldIssue("cron", "never", "never comes true"))
    elif any(later - earlier < SHORTEST for earlier, later in itertools.pairwise(found)):
        issues.insert(0, FieldIssue("cron", "too_often", "must leave at least 5 minutes between two times"))
    return tuple(issues)


def due_times(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Every due instant later than ``after``, in order; UTC.

    Raises:
        ValidationFailed: the expression or the zone cannot be read.
    """
    zone = _zone(timezone)
    if zone is None:
        raise ValidationFailed(timing_issues(cron, timezone))
    last = after
    begin = (after - _WIDEST_SHIFT).astimezone(zone).replace(tzinfo=None)
    try:
        for local in _local(cron, begin):
            instant = _instant(local, zone)
            if instant > last:
                last = instant
                yield instant
    except CronSimError:
        raise ValidationFailed(timing_issues(cron, timezone)) from None


def next_due(cron: str, timezone: str, after: datetime) -> datetime | None:
    """The first due instant later than ``after``; ``None`` when there is none."""
    return next(due_times(cron, timezone, after), None)


def _local(cron: str, after: datetime) -> Iterator[datetime]:
    """Wall-clock times, without a zone; those of one day and of the day after are enough to know the shortest gap."""
    yield from itertools.islice(CronSim(cron, after), _MOST_STEPS)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    aware = local.replace(tzinfo=zone, fold=0)
    instant = aware.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # The clock skips this time: walk to the first minute that it shows again.
    after_gap = local.replace(tzinfo=zone, fold=1).utcoffset()
    instant = local.replace(tzinfo=UTC) - (after_gap or timedelta(0))
    while instant.astimezone(zone).utcoffset() != after_gap:
        instant += _MINUTE
    return instant


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of the database
        return None
