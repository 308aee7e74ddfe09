"""Memory of large blocks goes back to the system."""

import subprocess
import sys

import pytest

_PROGRAM = """
import os, sys
from fastapi_services_platform.resilience.allocator import return_large_blocks
if sys.argv[1] == "fixed":
    assert return_large_blocks()
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
small = []
def work():
    block = b"x" * (19 << 20)
    small.append(bytes(100_000))
    return len(block)
before = resident()
for _ in range(4):
    work()
print((resident() - before) >> 20)
"""


def _grown(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the habit is glibc's")
def test_a_freed_large_block_is_not_kept() -> None:
    """After work that needs 19 MiB at a time the process is as small as before, which it is not by default."""
    assert (_grown("default") >= 15, _grown("fixed") <= 4) == (True, True)
