"""Arrange a zygote's memory so that a fork copies little: used once, little garbage, few large pages."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import suppress

_LARGE = 2 * 1024 * 1024
_COLLAPSE = 25  # MADV_COLLAPSE, Linux 6.1

_libc = ctypes.CDLL(None, use_errno=True)


def gather() -> None:
    """After the imports, before the first fork."""
    for _ in range(3):
        with suppress(Exception):  # an environment may bring any version of anything; then it is merely less warm
            _use_pandas()
    gc.collect()
    gc.freeze()
    with suppress(AttributeError):  # a C library without it
        _libc.malloc_trim(0)
    for start in tuple(_large_pages()):
        # A page that cannot be collapsed stays as it is; an older kernel refuses all.
        _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(_LARGE), _COLLAPSE)


def _use_pandas() -> None:
    # Bytecode is specialised where it ran: done here once, it does not touch the pages again in every fork.
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        frame = pandas.DataFrame({"a": range(100), "b": range(100)})
        frame.groupby("a").sum()["b"].sum()


def _large_pages() -> Iterator[int]:
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        span, rights, _, _, _, *name = line.split()
        if rights == "rw-p" and name in ([], ["[heap]"]):
            begin, end = (int(part, 16) for part in span.split("-"))
            yield from range(-(-begin // _LARGE) * _LARGE, end - _LARGE + 1, _LARGE)
