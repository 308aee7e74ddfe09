"""Markdown and HTML become a PDF, through the real contract in a real sandbox."""

import re
import zlib
from pathlib import Path

import pytest

from skriptoteket.adapters.cli.trying import Tried, try_script
from skriptoteket.adapters.sandbox.probe import default_sandbox

FOLDER = Path(__file__).parent

pytestmark = pytest.mark.needs_bwrap


async def tried(tmp_path: Path, content: bytes, name: str = "besök.md") -> Tried:
    """The tool run on this text."""
    document = tmp_path / name
    document.write_bytes(content)
    return await try_script(default_sandbox(tmp_path / "state"), FOLDER, [f"document={document}"], ())


def objects(pdf: bytes) -> dict[int, bytes]:
    """Every object, found where the table of the document says that it is, with its stream unpacked."""
    assert (pdf[:8], pdf[-6:]) == (b"%PDF-1.7", b"%%EOF\n")
    table = pdf[int(pdf.split(b"startxref\n")[1].split()[0]) :]
    found = {}
    for number, at in enumerate(re.findall(rb"(\d{10}) 00000 n", table), 1):
        body = pdf[int(at) :]
        assert body.startswith(b"%d 0 obj\n" % number)
        length = re.match(rb"\d+ 0 obj\n<< /Length (\d+) .*?>>\nstream\n", body, re.DOTALL)
        start = length.end() if length else 0
        whole = zlib.decompress(body[start : start + int(length[1])]) if length else body
        found[number] = whole if length else whole[: whole.index(b"endobj")]
    return found


def pages(pdf: bytes) -> list[str]:
    """What each page shows; the signs of an embedded font are looked up as a reader of PDF does."""
    parts = objects(pdf)
    drawn = []
    for page in (each for each in parts.values() if b"/Type /Page " in each):
        fonts = {mark: parts[int(at)] for mark, at in re.findall(rb"/(F\d) (\d+) 0 R", page)}
        content = re.search(rb"/Contents (\d+)", page)
        assert content
        lines = re.findall(rb"BT /(F\d) .*? <([0-9a-f]*)> Tj", parts[int(content[1])])
        drawn.append("\n".join(meaning(parts, fonts[mark], text.decode()) for mark, text in lines))
    return drawn


def meaning(parts: dict[int, bytes], font: bytes, text: str) -> str:
    """The text behind the codes of a font."""
    back = re.search(rb"/ToUnicode (\d+)", font)
    if back is None:
        return bytes.fromhex(text).decode("cp1252")
    known = dict(re.findall(r"<([0-9a-f]{4})> <([0-9a-f]+)>", parts[int(back[1])].decode()))
    return "".join(bytes.fromhex(known[text[at : at + 4]]).decode("utf-16-be") for at in range(0, len(text), 4))


async def test_the_sample(tmp_path: Path) -> None:
    """Headings, lists, a table, code and å ä ö are on a numbered page; the picture is named in a notice."""
    sample = (FOLDER / "sample.md").read_bytes()
    outcome = await tried(tmp_path, sample)
    assert outcome.succeeded, outcome.shown
    (page,) = pages(outcome.files["besök.pdf"])
    text = page.replace("\n", "")
    for shown in ("Studiebesök i Åsskogen", "Öppna spisen", "08-123 45 67", "rutinerna (https://", "•", "1 / 1"):
        assert shown in text
    assert "**" not in text
    notices = [str(each["message"]) for each in outcome.answer.outputs if each["kind"] == "notice"]
    assert ["karta.png" in each for each in notices] == [True]
    assert outcome.files == (await tried(tmp_path, sample)).files


async def test_html_without_its_network(tmp_path: Path) -> None:
    """Structure is kept, scripts and styles are not text, and a picture elsewhere is only named."""
    source = (
        "<html><head><title>Brev</title><style>p {}</style></head><body><h1>Möte</h1><p>Vi &amp; <b>ni</b>"
        "<script>alert(1)</script></p><ol><li>ett<li>två</ol><table><tr><th>Tid<th>Plats</tr>"
        "<tr><td>9</td><td>Åsen</td></tr></table><pre>a  b</pre><img src='http://192.0.2.1/x.png' alt='karta'></div>"
    )
    outcome = await tried(tmp_path, source.encode(), "brev.html")
    assert outcome.succeeded, outcome.shown
    text = pages(outcome.files["brev.pdf"])[0].replace("\n", "")
    for shown in ("Möte", "Vi & ni", "1.ett", "2.två", "Plats", "Åsen", "a  b", "[karta]"):
        assert shown in text
    assert "alert" not in text
    assert "http://192.0.2.1/x.png" in str(outcome.answer.outputs)


async def test_a_long_table_goes_over_pages(tmp_path: Path) -> None:
    """Each page has the head again and its number; no row is lost, a very long cell neither."""
    rows = "\n".join(f"| Rad {number} | {'ord ' * 900 if number == 7 else 'x'} |" for number in range(150))
    outcome = await tried(tmp_path, f"| Namn | Text |\n|---|---|\n{rows}\n".encode())
    assert outcome.succeeded, outcome.shown
    shown = pages(outcome.files["besök.pdf"])
    assert len(shown) > 3
    for number, page in enumerate(shown, 1):
        flat = page.replace("\n", "")
        assert flat.endswith(f"{number} / {len(shown)}")
        assert "Namn" in flat
    whole = "\n".join(shown)
    assert not [number for number in range(150) if f"Rad\n \n{number}\n" not in whole]
    assert whole.count("ord") == 900


@pytest.mark.parametrize("content", ["Å\x01 <b>&amp; 日本 😀".encode(), "ÅÄÖ".encode("cp1252"), b"a" * 3000, b"|a|b|\n|-|-|\n|1|"])  # fmt: skip  # noqa: E501
async def test_whatever_the_text_holds(tmp_path: Path, content: bytes) -> None:
    """Control characters, an old encoding, endless words and short rows give a PDF; a sign that no font has is told."""
    outcome = await tried(tmp_path, content)
    assert pages(outcome.files["besök.pdf"])[0]
    assert ("日" in str(outcome.answer.outputs)) == ("日".encode() in content)


async def test_an_empty_text_is_refused(tmp_path: Path) -> None:
    """Nothing to write is told, not written."""
    outcome = await tried(tmp_path, b" \n")
    assert (outcome.succeeded, outcome.answer.refusal) == (False, "The document is empty.")
