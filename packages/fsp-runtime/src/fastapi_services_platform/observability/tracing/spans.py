"""Traces and spans of this process. Whether a trace is recorded is decided where it begins, before anything is paid.

A request that is not recorded costs two random numbers; its ids are in the log and in outbound calls all the same. Ids
travel as W3C Trace Context: https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from random import getrandbits, random
from time import time_ns
from typing import Literal, Protocol

Kind = Literal["server", "client", "internal"]
Attribute = str | int | float | bool

_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE_BYTES = 512


class Trace:
    """The place of one piece of work in its trace. ``sampled``: it is recorded, and so is what it calls."""

    __slots__ = ("begun", "parent_id", "sampled", "span_id", "state", "token", "trace_id")

    def __init__(self, trace_id: int, parent_id: int, sampled: bool, state: str = "") -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.span_id = getrandbits(64) or 1
        self.sampled = sampled
        self.state = state
        self.begun = time_ns() if sampled else 0
        self.token: Token[Trace | None] | None = None

    def child(self) -> "Trace":
        """A step inside of this work."""
        return Trace(self.trace_id, self.span_id, self.sampled, self.state)

    @property
    def id(self) -> str:
        """The trace's id as logs show it."""
        return f"{self.trace_id:032x}"

    def headers(self) -> dict[str, str]:
        """What an outbound call carries."""
        found = {"traceparent": f"00-{self.trace_id:032x}-{self.span_id:016x}-{'01' if self.sampled else '00'}"}
        if self.state:
            found["tracestate"] = self.state
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """Finished work that is recorded; times are nanoseconds since 1970. ``error`` is the kind of what went wrong."""

    name: str
    kind: Kind
    trace: Trace
    ended: int
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    error: str = ""


class Recorder(Protocol):
    """Takes finished spans; never waits and never raises."""

    def record(self, span: Span) -> None: ...

    def close(self) -> None: ...


_here: ContextVar[Trace | None] = ContextVar("fsp_trace", default=None)


class Tracing:
    """Begins traces and records ``ratio`` of those that begin here."""

    def __init__(self, recorder: Recorder, ratio: float) -> None:
        self.recorder = recorder
        self.ratio = ratio

    def begin(self, parent: bytes | None = None, state: bytes | None = None, *, believed: bool = False) -> Trace:
        """Enter a trace: the caller's when it names one, else a new one.

        A caller's word on what is recorded counts only when it is ``believed``: strangers could have everything
        recorded.
        """
        named = _PARENT.fullmatch(parent) if parent is not None else None
        if named is None:
            trace = Trace(getrandbits(128) or 1, 0, random() < self.ratio)  # noqa: S311 - ids, not secrets
        else:
            sampled = bool(int(named[3], 16) & 1) if believed else random() < self.ratio  # noqa: S311 - as above
            trace = Trace(int(named[1], 16), int(named[2], 16), sampled, _state_of(state))
        trace.token = _here.set(trace)
        return trace

    def finish(
        self, trace: Trace, name: str, kind: Kind, attributes: Mapping[str, Attribute] | None = None, error: str = ""
    ) -> None:
        """Leave a trace that was entered here, and record it if it is recorded."""
        if trace.token is not None:
            _here.reset(trace.token)
        if trace.sampled:
            self.recorder.record(Span(name, kind, trace, time_ns(), attributes or {}, error))


class _State:
    tracing: Tracing | None = None


_state = _State()


def install_tracing(tracing: Tracing | None) -> Tracing | None:
    """Trace with this from now on, or with nothing; gives what was used before."""
    before, _state.tracing = _state.tracing, tracing
    return before


def current_trace() -> Trace | None:
    """The trace of the work under way."""
    return _here.get()


@contextmanager
def span(
    name: str, kind: Kind = "internal", attributes: Mapping[str, Attribute] | None = None
) -> Iterator[Trace | None]:
    """Make a step of the work under way visible in its trace; costs nothing when that is not recorded.

    Gives the step's own trace, or that of the work when nothing is recorded.
    """
    outer = _here.get()
    tracing = _state.tracing
    if outer is None or not outer.sampled or tracing is None:
        yield outer
        return
    step = outer.child()
    step.token = _here.set(step)
    error = ""
    try:
        yield step
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        tracing.finish(step, name, kind, attributes, error)


@contextmanager
def root_span(name: str, attributes: Mapping[str, Attribute] | None = None) -> Iterator[Trace | None]:
    """A trace of its own, for work that no request asked for."""
    tracing = _state.tracing
    if tracing is None:
        yield None
        return
    trace = tracing.begin()
    error = ""
    try:
        yield trace
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        tracing.finish(trace, name, "internal", attributes, error)


def outgoing_headers() -> dict[str, str]:
    """Headers with which an outbound call continues the trace; empty outside of one."""
    trace = _here.get()
    return trace.headers() if trace is not None else {}


def _state_of(value: bytes | None) -> str:
    if value is None or len(value) > _STATE_BYTES or not value.isascii():
        return ""
    return value.decode("ascii")
