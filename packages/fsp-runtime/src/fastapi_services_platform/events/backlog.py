"""What is still to be delivered, as values: read them without loading SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that this node holds, with its event."""

    handler: str
    sequence: int
    tries: int
    holder: str
    id: str
    name: str
    key: str
    data: Mapping[str, object]
    at: float
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a handler has still to see: ``lag`` is the age of the oldest in seconds, ``dead`` what was put aside."""

    handler: str
    waiting: int
    lag: float
    dead: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a handler could not handle."""

    publisher: str
    handler: str
    sequence: int
    id: str
    name: str
    key: str
    data: Mapping[str, object]
    at: float
    tries: int
    error: str
