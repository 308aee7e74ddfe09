"""How one upstream is called."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a capability says of an upstream; the file of the platform may say otherwise, value by value.

    ``attempt_seconds`` bounds each attempt, ``total_seconds`` all of them with their pauses. At most ``connections``
    calls are under way and ``waiting`` behind them. ``rest_seconds`` is how long a breaker stays open.
    """

    base_url: str = ""
    attempt_seconds: float = 5.0
    total_seconds: float = 15.0
    attempts: int = 3
    connections: int = 20
    waiting: int = 40
    rest_seconds: float = 5.0
    http2: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
