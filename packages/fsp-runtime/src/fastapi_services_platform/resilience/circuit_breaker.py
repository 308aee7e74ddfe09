"""Stop calling what does not answer: closed, open, half-open.

A breaker opens when at least ``fewest`` of the last calls were made and ``share`` of them failed. While it is open,
calls fail at once. After ``rest_seconds`` a single probe is let through; its success closes the breaker, its failure
opens it again. ``listener`` is told of what happens here; what other nodes say (:meth:`hold`, :meth:`release`) is not
told again.
"""

from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Literal

from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.observability.logger_factory import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

State = Literal["closed", "open", "half_open"]

_log = get_logger(__name__)


class CircuitOpen(PlatformError):
    """The call was not made; ``retry_after`` seconds from now one will be."""

    def __init__(self, name: str, retry_after: float) -> None:
        self.name = name
        self.retry_after = retry_after
        super().__init__(f"{name} failed too often and is left alone for {retry_after:.1f} s.", "wait, or mend it.")


class CircuitBreaker:
    """One per upstream. ``is_failure`` says which exceptions are the upstream's fault; the others count as answers."""

    def __init__(
        self,
        name: str,
        *,
        share: float = 0.5,
        fewest: int = 5,
        window: int = 20,
        rest_seconds: float = 5.0,
        is_failure: Callable[[Exception], bool] = lambda _error: True,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name = name
        self.state: State = "closed"
        self.opened = 0
        self.listener: Callable[[CircuitBreaker], None] | None = None
        self._share = share
        self._fewest = fewest
        self._rest = rest_seconds
        self._is_failure = is_failure
        self._clock = clock
        self._results: deque[bool] = deque(maxlen=window)
        self._until = 0.0
        self._probing = False

    @contextmanager
    def guard(self) -> "Iterator[None]":
        """Make one call inside the block.

        Raises:
            CircuitOpen: the call is not made.
        """
        probe = self._admit()
        try:
            yield
        except Exception as error:
            self._note(not self._is_failure(error), probe=probe)
            raise
        except BaseException:  # cancelled: nothing was learnt of the upstream
            self._probing = self._probing and not probe
            raise
        self._note(True, probe=probe)

    @property
    def seconds_left(self) -> float:
        """Until a probe is let through; 0 while it is closed."""
        return max(0.0, self._until - self._clock()) if self.state == "open" else 0.0

    @property
    def lately(self) -> tuple[int, int]:
        """Calls and failures that it remembers."""
        return len(self._results), self._results.count(False)

    def reset(self) -> None:
        """Close it by hand."""
        self.release()
        self._tell()

    def hold(self, seconds: float) -> None:
        """Open it because another node did."""
        self.state = "open"
        self._until = self._clock() + seconds
        self._results.clear()

    def release(self) -> None:
        """Close it because another node did."""
        self.state = "closed"
        self._results.clear()
        self._probing = False

    def _tell(self) -> None:
        if self.listener is not None:
            self.listener(self)

    def _admit(self) -> bool:
        if self.state == "closed":
            return False
        left = self._until - self._clock()
        if left > 0 or self._probing:
            raise CircuitOpen(self.name, max(left, 0.1))
        self.state = "half_open"
        self._probing = True
        return True

    def _note(self, good: bool, *, probe: bool) -> None:
        if probe:
            self._probing = False
            if good:
                self.reset()
                _log.info("circuit.closed", name=self.name)
            else:
                self._open()
            return
        self._results.append(good)
        failures = self._results.count(False)
        if (
            self.state == "closed"
            and len(self._results) >= self._fewest
            and failures >= self._share * len(self._results)
        ):
            self._open()

    def _open(self) -> None:
        self.hold(self._rest)
        self.opened += 1
        _log.warning("circuit.opened", name=self.name, seconds=self._rest)
        self._tell()
