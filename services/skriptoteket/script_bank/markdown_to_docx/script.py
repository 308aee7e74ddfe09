"""Markdown to a Word document, with nothing but the standard library: a document is a zip of XML."""

import re
import struct
import zipfile
from html import escape
from pathlib import Path

import toolkit

DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
EMU = 9525  # of Word's units in one pixel
WIDEST = 600  # pixels between the margins
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
INLINE = re.compile(
    r"`(?P<code>[^`]+)`|!\[(?P<alt>[^\]]*)\]\((?P<src>[^)\s]+)[^)]*\)|\[(?P<text>[^\]]+)\]\((?P<href>[^)\s]+)\)"
    r"|\*\*(?P<bold>.+?)\*\*|__(?P<bold2>.+?)__|\*(?P<italic>[^*]+)\*|(?<!\w)_(?P<italic2>[^_]+)_(?!\w)"
)
ITEM = re.compile(r"(?P<indent>\s*)(?:(?P<dot>[-*+])|(?P<number>\d{1,9})[.)])\s+(?P<text>.*)")
RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
XML_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Document:
    """Collects paragraphs, links and pictures."""

    def __init__(self, pictures):
        self.pictures = {file["original_name"].lower(): file["path"] for file in pictures}
        self.body, self.links, self.media, self.missing = [], [], [], []

    def paragraph(self, text, style="", *, level=None, numbered=False):
        properties = f'<w:pStyle w:val="{style}"/>' if style else ""
        if level is not None:
            number = 2 if numbered else 1
            properties += f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
        self.body.append(f"<w:p><w:pPr>{properties}</w:pPr>{self.runs(text)}</w:p>")

    def code(self, lines):
        inner = "<w:br/>".join(f'<w:t xml:space="preserve">{clean(line)}</w:t>' for line in lines)
        self.body.append(f'<w:p><w:pPr><w:pStyle w:val="Code"/></w:pPr><w:r>{inner}</w:r></w:p>')

    def table(self, rows):
        width = max(map(len, rows))
        grid = "<w:gridCol/>" * width
        cells = []
        for place, row in enumerate(rows):
            style = "<w:rPr><w:b/></w:rPr>" if place == 0 else ""
            head = "<w:trPr><w:tblHeader/></w:trPr>" if place == 0 else ""
            made = (f"<w:tc><w:p>{self.runs(text, style)}</w:p></w:tc>" for text in row + [""] * (width - len(row)))
            cells.append(f"<w:tr>{head}{''.join(made)}</w:tr>")
        table = '<w:tblPr><w:tblStyle w:val="Grid"/><w:tblW w:w="0" w:type="auto"/></w:tblPr>'
        self.body.append(f"<w:tbl>{table}<w:tblGrid>{grid}</w:tblGrid>{''.join(cells)}</w:tbl><w:p/>")

    def runs(self, text, style=""):
        made, at = [], 0
        for found in INLINE.finditer(text):
            made.append(run(text[at : found.start()], style))
            made.append(self.inline(found.groupdict(), style))
            at = found.end()
        return "".join([*made, run(text[at:], style)])

    def inline(self, found, style):
        if found["code"]:
            return run(found["code"], '<w:rPr><w:rStyle w:val="CodeText"/></w:rPr>')
        if found["src"]:
            return self.picture(found["src"], found["alt"])
        if found["href"]:
            self.links.append(found["href"])
            inner = run(found["text"], '<w:rPr><w:rStyle w:val="Link"/></w:rPr>')
            return f'<w:hyperlink r:id="link{len(self.links)}">{inner}</w:hyperlink>'
        bold = found["bold"] or found["bold2"]
        mark = "<w:b/>" if bold else "<w:i/>"
        return run(bold or found["italic"] or found["italic2"], f"<w:rPr>{mark}</w:rPr>")

    def picture(self, name, alt):
        path = self.pictures.get(name.rsplit("/", 1)[-1].lower())
        content = Path(path).read_bytes() if path else b""
        size = picture_size(content)
        if size is None:
            self.missing.append(name)
            return run(f"[{alt or name}]", "<w:rPr><w:i/></w:rPr>")
        self.media.append(content)
        number = len(self.media)
        scale = min(1, WIDEST / size[0])
        wide, high = (max(1, int(each * scale * EMU)) for each in size)
        described = escape(clean(alt or name), quote=True)
        return (
            f'<w:r><w:drawing><wp:inline><wp:extent cx="{wide}" cy="{high}"/>'
            f'<wp:docPr id="{number}" name="Picture {number}" descr="{described}"/><a:graphic>'
            f'<a:graphicData uri="{DRAWING}/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="{number}" name="p"/>'
            f'<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="picture{number}"/><a:stretch><a:fillRect/>'
            f'</a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{wide}" cy="{high}"/>'
            '</a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
            "</wp:inline></w:drawing></w:r>"
        )


def clean(text):
    """Text as XML holds it."""
    return escape(XML_BAD.sub("", text), quote=False)


def run(text, style=""):
    """A piece of text in one style."""
    return f'<w:r>{style}<w:t xml:space="preserve">{clean(text)}</w:t></w:r>' if text else ""


def is_png(content):
    """By its first bytes."""
    return content[:8] == b"\x89PNG\r\n\x1a\n"


def picture_size(content):
    """Width and height in pixels, or None where it is neither PNG nor JPEG."""
    if is_png(content) and len(content) >= 24:
        wide, high = struct.unpack(">II", content[16:24])
        return (wide, high) if wide and high else None
    at = 2
    while content[:2] == b"\xff\xd8" and at + 9 < len(content) and content[at] == 0xFF:
        kind, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if kind in (0xC0, 0xC1, 0xC2):
            high, wide = struct.unpack(">HH", content[at + 5 : at + 9])
            return (wide, high) if wide and high else None
        at += 2 + max(2, length)
    return None


def cells(line):
    """The cells of a row of a table."""
    return [each.strip().replace("\\|", "|") for each in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def build(document, lines):
    """Every line becomes part of a paragraph, a list, a table or code."""
    at, waiting = 0, []
    while at < len(lines):
        made = block(document, lines, at, waiting)
        if made is None and lines[at].strip():
            waiting.append(lines[at].strip())
        elif made is None:
            flush(document, waiting)
        at = (at if made is None else made) + 1
    flush(document, waiting)


def flush(document, waiting):
    """The paragraph that was gathered."""
    if waiting:
        document.paragraph(" ".join(waiting))
        waiting.clear()


def block(document, lines, at, waiting):
    """What begins at this line, if it is more than text: the answer is its last line, else None."""
    line = lines[at]
    heading = re.match(r"(#{1,6})\s+(.*?)\s*#*$", line)
    item = ITEM.match(line)
    fence = re.match(r"\s*(```+|~~~+)", line)
    rule = re.match(r"\s*([-*_])(\s*\1){2,}\s*$", line)
    rows = at + 1 < len(lines) and "|" in line and RULE.match(lines[at + 1])
    if not (heading or item or fence or rule or rows or line.startswith(">")):
        return None
    flush(document, waiting)
    if fence:
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence.group(1)), len(lines))
        document.code(lines[at + 1 : end])
        return end
    if rows:
        end = next((n for n in range(at + 2, len(lines)) if "|" not in lines[n]), len(lines))
        document.table([cells(line), *map(cells, lines[at + 2 : end])])
        return end - 1
    if heading:
        document.paragraph(heading.group(2), f"Heading{len(heading.group(1))}")
    elif rule:
        document.body.append('<w:p><w:pPr><w:pBdr><w:bottom w:val="single" w:sz="6"/></w:pBdr></w:pPr></w:p>')
    elif item:
        level = min(3, len(item.group("indent").expandtabs(4)) // 2)
        document.paragraph(item.group("text"), level=level, numbered=bool(item.group("number")))
    else:
        document.paragraph(line.lstrip("> "), "Quote")
    return at


def style(kind, name, title, inside):
    """One style of the document."""
    return f'<w:style w:type="{kind}" w:styleId="{name}"><w:name w:val="{title}"/>{inside}</w:style>'


def styles():
    """Headings, code, links and a grid."""
    made = []
    for n in range(1, 7):
        space = f'<w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="{n - 1}"/>'
        looks = f'<w:pPr>{space}</w:pPr><w:rPr><w:b/><w:sz w:val="{44 - 4 * n}"/></w:rPr>'
        made.append(style("paragraph", f"Heading{n}", f"heading {n}", looks))
    mono = '<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas" w:cs="Consolas"/>'
    quote = '<w:pPr><w:ind w:left="567"/></w:pPr><w:rPr><w:i/></w:rPr>'
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    edges = "".join(f'<w:{side} w:val="single" w:sz="4"/>' for side in sides)
    made += [
        style("paragraph", "Code", "Code", f'<w:rPr>{mono}<w:sz w:val="20"/></w:rPr>'),
        style("character", "CodeText", "Code Text", f"<w:rPr>{mono}</w:rPr>"),
        style("paragraph", "Quote", "Quote", quote),
        style("character", "Link", "Hyperlink", '<w:rPr><w:color w:val="0563C1"/><w:u w:val="single"/></w:rPr>'),
        style("table", "Grid", "Table Grid", f"<w:tblPr><w:tblBorders>{edges}</w:tblBorders></w:tblPr>"),
    ]
    return f'{HEAD}<w:styles xmlns:w="{WORD}">{"".join(made)}</w:styles>'


def numbering():
    """A list with dots and one with numbers, four levels deep."""
    kinds = []
    for number, (kind, text) in enumerate((("bullet", "•"), ("decimal", "%{}.")), 1):
        levels = ""
        for n in range(4):
            looks = f'<w:numFmt w:val="{kind}"/><w:lvlText w:val="{text.format(n + 1)}"/>'
            place = f'<w:pPr><w:ind w:left="{567 * (n + 1)}" w:hanging="283"/></w:pPr>'
            levels += f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/>{looks}{place}</w:lvl>'
        kinds.append(f'<w:abstractNum w:abstractNumId="{number}">{levels}</w:abstractNum>')
    used = "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2))
    return f'{HEAD}<w:numbering xmlns:w="{WORD}">{"".join(kinds)}{used}</w:numbering>'


def content_types():
    """Which part is what."""
    office = "application/vnd.openxmlformats-"
    known = (("rels", f"{office}package.relationships+xml"), ("png", "image/png"), ("jpeg", "image/jpeg"))
    kinds = "".join(f'<Default Extension="{name}" ContentType="{kind}"/>' for name, kind in known)
    for name, kind in (("document", "document.main"), ("styles", "styles"), ("numbering", "numbering")):
        word = f"{office}officedocument.wordprocessingml.{kind}+xml"
        kinds += f'<Override PartName="/word/{name}.xml" ContentType="{word}"/>'
    return f'{HEAD}<Types xmlns="{PACKAGE}/content-types">{kinds}</Types>'


def relations(found):
    """What a part refers to: id, kind, target, and whether that is outside."""
    made = ""
    for name, kind, target, outside in found:
        mode = ' TargetMode="External"' if outside else ""
        address = escape(target, quote=True)
        made += f'<Relationship Id="{name}" Type="{RELATION}/{kind}" Target="{address}"{mode}/>'
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{made}</Relationships>'


def write(path, document):
    """The parts of a document in one archive; the same text gives the same bytes."""
    names = [f"media/{n}.{'png' if is_png(each) else 'jpeg'}" for n, each in enumerate(document.media, 1)]
    refers = [(name, name, f"{name}.xml", False) for name in ("styles", "numbering")]
    refers += [(f"link{n}", "hyperlink", each, True) for n, each in enumerate(document.links, 1)]
    refers += [(f"picture{n}", "image", name, False) for n, name in enumerate(names, 1)]
    spaces = f'xmlns:w="{WORD}" xmlns:r="{RELATION}" xmlns:wp="{DRAWING}/wordprocessingDrawing"'
    spaces += f' xmlns:a="{DRAWING}/main" xmlns:pic="{DRAWING}/picture"'
    body = f"<w:body>{''.join(document.body)}<w:sectPr/></w:body>"
    files = {
        "[Content_Types].xml": content_types(),
        "_rels/.rels": relations([("main", "officeDocument", "word/document.xml", False)]),
        "word/document.xml": f"{HEAD}<w:document {spaces}>{body}</w:document>",
        "word/styles.xml": styles(),
        "word/numbering.xml": numbering(),
        "word/_rels/document.xml.rels": relations(refers),
        **{f"word/{name}": content for name, content in zip(names, document.media, strict=True)},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


def run_tool(input_dir, output_dir, files):
    """One document, and a notice of every picture that is not there."""
    text = next(file for file in files if file["field"] == "text")
    raw = Path(text["path"]).read_bytes()
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        source = raw.decode("cp1252", "replace")
    if not source.strip():
        toolkit.refuse("The text is empty.")
    document = Document([file for file in files if file["field"] == "pictures"])
    build(document, source.splitlines())
    name = re.sub(r"\.[^.]*$", "", text["original_name"]) or "document"
    write(f"{output_dir}/{name}.docx", document)
    told = [toolkit.file(f"{name}.docx", "Word document")]
    if document.missing:
        told.append(toolkit.notice("Pictures that were not uploaded: " + ", ".join(document.missing), "warning"))
    return told
