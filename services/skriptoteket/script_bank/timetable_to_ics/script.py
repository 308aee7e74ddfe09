"""A timetable, the dates of a term and the holidays, as a calendar file (RFC 5545)."""

import csv
import hashlib
import io
import re
import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path

import toolkit

DAYS = {"mandag": 0, "tisdag": 1, "onsdag": 2, "torsdag": 3, "fredag": 4, "lordag": 5, "sondag": 6,
        "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6}  # fmt: skip
COLUMNS = {"day": ("dag", "day"), "start": ("start", "starttid", "fran"), "end": ("slut", "sluttid", "end", "till"),
           "subject": ("amne", "kurs", "subject"), "room": ("sal", "lokal", "room"), "group": ("klass", "class"),
           "weeks": ("veckor", "vecka", "weeks")}  # fmt: skip
ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Stockholm
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
END:DAYLIGHT
END:VTIMEZONE"""
MOST_DAYS = 400


def run_tool(input_dir, output_dir, inputs, files):
    """One event for each lesson on each day of the term that is no holiday."""
    first, last = date.fromisoformat(inputs["first_day"]), date.fromisoformat(inputs["last_day"])
    if last < first or (last - first).days > MOST_DAYS:
        toolkit.refuse("The last day must come after the first, within a year. Correct the dates of the term.")
    free = holidays(inputs.get("holidays", ""))
    lessons = read(Path(input_dir, files[0]["name"]).read_bytes())
    events, each = [], {}
    for lesson in lessons:
        day = first + timedelta(days=(lesson["weekday"] - first.weekday()) % 7)
        while day <= last:
            if day not in free and in_week(lesson["weeks"], day.isocalendar().week):
                events.append((day, lesson))
                each[lesson["subject"]] = each.get(lesson["subject"], 0) + 1
            day += timedelta(days=7)
    if not events:
        toolkit.refuse("No lesson falls into the term. Check its dates, the holidays and the column of weeks.")
    Path(output_dir, "timetable.ics").write_bytes(calendar(sorted(events, key=lambda one: (one[0], one[1]["start"]))))
    columns = [{"key": "subject", "label": "Subject"}, {"key": "lessons", "label": "Lessons", "align": "right"}]
    return [
        toolkit.notice(f"{len(events)} lessons from {first} to {last}; {len(free)} free days were left out."),
        toolkit.file("timetable.ics", label="Calendar file"),
        toolkit.table(columns, sorted(each.items()), title="Lessons in the term"),
    ]


def plain(text):
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def read(raw):
    """The lessons; a wrong row is refused with its number."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    lines = text.splitlines()
    if len(lines) < 2:
        toolkit.refuse(
            "The timetable has no lessons. It needs a first row with the column names and a row for each lesson."
        )
    reader = csv.reader(io.StringIO(text), delimiter=max(";,\t", key=lines[0].count))
    header = [plain(name) for name in next(reader)]
    place = {
        key: next((header.index(name) for name in names if name in header), None) for key, names in COLUMNS.items()
    }
    missing = [
        label
        for key, label in (("day", "Dag"), ("start", "Start"), ("end", "Slut"), ("subject", "Ämne"))
        if place[key] is None
    ]
    if missing:
        toolkit.refuse(f"Columns are missing: {', '.join(missing)}. The file has: {', '.join(header)}.")
    return [lesson(row, place, reader.line_num) for row in reader if any(cell.strip() for cell in row)]


def lesson(row, place, number):
    """One row as a lesson."""
    cells = {key: row[index].strip() if index is not None and index < len(row) else "" for key, index in place.items()}
    weekday = DAYS.get(plain(cells["day"]))
    if weekday is None:
        toolkit.refuse(f"Row {number}: “{cells['day']}” is no day of the week.")
    start, end = clock(cells["start"], number), clock(cells["end"], number)
    if end <= start:
        toolkit.refuse(f"Row {number}: the lesson ends at {cells['end']}, before it begins at {cells['start']}.")
    return {**cells, "weekday": weekday, "start": start, "end": end, "weeks": weeks(cells["weeks"], number)}


def clock(text, number):
    """Hours and minutes."""
    found = re.fullmatch(r"([01]?\d|2[0-3])[:.]([0-5]\d)", text)
    if found is None:
        toolkit.refuse(f"Row {number}: “{text}” is no time; write it as 08:15.")
    return int(found.group(1)), int(found.group(2))


def weeks(text, number):
    """A set of week numbers, a parity, or every week."""
    word = plain(text)
    if word in ("", "alla", "all"):
        return None
    if word in ("udda", "odd"):
        return {week for week in range(1, 54) if week % 2}
    if word in ("jamna", "even"):
        return {week for week in range(1, 54) if week % 2 == 0}
    found = set()
    for part in re.split(r"[,\s]+", word.removeprefix("v").replace("–", "-")):
        span = re.fullmatch(r"v?(\d{1,2})(?:-(\d{1,2}))?", part)
        if span is None:
            toolkit.refuse(f"Row {number}: “{text}” names no weeks; write udda, jämna or 36-40, 42.")
        found |= set(range(int(span.group(1)), int(span.group(2) or span.group(1)) + 1))
    return found


def in_week(chosen, week):
    """Whether a lesson takes place in the week."""
    return chosen is None or week in chosen


def holidays(text):
    """Every free day."""
    free = set()
    for line in text.splitlines():
        days = re.findall(r"\d{4}-\d{2}-\d{2}", line)
        if not days:
            if line.strip():
                toolkit.refuse(
                    f"Holidays: “{line.strip()[:60]}” holds no date; write 2026-10-26 or 2026-10-26 - 2026-10-30."
                )
            continue
        try:
            begin, end = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
        except ValueError:
            toolkit.refuse(f"Holidays: “{line.strip()[:60]}” holds a date that does not exist.")
        free |= {begin + timedelta(days=number) for number in range(min(MOST_DAYS, (end - begin).days + 1))}
    return free


def calendar(events):
    """The calendar file; the same lesson on the same day always has the same id."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Skriptoteket//timetable-to-ics//EN", *ZONE.splitlines()]
    stamp = datetime(2000, 1, 1).strftime("%Y%m%dT%H%M%SZ")
    for day, one in events:
        identity = f"{day}|{one['start']}|{one['subject']}|{one['group']}|{one['room']}"
        title = one["subject"] + (f" {one['group']}" if one["group"] else "")
        lines += [
            "BEGIN:VEVENT",
            f"UID:{hashlib.sha256(identity.encode()).hexdigest()[:32]}@skriptoteket",
            f"DTSTAMP:{stamp}",
            f"DTSTART;TZID=Europe/Stockholm:{day:%Y%m%d}T{one['start'][0]:02}{one['start'][1]:02}00",
            f"DTEND;TZID=Europe/Stockholm:{day:%Y%m%d}T{one['end'][0]:02}{one['end'][1]:02}00",
            f"SUMMARY:{escaped(title)}",
            *([f"LOCATION:{escaped(one['room'])}"] if one["room"] else []),
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(folded(line) for line in lines).encode()


def escaped(text):
    """Text as RFC 5545 wants it."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line):
    """Lines of at most 75 bytes, characters whole."""
    parts, current = [], ""
    for character in line:
        if len((current + character).encode()) > 73:
            parts.append(current)
            current = ""
        current += character
    return "\r\n ".join([*parts, current]) + "\r\n"
