"""Do the built wheels accept each other? uv never looks at the bounds between members of a workspace; this does."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from au_sys_python_factory.wheels.building import BuiltFile
from au_sys_python_factory.wheels.uv import run_uv


@dataclass(frozen=True, slots=True)
class Clash:
    """A requirement between two of our own wheels that the built versions do not meet."""

    wheel: str
    requirement: str
    built: str

    @property
    def sentence(self) -> str:
        """What to write in a message."""
        return f"{self.wheel} needs {self.requirement}, but {self.built} is built"


def clashes(wheels: Sequence[BuiltFile]) -> list[Clash]:
    """Every bound between our own wheels that excludes what was built, without any network."""
    versions = {canonicalize_name(wheel.member): wheel.version for wheel in wheels}
    found = []
    for wheel in wheels:
        for text in metadata(wheel.path).get_all("Requires-Dist", []):
            requirement = Requirement(text)
            built = versions.get(canonicalize_name(requirement.name))
            if built is not None and not requirement.specifier.contains(Version(built), prereleases=True):
                found.append(Clash(wheel.path.name, text, built))
    return found


def resolve(root: Path, wheels: Sequence[BuiltFile], constraints: Path, python: str) -> str:
    """Resolve our wheels as files against each other and the locked third-party versions; returns uv's resolution.

    Own names are never looked up in an index: they are unclaimed there.

    Raises:
        UvFailed: they do not fit, with uv's explanation.
    """
    wanted = constraints.with_name("own-wheels.in")
    wanted.write_text("".join(f"{wheel.member} @ {wheel.path.resolve().as_uri()}\n" for wheel in wheels), "utf-8")
    return run_uv(
        [
            "pip",
            "compile",
            "--quiet",
            "--no-header",
            "--no-annotate",
            "--python",
            python,
            "-c",
            str(constraints),
            str(wanted),
        ],
        doing="resolving the wheels against each other",
        folder=root,
    )


def metadata(wheel: Path) -> Message:
    """The METADATA file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))
