"""A copy of a text without what points to persons; nothing of the original is printed or shown."""

import re
from pathlib import Path

import toolkit

PATTERNS = (
    ("e-mail addresses", "[e-mail]", r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"),
    ("identity numbers", "[identity number]", r"(?<!\d)(?:\d{2})?\d{6}[-+ ]?\d{4}(?!\d)"),
    ("phone numbers", "[phone]", r"(?<![\w])(?:\+\d{1,3}[ -]?|0)\d{1,3}(?:[ -/]?\d{2,4}){2,4}(?!\d)"),
)
SHORTEST = 3


def run_tool(input_dir, output_dir, inputs, files):
    """The copy and how much was replaced."""
    raw = Path(input_dir, files[0]["name"]).read_bytes()
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        toolkit.refuse("The file cannot be read as text. Save it as plain text or CSV.")
    counts = {}
    for label, mark, pattern in PATTERNS:
        text, number = re.subn(pattern, mark, text)
        counts[label] = number
    names = [" ".join(line.split()) for line in inputs.get("names", "").splitlines() if line.strip()]
    text, counts["names"] = without_names(text, names)
    suffix = Path(files[0]["original_name"]).suffix.lower() or ".txt"
    Path(output_dir, f"copy{suffix}").write_text(text, encoding="utf-8-sig" if suffix == ".csv" else "utf-8")
    columns = [{"key": "kind", "label": "Replaced"}, {"key": "count", "label": "Times", "align": "right"}]
    return [
        toolkit.notice("Read the copy before you pass it on: no program finds everything.", level="warning"),
        toolkit.file(f"copy{suffix}", label="The copy"),
        toolkit.table(columns, sorted(counts.items()), title="What was replaced"),
    ]


def without_names(text, names):
    """Whole names first, then their parts; one mark for each person."""
    total = 0
    marks = {}
    for number, name in enumerate(dict.fromkeys(names), start=1):
        marks.setdefault(name.casefold(), f"[person {number}]")
        for part in name.split():
            if len(part) >= SHORTEST:
                marks.setdefault(part.casefold(), f"[person {number}]")
    for name in sorted(marks, key=len, reverse=True):
        spaced = r"\s+".join(re.escape(part) for part in name.split())
        text, number = re.subn(rf"(?<!\w){spaced}(?:s)?(?!\w)", marks[name], text, flags=re.IGNORECASE)
        total += number
    return text, total
