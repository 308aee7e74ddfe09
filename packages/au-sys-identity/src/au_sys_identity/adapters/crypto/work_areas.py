"""The memory that argon2 works in, kept from one computation to the next while there is work.

A fresh block of 19 MiB is five thousand page faults, which the system answers for a third of the price of the hash.
"""

from collections import deque
from threading import local
from typing import Any

from argon2.low_level import ARGON2_VERSION, Type, core, error_to_str, ffi

_OK = 0
_FAILED = -22
_here = local()


class WorkAreas:
    """Blocks of one size, one for each computation at a time."""

    def __init__(self, memory_kib: int) -> None:
        self._memory_kib = memory_kib
        self._free: deque[Any] = deque()  # Any: cffi's buffers

    def digest(self, password: bytes, salt: bytes, *, time_cost: int, length: int) -> bytes:
        """The raw argon2id hash with one lane. It computes: call it in a thread.

        Raises:
            ValueError: argon2 refuses the settings.
        """
        try:
            area = self._free.pop()
        except IndexError:
            area = _new("uint8_t[]", self._memory_kib * 1024)
        _here.area = area
        try:
            return self._computed(password, salt, time_cost, length)
        finally:
            del _here.area
            self._free.append(area)

    def release(self) -> None:
        """Give back what nobody works in."""
        self._free.clear()

    def _computed(self, password: bytes, salt: bytes, time_cost: int, length: int) -> bytes:
        out, secret, grain = ffi.new("uint8_t[]", length), ffi.new("uint8_t[]", password), ffi.new("uint8_t[]", salt)
        context = {"out": out, "outlen": length, "pwd": secret, "pwdlen": len(password)}
        context |= {"salt": grain, "saltlen": len(salt), "secret": ffi.NULL, "secretlen": 0, "ad": ffi.NULL, "adlen": 0}
        context |= {"t_cost": time_cost, "m_cost": self._memory_kib, "lanes": 1, "threads": 1, "flags": 0}
        context |= {"version": ARGON2_VERSION, "allocate_cbk": _lend, "free_cbk": _take_back}
        failed = core(ffi.new("argon2_context *", context), Type.ID.value)
        if failed != _OK:
            raise ValueError(error_to_str(failed))
        return bytes(ffi.buffer(out))


_new = ffi.new_allocator(should_clear_after_alloc=False)


def _lend(memory: Any, size: int) -> int:  # Any: uint8_t **
    area = getattr(_here, "area", None)
    if area is None or size > len(area):
        return _FAILED
    memory[0] = area
    return _OK


_lend = ffi.callback("int(uint8_t **, size_t)", _lend, error=_FAILED)
_take_back = ffi.callback("void(uint8_t *, size_t)", lambda _memory, _size: None)
