"""What is kept of a script's stdout and stderr: the beginning, the end, and how much lay between."""

from skriptoteket.core.results.harmless_text import clean_text
from skriptoteket.core.runs.models import StreamText


class KeptStream:
    """Takes a stream piece by piece in bounded memory."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._first = bytearray()
        self._last = bytearray()
        self.total = 0

    def add(self, data: bytes) -> None:
        """Take the next piece."""
        self.total += len(data)
        room = self._keep - len(self._first)
        if room > 0:
            self._first += data[:room]
            data = data[room:]
        if data:
            self._last += data
            # Trimmed in large steps, so that a stream of small pieces costs no copy for each of them.
            if len(self._last) > 2 * self._keep:
                del self._last[: -self._keep]

    def text(self) -> StreamText:
        """Both ends as harmless text, with a mark where something was left out; characters stay whole."""
        last = bytes(self._last[-self._keep :])
        dropped = self.total - len(self._first) - len(last)
        if dropped <= 0:
            return StreamText(_readable(bytes(self._first) + last), self.total, 0)
        mark = f"\n… {dropped} bytes left out …\n"
        return StreamText(_readable(bytes(self._first)) + mark + _readable(last), self.total, dropped)


def _readable(raw: bytes) -> str:
    return clean_text(raw.decode("utf-8", "replace"))
