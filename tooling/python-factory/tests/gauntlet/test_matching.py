"""Matchers: what an answer must look like, and the sentence when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from au_sys_python_factory.gauntlet.matching import ABSENT, differences, pick
from au_sys_python_factory.gauntlet.rows import Expectation

DOCUMENT = {"id": "a7", "items": [{"n": 1}, {"n": 2}], "none": None, "ok": True, "name": "*"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("id", "a7"),
        ("items.1.n", 2),
        ("items.-1.n", 2),
        ("items.#", 2),
        ("items.9", ABSENT),
        ("none", None),
        ("no.where", ABSENT),
        ("id.deeper", ABSENT),
    ],
)
def test_a_dotted_path_picks_a_value(path: str, found: object) -> None:
    """Names, numbers and lengths; what is not there is ABSENT, which null is not."""
    assert pick(DOCUMENT, path) == found


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("id", "a7"),
        ("id", "*"),
        ("id", "~^a\\d$"),
        ("none", "!"),
        ("gone", "!"),
        ("items", "#2"),
        ("items", "#>=1"),
        ("items", "#<=2"),
        ("items.0.n", 1),
        ("items.0.n", ">=1"),
        ("items.0.n", "<2"),
        ("ok", True),
    ],
)
def test_a_matcher_accepts(path: str, wanted: Any) -> None:
    """Each kind of matcher on a value that fits."""
    expect = Expectation(status=(200,), fields={path: wanted})
    assert differences(expect, status=200, headers={}, text="", document=DOCUMENT) == []


@pytest.mark.parametrize(
    ("path", "wanted", "sentence"),
    [
        ("id", "b", "field id is 'a7', expected 'b'"),
        ("none", "*", "field none is None, expected '*'"),
        ("gone", "*", "field gone is missing, expected '*'"),
        ("id", "!", "field id is 'a7', expected '!'"),
        ("items", "#3", "field items is [{'n': 1}, {'n': 2}], expected '#3'"),
        ("items.0.n", ">1", "field items.0.n is 1, expected '>1'"),
        ("ok", 1, "field ok is True, expected 1"),
        ("id", ">=1", "field id is 'a7', expected '>=1'"),
    ],
)
def test_a_difference_is_a_sentence(path: str, wanted: Any, sentence: str) -> None:
    """What was found and what was expected; true is not one."""
    expect = Expectation(status=(200,), fields={path: wanted})
    assert differences(expect, status=200, headers={}, text="", document=DOCUMENT) == [sentence]


def test_everything_else_of_an_answer_is_compared_too() -> None:
    """Status, headers, content type, text that must and must not be there, fields that must be absent."""
    expect = Expectation(
        status=(200, 201),
        headers={"ETag": "*"},
        content_type="text/csv",
        text=("a@b",),
        no_text=("secret",),
        absent=("id",),
    )
    found = differences(expect, status=500, headers={"content-type": "text/html"}, text="my secret", document={"id": 1})
    assert found == [
        "status is 500, expected 200 or 201",
        "field id is there",
        "header ETag is missing, expected '*'",
        "content type is text/html, expected text/csv",
        "the body does not contain 'a@b'",
        "the body contains 'secret'",
    ]
