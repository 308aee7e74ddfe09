"""Nothing that points to a person remains, through the real contract in a real sandbox."""

from pathlib import Path

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent
NAMES = "names=Elsa Bergström\nKarin\nÅke"

pytestmark = pytest.mark.needs_bwrap


async def tried(tmp_path: Path, content: bytes, *values: str, name: str = "note.txt") -> Tried:
    """The tool run on this text."""
    path = tmp_path / name
    path.write_bytes(content)
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, [str(path)], values)


async def test_the_sample(tmp_path: Path) -> None:
    """Names in any case and with the genitive, addresses, numbers: gone, one mark for each person."""
    outcome = await tried(tmp_path, (FOLDER / "sample.txt").read_bytes(), NAMES)
    expected = (
        "Samtal med [person 1] ([e-mail], [phone]), [identity number].\n"
        "[person 1] mamma [person 2] ringer [phone]. [person 3] var inte med.\n"
    )
    assert expected == outcome.files["copy.txt"].decode()


@pytest.mark.parametrize("secret", ["Elsa", "Bergstr", "070", "1234", "example.com", "Karin"])
async def test_nothing_of_the_original_is_shown(tmp_path: Path, secret: str) -> None:
    """Neither the result nor what was printed holds a trace."""
    outcome = await tried(tmp_path, (FOLDER / "sample.txt").read_bytes(), NAMES)
    assert secret not in str(outcome.answer.outputs) + outcome.stdout + outcome.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
async def test_encodings_and_csv(tmp_path: Path, encoding: str) -> None:
    """A CSV file keeps its shape; words that only contain a name stay."""
    text = "Namn;Ord\nÅke;Åkeri\n"
    outcome = await tried(tmp_path, text.encode(encoding), "names=Åke", name="list.csv")
    assert outcome.files["copy.csv"].decode("utf-8-sig") == "Namn;Ord\n[person 1];Åkeri\n"
