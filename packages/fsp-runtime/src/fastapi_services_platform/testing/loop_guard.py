"""Fail a test when something blocks the event loop."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loop_guard() -> Iterator[None]:
    """While the block runs, a blocking call in a coroutine raises and names the line.

    Needs the extra ``testing`` (blockbuster).
    """
    from blockbuster import blockbuster_ctx

    with blockbuster_ctx():
        yield
