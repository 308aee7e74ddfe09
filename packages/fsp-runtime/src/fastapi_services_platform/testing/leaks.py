"""Pytest plugin: a passing test fails when a credential that it sent or got stands in what was logged.

Load it with ``-p fastapi_services_platform.testing.leaks``. It learns credentials from the traffic of httpx clients:
the headers that carry them, cookies that are set, and members of JSON bodies and fields of forms whose names say that
they are secret. Then it searches what pytest captured of the test and its fixtures. Logs are written at debug level.
"""

import os
import re
from collections.abc import Generator, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson
import pytest

_SHORTEST = 12
_NAMES = re.compile(
    r"^(password|current_password|secret|token|access_token|refresh_token|mfa_token|code_verifier|one_time_password"
    r"|client_secret|bootstrap_token|invitation|recovery_codes|csrf_token)$"
)
_failed = pytest.StashKey[bool]()
_seen: set[str] = set()
_before: set[str] = set()
_ever: set[str] = set()


def pytest_configure(config: pytest.Config) -> None:
    """Watch every client, and let the platform log all it can."""
    os.environ.setdefault("FSP_LOG_LEVEL", "debug")
    _watch(httpx.Client, httpx.AsyncClient)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Search the captured output at the end of each test."""
    report = yield
    if call.when == "teardown":
        known = _before | _seen  # what is logged late is captured with the next test
        _before.clear()
        _before.update(_seen)
        _seen.clear()
        if report.passed:
            text = "\n".join(content for name, content in report.sections if name.startswith("Captured"))
            shown = sorted(secret for secret in known if secret in text)
            if shown:
                report.outcome = "failed"
                report.longrepr = "credentials stand in the output: " + ", ".join(f"{leak[:6]}…" for leak in shown)
            elif not item.stash.get(_failed, False):
                _forget_output(item)
    elif not report.passed:
        item.stash[_failed] = True
    return report


def _forget_output(item: pytest.Item) -> None:
    """Drop what a passed test printed: a suite of thousands that logs at debug level would keep gigabytes."""
    kept = getattr(item, "_report_sections", None)  # pytest has no public way to it
    if isinstance(kept, list):
        kept.clear()


def note(secrets: Iterable[str]) -> None:
    """Remember credentials that did not come through a watched client."""
    _seen.update(secret for secret in secrets if len(secret) >= _SHORTEST)
    _ever.update(_seen)


def found_in(text: str) -> list[str]:
    """How the credentials begin that this run sent or got so far and that stand in a text."""
    return sorted(f"{secret[:6]}…" for secret in _ever if secret in text)


def _watch(plain: type[httpx.Client], asynchronous: type[httpx.AsyncClient]) -> None:
    send, send_async = plain.send, asynchronous.send

    def sending(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:  # Any: httpx's own
        response = send(self, request, **options)
        note(_credentials(request, response))
        return response

    async def sending_async(
        self: httpx.AsyncClient,
        request: httpx.Request,
        **options: Any,  # Any: httpx's own
    ) -> httpx.Response:
        response = await send_async(self, request, **options)
        note(_credentials(request, response))
        return response

    plain.send = sending  # type: ignore[method-assign]  # every client of the run is watched
    asynchronous.send = sending_async  # type: ignore[method-assign]  # as above


def _credentials(request: httpx.Request, response: httpx.Response) -> Iterable[str]:
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        yield request.headers["authorization"][7:].strip()
    yield request.headers.get("x-api-key", "")
    for line in (request.headers.get("cookie", ""), *response.headers.get_list("set-cookie")):
        yield from _cookies(line)
    if hasattr(request, "_content"):
        yield from _members(request.headers.get("content-type", ""), request.content)
    if response.is_success and hasattr(response, "_content"):
        yield from _members(response.headers.get("content-type", ""), response.content)


def _cookies(line: str) -> Iterable[str]:
    try:
        return [morsel.value for morsel in SimpleCookie(line).values()]
    except CookieError:
        return []


def _members(kind: str, body: bytes) -> Iterable[str]:
    if kind.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(body.decode("utf-8", "replace"))
        return [value for name, value in pairs if _NAMES.match(name)]
    if kind.startswith("application/json"):
        try:
            return list(_named(orjson.loads(body)))
        except orjson.JSONDecodeError:
            return []
    return []


def _named(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if _NAMES.match(name):
                yield from (
                    part for part in (member if isinstance(member, list) else [member]) if isinstance(part, str)
                )
            else:
                yield from _named(member)
    elif isinstance(value, list):
        for member in value:
            yield from _named(member)
