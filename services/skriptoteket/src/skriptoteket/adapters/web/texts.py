"""Texts and numbers as people read them, in the language of the page."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi_services_platform import Principal
from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.runs.inputs import readable_size
from skriptoteket.core.runs.models import RunState

STATE_WORDS: Mapping[str, str] = {
    RunState.QUEUED: "waiting",
    RunState.STARTING: "starting",
    RunState.RUNNING: "running",
    RunState.COLLECTING: "finishing",
    RunState.SUCCEEDED: "done",
    RunState.FAILED: "failed",
    RunState.TIMED_OUT: "took too long",
    RunState.CANCELLED: "cancelled",
    RunState.LOST: "lost",
}
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
        self.locale = "sv" if locale.startswith("sv") else "en"
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

    def __init__(self, zone: str, default_locale: str) -> None:
        self._zone = ZoneInfo(zone)
        self._default = default_locale

    def of(self, principal: Principal) -> Reader:
        """The reader behind a principal."""
        return Reader(principal.locale or self._default, self._zone)
