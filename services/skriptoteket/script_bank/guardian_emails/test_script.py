"""The guardian e-mail list through the real contract in a real sandbox."""

from pathlib import Path

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent
HEADER = "Klass;Förnamn;Efternamn;Vårdnadshavare 1 e-post;Vårdnadshavare 2 e-post\n"

pytestmark = pytest.mark.needs_bwrap


async def tried(tmp_path: Path, content: str | bytes, *values: str, encoding: str = "utf-8") -> Tried:
    """The tool run on this content."""
    path = tmp_path / "export.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, [f"export={path}"], values)


def addresses(outcome: Tried) -> list[str]:
    """The list that was written."""
    return outcome.files["guardians.txt"].decode().strip().split("; ")


async def test_the_sample(tmp_path: Path) -> None:
    """Nine addresses once each; one pupil without and one malformed address are told by row."""
    outcome = await tried(tmp_path, (FOLDER / "sample.csv").read_bytes())
    assert len(addresses(outcome)) == 9
    told = " ".join(str(block.get("message", "")) for block in outcome.answer.outputs)
    assert "row 7: Oskar Lind (7B)" in told
    assert "row 5: sara.oberg(at)example.com (Märta Öberg)" in told
    counts = outcome.answer.outputs[-1]["rows"]
    assert counts == [["7A", 6], ["7B", 5]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
async def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """Whatever the pupil system writes, the names come out whole."""
    text = (HEADER + "7Å;Åke;Öst;åke.ost@example.com;a@example.org\n").replace(";", delimiter)
    outcome = await tried(tmp_path, text.replace("åke.ost", "ake.ost"), encoding=encoding)
    assert addresses(outcome) == ["a@example.org", "ake.ost@example.com"]
    assert outcome.answer.outputs[-1]["rows"] == [["7Å", 2]]


async def test_one_class_and_another_separator(tmp_path: Path) -> None:
    """The filter ignores case; the separator is the one that was chosen."""
    text = HEADER + "7A;A;B;a@example.org;b@example.org\n7B;C;D;c@example.org;\n"
    outcome = await tried(tmp_path, text, "class_name=7a", "separator=comma")
    assert outcome.files["guardians.txt"] == b"a@example.org, b@example.org\n"


async def test_english_headers(tmp_path: Path) -> None:
    """An English export works as well."""
    text = "Class,First name,Last name,Guardian 1 e-mail\n7A,A,B,a@example.org\n"
    assert addresses(await tried(tmp_path, text)) == ["a@example.org"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        ("Namn;Telefon\nAda;070\n", "Columns in this file: Namn, Telefon"),
        ("Klass;Förnamn;Efternamn\n7A;A;B\n", "“Vårdnadshavare 1 e-post”"),
        (HEADER, "no pupils"),
        (HEADER + "7A;A;B;;\n", "no valid guardian address"),
        (b"Klass;\x81\x8d\x01\x02\x03" * 9, "cannot be read as text"),
    ],
)
async def test_what_cannot_be_used_is_refused(tmp_path: Path, content: str | bytes, told: str) -> None:
    """The refusal names the problem and the fix; nothing is written."""
    outcome = await tried(tmp_path, content)
    assert (outcome.answer.status, outcome.files) == ("refused", {})
    assert told in outcome.answer.refusal


async def test_an_unknown_class_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The classes of the file are told."""
    outcome = await tried(tmp_path, HEADER + "7A;A;B;a@example.org;\n", "class_name=9Z")
    assert "Classes in it: 7A" in outcome.answer.refusal
