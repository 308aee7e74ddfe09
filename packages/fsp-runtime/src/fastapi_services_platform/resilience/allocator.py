"""Make the C allocator give large blocks back to the system.

glibc raises its mmap threshold to the size of the largest block that was ever freed (mallopt(3), M_MMAP_THRESHOLD);
from then on blocks of that size stay in the heap. One password hash of 19 MiB is enough to keep a web process 20 MB
larger for ever. A fixed threshold switches the habit off.
"""

import ctypes

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 4 * 1024 * 1024


def return_large_blocks() -> bool:
    """Fix the threshold at 4 MiB.

    Returns whether the allocator took it. Others than glibc's have no such setting and no such habit.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES))
    except (OSError, AttributeError, TypeError):  # no such function here: nothing to switch off
        return False
