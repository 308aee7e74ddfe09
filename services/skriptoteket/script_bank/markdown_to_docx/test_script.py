"""Markdown becomes a Word document, through the real contract in a real sandbox."""

import io
import struct
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

pytestmark = pytest.mark.needs_bwrap


def picture() -> bytes:
    """A PNG of two pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\x00\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")  # fmt: skip  # noqa: E501


async def tried(tmp_path: Path, content: bytes, *pictures: str) -> Tried:
    """The tool run on this text."""
    text = tmp_path / "besök.md"
    text.write_bytes(content)
    given = [f"text={text}"]
    for name in pictures:
        (tmp_path / name).write_bytes(picture())
        given.append(f"pictures={tmp_path / name}")
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, given, ())


def opened(outcome: Tried) -> tuple[zipfile.ZipFile, ElementTree.Element]:
    """The archive, every part of it well-formed, and its text."""
    archive = zipfile.ZipFile(io.BytesIO(outcome.files["besök.docx"]))
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")):
            ElementTree.fromstring(archive.read(name))
    return archive, ElementTree.fromstring(archive.read("word/document.xml"))


async def test_the_sample(tmp_path: Path) -> None:
    """Headings, lists, a table, code, a link and å ä ö; a missing picture is a notice, an uploaded one is inside."""
    sample = (FOLDER / "sample.md").read_bytes()
    outcome = await tried(tmp_path, sample)
    assert outcome.succeeded, outcome.shown
    archive, document = opened(outcome)
    text = "".join(each.text or "" for each in document.iter(f"{W}t"))
    for shown in ("Studiebesök i Åsskogen", "Öppna spisen", "08-123 45 67", "rutinerna", "legitimation"):
        assert shown in text
    assert "**" not in text
    styles = [each.get(f"{W}val") for each in document.iter(f"{W}pStyle")]
    assert styles[:2] == ["Heading1", "Heading2"]
    assert {"Quote", "Code"} <= set(styles)
    assert [each.get(f"{W}val") for each in document.iter(f"{W}ilvl")] == ["0", "0", "1", "0", "0", "0"]
    assert len(list(document.iter(f"{W}tr"))) == 3
    assert b"https://example.org/rutiner" in archive.read("word/_rels/document.xml.rels")
    notice = next(each for each in outcome.answer.outputs if each["kind"] == "notice")
    assert "karta.png" in str(notice["message"])

    with_picture = await tried(tmp_path, sample, "karta.png")
    archive, document = opened(with_picture)
    assert archive.read("word/media/1.png") == picture()
    assert b'descr="Kartan"' in archive.read("word/document.xml")
    assert [each["kind"] for each in with_picture.answer.outputs] == ["file"]


@pytest.mark.parametrize("content", ["Å\x01 <b>&amp;".encode(), "ÅÄÖ".encode("cp1252"), b"|a|b|\n|-|-|\n|1|"])
async def test_whatever_the_text_holds(tmp_path: Path, content: bytes) -> None:
    """Signs of XML, control characters, an old encoding and short rows give a document that can be opened."""
    _, document = opened(await tried(tmp_path, content))
    assert "".join(each.text or "" for each in document.iter(f"{W}t"))


async def test_an_empty_text_is_refused(tmp_path: Path) -> None:
    """Nothing to write is told, not written."""
    outcome = await tried(tmp_path, b" \n")
    assert (outcome.succeeded, outcome.answer.refusal) == (False, "The text is empty.")
