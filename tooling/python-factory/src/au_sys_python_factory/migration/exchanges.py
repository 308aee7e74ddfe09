"""Requests with their answers: recorded of the old application, replayed against the new capability."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from au_sys_python_factory.errors import FactoryError, Refused, UsageError
from au_sys_python_factory.workspace.tables import read_table

RECORDING = "exchanges.json"
REQUESTS = "requests.toml"
_NOWHERE = b'{"detail":"Not Found"}'
_SECONDS = 60
"""How long an old application may take for an answer."""

COMPARED = ("content-type", "location", "etag", "cache-control", "content-disposition")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and what came back; bodies are base64, so that any byte survives."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 0
    answered: Mapping[str, str] = field(default_factory=dict)
    content: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer is not what it was. ``announced``: the plan or the platform says so."""

    request: str
    what: str
    before: str
    now: str
    announced: bool = False


def asked(folder: Path, plain_paths: Sequence[str]) -> list[Exchange]:
    """The requests to record: those of ``requests.toml``, every plain path, and one path that nobody has.

    Raises:
        UsageError: a request is not well formed.
    """
    found = [Exchange("GET", path) for path in plain_paths]
    found += [Exchange("DELETE", path) for path in plain_paths[:1]]
    found.append(Exchange("GET", "/nobody-has-this-path"))
    file = folder / REQUESTS
    rows = read_table(file).get("request", []) if file.is_file() else []
    for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
        if not isinstance(row, dict) or not str(row.get("path", "")).startswith("/"):
            raise UsageError(f"request {number} has no path.", where=str(file), fix='path = "/…"')
        headers = {str(name): str(value) for name, value in dict(row.get("headers", {})).items()}
        body = base64.b64encode(str(row.get("body", "")).encode()).decode()
        found.append(Exchange(str(row.get("method", "GET")), str(row["path"]), headers, body))
    return found


def recorded(folder: Path) -> list[Exchange]:
    """What was recorded; nothing where nothing was.

    Raises:
        Refused: the file is damaged.
    """
    path = folder / RECORDING
    if not path.is_file():
        return []
    try:
        return [Exchange(**row) for row in json.loads(path.read_text(encoding="utf-8"))["exchanges"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"the recording is damaged ({error}).", where=str(path), fix="record it again.") from None


def stored(exchanges: Iterable[Exchange]) -> str:
    """The recording as JSON."""
    return json.dumps({"exchanges": [asdict(item) for item in exchanges]}, indent=1, ensure_ascii=False) + "\n"


def played_rows(exchanges: Sequence[Exchange]) -> list[dict[str, object]]:
    """What the gauntlet plays of a recording: one plain request for each path, and what changed something, in order."""
    plain = {item.path: item.status for item in exchanges if item.method == "GET" and not item.headers}
    rows: list[dict[str, object]] = [
        {"method": "GET", "path": path, "status": status, "json": ""} for path, status in sorted(plain.items())
    ]
    seen: set[tuple[str, str, str]] = set()
    for item in exchanges:
        key = (item.method, item.path, item.body)
        foreign = {name.lower() for name in item.headers} - {"content-type"}
        if item.method in ("GET", "HEAD", "OPTIONS") or item.status in (404, 405) or foreign or key in seen:
            continue
        with contextlib.suppress(ValueError):  # a body that is no JSON is not played
            value = json.loads(base64.b64decode(item.body)) if item.body else None
            text = _toml(value) if value is not None else ""
            seen.add(key)
            rows.append({"method": item.method, "path": item.path, "status": item.status, "json": text})
    return rows


def _toml(value: object) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if value is None:
        raise ValueError("TOML has no null")
    return json.dumps(value)


def played(base: str, requests: Sequence[Exchange]) -> list[Exchange]:
    """Ask a running application, one request after the other."""
    import httpx

    found: list[Exchange] = []
    alone = httpx.Limits(max_keepalive_connections=0)  # an old server may end a connection after an error
    with httpx.Client(base_url=base, timeout=_SECONDS, follow_redirects=False, limits=alone) as client:
        for item in requests:
            body = base64.b64decode(item.body)
            try:
                answer = client.request(item.method, item.path, headers=dict(item.headers), content=body or None)
            except httpx.HTTPError as error:
                raise FactoryError(
                    f"{item.method} {item.path} was not answered: {error}",
                    fix="ask the application by hand; leave the request out if it never answered it.",
                ) from None
            kept = {name: answer.headers[name].replace(base, "") for name in COMPARED if name in answer.headers}
            content = answer.content.replace(base.encode(), b"")
            found.append(
                Exchange(
                    item.method, item.path, item.headers, item.body, answer.status_code, kept,
                    base64.b64encode(content).decode(),
                )
            )  # fmt: skip
    return found


def differences(
    before: Sequence[Exchange], now: Sequence[Exchange], normalised: Sequence[str], served: Sequence[str]
) -> Iterator[Difference]:
    """Everything that is not as it was. ``normalised``: patterns whose matches do not count; ``served``: patterns of
    the moved paths, because what lies beside them is the platform's to answer."""
    for old, new in zip(before, now, strict=True):
        request = f"{old.method} {old.path}"
        nowhere = old.status == new.status == 404 and base64.b64decode(old.content) == _NOWHERE
        own = not nowhere and any(re.fullmatch(pattern, old.path.split("?")[0]) for pattern in served)
        foreign = not own or (old.status == 405 and new.status == 405)
        if old.status != new.status:
            yield Difference(request, "status", str(old.status), str(new.status), announced=not own)
        for name in COMPARED:
            mine, theirs = old.answered.get(name, ""), new.answered.get(name, "")
            if mine != theirs:
                yield Difference(
                    request, name, mine, theirs, announced=foreign or (name == "cache-control" and not mine)
                )
        mine, theirs = (_comparable(item, normalised) for item in (old, new))
        if mine != theirs:
            yield Difference(request, "body", mine[:200], theirs[:200], announced=foreign)


def _comparable(item: Exchange, normalised: Sequence[str]) -> str:
    content = base64.b64decode(item.content)
    if "json" in item.answered.get("content-type", ""):
        try:
            text = json.dumps(json.loads(content), sort_keys=True)
        except ValueError:
            text = content.decode("utf-8", errors="replace")
    else:
        text = content.decode("latin-1")
    for pattern in normalised:
        text = re.sub(pattern, "~", text)
    return text
