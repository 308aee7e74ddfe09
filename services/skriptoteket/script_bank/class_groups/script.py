"""A class into groups, shuffled again on request."""

import csv
import io
import random
from pathlib import Path

import toolkit

TRIES = 400
HEADERS = ("namn", "name", "elev", "pupil", "student")


def run_tool(input_dir, output_dir, inputs, files, action, state):
    """The groups as a table and a file, with the offer to shuffle again."""
    if action:
        wanted = {**state, "number": action["input"].get("number") or state["number"] % 999_999 + 1}
    else:
        names = read(Path(input_dir, files[0]["name"]).read_bytes())
        apart = pairs(inputs.get("apart", ""), names)
        wanted = {"names": names, "size": inputs["size"], "apart": apart}
        wanted["number"] = inputs.get("number") or random.SystemRandom().randint(1, 999_999)
    groups = shuffled(wanted)
    with Path(output_dir, "groups.csv").open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target, delimiter=";")
        writer.writerow(["Group", "Name"])
        writer.writerows([number, harmless(name)] for number, group in enumerate(groups, 1) for name in group)
    return {
        "outputs": [
            toolkit.notice(f"{len(wanted['names'])} pupils in {len(groups)} groups. Number {wanted['number']}."),
            toolkit.table(["Group", "Pupils"], [[n, ", ".join(group)] for n, group in enumerate(groups, 1)], "Groups"),
            toolkit.file("groups.csv", label="The list"),
        ],
        "next_actions": [
            {"action_id": "again", "label": "Shuffle again", "fields": []},
            {
                "action_id": "number",
                "label": "Shuffle by number",
                "fields": [{"kind": "integer", "name": "number", "min": 1, "max": 999_999, "required": True}],
                "prefill": {"number": wanted["number"]},
            },
        ],
        "state": wanted,
    }


def read(raw):
    """The names of a list, in its order."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        toolkit.refuse("The list cannot be read as text. Save it as CSV again.")
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter_of(text)) if any(map(str.strip, row))]
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    column = next((header.index(word) for word in HEADERS if word in header), None)
    if column is None and header and len(header) > 1:
        toolkit.refuse(f"The list has several columns and none is called Namn or Name. Found: {', '.join(rows[0])}.")
    named = rows[1:] if column is not None else rows
    names = [row[column or 0].strip() for row in named if len(row) > (column or 0) and row[column or 0].strip()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        toolkit.refuse(f"These names are there more than once: {', '.join(twice)}. Add an initial to tell them apart.")
    if len(names) < 2:
        toolkit.refuse("The list holds fewer than two names.")
    return names


def delimiter_of(text):
    """What separates columns: the commonest candidate of the first line."""
    first = text.splitlines()[0] if text.strip() else ""
    return max(";,\t", key=first.count)


def pairs(text, names):
    """Pairs to keep apart, as they are spelled in the list."""
    known = {name.casefold(): name for name in names}
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        sides = [side.strip() for side in line.split("/")]
        if len(sides) != 2 or sides[0].casefold() == sides[1].casefold():
            toolkit.refuse(f"“{line}” is no pair. Write two names with / between them.")
        for side in sides:
            if side.casefold() not in known:
                toolkit.refuse(f"“{side}” is not in the list.")
        found.append([known[side.casefold()] for side in sides])
    return found


def shuffled(wanted):
    """Groups that differ by one at most and keep every pair apart; the same number gives the same ones."""
    names, apart = wanted["names"], [frozenset(pair) for pair in wanted["apart"]]
    count = max(1, -(-len(names) // wanted["size"]))
    chance = random.Random(wanted["number"])
    for attempt in range(TRIES):
        if attempt % 50 == 0:
            toolkit.progress(100 * attempt / TRIES, "Shuffling")
        order = chance.sample(names, len(names))
        groups = [order[start::count] for start in range(count)]
        if mended(groups, apart):
            return groups
    toolkit.refuse("No groups of this size keep all these pairs apart. Make the groups smaller, or keep fewer apart.")


def mended(groups, apart):
    """Swap members of pairs that share a group; whether every pair is apart in the end."""
    for _ in range(len(apart) + 1):
        clash = next(((g, pair) for g in groups for pair in apart if pair <= set(g)), None)
        if clash is None:
            return True
        group, pair = clash
        leaver = max(pair)
        if not swapped(groups, group, leaver, apart):
            return False
    return not any(pair <= set(group) for group in groups for pair in apart)


def swapped(groups, group, leaver, apart):
    """Exchange somebody with another group so that no new pair meets."""
    for other in groups:
        for member in other if other is not group else ():
            left = {member, *group} - {leaver}
            right = {leaver, *other} - {member}
            if not any(pair <= left or pair <= right for pair in apart):
                group[group.index(leaver)], other[other.index(member)] = member, leaver
                return True
    return False


def harmless(name):
    """A cell that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in "=+-@\t\r" else name
