"""Guardians' e-mail addresses out of a pupil-system export, without duplicates, ready for the BCC line."""

import csv
import io
import re
import unicodedata
from pathlib import Path

import toolkit

SEPARATORS = {"semicolon": "; ", "comma": ", ", "line": "\n"}
DELIMITERS = ";,\t"
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
CLASS_NAMES = {"klass", "class", "undervisningsgrupp", "grupp", "group"}
FIRST_NAMES = {"fornamn", "elevfornamn", "first name", "firstname", "tilltalsnamn", "given name"}
LAST_NAMES = {"efternamn", "elevefternamn", "last name", "lastname", "surname", "family name"}
GUARDIAN_WORDS = ("vardnadshavare", "guardian", "foralder", "parent", "malsman")
MAIL_WORDS = ("e-post", "epost", "e-mail", "email", "mail")
SHOWN = 200


def run_tool(input_dir, output_dir, inputs, files):
    """One row per guardian; problems are told by row."""
    text = decoded(Path(input_dir, files[0]["name"]).read_bytes())
    header, rows = table_of(text)
    columns = find_columns(header)
    wanted = inputs.get("class_name", "").strip().casefold()
    people, without, malformed, seen_classes = collect(rows, columns, wanted)
    if wanted and not any(name.casefold() == wanted for name in seen_classes):
        known = ", ".join(sorted(seen_classes)) or "none"
        toolkit.refuse(f"There is no class “{inputs['class_name'].strip()}” in this file. Classes in it: {known}.")
    separator = SEPARATORS[inputs.get("separator", "semicolon")]
    return answer(output_dir, people, without, malformed, separator)


def decoded(raw):
    """The text of the file, whichever of the usual encodings it has."""
    if not raw.strip():
        toolkit.refuse("The file is empty. Export the class list again and choose that file.")
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(unicodedata.category(character) == "Cc" and character not in "\r\n\t" for character in text[:5000]):
            return text
    toolkit.refuse(
        "The file cannot be read as text. Export it as CSV (UTF-8 or Windows encoding); "
        "an Excel file has to be saved as CSV first."
    )


def table_of(text):
    """Header and rows with their line numbers; the delimiter is the one that divides the header most."""
    lines = text.lstrip("\ufeff").splitlines()
    start = next((index for index, line in enumerate(lines) if line.strip() and not line.lower().startswith("sep=")), 0)
    delimiter = max(DELIMITERS, key=lines[start].count)
    reader = csv.reader(io.StringIO("\n".join(lines[start:])), delimiter=delimiter)
    try:
        header = [cell.strip() for cell in next(reader)]
        rows = [(start + reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        toolkit.refuse(f"The file is no regular CSV file ({error}). Export it again.")
    if not rows:
        toolkit.refuse("The file has a header and no pupils. Choose an export with at least one pupil.")
    return header, rows


def plain(text):
    """Lower case without accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).replace("_", " ").split())


def find_columns(header):
    """Which column is what; refuses with the columns found when something is missing."""
    names = [plain(name) for name in header]
    guardians = [
        index
        for index, name in enumerate(names)
        if any(word in name for word in MAIL_WORDS) and any(word in name for word in GUARDIAN_WORDS)
    ]
    columns = {
        "class": next((index for index, name in enumerate(names) if name in CLASS_NAMES), None),
        "first": next((index for index, name in enumerate(names) if name in FIRST_NAMES), None),
        "last": next((index for index, name in enumerate(names) if name in LAST_NAMES), None),
        "guardians": guardians,
    }
    missing = [
        label
        for key, label in (("class", "Klass"), ("first", "Förnamn"), ("last", "Efternamn"))
        if columns[key] is None
    ]
    if not guardians:
        missing.append("Vårdnadshavare 1 e-post")
    if missing:
        found = ", ".join(name or "(no name)" for name in header[:30])
        names = ", ".join(f"“{name}”" for name in missing)
        lead = f"The columns {names} are missing" if len(missing) > 1 else f"The column {names} is missing"
        toolkit.refuse(
            f"{lead}. Columns in this file: {found}. "
            "Export the class list again with these columns, or rename them in the first row."
        )
    return columns


def cell(row, index):
    """A cell, or nothing where the row is too short."""
    return row[index].strip() if index is not None and index < len(row) else ""


def collect(rows, columns, wanted):
    """Guardians by address, pupils without one, addresses that cannot be right, and the classes there are."""
    people, without, malformed, classes = {}, [], [], set()
    for number, row in rows:
        class_name = cell(row, columns["class"])
        classes.add(class_name)
        if wanted and class_name.casefold() != wanted:
            continue
        pupil = f"{cell(row, columns['first'])} {cell(row, columns['last'])}".strip() or "(no name)"
        found = False
        for index in columns["guardians"]:
            for text in re.split(r"[;,\s]+", cell(row, index)):
                if not text:
                    continue
                found = True
                address = text.strip("<>").removeprefix("mailto:").rstrip(".")
                if ADDRESS.fullmatch(address) and ".." not in address:
                    entry = people.setdefault(address.casefold(), {"address": address, "pupils": [], "classes": []})
                    if pupil not in entry["pupils"]:
                        entry["pupils"].append(pupil)
                    if class_name and class_name not in entry["classes"]:
                        entry["classes"].append(class_name)
                else:
                    malformed.append((number, class_name, pupil, text))
        if not found:
            without.append((number, class_name, pupil))
    return people, without, malformed, classes - {""}


def answer(output_dir, people, without, malformed, separator):
    """The blocks of the result, and the text file."""
    if not people:
        toolkit.refuse("There is no valid guardian address in this file. Check the e-mail columns of the export.")
    listed = sorted(people.values(), key=lambda entry: entry["address"].casefold())
    addresses = [entry["address"] for entry in listed]
    Path(output_dir, "guardians.txt").write_text(separator.join(addresses) + "\n", encoding="utf-8")
    blocks = [
        toolkit.notice(
            f"{len(addresses)} addresses, each once. Paste them into the BCC line: nobody sees the others then."
        ),
        toolkit.file("guardians.txt", label="Addresses for the BCC line"),
    ]
    if without:
        names = "; ".join(f"row {number}: {pupil} ({class_name})" for number, class_name, pupil in without[:SHOWN])
        blocks.append(toolkit.notice(f"Pupils without a guardian address ({len(without)}): {names}.", level="warning"))
    if malformed:
        names = "; ".join(f"row {number}: {text} ({pupil})" for number, _, pupil, text in malformed[:SHOWN])
        text = f"Addresses that cannot be right and were left out ({len(malformed)}): {names}."
        blocks.append(toolkit.notice(text, level="warning"))
    columns = [
        {"key": "address", "label": "E-mail"},
        {"key": "pupils", "label": "Pupils"},
        {"key": "classes", "label": "Class"},
    ]
    rows = [(entry["address"], ", ".join(entry["pupils"]), ", ".join(entry["classes"])) for entry in listed]
    blocks.append(toolkit.table(columns, rows, title="Guardians"))
    counts = {}
    for entry in listed:
        for name in entry["classes"]:
            counts[name] = counts.get(name, 0) + 1
    columns = [{"key": "class", "label": "Class"}, {"key": "addresses", "label": "Addresses", "align": "right"}]
    blocks.append(toolkit.table(columns, sorted(counts.items()), title="Addresses in each class"))
    return blocks
