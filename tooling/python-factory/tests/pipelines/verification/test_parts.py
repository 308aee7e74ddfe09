"""Parts of a verification run in the order of their needs, and the first failure ends it."""

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.pipelines.verification.parts import Outcome, Part, run_parts


def quiet(_outcome: Outcome) -> None:
    """Nobody listens."""


def test_a_part_begins_when_what_it_needs_is_done() -> None:
    """Whatever the order in which they are given, and however many run at once."""
    begun: list[str] = []

    def work(name: str) -> str:
        begun.append(name)
        return name

    parts = [
        Part("shell", lambda: work("shell"), ("environment",)),
        Part("environment", lambda: work("environment"), ("wheel",)),
        Part("wheel", lambda: work("wheel")),
    ]
    for width in (1, 3):
        begun.clear()
        found = run_parts(parts, quiet, width)
        assert begun == ["wheel", "environment", "shell"]
        assert [(item.name, item.verdict) for item in found] == [
            ("shell", "passed"),
            ("environment", "passed"),
            ("wheel", "passed"),
        ]


def test_after_a_failure_nothing_further_begins() -> None:
    """What was not run says because of what; what failed says how to go on."""

    def fail() -> str:
        raise FactoryError("two tests failed", fix="mend them")

    told: list[str] = []
    parts = [Part("tests", fail), Part("types", lambda: "strict"), Part("shell", lambda: "answers", ("tests",))]
    found = run_parts(parts, lambda item: told.append(item.name), 1)
    assert [(item.verdict, item.said) for item in found] == [
        ("failed", "two tests failed\n  fix: mend them"),
        ("not run", "tests failed"),
        ("not run", "tests failed"),
    ]
    assert told == ["tests"]
