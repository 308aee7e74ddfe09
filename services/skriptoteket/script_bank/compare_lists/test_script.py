"""Compare two lists, through the real contract in a real sandbox."""

from pathlib import Path

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent

pytestmark = pytest.mark.needs_bwrap


async def tried(tmp_path: Path, first: bytes, second: bytes, key: str = "Personnummer") -> Tried:
    """The tool run on these lists; both files have one name, as happens."""
    paths = []
    for name, content in (("first", first), ("second", second)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "list.csv").write_bytes(content)
        paths.append(f"{name}={folder / 'list.csv'}")
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, paths, [f"key={key}"])


async def test_the_sample(tmp_path: Path) -> None:
    """One the same, one changed, one on each side only."""
    first, second = ((FOLDER / f"sample_{name}.csv").read_bytes() for name in ("first", "second"))
    outcome = await tried(tmp_path, first, second)
    told = str(outcome.answer.outputs[0]["message"])
    assert "1 the same, 1 changed, 1 only in the first list, 1 only in the second" in told
    assert "Klass: 7A → 7B" in str(outcome.answer.outputs[-1])
    assert "004;Noor Haddad" in outcome.files["comparison.csv"].decode("utf-8-sig")


async def test_numbers_as_text_and_duplicates(tmp_path: Path) -> None:
    """7 and 7,0 are one number, 007 is a text of its own; duplicate keys are told; formulas are made harmless."""
    first = b"id;n\n1;7\n2;007\n3;x\n3;=1+1\n"
    outcome = await tried(tmp_path, first, b"id;n\n1;7,0\n2;7\n3;=1+1\n", key="ID")
    told = " ".join(str(block.get("message", "")) for block in outcome.answer.outputs)
    assert "2 the same, 1 changed" in told
    assert "more than once in the first list" in told
    assert "'=1+1" in outcome.files["comparison.csv"].decode("utf-8-sig")


async def test_twenty_thousand_rows(tmp_path: Path) -> None:
    """Long lists are compared within the usual limits."""
    rows = [f"{number};name {number};{number % 7}" for number in range(20_000)]
    first = "\n".join(["id;name;group", *rows]).encode()
    second = "\n".join(["id;name;group", *rows[1:]]).encode()
    outcome = await tried(tmp_path, first, second, key="id")
    assert "19999 the same, 0 changed, 1 only in the first list" in str(outcome.answer.outputs[0]["message"])


async def test_a_missing_column_is_named(tmp_path: Path) -> None:
    """The refusal names the list and its columns."""
    outcome = await tried(tmp_path, b"a;b\n1;2\n", b"c\n3\n", key="a")
    assert outcome.answer.refusal == "The second list has no column “a”. Its columns are: c."
