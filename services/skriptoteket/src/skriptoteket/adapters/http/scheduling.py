"""From a request to a schedule: its times, its values, and files that stay until it is removed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request

from fastapi_services_platform import Principal
from fastapi_services_platform.fastapi import language_of
from skriptoteket.adapters.http.submitting import form_values
from skriptoteket.adapters.http.uploads import UploadReader
from skriptoteket.core.errors import FieldIssue, MalformedUpload, ValidationFailed
from skriptoteket.core.ports import Ids
from skriptoteket.core.runs.inputs import UploadLimits
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.submission import RunSubmission
from skriptoteket.core.schedules.firing import Firing
from skriptoteket.core.schedules.models import Schedule
from skriptoteket.core.schedules.planning import Planning, Times, WantedSchedule

TIME_FIELDS = ("rhythm", "at", "cron", "timezone", "ends_at", "max_runs")
_RHYTHMS: Mapping[str, str] = {
    "daily": "{minute} {hour} * * *",
    "weekdays": "{minute} {hour} * * MON-FRI",
    "weekly": "{minute} {hour} * * MON",
    "monthly": "{minute} {hour} 1 * *",
}


@dataclass(frozen=True, slots=True)
class ScheduleDesk:
    """Everything that schedules need over HTTP. Lives as long as the app."""

    planning: Planning
    firing: Firing
    submissions: RunSubmission
    files: ArtifactStore
    limits: UploadLimits
    ids: Ids
    timezone: str
    default_locale: str = "en"

    async def take(self, request: Request, principal: Principal, tool_slug: str = "") -> Schedule:
        """Keep the schedule that a form brings; its field ``tool`` names the tool if the caller does not.

        Raises:
            NotFound, MalformedUpload, PayloadTooLarge, ValidationFailed, StorageUnavailable.
        """
        schedule_id = self.ids.new()
        reader = UploadReader(self.files, f"schedules/{schedule_id}", self.limits)
        received = await reader.read(request)
        try:
            texts = {name: found[0] for name, found in received.texts.items()}
            slug = tool_slug or texts.get("tool", "")
            _, version = await self.submissions.runnable(slug)
            schema = version.behaviour.input_schema
            values = form_values(schema, received, (*TIME_FIELDS, "tool"))
            wanted = WantedSchedule(
                schedule_id,
                slug,
                principal.urn,
                times_of(texts, self.timezone),
                values,
                received.uploads,
                language_of(request),
            )
            return await self.planning.make(wanted)
        except BaseException:
            await reader.discard()
            raise

    async def make(self, principal: Principal, tool_slug: str, times: Times, values: Mapping[str, object]) -> Schedule:
        """Keep a schedule without files. Raises ``NotFound``, ``ValidationFailed``."""
        locale = principal.locale or self.default_locale
        return await self.planning.make(
            WantedSchedule(self.ids.new(), tool_slug, principal.urn, times, values, (), locale)
        )

    async def remove(self, schedule_id: UUID, owner: str) -> Schedule:
        """Forget it with its files. Raises ``NotFound``, ``StorageUnavailable``."""
        found = await self.planning.remove(schedule_id, owner)
        for file in found.files:
            if file.blob_key is not None:
                await self.files.delete(file.blob_key)
        return found


def times_of(texts: Mapping[str, str], default_zone: str) -> Times:
    """The times of a form: a rhythm with a time of day, or an expression.

    Raises:
        ValidationFailed: with one issue per field that cannot be read.
    """
    issues: list[FieldIssue] = []
    zone = texts.get("timezone", "").strip() or default_zone
    cron = texts.get("cron", "")
    rhythm = texts.get("rhythm", "")
    if rhythm and rhythm != "own":
        hour, _, minute = texts.get("at", "").partition(":")
        known = rhythm in _RHYTHMS
        if known and hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60:
            cron = _RHYTHMS[rhythm].format(hour=int(hour), minute=int(minute))
        else:
            field = "at" if known else "rhythm"
            issues.append(FieldIssue(field, "pattern", "must be a time such as 07:30" if known else "is not offered"))
    ends_at = _instant(texts.get("ends_at", ""), zone, issues)
    most = texts.get("max_runs", "").strip()
    if most and (not most.isdigit() or len(most) > 6):
        issues.append(FieldIssue("max_runs", "type", "must be a whole number"))
    if issues:
        raise ValidationFailed(issues, dict(texts))
    return Times(cron, zone, ends_at, int(most) if most else None)


def _instant(text: str, zone: str, issues: list[FieldIssue]) -> datetime | None:
    """A date is over when its day is; a time without a zone is on the schedule's clock."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        if len(text.strip()) == len("2026-01-01"):
            found = found.replace(hour=23, minute=59, second=59)
        local = found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))
        return local.astimezone(UTC)
    except (ValueError, KeyError, OSError, OverflowError):
        issues.append(FieldIssue("ends_at", "type", "must be a date such as 2026-12-31"))
        return None


def json_body(body: bytes) -> object:
    """A body as JSON. Raises ``MalformedUpload``."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedUpload("the body is no JSON.") from None
