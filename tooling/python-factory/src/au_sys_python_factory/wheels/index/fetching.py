"""Released wheels out of an index into a folder, as if they had been built there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.wheels.building import Built, BuiltFile
from au_sys_python_factory.wheels.index.addresses import Index
from au_sys_python_factory.wheels.index.listing import IndexReader
from au_sys_python_factory.wheels.members import Member


def fetch_wheels(index: Index, members: Sequence[Member], out: Path) -> Built:
    """One wheel of each member, at the version that the workspace has, with its hash checked.

    Raises:
        FactoryError: the index lacks one, or does not answer.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = []
    with IndexReader(index) as reader:
        for member in members:
            listed = reader.files(member.name)
            name = next((name for name in sorted(listed) if _is_wheel_of(name, member)), None)
            if name is None:
                there = ", ".join(sorted(listed)) or "nothing of it"
                raise FactoryError(
                    f"no wheel of {member.name} {member.version} (there: {there})", where=index.name, fix="publish it"
                )
            path = out / name
            path.write_bytes(reader.content(listed[name]))
            found.append(BuiltFile(member.name, member.version, path, reader.sha256(listed[name])))
    return Built(tuple(found), ())


def _is_wheel_of(name: str, member: Member) -> bool:
    if not name.endswith(".whl"):
        return False
    _, version, _, _ = parse_wheel_filename(name)
    return version == Version(member.version)
