"""The only way to log: ``get_logger(__name__)``, then an event and fields.

Console: JSON, one line per event. File (when ``FSP_LOG_DIR`` is set): detailed text, rotated. A logger may be made at
import; where its events go is decided by :func:`configure_logging`. Before that, warnings and errors go to standard
error at once.
"""

import atexit
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import orjson
from structlog import BoundLoggerBase

from fastapi_services_platform.observability.log_writer import LogWriter
from fastapi_services_platform.observability.redaction import redact_bytes, redact_fields
from fastapi_services_platform.observability.text_lines import TextFile
from fastapi_services_platform.observability.tracing.spans import current_trace

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_NAMES = {number: name for name, number in LEVELS.items()}
_ENCODING = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z

ContextSource = Callable[[], Mapping[str, object] | None]
"""Fields of the request that is being answered, or ``None`` outside of one."""

_bound: ContextVar[Mapping[str, object] | None] = ContextVar("fsp_log_fields", default=None)


class LogSettings(Protocol):
    """What :func:`configure_logging` reads of the platform's settings."""

    @property
    def log_level(self) -> str: ...

    @property
    def log_dir(self) -> Path | None: ...


class Channel:
    """Where the events of one logger go, and from which level on."""

    __slots__ = ("name", "threshold")

    def __init__(self, name: str, threshold: int) -> None:
        self.name = name
        self.threshold = threshold

    def submit(self, line: bytes, error: BaseException | None) -> None:
        """Hand an encoded event to the writer, or before the configuration write it at once."""
        if _state.writer is not None:
            _state.writer.submit(line, error)
        else:
            _write_at_once(line, error)

    def submit_clean(self, line: bytes) -> None:
        """Hand over an encoded event that was made of values without secrets: the access line of every request."""
        if _state.writer is not None:
            _state.writer.submit(line, None, clean=True)

    debug = info = warning = error = submit


class PlatformLogger(BoundLoggerBase):
    """A structlog logger whose level can change while the platform runs. Every method takes an event and fields."""

    _logger: Channel

    def debug(self, event: str, **fields: Any) -> None:  # Any: whatever is worth logging; encoded by repr if need be
        """Log what only a developer wants to see."""
        if self._logger.threshold <= 10:
            self._proxy_to_logger("debug", event, **fields)

    def info(self, event: str, **fields: Any) -> None:  # Any: as above
        """Log what happened."""
        if self._logger.threshold <= 20:
            self._proxy_to_logger("info", event, **fields)

    def warning(self, event: str, **fields: Any) -> None:  # Any: as above
        """Log what somebody should look at."""
        if self._logger.threshold <= 30:
            self._proxy_to_logger("warning", event, **fields)

    def error(self, event: str, **fields: Any) -> None:  # Any: as above
        """Log what failed; ``exc_info`` may be the exception or ``True``."""
        self._proxy_to_logger("error", event, **fields)

    def exception(self, event: str, **fields: Any) -> None:  # Any: as above
        """Log what failed, with the exception that is being handled."""
        fields.setdefault("exc_info", True)
        self._proxy_to_logger("error", event, **fields)


class _State:
    def __init__(self) -> None:
        self.writer: LogWriter | None = None
        self.source: ContextSource = lambda: None
        self.default = LEVELS["warning"]
        self.overrides: dict[str, int] = {}
        self.channels: dict[str, Channel] = {}

    def level_of(self, name: str) -> int:
        """The level of the nearest name above that has one."""
        prefix = name
        while prefix:
            if prefix in self.overrides:
                return self.overrides[prefix]
            prefix = prefix.rpartition(".")[0]
        return self.default

    def refresh(self) -> None:
        for channel in tuple(self.channels.values()):
            channel.threshold = self.level_of(channel.name)


_state = _State()


def get_logger(name: str) -> PlatformLogger:
    """The logger of a module; the same name always has the same level."""
    channel = _state.channels.get(name)
    if channel is None:
        channel = _state.channels[name] = Channel(name, _state.level_of(name))
    return PlatformLogger(channel, _PROCESSORS, {})


def channel_of(name: str) -> Channel:
    """The channel of a logger, for the one event whose cost counts; everybody else takes :func:`get_logger`."""
    get_logger(name)
    return _state.channels[name]


def configure_logging(
    settings: LogSettings,
    source: ContextSource | None = None,
    *,
    process: str = "platform",
    console: BinaryIO | None = None,
) -> None:
    """Start the writer: JSON to standard error (or ``console``), text to ``<log_dir>/<process>.log`` if there is one.

    ``source`` gives the fields of the request being answered. Called again, it replaces what was configured before.
    """
    from fastapi_services_platform.observability.stdlib_bridge import install

    close_logging()
    file = TextFile(settings.log_dir / f"{process}.log") if settings.log_dir is not None else None
    _state.writer = LogWriter(console or _standard_error(), file)
    if source is not None:
        _state.source = source
    _state.default = LEVELS[settings.log_level]
    _state.refresh()
    install(_state.default)


def close_logging() -> None:
    """Write what is queued and stop the writer; later events go to standard error at once."""
    writer, _state.writer = _state.writer, None
    if writer is not None:
        writer.close()


def flush_logging() -> bool:
    """Wait until everything logged so far is written. Blocks: call it outside the event loop."""
    return _state.writer.flush() if _state.writer is not None else True


def lost_events() -> tuple[int, int]:
    """How many events found the queue full, and how many batches could not be written."""
    return (_state.writer.dropped, _state.writer.failures) if _state.writer is not None else (0, 0)


def set_level(name: str, level: str | None) -> None:
    """Change the least level of a logger and of all below it (``""``: of everything); ``None`` takes it back.

    Raises:
        KeyError: no such level.
    """
    number = None if level is None else LEVELS[level]
    if name == "":
        _state.default = LEVELS["info"] if number is None else number
    elif number is None:
        _state.overrides.pop(name, None)
    else:
        _state.overrides[name] = number
    _state.refresh()
    if name and name not in _state.channels:
        logging.getLogger(name).setLevel(logging.NOTSET if number is None else number)


def levels() -> dict[str, str]:
    """The level of the default (``""``), of every changed name and of every known logger."""
    known = {channel.name: channel.threshold for channel in _state.channels.values()}
    found = {"": _state.default, **_state.overrides, **known}
    return {name: _NAMES[found[name]] for name in sorted(found)}


def changed_levels() -> dict[str, str]:
    """Names whose level was set at run time."""
    return {name: _NAMES[number] for name, number in sorted(_state.overrides.items())}


@contextmanager
def log_fields(**fields: object) -> Iterator[None]:
    """Add fields to every event of this task inside the block (a job's id, a run's id)."""
    token = _bound.set({**(_bound.get() or {}), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def current_fields() -> dict[str, object]:
    """Fields that an event logged here would get from its surroundings."""
    return {**(_state.source() or {}), **(_bound.get() or {})}


def encode_event(logger: str, level: str, event: str, fields: dict[str, object]) -> bytes:
    """An event as one line of JSON; what cannot be encoded is shown by ``repr``."""
    surroundings = _state.source()
    bound = _bound.get()
    whole: dict[str, object] = {"time": datetime.now(UTC), "level": level, "logger": logger, "event": event}
    if surroundings:
        whole.update(surroundings)
    if bound:
        whole.update(bound)
    trace = current_trace()
    if trace is not None:
        whole["trace_id"] = trace.id
    whole.update(redact_fields(fields))
    try:
        return orjson.dumps(whole, default=_plain, option=_ENCODING)
    except (orjson.JSONEncodeError, RecursionError):
        shown = {str(key): ascii(value) for key, value in whole.items()}
        return orjson.dumps(shown)


def _plain(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else repr(value)


def _encode(channel: Any, method: str, event: MutableMapping[str, Any]) -> tuple[Any, ...]:
    # Any: the signature of a structlog processor
    name = event.pop("event")
    error = _exception_of(event.pop("exc_info", None))
    return (encode_event(channel.name, method, str(name), dict(event)), error), {}


def _exception_of(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if len(given) > 1 and isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


_PROCESSORS = (_encode,)


def _standard_error() -> BinaryIO | None:
    return getattr(sys.stderr, "buffer", None)


def _write_at_once(line: bytes, error: BaseException | None) -> None:
    if error is not None:
        line = orjson.dumps({**orjson.loads(line), "exception": f"{type(error).__name__}: {error}"})
    try:
        sys.stderr.write(redact_bytes(line).decode() + "\n")
    except (OSError, ValueError, AttributeError):  # no standard error is no reason to fail
        return


def _after_fork() -> None:
    if _state.writer is not None:
        _state.writer.restart_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(close_logging)
