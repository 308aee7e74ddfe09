"""Groups for a class, through the real contract in a real sandbox."""

from pathlib import Path

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script, try_step
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent
SAMPLE = (FOLDER / "sample.csv").read_bytes()

pytestmark = pytest.mark.needs_bwrap


async def tried(tmp_path: Path, content: bytes, *values: str) -> Tried:
    """The tool run on this list."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, [str(path)], values)


def groups(outcome: Tried) -> list[list[str]]:
    """The names by group, out of the file."""
    found: dict[str, list[str]] = {}
    for line in outcome.files["groups.csv"].decode("utf-8-sig").splitlines()[1:]:
        number, name = line.split(";")
        found.setdefault(number, []).append(name)
    return list(found.values())


async def test_everybody_is_in_one_group_and_sizes_differ_by_one(tmp_path: Path) -> None:
    """Nine pupils in fours: three groups of three."""
    outcome = await tried(tmp_path, SAMPLE, "size=4")
    found = groups(outcome)
    assert ([len(group) for group in found], len({name for group in found for name in group})) == ([3, 3, 3], 9)
    assert "9 pupils in 3 groups." in str(outcome.answer.outputs[0]["message"])


async def test_the_same_number_gives_the_same_groups_and_shuffling_others(tmp_path: Path) -> None:
    """By number at the start, by number as a step, and the next shuffle."""
    first = await tried(tmp_path, SAMPLE, "size=3", "number=7")
    assert groups(first) == groups(await tried(tmp_path, SAMPLE, "size=3", "number=7"))
    sandbox = default_sandbox(tmp_path / "state")
    again = await try_step(sandbox, FOLDER, first, "again")
    assert "Number 8." in str(again.answer.outputs[0]["message"])
    assert groups(first) != groups(again)
    assert groups(first) == groups(await try_step(sandbox, FOLDER, again, "number", number=7))


async def test_pairs_are_kept_apart(tmp_path: Path) -> None:
    """Whatever the number, and however the names are spelled."""
    apart = "apart=ali ahmadi / Elsa Bergström\nÅKE DAHL / Maja Ek\nTuva Öberg/Ali Ahmadi"
    for number in (1, 2, 3):
        for group in groups(await tried(tmp_path, SAMPLE, "size=5", f"number={number}", apart)):
            assert not {"Ali Ahmadi", "Elsa Bergström"} <= set(group)
            assert not {"Åke Dahl", "Maja Ek"} <= set(group)
            assert not {"Tuva Öberg", "Ali Ahmadi"} <= set(group)


@pytest.mark.parametrize(
    ("content", "values", "told"),
    [
        (b"Anna\nBo\nCia\n", ("size=3", "apart=Anna/Bo"), "keep all these pairs apart"),
        (b"Anna\nBo\n", ("size=2", "apart=Anna"), "is no pair"),
        (b"Anna\nBo\n", ("size=2", "apart=Anna/Dan"), "“Dan” is not in the list"),
        (b"Anna\nBo\nAnna\n", ("size=2",), "more than once: Anna"),
        (b"a;b\n1;2\n", ("size=2",), "Found: a, b"),
        (b"", ("size=2",), "fewer than two names"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    tmp_path: Path, content: bytes, values: tuple[str, ...], told: str
) -> None:
    """The refusal says what to change."""
    assert told in (await tried(tmp_path, content, *values)).answer.refusal


async def test_windows_text_and_formulas(tmp_path: Path) -> None:
    """cp1252 is read; a name that a spreadsheet would calculate is made harmless."""
    outcome = await tried(tmp_path, "Namn\nÅsa\n=1+1\n".encode("cp1252"), "size=2")
    assert {"Åsa", "'=1+1"} == {name for group in groups(outcome) for name in group}
