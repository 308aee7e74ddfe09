"""Compare two lists by a key column."""

import csv
import io
from pathlib import Path

import toolkit

SHOWN = 500


def run_tool(input_dir, output_dir, inputs, files):
    """One row per difference, and a file with every row and its status."""
    by_field = {file["field"]: file for file in files}
    key = inputs["key"].strip()
    left_names, left, left_twice = read(input_dir, by_field["first"], key, "first")
    right_names, right, right_twice = read(input_dir, by_field["second"], key, "second")
    names = left_names + [name for name in right_names if name not in left_names]
    rows, counts, changes = [], {"only first": 0, "only second": 0, "changed": 0, "same": 0}, []
    for number, identity in enumerate(dict.fromkeys([*left, *right])):
        if number % 2000 == 0:
            toolkit.progress(100 * number / max(1, len(left) + len(right)), "Comparing")
        one, two = left.get(identity), right.get(identity)
        differing = []
        if one is None or two is None:
            status = "only second" if one is None else "only first"
        else:
            differing = [name for name in names if same(one.get(name)) != same(two.get(name))]
            status = "changed" if differing else "same"
        counts[status] += 1
        shown = two if two is not None else one
        rows.append([status, *[shown.get(name, "") for name in names], ", ".join(differing)])
        if status != "same":
            label = next(value for name, value in (one or two).items() if name.casefold() == key.casefold())
            detail = "; ".join(f"{name}: {one.get(name, '')} → {two.get(name, '')}" for name in differing)
            changes.append((label, status, detail))
    write(Path(output_dir, "comparison.csv"), ["Status", *names, "Changed columns"], rows)
    return answer(counts, changes, left_twice, right_twice)


def read(input_dir, file, key, which):
    """Column names, rows by key, and keys that occur twice."""
    raw = Path(input_dir, file["name"]).read_bytes()
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        toolkit.refuse(f"The {which} list cannot be read as text. Save it as CSV again.")
    lines = text.splitlines()
    if not lines:
        toolkit.refuse(f"The {which} list is empty.")
    delimiter = max(";,\t", key=lines[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = [name.strip() for name in next(reader)]
    place = next((index for index, name in enumerate(names) if name.casefold() == key.casefold()), None)
    if place is None:
        toolkit.refuse(f"The {which} list has no column “{key}”. Its columns are: {', '.join(names)}.")
    rows, twice = {}, []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        row += [""] * (len(names) - len(row))
        identity = same(row[place]).casefold()
        if identity in rows:
            twice.append(row[place])
        rows[identity] = dict(zip(names, row, strict=False))
    return names, rows, twice


def same(value):
    """A cell for comparing: without spaces at the ends; 7, 7.0 and 7,0 are one number."""
    text = (value or "").strip()
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    leading_zero = len(text) > 1 and text[0] == "0" and text[1].isdigit()
    return text if leading_zero or abs(number) > 1e15 else format(number, ".12g")


def write(path, names, rows):
    """A CSV file that spreadsheets open with the right letters and take for no formula."""
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow([harmless(name) for name in names])
        writer.writerows([harmless(cell) for cell in row] for row in rows)


def harmless(text):
    """An apostrophe in front of what would be a formula."""
    risky = text.startswith(("=", "+", "@", "\t", "\r")) or (text.startswith("-") and not text[1:2].isdigit())
    return f"'{text}" if risky else text


def answer(counts, changes, left_twice, right_twice):
    """The blocks of the result."""
    total = sum(counts.values())
    text = f"{total} rows: {counts['same']} the same, {counts['changed']} changed, "
    text += f"{counts['only first']} only in the first list, {counts['only second']} only in the second."
    blocks = [toolkit.notice(text), toolkit.file("comparison.csv", label="Every row with its status")]
    for which, keys in (("first", left_twice), ("second", right_twice)):
        if keys:
            shown = ", ".join(keys[:20])
            message = f"These keys occur more than once in the {which} list; the last row counts: {shown}."
            blocks.append(toolkit.notice(message, level="warning"))
    if changes:
        columns = [
            {"key": "key", "label": "Key"},
            {"key": "status", "label": "Status"},
            {"key": "what", "label": "What"},
        ]
        blocks.append(toolkit.table(columns, changes[:SHOWN], title="Differences"))
    return blocks
