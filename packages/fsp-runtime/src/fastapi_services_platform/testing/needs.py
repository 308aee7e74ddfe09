"""Pytest plugin: a test marked ``needs_x`` is skipped by name where x is missing, and fails where it is required.

Load it with ``-p fastapi_services_platform.testing.needs``. ``CI=true`` requires all, ``FSP_REQUIRE=redis,postgres``
what it names. The last lines of a run say which need was missing and how many tests that cost.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from glob import glob
from typing import NamedTuple

import pytest


class Need(NamedTuple):
    """Something outside of Python that a test talks to."""

    found: Callable[[], object]
    package: str
    what: str


def _server(variable: str, pattern: str) -> Callable[[], object]:
    return lambda: os.environ.get(variable) or shutil.which(pattern) or glob(pattern)


def _all_of(*names: str) -> Callable[[], object]:
    return lambda: all(shutil.which(name) or shutil.which(name, path="/usr/sbin") for name in names)


NEEDS = {
    "bwrap": Need(lambda: shutil.which("bwrap"), "bubblewrap", "the sandbox of scripts"),
    "chromium": Need(lambda: shutil.which("chromium"), "chromium", "a browser that Playwright drives"),
    "postgres": Need(
        _server("FSP_TEST_POSTGRES_URL", "/usr/lib/postgresql/*/bin/postgres"), "postgresql", "PostgreSQL"
    ),
    "redis": Need(_server("FSP_TEST_REDIS_URL", "redis-server"), "redis-server", "Redis"),
    "slapd": Need(_all_of("slapd", "ldapmodify"), "slapd ldap-utils", "OpenLDAP's server and tools"),
    "node": Need(_all_of("node", "npm"), "nodejs npm", "Node.js, and npm with its registry or cache"),
    "nginx": Need(_all_of("nginx"), "nginx", "a proxy in front that asks for client certificates"),
    "uv": Need(lambda: shutil.which("uv"), "uv", "uv, with its cache or the package index"),
}
_TEXT = "this machine lacks "


def pytest_configure(config: pytest.Config) -> None:
    """Register one marker for each need."""
    for name, need in NEEDS.items():
        config.addinivalue_line("markers", f"needs_{name}: needs {need.what}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or where it is required fail, a test whose need is missing."""
    required = os.environ.get("FSP_REQUIRE", "").split(",")
    for name, need in NEEDS.items():
        if item.get_closest_marker(f"needs_{name}") is None or need.found():
            continue
        text = f"{_TEXT}{name}: install {need.package}"
        if os.environ.get("CI") == "true" or name in required or "all" in required:
            pytest.fail(text, pytrace=False)
        pytest.skip(text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which need was missing and how many tests that cost."""
    cost = Counter(
        str(report.longrepr[2]).split(_TEXT)[1].split(":")[0]
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and _TEXT in str(report.longrepr[2])
    )
    for name, tests in sorted(cost.items()):
        terminalreporter.write_line(f"not run for want of {name} ({NEEDS[name].package}): {tests} tests")
