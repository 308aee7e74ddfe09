"""A text is looked at without being run: what the program says of it, run here as the Python that it is."""

import sys
from types import SimpleNamespace

import pytest

from skriptoteket.core.runs.checking import ENTRYPOINT, checking_program
from skriptoteket.core.versions.models import Behaviour


def looked_at(source: str, entrypoint: str = "run_tool") -> str:
    """What the program answers."""
    sys.modules["toolkit"] = SimpleNamespace(notice=str)  # type: ignore[assignment]  # what scripts import
    try:
        names: dict[str, object] = {}
        exec(checking_program(Behaviour(source, entrypoint)), names)
        check = names[ENTRYPOINT]
        assert callable(check)
        return str(check("in", "out"))
    finally:
        del sys.modules["toolkit"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def run_tool(a, b): raise SystemExit\n", "run_tool(a, b)"),
        ("async def run_tool(a, b, *, inputs, state=None):\n    return 1\n", "run_tool(a, b, *, inputs, state=None)"),
        ("def run_tool(*given): ...\n", "run_tool(*given)"),
        ("def run_tool(a, b, files, size=3): ...\n", "run_tool(a, b, files, size=3)"),
    ],
)
def test_a_good_text(source: str, told: str) -> None:
    """Its function is shown as it is called; nothing of it runs."""
    assert told == looked_at(source)


def test_a_syntax_error_shows_the_authors_line() -> None:
    """Position and text are those of the author, not of the program."""
    with pytest.raises(SyntaxError) as found:
        looked_at("x = 1\ny = (\n")
    assert (found.value.lineno, found.value.text) == (2, "y = (")


@pytest.mark.parametrize(
    ("source", "error", "told"),
    [
        ("def (:\n", SyntaxError, "script.py, line 1"),
        ("x = 1\n", NameError, "no function run_tool"),
        ("def run_tool(a): ...\n", TypeError, "takes 1 arguments by place"),
        ("def run_tool(a, b, weather): ...\n", TypeError, "needs weather"),
        ("def run_tool(a, b, *, weather): ...\n", TypeError, "needs weather"),
    ],
)
def test_a_wrong_text(source: str, error: type[Exception], told: str) -> None:
    """The sandbox run ends as script_error with this."""
    with pytest.raises(error, match=told):
        looked_at(source)
