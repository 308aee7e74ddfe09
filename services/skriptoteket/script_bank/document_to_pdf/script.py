"""Markdown or HTML to a PDF, with nothing but the standard library: pages, tables, page numbers, an embedded font."""

import re
import struct
import unicodedata
import zlib
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import toolkit

WIDE, HIGH, MARGIN = 595, 842, 56  # A4, in points
TEXT = WIDE - 2 * MARGIN
FACES = {"regular": "", "bold": "-Bold", "italic": "-Oblique", "mono": "Mono"}
BUILT_IN = {"regular": "Helvetica", "bold": "Helvetica-Bold", "italic": "Helvetica-Oblique", "mono": "Courier"}
ROW = 45  # lines of a table's row on one page
BLOCKS = {"address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "footer", "form", "header", "main"}
BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "nav", "ol", "p", "pre", "section", "table", "ul"}
VOID = {"img", "br", "hr", "meta", "link", "input", "wbr", "col", "source"}
ENDS = {"td": {"td", "th"}, "th": {"td", "th"}, "tr": {"td", "th", "tr"}, "li": {"li"}, "p": {"p"}, "dt": {"dd"}}
# Widths of Helvetica and Helvetica-Bold from the space to the tilde, in thousandths of the size.
PLAIN = "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278" + " 556" * 10 + " 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"  # fmt: skip  # noqa: E501
BOLD = "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278" + " 556" * 10 + " 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"  # fmt: skip  # noqa: E501
INLINE = re.compile(
    r"`(?P<mono>[^`]+)`|!\[(?P<alt>[^\]]*)\]\((?P<src>[^)\s]+)[^)]*\)|\[(?P<text>[^\]]+)\]\((?P<href>[^)\s]+)\)"
    r"|\*\*(?P<bold>.+?)\*\*|\*(?P<italic>[^*]+)\*|(?<!\w)_(?P<under>[^_]+)_(?!\w)"
)
ITEM = re.compile(r"(?P<indent>\s*)(?P<mark>[-*+]|\d{1,9}[.)])\s+(?P<text>.*)")
RULER = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")


class BuiltIn:
    """A font that every reader of PDF has; it knows the letters of Western Europe."""

    def __init__(self, name):
        self.name = name
        listed = [int(each) for each in (BOLD if "Bold" in name else PLAIN).split()]
        self.widths = {chr(32 + place): wide for place, wide in enumerate(listed)}

    def has(self, sign):
        return bool(sign.encode("cp1252", "ignore"))

    def width(self, sign):
        if self.name == "Courier":
            return 600
        plain = unicodedata.normalize("NFD", sign)[0]
        return self.widths.get(plain, 1000 if sign in "…—™‰ŒÆ" else 556)

    def shown(self, text):
        return text.encode("cp1252", "replace").hex()

    def objects(self, add):
        kind = "/Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding"
        return add(f"<< {kind} /BaseFont /{self.name} >>".encode())


class Embedded:
    """A TrueType font that travels inside the document."""

    def __init__(self, path):
        self.data, self.name, self.used = path.read_bytes(), path.stem, {0: ""}
        count = struct.unpack(">H", self.data[4:6])[0]
        self.tables = {}
        for place in range(12, 12 + 16 * count, 16):
            tag, _, start, length = struct.unpack(">4sIII", self.data[place : place + 16])
            self.tables[tag.decode("latin-1")] = self.data[start : start + length]
        self.units = self.number("head", 18)
        self.metrics = self.number("hhea", 34)
        self.glyphs = self.signs()

    def number(self, table, at):
        return struct.unpack(">H", self.tables[table][at : at + 2])[0]

    def signs(self):
        """Which glyph draws which sign: the table of format 4."""
        table, found = self.tables["cmap"], {}
        starts = [struct.unpack(">HHI", table[at : at + 8])[2] for at in range(4, 4 + 8 * self.number("cmap", 2), 8)]
        at = next(start for start in starts if self.number("cmap", start) == 4)
        count = self.number("cmap", at + 6) // 2
        for place in range(count):
            ends = at + 14 + 2 * place
            last, first, delta, offset = (
                self.number("cmap", ends + extra) for extra in (0, 2 * count + 2, 4 * count + 2, 6 * count + 2)
            )
            for sign in range(first, min(last, 0xFFFE) + 1):
                glyph = sign
                if offset:
                    glyph = self.number("cmap", ends + 6 * count + 2 + offset + 2 * (sign - first))
                if glyph:
                    found[chr(sign)] = (glyph + delta) % 65536
        return found

    def has(self, sign):
        return bool(self.glyphs.get(sign))

    def advance(self, glyph):
        return self.number("hmtx", 4 * min(glyph, self.metrics - 1)) * 1000 // self.units

    def width(self, sign):
        return self.advance(self.glyphs.get(sign, 0))

    def shown(self, text):
        for sign in text:
            self.used.setdefault(self.glyphs.get(sign, 0), sign)
        return "".join(f"{self.glyphs.get(sign, 0):04x}" for sign in text)

    def objects(self, add):
        stream = add(packed(self.data, f"/Length1 {len(self.data)}"))
        box = " ".join(str(each * 1000 // self.units) for each in struct.unpack(">4h", self.tables["head"][36:44]))
        look = f"/Flags 4 /ItalicAngle 0 /Ascent 928 /Descent -236 /CapHeight 729 /StemV 80 /FontBBox [{box}]"
        name = f"/{self.name}"
        font = f"<< /Type /FontDescriptor /FontName {name} {look} /FontFile2 {stream} 0 R >>"
        widths = " ".join(f"{glyph} [{self.advance(glyph)}]" for glyph in sorted(self.used))
        system = "/CIDToGIDMap /Identity /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        kind = f"/Type /Font /Subtype /CIDFontType2 /BaseFont {name} /FontDescriptor {add(font.encode())} 0 R"
        inner = add(f"<< {kind} {system} /W [{widths}] >>".encode())
        back = add(packed(self.meaning().encode()))
        return add(
            f"<< /Type /Font /Subtype /Type0 /BaseFont {name} /Encoding /Identity-H /DescendantFonts [{inner} 0 R]"
            f" /ToUnicode {back} 0 R >>".encode()
        )

    def meaning(self):
        """Which sign each glyph is, so that the text can be searched, copied and read aloud."""
        rows = [
            f"<{glyph:04x}> <{sign.encode('utf-16-be').hex()}>" for glyph, sign in sorted(self.used.items()) if sign
        ]
        blocks = [rows[at : at + 100] for at in range(0, len(rows), 100)]
        body = "".join(f"{len(each)} beginbfchar\n" + "\n".join(each) + "\nendbfchar\n" for each in blocks)
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Signs def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <ffff> endcodespacerange\n" + body + "endcmap end end"
        )


def packed(content, more=""):
    """A compressed stream."""
    body = zlib.compress(content, 9)
    return f"<< /Length {len(body)} /Filter /FlateDecode {more} >>\nstream\n".encode() + body + b"\nendstream"


def faces():
    """The font of the environment, or what every reader has."""
    spec = find_spec("matplotlib")
    place = Path(spec.origin).parent / "mpl-data/fonts/ttf" if spec and spec.origin else Path("/nowhere")
    if all((place / f"DejaVuSans{tail}.ttf").is_file() for tail in FACES.values()):
        return {face: Embedded(place / f"DejaVuSans{tail}.ttf") for face, tail in FACES.items()}
    return {face: BuiltIn(name) for face, name in BUILT_IN.items()}


class Pages:
    """Draws blocks from top to bottom, and begins a page where there is no room."""

    def __init__(self, fonts):
        self.fonts, self.pages, self.missing, self.y = fonts, [[]], set(), HIGH - MARGIN

    def room(self, height):
        if self.y - height < MARGIN and self.pages[-1]:
            self.pages.append([])
            self.y = HIGH - MARGIN

    def width(self, text, face, size):
        return sum(self.fonts[face].width(sign) for sign in text) * size / 1000

    def fitting(self, word, face, size, width):
        """How many letters of a word that is too long go into a line, at least one."""
        used = 0.0
        for place, sign in enumerate(word):
            used += self.width(sign, face, size)
            if used > width:
                return max(1, place)
        return len(word)

    def drawable(self, text, face):
        text = unicodedata.normalize("NFC", text).replace("\t", "    ").replace("\u00ad", "")
        made = ""
        for sign in text:
            if unicodedata.category(sign) in ("Cc", "Cf"):
                continue
            if not self.fonts[face].has(sign):
                self.missing.add(sign)
                sign = "?"
            made += sign
        return made

    def wrapped(self, spans, width, size):
        """Lines of (text, face) that are no wider than this."""
        lines, used = [[]], 0.0
        for text, face in spans:
            for word in re.findall(r"\s+|\S+", self.drawable(text, face)):
                wide = self.width(word, face, size)
                if used + wide > width and lines[-1] and not word.isspace():
                    lines.append([])
                    used = 0.0
                while wide > width and len(word) > 1:
                    fits = self.fitting(word, face, size, width)
                    lines[-1].append((word[:fits], face))
                    lines.append([])
                    word = word[fits:]
                    wide, used = self.width(word, face, size), 0.0
                if lines[-1] or not word.isspace():
                    lines[-1].append((word, face))
                    used += wide
        return lines

    def line(self, pieces, x, y, size):
        for text, face in pieces:
            place = list(FACES).index(face)
            self.pages[-1].append(f"BT /F{place} {size} Tf {x:.2f} {y:.2f} Td <{self.fonts[face].shown(text)}> Tj ET")
            x += self.width(text, face, size)

    def paragraph(self, spans, size=11, indent=0, mark="", after=6):
        for place, pieces in enumerate(self.wrapped(spans, TEXT - indent, size)):
            self.room(size * 1.4)
            self.y -= size * 1.4
            if mark and not place:
                self.line([(self.drawable(mark, "regular"), "regular")], MARGIN + indent - 18, self.y, size)
            self.line(pieces, MARGIN + indent, self.y, size)
        self.y -= after

    def heading(self, level, spans):
        size = (22, 17, 14, 12, 11, 11)[level - 1]
        self.room(size * 4)
        self.y -= 6
        self.paragraph([(text, "bold" if face == "regular" else face) for text, face in spans], size)

    def code(self, lines):
        for each in lines:
            text = self.drawable(each, "mono")
            most = int((TEXT - 12) / self.width("x", "mono", 9))
            for at in range(0, max(1, len(text)), most):
                self.room(12.6)
                self.y -= 12.6
                self.line([(text[at : at + most], "mono")], MARGIN + 12, self.y, 9)
        self.y -= 6

    def rule(self):
        self.room(12)
        self.y -= 12
        self.pages[-1].append(f"0.5 w {MARGIN} {self.y + 6:.2f} m {MARGIN + TEXT} {self.y + 6:.2f} l S")

    def table(self, rows):
        columns = max(map(len, rows))
        rows = [[*row, *[[("", "regular")]] * (columns - len(row))] for row in rows]
        longest = [max(4, *(min(40, sum(len(text) for text, _ in row[n])) for row in rows)) for n in range(columns)]
        widths = [TEXT * each / sum(longest) for each in longest]
        head = [[(text, "bold") for text, _ in cell] for cell in rows[0]]
        self.row(head, widths)
        for row in rows[1:]:
            self.row(row, widths, head)
        self.y -= 8

    def row(self, cells, widths, head=None):
        lines = [self.wrapped(cell, max(8, wide - 8), 9) for cell, wide in zip(cells, widths, strict=True)]
        for start in range(0, max(map(len, lines)), ROW):
            self.part([each[start : start + ROW] for each in lines], widths, head)

    def part(self, lines, widths, head):
        """A row, or as much of it as a page takes; the head is drawn again on each page."""
        high = max(map(len, lines)) * 12.6 + 6
        before = len(self.pages)
        self.room(high)
        if head and len(self.pages) > before:
            self.row(head, widths)
        self.room(high)
        top, x = self.y, float(MARGIN)
        self.y -= high
        for cell, wide in zip(lines, widths, strict=True):
            self.pages[-1].append(f"0.5 w {x:.2f} {self.y:.2f} {wide:.2f} {high:.2f} re S")
            for place, pieces in enumerate(cell):
                self.line(pieces, x + 4, top - 12 - 12.6 * place, 9)
            x += wide

    def write(self, path, title):
        """The document; the same text gives the same bytes."""
        objects = []

        def add(content):
            objects.append(content)
            return len(objects)

        root, tree = add(b""), add(b"")
        for number, drawn in enumerate(self.pages, 1):
            foot = f"{number} / {len(self.pages)}"
            x = (WIDE - self.width(foot, "regular", 9)) / 2
            shown = self.fonts["regular"].shown(foot)
            drawn.append(f"BT /F0 9 Tf {x:.2f} {MARGIN / 2} Td <{shown}> Tj ET")
        fonts, kids = {}, []
        drawn_with = {line.split()[1] for drawn in self.pages for line in drawn if line.startswith("BT")}
        for name, font in zip(("/F0", "/F1", "/F2", "/F3"), self.fonts.values(), strict=True):
            if name in drawn_with:
                fonts[name] = f"{name} {font.objects(add)} 0 R"
        for drawn in self.pages:
            content = add(packed("\n".join(drawn).encode()))
            box = f"/MediaBox [0 0 {WIDE} {HIGH}] /Resources << /Font << {' '.join(fonts.values())} >> >>"
            kids.append(add(f"<< /Type /Page /Parent {tree} 0 R {box} /Contents {content} 0 R >>".encode()))
        about = add(f"<< /Title <feff{title.encode('utf-16-be', 'replace').hex()}> >>".encode())
        objects[root - 1] = f"<< /Type /Catalog /Pages {tree} 0 R >>".encode()
        listed = " ".join(f"{each} 0 R" for each in kids)
        objects[tree - 1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{listed}] >>".encode()
        made, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
        for number, content in enumerate(objects, 1):
            places.append(f"{len(made):010} 00000 n \n")
            made += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
        size, about = len(objects) + 1, f"/Root {root} 0 R /Info {about} 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
        table = f"xref\n0 {size}\n0000000000 65535 f \n" + "".join(places) + f"trailer\n<< /Size {size} {about}"
        path.write_bytes(made + table.encode())


class Markup(HTMLParser):
    """HTML: its text and structure; scripts, styles, pictures and addresses outside are never loaded."""

    def __init__(self, pages):
        super().__init__()
        self.pages, self.spans, self.open, self.rows, self.lists = pages, [], [], [], []
        self.pictures, self.title = [], ""

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        for ended in ENDS.get(tag, ()):
            if self.open and ended == self.open[-1]:
                self.handle_endtag(ended)
        if tag in BLOCKS and not {"td", "th"} & set(self.open):
            self.flush()
        if tag == "img":
            self.pictures.append(given.get("src") or "")
            self.spans.append((f"[{given.get('alt') or 'picture'}]", "italic"))
        elif tag == "br":
            self.spans.append((" ", "regular")) if self.rows else self.flush(0)
        elif tag == "hr":
            self.pages.rule()
        else:
            self.begin(tag)
        if tag not in VOID:
            self.open.append(tag)

    def begin(self, tag):
        if tag in ("ul", "ol"):
            self.lists.append([tag, 0])
        elif tag == "li" and self.lists:
            self.lists[-1][1] += 1
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th", "table"):
            self.spans = []

    def handle_endtag(self, tag):
        if tag not in self.open:
            return
        if tag in ("tr", "tbody", "thead", "table") and self.open[-1] in ("td", "th"):
            self.handle_endtag(self.open[-1])
        if tag in ("td", "th"):
            self.rows = self.rows or [[]]
            self.rows[-1].append(self.spans)
            self.spans = []
        elif tag == "table" and any(self.rows):
            self.pages.table([row for row in self.rows if row])
            self.rows = []
        elif tag in BLOCKS and not {"td", "th"} & set(self.open):
            self.flush()
        if tag in ("ul", "ol") and self.lists:
            self.lists.pop()
        while self.open.pop() != tag:
            pass

    def handle_data(self, text):
        if "title" in self.open:
            self.title += text
        elif not {"script", "style", "template"} & set(self.open):
            bold = {"b", "strong", "th"} & set(self.open)
            italic = {"i", "em", "blockquote"} & set(self.open)
            mono = {"code", "kbd", "samp", "pre"} & set(self.open)
            face = "mono" if mono else "bold" if bold else "italic" if italic else "regular"
            self.spans.append((text if "pre" in self.open else re.sub(r"\s+", " ", text), face))

    def flush(self, after=6):
        """The block that was gathered."""
        spans, self.spans = self.spans, []
        if not "".join(text for text, _ in spans).strip():
            return
        level = next((int(tag[1]) for tag in reversed(self.open) if re.fullmatch("h[1-6]", tag)), 0)
        if "pre" in self.open:
            self.pages.code("".join(text for text, _ in spans).strip("\n").splitlines())
        elif level:
            self.pages.heading(level, spans)
        elif "li" in self.open and self.lists:
            kind, number = self.lists[-1]
            mark = "•" if kind == "ul" else f"{number}."
            self.pages.paragraph(spans, indent=20 * len(self.lists), mark=mark, after=2)
        else:
            self.pages.paragraph(spans, indent=20 if "blockquote" in self.open else 0, after=after)


def inline(text, pictures):
    """The pieces of a line of Markdown, each with its face."""
    made, at = [], 0
    for found in INLINE.finditer(text):
        made.append((text[at : found.start()], "regular"))
        at = found.end()
        part = found.groupdict()
        if part["src"]:
            pictures.append(part["src"])
            made.append((f"[{part['alt'] or part['src']}]", "italic"))
        elif part["href"]:
            made.append((f"{part['text']} ({part['href']})", "regular"))
        else:
            face = next(name for name in ("mono", "bold", "italic", "under") if part[name])
            made.append((part[face], "italic" if face == "under" else face))
    return [each for each in [*made, (text[at:], "regular")] if each[0]]


def cells(line, pictures):
    """The cells of a row of a table in Markdown."""
    row = [each.strip().replace("\\|", "|") for each in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    return [inline(each, pictures) or [("", "regular")] for each in row]


def markdown(pages, lines, pictures):
    """Every line becomes part of a paragraph, a list, a table or code."""
    at, waiting = 0, []
    while at < len(lines):
        end = block(pages, lines, at, pictures, waiting)
        if end is None and lines[at].strip():
            waiting.append(lines[at].strip())
        elif end is None:
            flush(pages, waiting, pictures)
        at = (at if end is None else end) + 1
    flush(pages, waiting, pictures)


def flush(pages, waiting, pictures):
    """The paragraph that was gathered."""
    if waiting:
        pages.paragraph(inline(" ".join(waiting), pictures))
        waiting.clear()


def block(pages, lines, at, pictures, waiting):
    """What begins at this line, if it is more than text: the answer is its last line, else None."""
    line = lines[at]
    heading = re.match(r"(#{1,6})\s+(.*?)\s*#*$", line)
    item = ITEM.match(line)
    fence = re.match(r"\s*(```+|~~~+)", line)
    rule = re.match(r"\s*([-*_])(\s*\1){2,}\s*$", line)
    rows = at + 1 < len(lines) and "|" in line and RULER.match(lines[at + 1])
    if not (heading or item or fence or rule or rows or line.startswith(">")):
        return None
    flush(pages, waiting, pictures)
    if fence:
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence.group(1)), len(lines))
        pages.code(lines[at + 1 : end])
        return end
    if rows:
        end = next((n for n in range(at + 2, len(lines)) if "|" not in lines[n]), len(lines))
        pages.table([cells(each, pictures) for each in (line, *lines[at + 2 : end])])
        return end - 1
    if heading:
        pages.heading(len(heading.group(1)), inline(heading.group(2), pictures))
    elif rule:
        pages.rule()
    elif item:
        level = min(4, len(item.group("indent").expandtabs(4)) // 2 + 1)
        mark = "•" if item.group("mark") in "-*+" else item.group("mark")
        pages.paragraph(inline(item.group("text"), pictures), indent=20 * level, mark=mark, after=2)
    else:
        pages.paragraph([(text, "italic") for text, _ in inline(line.lstrip("> "), pictures)], indent=20)
    return at


def run_tool(input_dir, output_dir, files):
    """One document in, one PDF out."""
    given = files[0]
    raw = Path(given["path"]).read_bytes()
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        source = raw.decode("cp1252", "replace")
    if not source.strip():
        toolkit.refuse("The document is empty.")
    name = re.sub(r"\.[^.]*$", "", given["original_name"]) or "document"
    pages, pictures, title = Pages(faces()), [], name
    if given["original_name"].lower().endswith((".html", ".htm")):
        markup = Markup(pages)
        markup.feed(source)
        markup.close()
        for tag in reversed([*markup.open]):
            markup.handle_endtag(tag)
        markup.flush()
        pictures, title = markup.pictures, markup.title.strip() or name
    else:
        markdown(pages, source.splitlines(), pictures)
    pages.write(Path(output_dir, f"{name}.pdf"), title)
    told = [toolkit.file(f"{name}.pdf", "PDF")]
    if pictures:
        told.append(toolkit.notice("Pictures are not drawn: " + ", ".join(pictures)[:1000], "warning"))
    if pages.missing:
        signs = " ".join(sorted(pages.missing)[:100])
        told.append(toolkit.notice(f"The font has no sign for these, a question mark stands there: {signs}", "warning"))
    return told
