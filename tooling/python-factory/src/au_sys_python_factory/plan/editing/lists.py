"""Entries of lists in TOML, INI and YAML, added and taken away line by line."""

import re

from au_sys_python_factory.errors import Refused


def add_to_toml_list(text: str, section: str, key: str, value: str) -> str:
    """The TOML with ``value`` in the multi-line list ``key`` of ``[section]``; a sorted list stays sorted.

    Raises:
        Refused: there is no such list over several lines.
    """
    lines = text.splitlines(keepends=True)
    first, last = _toml_list(lines, section, key)
    entries = [line.strip().rstrip(",").strip("\"'") for line in lines[first:last]]
    if value in entries:
        return text
    indent = re.match(r"\s*", lines[first])[0] if first < last else "    "  # type: ignore[index]  # \s* always matches
    made = f'{indent}"{value}",{_end(lines)}'
    is_sorted = len(entries) > 1 and entries == sorted(entries)
    place = next((first + at for at, entry in enumerate(entries) if entry > value), last) if is_sorted else last
    if place == last and first < last and not lines[last - 1].rstrip().endswith(","):
        stem = lines[last - 1].rstrip()
        lines[last - 1] = f"{stem},{_end(lines)}"
    lines.insert(place, made)
    return "".join(lines)


def remove_from_toml_list(text: str, section: str, key: str, starts: str) -> str:
    """The TOML without the entries of the list that begin with ``starts`` and no further letter of a name."""
    lines = text.splitlines(keepends=True)
    first, last = _toml_list(lines, section, key)
    gone = re.compile(rf"""\s*["']{re.escape(starts)}(?![\w-])""")
    return "".join(line for at, line in enumerate(lines) if not (first <= at < last and gone.match(line)))


def _toml_list(lines: list[str], section: str, key: str) -> tuple[int, int]:
    inside = False
    for at, line in enumerate(lines):
        if line.startswith("["):
            inside = line.strip() == f"[{section}]"
        if inside and re.match(rf"{re.escape(key)}\s*=\s*\[\s*$", line):
            last = next((below for below in range(at + 1, len(lines)) if lines[below].lstrip().startswith("]")), None)
            if last is not None:
                return at + 1, last
    raise Refused(f"there is no list {key} over several lines in [{section}].", fix="write one entry per line.")


def add_to_toml_table(text: str, section: str, line: str) -> str:
    """The TOML with one more line at the end of ``[section]``.

    Raises:
        Refused: there is no such section.
    """
    lines = text.splitlines(keepends=True)
    if line in (found.strip() for found in lines):
        return text
    start = next((at for at, found in enumerate(lines) if found.strip() == f"[{section}]"), None)
    if start is None:
        raise Refused(f"there is no [{section}].", fix=f"add [{section}] to the root pyproject.toml.")
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("[")), len(lines))
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    lines.insert(end, line + _end(lines))
    return "".join(lines)


def remove_line(text: str, line: str) -> str:
    """The text without a line."""
    return "".join(found for found in text.splitlines(keepends=True) if found.strip() != line)


def add_to_ini_list(text: str, section: str, key: str, value: str) -> str:
    """The INI with one more indented line under ``key`` of ``[section]``; unchanged where there is no such list."""
    lines = text.splitlines(keepends=True)
    found = _ini_list(lines, section, key)
    if found is None:
        return text
    first, last = found
    if value not in (line.strip() for line in lines[first:last]):
        lines.insert(last, f"    {value}{_end(lines)}")
    return "".join(lines)


def remove_from_ini_list(text: str, section: str, key: str, value: str) -> str:
    """The INI without one line under ``key`` of ``[section]``."""
    lines = text.splitlines(keepends=True)
    found = _ini_list(lines, section, key)
    if found is None:
        return text
    first, last = found
    return "".join(line for at, line in enumerate(lines) if not (first <= at < last and line.strip() == value))


def _ini_list(lines: list[str], section: str, key: str) -> tuple[int, int] | None:
    inside = False
    for at, line in enumerate(lines):
        if line.startswith("["):
            inside = line.strip() == f"[{section}]"
        if inside and re.match(rf"{re.escape(key)}\s*=\s*$", line):
            last = at + 1
            while last < len(lines) and lines[last].startswith((" ", "\t")) and lines[last].strip():
                last += 1
            return at + 1, last
    return None


def add_to_yaml_block(text: str, block: str, key: str, value: str) -> str:
    """The YAML with ``key: value`` at the end of a top-level block; an empty ``{}`` becomes a block.

    Raises:
        Refused: the block is written in another way.
    """
    if re.search(rf"(?m)^  {re.escape(key)}:", text):
        return text
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        if re.match(rf"{re.escape(block)}:\s*(\{{\}}\s*)?(#.*)?$", line):
            lines[at] = re.sub(r":\s*\{\}", ":", line)
            last = at + 1
            while last < len(lines) and (lines[last].startswith("  ") or lines[last].lstrip().startswith("#  ")):
                last += 1
            lines.insert(last, f"  {key}: {value}{_end(lines)}")
            return "".join(lines)
    raise Refused(f"there is no block {block}: in it.", fix=f"write {block}: on a line of its own.")


def remove_from_yaml_block(text: str, key: str) -> str:
    """The YAML without a key of the second level, where it stands on one line."""
    return "".join(line for line in text.splitlines(keepends=True) if not re.match(rf"  {re.escape(key)}:\s*\S", line))


def _end(lines: list[str]) -> str:
    return "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
