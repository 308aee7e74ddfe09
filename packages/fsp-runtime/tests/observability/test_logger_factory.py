"""Logging: one line of JSON for each event, text in a file, nothing waits, nothing leaks."""

import io
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import orjson
import pytest

from fastapi_services_platform.observability.log_writer import LogWriter
from fastapi_services_platform.observability.logger_factory import (
    changed_levels,
    close_logging,
    configure_logging,
    flush_logging,
    get_logger,
    levels,
    log_fields,
    lost_events,
    set_level,
)
from fastapi_services_platform.observability.stdlib_bridge import Bridge


class Settings:
    """The two settings that logging reads."""

    def __init__(self, log_dir: Path | None = None, log_level: str = "info") -> None:
        self.log_dir = log_dir
        self.log_level = log_level


@pytest.fixture
def console() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    configure_logging(Settings(), console=stream)
    yield stream
    close_logging()


def written(stream: io.BytesIO) -> list[dict[str, object]]:
    assert flush_logging()
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(console: io.BytesIO) -> None:
    """Level, logger, event and fields are members of one object."""
    get_logger("demo.one").info("tool.started", tool="guardian-list", rows=3)
    event = written(console)[0]
    assert {key: event[key] for key in ("level", "logger", "event", "tool", "rows")} == {
        "level": "info",
        "logger": "demo.one",
        "event": "tool.started",
        "tool": "guardian-list",
        "rows": 3,
    }


def test_an_exception_is_rendered_with_its_traceback(console: io.BytesIO) -> None:
    """``exception`` holds the stack of the error that is being handled."""
    try:
        raise ValueError("the cause")
    except ValueError:
        get_logger("demo").exception("it.failed")
    assert str(written(console)[0]["exception"]).endswith("ValueError: the cause\n")


def test_what_cannot_be_encoded_is_shown_by_its_repr(console: io.BytesIO) -> None:
    """An odd value never makes logging fail."""
    get_logger("demo").info("odd", value=object, broken="\ud800", pair={1: {2, 3}})
    assert len(written(console)) == 1


def test_secrets_do_not_reach_any_output(tmp_path: Path) -> None:
    """Console and file hold neither secret fields, nor secret values, nor secrets in an exception."""
    stream = io.BytesIO()
    configure_logging(Settings(tmp_path), console=stream, process="web")
    log = get_logger("demo")
    log.info("signed.in", password="hunter2-a", body={"api_key": "hunter2-b"}, note="Bearer hunter2-cccc")
    try:
        raise RuntimeError("postgresql://fsp:hunter2-d@db/x refused")
    except RuntimeError as error:
        log.error("failed", exc_info=error)
    close_logging()
    everything = stream.getvalue() + (tmp_path / "web.log").read_bytes()
    assert (b"hunter2" in everything, everything.count(b"signed.in")) == (False, 2)


def test_a_level_changes_while_it_runs(console: io.BytesIO) -> None:
    """A level holds for a name and for all below it, and can be taken back."""
    log = get_logger("demo.levels.deep")
    log.debug("before")
    set_level("demo.levels", "debug")
    log.debug("during")
    assert (levels()["demo.levels.deep"], changed_levels()) == ("debug", {"demo.levels": "debug"})
    set_level("demo.levels", None)
    log.debug("after")
    assert [event["event"] for event in written(console)] == ["during"]


def test_an_unknown_level_is_refused() -> None:
    """A level that does not exist changes nothing."""
    with pytest.raises(KeyError):
        set_level("demo", "loud")


def test_fields_of_a_task_are_on_its_events(console: io.BytesIO) -> None:
    """A block can name what it works for."""
    with log_fields(run="r-1"):
        get_logger("demo").info("inside")
    get_logger("demo").info("outside")
    assert [event.get("run") for event in written(console)] == ["r-1", None]


def test_fields_of_the_request_are_on_its_events() -> None:
    """The source of the platform gives the correlation id."""
    stream = io.BytesIO()
    configure_logging(Settings(), lambda: {"correlation_id": "abc"}, console=stream)
    get_logger("demo").info("answered")
    found = written(stream)[0]["correlation_id"]
    configure_logging(Settings(), lambda: None, console=io.BytesIO())
    close_logging()
    assert found == "abc"


def test_libraries_are_heard(console: io.BytesIO) -> None:
    """A record of the standard library becomes an event of the platform, with its traceback."""
    try:
        raise OSError("gone")
    except OSError:
        logging.getLogger("some.library").exception("it said %s", "no")
    event = written(console)[0]
    assert (event["event"], event["logger"], event["level"]) == ("it said no", "some.library", "error")
    assert "OSError: gone" in str(event["exception"])


def test_a_record_that_cannot_be_formatted_is_kept(console: io.BytesIO) -> None:
    """A library's mistake in its own format does not lose the record."""
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, "%d of %d", ("not a number",), None)
    Bridge().emit(record)
    assert written(console)[0]["event"] == "%d of %d"


def test_a_dead_log_disk_stops_nothing(tmp_path: Path) -> None:
    """When the file cannot be written the console goes on and says so."""
    (tmp_path / "taken").write_text("a file where the folder should be")
    stream = io.BytesIO()
    configure_logging(Settings(tmp_path / "taken"), console=stream)
    get_logger("demo").info("still.here")
    events = [event["event"] for event in written(stream)]
    failures = lost_events()[1]
    close_logging()
    assert (events, failures) == (["still.here", "log.file_failed"], 1)


def test_a_closed_console_stops_nothing(tmp_path: Path) -> None:
    """When the console is gone the file goes on."""
    stream = io.BytesIO()
    configure_logging(Settings(tmp_path), console=stream)
    stream.close()
    get_logger("demo").info("still.here")
    close_logging()
    assert "still.here" in (tmp_path / "platform.log").read_text()


class SlowConsole(io.BytesIO):
    """A terminal that takes nothing until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def write(self, data: object) -> int:
        self.released.wait(5)
        return super().write(data)  # type: ignore[arg-type]  # bytes, as the writer hands over


def test_a_full_queue_drops_and_counts() -> None:
    """Nobody waits for a slow terminal: what does not fit is counted, and the count is logged."""
    stream = SlowConsole()
    writer = LogWriter(stream, capacity=10)
    begun = perf_counter()
    for number in range(200):
        writer.submit(orjson.dumps({"event": f"e{number}"}))
    elapsed = perf_counter() - begun
    stream.released.set()
    assert writer.flush(5)
    dropped = writer.dropped
    text = stream.getvalue()
    writer.close()
    assert (elapsed < 1, dropped >= 150, b"log.dropped" in text) == (True, True, True)


def test_unconfigured_loggers_warn_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the configuration a warning is shown at once, without its secrets."""
    close_logging()
    log = get_logger("demo.early")
    log.warning("too.early", password="hunter2")
    shown = orjson.loads(capsys.readouterr().err)
    assert (shown["event"], shown["password"]) == ("too.early", "[redacted]")
