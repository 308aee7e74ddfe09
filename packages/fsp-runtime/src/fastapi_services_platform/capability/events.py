"""Facts that capabilities tell each other: what is published, what a handler receives, who handles what."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

EVENT_TRIES = 10
"""How often a handler is tried before its event becomes a dead letter, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in the past tense (``subject.disabled``) about one thing, the ``key``: events of a key keep their order.

    ``data`` is JSON and holds no secret. ``id`` stays the same however often the event is delivered.
    """

    name: str
    key: str
    data: Mapping[str, object] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event as it reaches a handler, perhaps not for the first time: ``id`` tells a repetition."""

    id: str
    name: str
    key: str
    data: Mapping[str, object]
    publisher: str
    at: datetime
    attempt: int
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class EventHandler:
    """Gives every event of a name to ``handle``, at least once and in order per key.

    ``name`` is the handler's own within its capability and must not change: what it has seen is kept under it. A
    handler that raises is tried again with growing pauses; after ``tries`` the event is put aside as a dead letter
    and the next one of its key follows. ``handle`` must do no harm when it runs twice with the same ``id``.
    """

    name: str
    event: str
    handle: Callable[[ReceivedEvent], Awaitable[None]]
    tries: int = EVENT_TRIES
