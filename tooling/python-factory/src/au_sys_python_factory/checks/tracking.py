"""What the factory remembers of a package, and whether it still holds."""

import re
from collections.abc import Iterator

from au_sys_python_factory.blueprint.package import newest
from au_sys_python_factory.blueprint.state import STATE, Tracked, read_state
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.model import digest

_MARK = re.compile(r"^(<{7} |>{7} |={7}$)", re.MULTILINE)


def behind(member: MemberFiles) -> Iterator[Hit]:
    """A newer template version, or an upgrade that was begun and not ended."""
    tracked = _state(member)
    if tracked is None:
        return
    place = member.member.path / STATE
    if tracked.open_to:
        yield Hit(1, 1, f"the upgrade to template {tracked.open_to} is open", place, "error")
    elif tracked.version.isdigit() and int(tracked.version) < int(newest(tracked.kind)):
        yield Hit(1, 1, f"template {tracked.version}; the newest is {newest(tracked.kind)}", place)


def edited(member: MemberFiles) -> Iterator[Hit]:
    """Files that are the factory's alone and are no longer as it wrote them."""
    tracked = _state(member)
    if tracked is None:
        return
    for name, kind in sorted(tracked.classes.items()):
        path = member.member.path / name
        if kind == "generated" and path.is_file() and digest(path.read_bytes()) != tracked.digests[name]:
            yield Hit(1, 1, f"{name} is the factory's and was edited by hand", path)


def damaged(member: MemberFiles) -> Iterator[Hit]:
    """State that cannot be read."""
    try:
        read_state(member.member)
    except Refused as refused:
        yield Hit(1, 1, refused.what, member.member.path / STATE)


def marks(file: SourceFile) -> Iterator[Hit]:
    """Conflict marks at the begin of a line (a line of ``=`` alone is a heading somewhere else)."""
    lines = [match.group() for match in _MARK.finditer(file.text)] if "<<<<<<< " in file.text else []
    if len(lines) >= 2:
        number = file.text[: file.text.index("<<<<<<< ")].count("\n") + 1
        yield Hit(number, 1, "a merge conflict stands in the file")


def _state(member: MemberFiles) -> Tracked | None:
    try:
        return read_state(member.member)
    except Refused:
        return None


T01 = Rule(
    "T01",
    "A generated file was edited",
    "The next upgrade writes it anew, and the edit is gone.",
    "take the edit back and change what it is made of; python-factory eject NAME makes every file the owner's.",
    "a line more in a file that state.toml calls generated\n",
    "the file as it was rendered\n",
    place=STATE,
    member_check=edited,
)

T02 = Rule(
    "T02",
    "The template version is behind, or an upgrade is open",
    "Fifty packages keep one shape only when all of them follow the template.",
    "python-factory upgrade NAME; an open one ends with --continue or --abort.",
    '[template]\nid = "capability"\nversion = "0"\n',
    '[template]\nid = "capability"\nversion = "1"\n',
    severity="warning",
    place=STATE,
    member_check=behind,
)

T03 = Rule(
    "T03",
    "The state of a package is damaged",
    "Without it an upgrade cannot tell the owner's lines from the template's.",
    "restore .factory/state.toml from git; it is not meant to be edited.",
    "[template]\n",
    '[template]\nid = "capability"\nversion = "1"\n',
    place=STATE,
    member_check=damaged,
)

T04 = Rule(
    "T04",
    "A conflict mark",
    "It is neither side's text, and most readers of the file break on it.",
    "settle the region and delete the three marks.",
    'TEXT = """\n<<<<<<< yours\none\n=======\ntwo\n>>>>>>> template\n"""\n',
    'TEXT = """\none\n"""\n',
    areas=("source", "tests", "other"),
    file_check=marks,
)

RULES = (T01, T02, T03, T04)
