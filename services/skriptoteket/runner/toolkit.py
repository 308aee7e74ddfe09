"""The few names that scripts import: what the run was given, and ways to answer.

Every part of the request that is missing or malformed is an empty default here, so that a script can use it unchecked.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

__all__ = (
    "action", "file", "files", "inputs", "notice", "plot",
    "progress", "refuse", "request", "settings", "state", "table",
)  # fmt: skip

_MAX_PROGRESS_TEXT = 200
_LEAST_SECONDS = 0.05


class Refusal(BaseException):
    """The script refuses its input; the text is shown to the user.

    It is no ``Exception``, so that a script's own ``except Exception`` does not swallow it.
    """


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _mapping(name: str) -> dict[str, object]:
    found = request.get(name)
    return found if isinstance(found, dict) else {}


def _load(job: Path) -> None:
    global request, inputs, settings, action, state, files
    request = _read(job / "request.json")
    inputs, settings, state = _mapping("inputs"), _mapping("settings"), _mapping("state")
    action = _mapping("action") or None
    listed = request.get("files")
    files = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


request: dict[str, object] = {}
inputs: dict[str, object] = {}
settings: dict[str, object] = {}
action: dict[str, object] | None = None
state: dict[str, object] = {}
files: list[dict[str, object]] = []
_channel: int | None = None
_mark = ""
_last = 0.0


def progress(percent: float | None = None, message: str = "") -> None:
    """Tell how far the script is (0–100); too many calls are dropped, none ever waits."""
    global _last
    if _channel is None and (not _mark or time.monotonic() - _last < _LEAST_SECONDS):
        return
    record = {"percent": percent, "message": str(message)[:_MAX_PROGRESS_TEXT]}
    try:
        text = json.dumps(record)
        if _channel is None:
            _last = time.monotonic()
            os.write(2, f"\x1e{_mark}{text}\n".encode())
        else:
            os.write(_channel, text.encode())
    except (OSError, TypeError, ValueError):
        return


def refuse(text: str) -> NoReturn:
    """End the script: the input cannot be used, and ``text`` tells the user why."""
    raise Refusal(str(text))


def notice(message: str, level: str = "info") -> dict[str, object]:
    """A short message; ``level`` is ``info``, ``warning`` or ``error``."""
    return {"kind": "notice", "level": level, "message": str(message)}


def table(
    columns: Sequence[str | Mapping[str, object]],
    rows: Iterable[Mapping[str, object] | Sequence[object]],
    title: str | None = None,
) -> dict[str, object]:
    """A table. Columns are labels or ``{key, label, align}``; rows are sequences in that order or mappings by key."""
    shaped = [dict(one) if isinstance(one, Mapping) else {"key": one, "label": one} for one in columns]
    keys = [str(one.get("key")) for one in shaped]
    plain = [dict(row) if isinstance(row, Mapping) else dict(zip(keys, row, strict=False)) for row in rows]
    block: dict[str, object] = {"kind": "table", "columns": shaped, "rows": plain}
    return block if title is None else {**block, "title": title}


def file(path: str, label: str | None = None) -> dict[str, object]:
    """A link to a file that the script wrote into ``output/``; ``path`` is relative to it."""
    block: dict[str, object] = {"kind": "file", "path": str(path)}
    return block if label is None else {**block, "label": label}


def plot(path: str, alt: str, title: str | None = None) -> dict[str, object]:
    """A picture that the script wrote into ``output/``; ``alt`` says in words what it shows."""
    block: dict[str, object] = {"kind": "plot", "file": str(path), "alt": alt}
    return block if title is None else {**block, "title": title}
