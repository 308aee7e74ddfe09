"""Questions about rights are found in a template and in all that it is made of."""

import pytest
from jinja2 import DictLoader, Environment

from fastapi_services_platform.http.pages.rights import questions_in

TEMPLATES = {
    "frame.html": '{% if may("frame.thing.see") %}x{% endif %}{% block content %}{% endblock %}',
    "part.html": '{{ "y" if may("part.thing.see") else "n" }}',
    "page.html": '{% extends "frame.html" %}{% block content %}{% if may("page.thing.do") or may("a.b.c") %}'
    '{% include "part.html" %}{% endif %}{% endblock %}',
    "made.html": '{% set name = "x.y.z" %}{% if may(name) %}x{% endif %}',
    "round.html": '{% include "round.html" %}',
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("page.html", ("a.b.c", "frame.thing.see", "page.thing.do", "part.thing.see")),
        ("part.html", ("part.thing.see",)),
        ("made.html", ()),
        ("round.html", ()),
    ],
)
def test_questions_are_found(template: str, expected: tuple[str, ...]) -> None:
    """Those of the frame and of parts, each once; a name that is made up while rendering is none."""
    assert questions_in(Environment(loader=DictLoader(TEMPLATES), autoescape=True), template) == expected
