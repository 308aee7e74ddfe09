"""What a fork of a warm interpreter must do anew, done with as little memory as can be: random numbers, fork hooks.

The standard library's own hooks touch a hundred pages in every fork. Beside the random numbers they mend locks that no
thread of a zygote can hold, so they are put off until a script forks itself.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_PUT_OFF = frozenset({"random", "threading", "logging", "concurrent.futures.thread"})
_WORDS = 624
_KEY_BYTES = 4 * _WORDS


class Renewal:
    """Made before the imports; asked in every fork."""

    def __init__(self) -> None:
        self._register = os.register_at_fork
        self._hooks: list[dict[str, Callable[[], Any]]] = []  # Any: what a hook returns is thrown away
        self._reseed: Callable[[], None] = lambda: None
        self._numpy: int | None = None
        os.register_at_fork = self._put_off  # type: ignore[assignment]  # the same keywords, as a method

    def ready(self) -> None:
        """After the imports."""
        import random  # only now: it registers its hook when it is imported

        os.register_at_fork = self._register
        self._reseed = random.seed
        with suppress(Exception):  # another version of numpy: then its own, dearer way is taken
            self._numpy = _state_of_numpy()

    def in_fork(self) -> None:
        """Other random numbers than every other fork has, and the hooks for forks that a script makes."""
        for hooks in self._hooks:
            self._register(**hooks)
        self._reseed()
        numpy = sys.modules.get("numpy")
        if self._numpy is not None:
            ctypes.memmove(self._numpy, os.urandom(_KEY_BYTES), _KEY_BYTES)
            ctypes.c_int.from_address(self._numpy + _KEY_BYTES).value = _WORDS
        elif numpy is not None:
            numpy.random.seed(list(os.urandom(32)))

    def _put_off(self, **hooks: Callable[[], Any]) -> None:  # Any: as above
        if sys._getframe(1).f_globals.get("__name__") in _PUT_OFF:
            self._hooks.append(hooks)
        else:
            self._register(**hooks)


def _state_of_numpy() -> int | None:
    # The state of the Mersenne Twister is its key and a position; taken only where memory proves that it is.
    numpy = sys.modules["numpy"]
    address = int(numpy.random.get_bit_generator().ctypes.state_address)
    known = numpy.random.get_state(legacy=False)
    if known["bit_generator"] != "MT19937" or known["has_gauss"]:
        return None
    key, position = known["state"]["key"].tobytes(), known["state"]["pos"]
    seen = ctypes.string_at(address, _KEY_BYTES), ctypes.c_int.from_address(address + _KEY_BYTES).value
    return address if seen == (key, position) else None
