"""Send one row's request and judge the answer."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from au_sys_python_factory.gauntlet.matching import ABSENT, differences, pick
from au_sys_python_factory.gauntlet.people import Sessions
from au_sys_python_factory.gauntlet.proofs import Letters
from au_sys_python_factory.gauntlet.rows import Letter, Row
from au_sys_python_factory.gauntlet.variables import Unknown, Variables

POLL_SECONDS = 0.1
LETTER_SECONDS = 30.0
COMES_BACK, LONGEST_WAIT = 3, 5.0
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row. ``verdict`` is passed, failed or skipped."""

    row: Row
    verdict: str
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    method: str = ""
    path: str = ""
    status: int = 0
    body: str = ""
    expected: dict[str, Any] = field(default_factory=dict)  # Any: JSON for the report


async def play(row: Row, sessions: Sessions, variables: Variables, letters: Letters | None = None) -> Outcome:
    """The outcome; a failure to connect or to sign in is one, not an exception."""
    started = time.monotonic()
    try:
        if row.letter is not None:
            if letters is None:
                return Outcome(row, "skipped", reasons=("letters of this system cannot be read here",))
            await _read(row.letter, row.owner, letters, variables)
        filled = _filled(row, variables)
    except Unknown as missing:
        return Outcome(row, "skipped", reasons=(str(missing),))
    if not filled.path.startswith("/"):
        return _outcome(filled, "failed", started, (f"{filled.path} is not a path of this system",))
    try:
        answer, found = await _until_as_expected(filled, sessions)
    except httpx.HTTPError as error:
        reason = f"no answer: {type(error).__name__} {error}".strip()
        return _outcome(filled, "failed", started, (reason,))
    document = _document(answer)
    if not found:
        found = _save(filled, answer, document, variables)
    verdict = "failed" if found else "passed"
    return replace(_outcome(filled, verdict, started, tuple(found)), status=answer.status_code, body=answer.text[:2000])


async def _read(letter: Letter, owner: str, letters: Letters, variables: Variables) -> None:
    to, used = variables.fill(letter.to, owner), frozenset(variables.known.values())
    end = time.monotonic() + LETTER_SECONDS
    while (token := await asyncio.to_thread(letters.token, to, letter.page, used=used)) is None:
        if time.monotonic() >= end:
            raise Unknown(letter.save)
        await asyncio.sleep(POLL_SECONDS)
    variables.save(owner, letter.save, token)


def _outcome(row: Row, verdict: str, started: float, reasons: tuple[str, ...]) -> Outcome:
    expected = {"status": list(row.expect.status), "fields": dict(row.expect.fields), "text": list(row.expect.text)}
    seconds = time.monotonic() - started
    return Outcome(row, verdict, seconds, reasons, row.method, row.path, expected=expected)


async def _until_as_expected(row: Row, sessions: Sessions) -> tuple[httpx.Response, list[str]]:
    end = time.monotonic() + row.until
    while True:
        answer = await _send(row, sessions)
        for _ in range(COMES_BACK):
            if not _asked_to_come_back(row, answer):
                break
            await asyncio.sleep(min(float(answer.headers["retry-after"]), LONGEST_WAIT))
            answer = await _send(row, sessions)
        found = _differences(row, answer)
        if not found or time.monotonic() >= end:
            return answer, found
        await asyncio.sleep(POLL_SECONDS)


def _asked_to_come_back(row: Row, answer: httpx.Response) -> bool:
    """On a loaded machine a database may be busy for once: nothing was done, and any client comes back when told to."""
    waits = answer.headers.get("retry-after", "").isdigit()
    return (
        answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and waits and answer.status_code not in row.expect.status
    )


async def _send(row: Row, sessions: Sessions) -> httpx.Response:
    client, csrf = await sessions.client(row.who, row.session, row.fresh)
    headers = {name: str(value) for name, value in row.headers.items()}
    if csrf and row.method not in _SAFE:
        headers = {"X-CSRF-Token": csrf, "Origin": sessions.base_url, **headers}
    request = client.build_request(
        row.method,
        row.path,
        params=dict(row.query) or None,
        headers=headers,
        json=row.json,
        data=dict(row.form) if row.form is not None else None,
        content=row.body.encode() if row.body is not None else None,
        files=_files(row) or None,
    )
    return await (_beginning(client, request, row) if row.stream else client.send(request))


async def _beginning(client: httpx.AsyncClient, request: httpx.Request, row: Row) -> httpx.Response:
    """Of an answer that goes on as long as somebody listens: what came until it held the expected text."""
    answer, read = await client.send(request, stream=True), b""
    try:
        with suppress(httpx.ReadTimeout):
            async for piece in answer.aiter_bytes():
                read += piece
                if all(text.encode() in read for text in row.expect.text):
                    break
    finally:
        await answer.aclose()
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
    return httpx.Response(answer.status_code, headers=headers, content=read, request=request)


def _files(row: Row) -> list[tuple[str, tuple[str, bytes, str]]]:
    found = []
    for field_name, value in row.files.items():
        for table in value if isinstance(value, list) else [value]:
            if "file" in table:
                content = (row.folder / table["file"]).read_bytes()
            elif "bytes" in table:
                content = bytes(int(table["bytes"]))
            else:
                content = str(table.get("text", "")).encode()
            name = str(table.get("name") or table.get("file") or "file")
            found.append(
                (field_name, (name.rpartition("/")[2], content, table.get("type", "application/octet-stream")))
            )
    return found


def _differences(row: Row, answer: httpx.Response) -> list[str]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return differences(
        row.expect, status=answer.status_code, headers=headers, text=answer.text, document=_document(answer)
    )


def _document(answer: httpx.Response) -> Any:  # Any: JSON of the answer, ABSENT when it is none
    if "json" not in answer.headers.get("content-type", ""):
        return ABSENT
    try:
        return answer.json()
    except ValueError:
        return ABSENT


def _save(row: Row, answer: httpx.Response, document: Any, variables: Variables) -> list[str]:  # Any: JSON
    missing = []
    for name, source in row.save.items():
        value = _source(answer, document, source)
        if value is ABSENT or value is None:
            missing.append(f"{source} is not in the answer, to be saved as {name}")
        else:
            variables.save(row.owner, name, value)
    return missing


def _source(answer: httpx.Response, document: Any, source: str) -> Any:  # Any: JSON
    source, asked, parameter = source.partition("?")
    if asked:  # a parameter of an address, as in "header:location?state"
        address = _source(answer, document, source)
        found = parse_qs(urlsplit(address).query).get(parameter) if isinstance(address, str) else None
        return found[0] if found else ABSENT
    kind, _, name = source.partition(":")
    if kind == "header":
        return answer.headers.get(name, ABSENT)
    if kind == "cookie":
        return answer.cookies.get(name) or ABSENT
    if source == "status":
        return answer.status_code
    if source == "json":
        return document
    if source == "text":
        return answer.text
    return pick(document, source)


def _filled(row: Row, variables: Variables) -> Row:
    def fill(value: Any) -> Any:  # Any: values of TOML
        return variables.fill(value, row.owner)

    expect = replace(
        row.expect,
        fields=fill(row.expect.fields),
        headers=fill(row.expect.headers),
        text=fill(row.expect.text),
        no_text=fill(row.expect.no_text),
    )
    return replace(
        row,
        path=fill(row.path),
        query=fill(row.query),
        headers=fill(row.headers),
        json=fill(row.json),
        form=fill(row.form),
        body=fill(row.body),
        files=fill(row.files),
        expect=expect,
    )
