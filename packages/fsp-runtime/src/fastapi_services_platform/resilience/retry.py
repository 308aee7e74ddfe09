"""Run something again when its failure is transient: exponential backoff with jitter, a hint of the other side, a
budget.

The budget is shared by all calls of a policy: retries may be a fifth of the calls, so that an upstream that is down
is not hit harder than one that is up.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

Transient = Callable[[Exception], "float | bool"]
"""Whether a failure is transient; a number is the pause in seconds that the other side asked for."""


@dataclass(slots=True)
class RetryBudget:
    """Tokens that calls earn and retries spend."""

    share: float = 0.2
    most: float = 10.0
    tokens: float = 10.0

    def earn(self) -> None:
        """A call was made."""
        self.tokens = min(self.most, self.tokens + self.share)

    def spend(self) -> bool:
        """Take a token for a retry, or say that there is none."""
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class RetryPolicy:
    """How often, how long apart, and how long in all. ``retries`` counts for the metrics."""

    attempts: int = 3
    first_pause: float = 0.1
    longest_pause: float = 5.0
    total_seconds: float = 30.0
    budget: RetryBudget = field(default_factory=RetryBudget)
    retries: int = 0

    async def run(self, call: Callable[[], Awaitable[T]], transient: Transient) -> T:
        """The result of the first attempt that works.

        Raises:
            Exception: the failure of the last attempt, or the first one that is not transient.
        """
        deadline = monotonic() + self.total_seconds
        self.budget.earn()
        attempt = 1
        while True:
            try:
                return await call()
            except Exception as error:
                asked = transient(error)
                pause = self._pause(attempt, asked)
                over = attempt >= self.attempts or monotonic() + pause > deadline
                if asked is False or over or not self.budget.spend():
                    raise
            self.retries += 1
            attempt += 1
            await asyncio.sleep(pause)

    def _pause(self, attempt: int, asked: "float | bool") -> float:
        if not isinstance(asked, bool):
            return asked
        backoff = min(self.longest_pause, self.first_pause * 2.0 ** (attempt - 1))
        return backoff * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
