"""BreachList over a sorted file of truncated hashes: SHA-256 in the shipped one, SHA-1 in one of one's own.

A file of SHA-1 values begins with a line that says so: lists of leaked passwords come as SHA-1, and nobody knows more
of them than that.
"""

import hashlib
from importlib.resources import files
from pathlib import Path

_WIDTH = 8
_SHA1 = b"SHA1\0\0\0\n"
_HEX_DIGITS = 40


class HashFile:
    """Looks a password up by binary search; a false alarm has a chance of about one in 10¹⁴."""

    def __init__(self, content: bytes) -> None:
        self._sha1 = content.startswith(_SHA1)
        self._content = memoryview(content)[len(_SHA1) :] if self._sha1 else memoryview(content)
        self._count = len(self._content) // _WIDTH

    @classmethod
    def shipped(cls) -> "HashFile":
        """The list inside the wheel."""
        return cls(files("au_sys_identity.adapters.crypto").joinpath("data/common_passwords.bin").read_bytes())

    @classmethod
    def read(cls, path: Path) -> "HashFile":
        """A list of one's own, made by :func:`build`."""
        return cls(path.read_bytes())

    def __len__(self) -> int:
        return self._count

    def contains(self, password: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.BreachList`."""
        wanted = _truncated_sha1(password) if self._sha1 else _truncated(password)
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            found = bytes(self._content[middle * _WIDTH : (middle + 1) * _WIDTH])
            if found == wanted:
                return True
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return False


def build(passwords: list[str]) -> bytes:
    """The content of a hash file for these passwords."""
    return b"".join(sorted({_truncated(password) for password in passwords}))


def _truncated(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()[:_WIDTH]


def _truncated_sha1(password: str) -> bytes:
    plain = password.encode("utf-8", "surrogatepass")
    return hashlib.sha1(plain, usedforsecurity=False).digest()[:_WIDTH]


def build_from_hashes(source: Path, target: Path) -> int:
    """Write a list from lines of SHA-1 hashes in hexadecimal, each perhaps with a colon and a count after it; how many
    it holds.

    Raises:
        ValueError: a line is none; its number is told.
    """
    held: set[bytes] = set()
    with source.open(encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip().partition(":")[0]
            if not text:
                continue
            try:
                found = bytes.fromhex(text)
            except ValueError:
                found = b""
            if len(text) != _HEX_DIGITS or not found:
                raise ValueError(f"line {number} is no SHA-1 hash of {_HEX_DIGITS} hexadecimal digits")
            held.add(found[:_WIDTH])
    target.write_bytes(_SHA1 + b"".join(sorted(held)))
    return len(held)
