"""Fail a test when something blocks the event loop."""

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

_PYTHON = sysconfig.get_path("stdlib")


@contextmanager
def loop_guard() -> Iterator[None]:
    """While the block runs, a blocking call in a coroutine raises and names the line.

    Needs the extra ``testing`` (blockbuster).
    """
    from blockbuster import blockbuster_ctx

    with blockbuster_ctx() as guard:
        # Pure text for an absolute path, and once for each engine.
        guard.functions["os.path.abspath"].can_block_in("sqlalchemy/dialects/sqlite/pysqlite.py", "create_connect_args")
        yield


@contextmanager
def blocking_calls() -> Iterator[list[str]]:
    """The same, and every call that was caught is in the list as ``call at file:line``, also one that was swallowed."""
    from blockbuster import BlockingError

    made: list[str] = []
    original = BlockingError.__init__

    def noting(self: BlockingError, func: str) -> None:
        original(self, func)
        frames = [frame for frame in traceback.extract_stack() if not _is_foreign(frame.filename)]
        made.append(f"{func} at {frames[-1].filename}:{frames[-1].lineno}" if frames else func)

    BlockingError.__init__ = noting  # type: ignore[method-assign]  # a swallowed one would not be seen
    try:
        with loop_guard():
            yield made
    finally:
        BlockingError.__init__ = original  # type: ignore[method-assign]  # as above


def _is_foreign(file: str) -> bool:
    """Whether a frame is Python's, an installed library's or this module's."""
    return file.startswith(("<", _PYTHON)) or "site-packages" in file or file == __file__
