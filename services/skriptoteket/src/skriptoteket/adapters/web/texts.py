"""Texts and numbers as people read them, in the language of the page."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request

from fastapi_services_platform import Principal, marked
from fastapi_services_platform.fastapi import language_of
from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.runs.inputs import readable_size
from skriptoteket.core.runs.models import OutcomeCode, RunState

STATE_WORDS: Mapping[str, str] = {
    RunState.QUEUED: marked("waiting"),
    RunState.STARTING: marked("starting"),
    RunState.RUNNING: marked("running"),
    RunState.COLLECTING: marked("finishing"),
    RunState.SUCCEEDED: marked("done"),
    RunState.FAILED: marked("failed"),
    RunState.TIMED_OUT: marked("took too long"),
    RunState.CANCELLED: marked("cancelled"),
    RunState.LOST: marked("lost"),
}
OUTCOME_WORDS: Mapping[str, str] = {
    OutcomeCode.OK: marked("ok"),
    OutcomeCode.INPUT_REFUSED: marked("input refused"),
    OutcomeCode.SCRIPT_ERROR: marked("script error"),
    OutcomeCode.OUT_OF_MEMORY: marked("out of memory"),
    OutcomeCode.OUTPUT_LIMIT: marked("output limit"),
    OutcomeCode.DISK_LIMIT: marked("disk limit"),
    OutcomeCode.CONTRACT_VIOLATION: marked("contract violation"),
    OutcomeCode.INFRASTRUCTURE: marked("infrastructure"),
    OutcomeCode.TIMEOUT: marked("timeout"),
    OutcomeCode.QUEUE_TIMEOUT: marked("queue timeout"),
    OutcomeCode.CANCELLED: marked("cancelled"),
    OutcomeCode.LOST: marked("lost"),
}
WORDS_OF_ROWS = (
    marked("archived"),
    marked("changes requested"),
    marked("consumed"),
    marked("superseded"),
    marked("publish"),
    marked("request changes"),
    marked("withdraw"),
    marked("rollback"),
    marked("interactive"),
    marked("sandbox"),
    marked("scheduled"),
    marked("Source code"),
    marked("Input schema"),
    marked("Settings schema"),
    marked("Usage instructions"),
    marked("Limits"),
    marked("Requirements"),
    marked("Entrypoint"),
    marked("Idempotent"),
    marked("Contract"),
    marked("Source (Python)"),
    marked("the run before was not over"),
    marked("You may no longer let tools run at set times."),
    marked("The tool cannot be run at present."),
)
"""What templates show out of rows: reasons, verdicts, lanes, names of fields."""

STATE_TONES: Mapping[str, str] = {
    RunState.QUEUED: "info",
    RunState.STARTING: "info",
    RunState.RUNNING: "info",
    RunState.COLLECTING: "info",
    RunState.SUCCEEDED: "good",
    RunState.FAILED: "bad",
    RunState.TIMED_OUT: "warn",
    RunState.CANCELLED: "neutral",
    RunState.LOST: "bad",
}


class Reader:
    """Who reads a page: in which language, in which time zone."""

    def __init__(self, locale: str, zone: ZoneInfo) -> None:
        self.locale = locale
        self._zone = zone

    def title(self, tool: Tool) -> str:
        """The tool's title."""
        return (tool.title_sv if self.locale == "sv" else "") or tool.title

    def summary(self, tool: Tool) -> str:
        """The tool's summary."""
        return (tool.summary_sv if self.locale == "sv" else "") or tool.summary

    def label(self, tag: Profession | Category) -> str:
        """A tag's label."""
        return tag.label_sv if self.locale == "sv" else tag.label_en

    def text(self, value: object, otherwise: str = "") -> str:
        """A label of a schema: one text, or one for each language."""
        if isinstance(value, Mapping):
            found = value.get(self.locale) or value.get("en") or value.get("sv")
            return str(found) if found else otherwise
        return str(value) if value else otherwise

    def when(self, at: datetime | None) -> str:
        """An instant, to the minute, on the reader's clock."""
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M") if at is not None else ""

    def day(self, at: datetime | None) -> str:
        """The day of an instant on the reader's clock, as date fields take it."""
        return at.astimezone(self._zone).strftime("%Y-%m-%d") if at is not None else ""

    def size(self, size: int) -> str:
        """Bytes in words."""
        return readable_size(size)


class Readers:
    """Makes a reader for each request. Lives as long as the app."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def of(self, _principal: Principal, request: Request) -> Reader:
        """The reader behind a request."""
        return Reader(language_of(request), self._zone)
