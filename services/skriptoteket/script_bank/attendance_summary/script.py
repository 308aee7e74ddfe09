"""Absence of each pupil and week out of an export."""

import csv
import io
import re
import unicodedata
from datetime import date
from html import escape
from pathlib import Path

import toolkit

COLUMNS = {"pupil": ("elev", "namn", "elevnamn", "pupil", "name"), "day": ("datum", "date"),
           "minutes": ("minuter", "franvaro (minuter)", "franvarominuter", "minutes"), "group": ("klass", "class"),
           "kind": ("typ", "orsak", "type", "kind")}  # fmt: skip
WITHOUT_LEAVE = ("ogiltig", "oanmald", "unauthorised", "unauthorized")


def run_tool(input_dir, output_dir, inputs, files):
    """A table by pupil, a chart by week, a notice of those above the limit."""
    rows = read(Path(input_dir, files[0]["name"]).read_bytes())
    pupils, by_week, unclear = {}, {}, []
    for number, row in rows:
        day, minutes = day_of(row["day"]), minutes_of(row["minutes"])
        if day is None or minutes is None:
            unclear.append(number)
            continue
        entry = pupils.setdefault((row["pupil"], row["group"]), [0, 0, 0])
        entry[0] += minutes
        entry[1] += minutes if plain(row["kind"]).startswith(WITHOUT_LEAVE) else 0
        entry[2] += 1
        week = day.isocalendar()
        by_week[(week.year, week.week)] = by_week.get((week.year, week.week), 0) + minutes
    if not pupils:
        return [toolkit.notice("There is no absence in this file.")]
    return answer(output_dir, pupils, by_week, unclear, float(inputs.get("limit_hours", 10)))


def plain(text):
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def read(raw):
    """Rows by column; refuses with the columns found when one is missing."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    lines = text.splitlines()
    if not lines:
        toolkit.refuse("The file is empty. Export the absence again.")
    reader = csv.reader(io.StringIO(text), delimiter=max(";,\t", key=lines[0].count))
    header = [plain(name) for name in next(reader)]
    place = {
        key: next((header.index(name) for name in names if name in header), None) for key, names in COLUMNS.items()
    }
    missing = [
        label for key, label in (("pupil", "Elev"), ("day", "Datum"), ("minutes", "Minuter")) if place[key] is None
    ]
    if missing:
        toolkit.refuse(f"Columns are missing: {', '.join(missing)}. The file has: {', '.join(header)}.")
    found = []
    for row in reader:
        if any(cell.strip() for cell in row):
            cells = {key: row[at].strip() if at is not None and at < len(row) else "" for key, at in place.items()}
            found.append((reader.line_num, cells))
    return found


def day_of(text):
    """A date in one of three ways of writing."""
    for pattern, order in ((r"(\d{4})-(\d{1,2})-(\d{1,2})", (0, 1, 2)), (r"(\d{1,2})/(\d{1,2})[ /](\d{4})", (2, 1, 0)),
                           (r"(\d{1,2})\.(\d{1,2})\.(\d{4})", (2, 1, 0))):  # fmt: skip
        found = re.fullmatch(pattern, text)
        if found:
            parts = [int(part) for part in found.groups()]
            try:
                return date(*(parts[index] for index in order))
            except ValueError:
                return None
    return None


def minutes_of(text):
    """Minutes, or hours and minutes."""
    found = re.fullmatch(r"(\d{1,5})(?:[.,]0+)?(?: ?min)?|(\d{1,3}):([0-5]\d)", text)
    if found is None:
        return None
    return int(found.group(1)) if found.group(1) else 60 * int(found.group(2)) + int(found.group(3))


def hours(minutes):
    """Hours with one decimal."""
    return f"{minutes / 60:.1f}"


def answer(output_dir, pupils, by_week, unclear, limit):
    """The blocks of the result."""
    ordered = sorted(pupils.items(), key=lambda pair: (-pair[1][0], pair[0]))
    above = [f"{name} ({hours(total)} h)" for (name, _), (total, _, _) in ordered if total >= 60 * limit]
    blocks = []
    if above:
        blocks.append(
            toolkit.notice(f"{len(above)} pupils from {limit:g} hours on: {'; '.join(above)}.", level="warning")
        )
    else:
        blocks.append(toolkit.notice(f"No pupil has {limit:g} hours of absence or more."))
    if unclear:
        shown = ", ".join(str(number) for number in unclear[:50])
        blocks.append(
            toolkit.notice(
                f"Rows without a readable date or number of minutes were left out: {shown}.", level="warning"
            )
        )
    weeks = sorted(by_week.items())
    Path(output_dir, "weeks.svg").write_text(chart(weeks), encoding="utf-8")
    told = ", ".join(f"week {week}: {hours(minutes)} h" for (_, week), minutes in weeks)
    blocks.append(toolkit.plot("weeks.svg", alt=f"Hours of absence by week. {told}.", title="Hours of absence by week"))
    columns = [{"key": "pupil", "label": "Pupil"}, {"key": "class", "label": "Class"},
               {"key": "total", "label": "Hours", "align": "right"},
               {"key": "without", "label": "Without leave", "align": "right"},
               {"key": "times", "label": "Times", "align": "right"}]  # fmt: skip
    rows = [(name, group, hours(total), hours(without), times) for (name, group), (total, without, times) in ordered]
    blocks.append(toolkit.table(columns, rows, title="Absence of each pupil"))
    return blocks


def chart(weeks):
    """Bars by week, as a picture."""
    most = max(minutes for _, minutes in weeks) or 1
    width = max(240, 48 * len(weeks))
    bars = []
    for index, ((_, week), minutes) in enumerate(weeks):
        height = round(140 * minutes / most)
        x = 8 + index * 48
        bars.append(f'<rect x="{x}" y="{160 - height}" width="32" height="{height}" rx="3" fill="#0f5c6e"/>')
        bars.append(f'<text x="{x + 16}" y="{154 - height}" text-anchor="middle">{escape(hours(minutes))}</text>')
        bars.append(f'<text x="{x + 16}" y="178" text-anchor="middle">v{week}</text>')
    style = 'font-family="sans-serif" font-size="12" fill="#333"'
    ground = f'<rect width="{width}" height="190" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 190" {style}>{ground}{"".join(bars)}</svg>'
