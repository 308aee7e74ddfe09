"""BreachList over a sorted file of truncated SHA-256 values."""

import hashlib
from importlib.resources import files
from pathlib import Path

_WIDTH = 8


class HashFile:
    """Looks a password up by binary search; a false alarm has a chance of about one in 10¹⁴."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._count = len(content) // _WIDTH

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
        wanted = _truncated(password)
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            found = self._content[middle * _WIDTH : (middle + 1) * _WIDTH]
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
