"""The guard finds what blocks the event loop."""

import time

import pytest

from fastapi_services_platform.testing import loop_guard


async def test_a_blocking_call_in_a_coroutine_fails() -> None:
    """time.sleep on the loop raises and names itself."""
    from blockbuster import BlockingError

    with loop_guard(), pytest.raises(BlockingError, match=r"time\.sleep"):
        time.sleep(0.001)
