"""Who follows the change feed over HTTP at present, and how far behind the slowest is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from au_sys_storage_sdk.core.clock import system_clock
from fastapi_services_platform.fastapi import inject


class Follower:
    """One open watch: how long after its commit the last change was sent, in milliseconds."""

    __slots__ = ("lag",)

    def __init__(self) -> None:
        self.lag = 0

    def sent(self, at: int) -> None:
        """A change that was committed at this time has been handed to the server."""
        self.lag = max(system_clock() - at, 0)


class Followers:
    """All open watches of this process."""

    def __init__(self) -> None:
        self._open: set[Follower] = set()

    @contextmanager
    def one(self) -> Iterator[Follower]:
        """A follower for as long as the block runs."""
        follower = Follower()
        self._open.add(follower)
        try:
            yield follower
        finally:
            self._open.discard(follower)

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self._open)

    @property
    def lag(self) -> int:
        """Milliseconds between commit and hand-over at the slowest of them, for its last change."""
        return max((follower.lag for follower in self._open), default=0)


FollowersOf = Annotated[Followers, inject(Followers)]
"""In an endpoint: the followers of this process."""
