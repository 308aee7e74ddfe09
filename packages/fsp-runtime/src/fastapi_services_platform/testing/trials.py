"""What the conformance suite puts a capability through: a start that fails, and callers who only look."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from fastapi_services_platform.capability.contribution import Contribution
from fastapi_services_platform.capability.manifest import Capability, Initializes, Stops
from fastapi_services_platform.engine.platform import Platform

if TYPE_CHECKING:
    from httpx import AsyncClient

_PATIENCE_SECONDS = 1.0
_CALLERS: tuple[dict[str, str], ...] = ({}, {"authorization": "Bearer ada"})
_CLEANING_SECONDS = 5.0

Step = Callable[[], Awaitable[object]]


class FailsToStart:
    """A capability whose start raises in the place of its own; what its stop raises is noted in ``troubles``."""

    def __init__(self, tested: Capability) -> None:
        self.manifest = tested.manifest
        self.troubles: list[str] = []
        self._tested: object = tested

    async def initialize(self, platform: Platform) -> Contribution:
        """As the capability does."""
        return await self._tested.initialize(platform) if isinstance(self._tested, Initializes) else Contribution()

    async def startup(self) -> None:
        """Raise.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("this start was made to fail")

    async def shutdown(self) -> None:
        """As the capability does, for what did not start."""
        if isinstance(self._tested, Stops):
            try:
                await self._tested.shutdown()
            except Exception as error:
                self.troubles.append(f"shutdown without a startup raised {error!r}")


async def tasks_left(before: "set[asyncio.Task[object]]") -> list[str]:
    """Names of tasks that are there and were not before, once those that end have had their time."""
    deadline = asyncio.get_running_loop().time() + _CLEANING_SECONDS
    while True:
        left = asyncio.all_tasks() - before
        if not left or asyncio.get_running_loop().time() > deadline:
            return sorted(task.get_name() for task in left)
        await asyncio.wait(left, timeout=0.05)


async def those_that_end(
    client: "AsyncClient", paths: Iterable[str], steps: Iterable[Step]
) -> tuple[list[str], list[Step]]:
    """Ask for every path, as a stranger and with a token, and run every step; gives those that took no longer than a
    moment. What a step raises is not what is asked here.
    """
    ended: list[str] = []
    for path in sorted(paths):
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for headers in _CALLERS:
                    await client.get(path, headers=headers)
                ended.append(path)
    done: list[Step] = []
    for step in steps:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                with suppress(Exception):  # what a step does is asked by another check
                    await step()
                done.append(step)
    return ended, done
