"""How commands end that nobody answers, that are interrupted, or that hold a mistake of ours."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

Factory = Callable[..., Result]


def digests(root: Path) -> dict[str, str]:
    """Every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def leaves(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group with the words that lead there."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, (*above, name))
        elif command is not None:
            yield (*above, name), command


def test_no_command_waits_for_an_answer() -> None:
    """Each that needs something, called with nothing and without a terminal, is a usage error that names it."""
    asking = {words: command for words, command in leaves(main) if any(item.required for item in command.params)}
    ended = {words: CliRunner().invoke(main, list(words)) for words in asking}
    assert len(asking) >= 20
    assert {" ".join(words) for words, answer in ended.items() if answer.exit_code != 2} == set()
    assert {" ".join(words) for words, answer in ended.items() if "Missing" not in answer.output} == set()


def test_a_mistake_of_ours_is_reported_in_a_file(
    run: Factory, house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 70 with the file's name, no traceback on the terminal, the tree as it was."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = digests(house)
    monkeypatch.setattr("au_sys_python_factory.commands.wiring.chosen_platform", lambda *_given: 1 / 0)
    ended = run("wire", "notes", "--no-sync")
    assert (ended.exit_code, "Traceback" in ended.output) == (70, False), ended.output
    report = next(tmp_path.glob("python-factory-fault-*.txt"))
    assert str(report) in ended.output
    assert "ZeroDivisionError" in report.read_text()
    assert before == digests(house)


def test_an_interruption_leaves_the_tree_before_or_after(
    run: Factory, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 130 at the second rename; the next command works, and nothing is half done."""
    before = digests(house)
    replace, count = os.replace, iter(range(100))

    def interrupted(source: str, target: str) -> None:
        if next(count) == 2:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    ended = run("add", "page", "/overview", "--no-sync")
    monkeypatch.undo()
    assert ended.exit_code == 130, ended.output
    again = run("add", "page", "/overview", "--no-sync")
    assert again.exit_code == 0, again.output
    assert run("undo", "--no-sync").exit_code == 0
    assert before == digests(house)
