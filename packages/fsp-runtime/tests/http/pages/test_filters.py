"""Filters of templates."""

from datetime import UTC, datetime

import pytest

from fastapi_services_platform.http.pages.filters import (
    area_path,
    diff_lines,
    duration,
    line_path,
    moment,
    number,
    problem_path,
    size,
)


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1400, "1.4 kB"), (250_000, "250 kB"), (3e12, "3.0 TB")]
)
def test_sizes(count: float, shown: str) -> None:
    """Bytes are shown in the unit that people use."""
    assert size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.34, "340 ms"), (12.5, "12.5 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (360_000, "4 d 4 h")],
)
def test_durations(seconds: float, shown: str) -> None:
    """Spans are shown in two units at most."""
    assert duration(seconds) == shown


def test_moments_are_exact_for_machines() -> None:
    """The element holds the exact moment, the text the minute in UTC; a naive time is UTC."""
    expected = '<time datetime="2026-01-02T03:04:05+00:00">2 Jan 2026, 03:04 UTC</time>'
    assert (moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)), moment(datetime(2026, 1, 2, 3, 4, 5))) == (
        expected,
        expected,
    )


def test_numbers_have_thin_spaces() -> None:
    """Thousands are grouped without a comma."""
    assert number(1234567) == "1\u202f234\u202f567"


def test_lines_span_the_picture() -> None:
    """The first value is at the left, the last at the right, the largest at the top margin."""
    assert line_path([0, 1, 2], 100, 10) == "M0.0 7.0 L50.0 5.0 L100.0 3.0"


def test_areas_are_closed() -> None:
    """An area ends where it began; without values there is nothing to fill."""
    assert (area_path([1, 1], 10, 10), area_path([], 10, 10)) == ("M0.0 3.0 L10.0 3.0 L10.0 10.0 L0.0 10.0 Z", "")


def test_differences_are_named() -> None:
    """Each line is the same, added or removed."""
    assert diff_lines("a\nb", "a\nc") == [("same", "a"), ("removed", "b"), ("added", "c")]


def test_equal_texts_differ_in_nothing() -> None:
    """No difference, no lines."""
    assert diff_lines("a", "a") == []


def test_problem_pages_stay_on_this_host() -> None:
    """The link behind a problem type never leads to another host."""
    assert problem_path("https://evil.example/problems/platform/not-found") == "/problems/platform/not-found"
