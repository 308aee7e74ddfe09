"""Licences that a platform may be delivered with."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata

from au_sys_python_factory.checks.dependencies.imports import line_of
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.workspace.requirements import requirement_name

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "CC0-1.0", "EUPL-1.2", "ISC",
    "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU",
    "MPL-2.0", "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "Zlib",
}  # fmt: skip
"""SPDX names. Libraries under the LGPL stay exchangeable files of their own, which Python code always is."""

_COPYLEFT = re.compile(r"(?:GNU )?(?:Affero )?General Public License|AGPL|(?<!L)GPL|Server Side Public|Commons Clause")


def foreign_licence(member: MemberFiles) -> Iterator[Hit]:
    """The member's own licence and those of what it asks for, where they are known and not on the list."""
    path = member.member.path / "pyproject.toml"
    own = member.member.project.get("license")
    if isinstance(own, str) and not allowed(own):
        yield Hit(line_of(path, "license"), 1, f"{member.member.dist} itself: {own} is not on the list", path)
    for line in (*member.member.dependencies, *member.member.optional_dependencies):
        name = requirement_name(line)
        found = _licence(name)
        if found:
            yield Hit(line_of(path, f'"{line}"'), 1, f"{name}: {found} is not on the list", path)


def allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met by licences on the list: one of each ``OR``, all of each ``AND``."""
    plain = re.sub(r"\s+WITH\s+\S+", "", expression.replace("(", " ").replace(")", " "))
    parts = [part.strip() for part in re.split(r"\s+AND\s+", plain, flags=re.IGNORECASE)]
    return all(any(name.strip() in ALLOWED for name in re.split(r"\s+OR\s+", part)) for part in parts)


def _licence(name: str) -> str:
    """What a distribution says and the list lacks; empty for what is allowed, unclear or not installed."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""
    for expression in told.get_all("License-Expression", []):
        return "" if allowed(expression) else str(expression)
    classifiers = [line.rsplit("::", 1)[-1].strip() for line in told.get_all("Classifier", []) if "License" in line]
    lesser = [line for line in classifiers if "Lesser" not in line]
    strict = [line for line in lesser if _COPYLEFT.search(line)]
    return strict[0] if strict and len(strict) == len(lesser) else ""


D11 = Rule(
    "D11",
    "A licence that is not on the list",
    "It may oblige whoever delivers the platform to things that nobody has agreed to.",
    "choose another library; a licence that is fine for everybody is added to the list of the factory, with a reason.",
    'license = "AGPL-3.0-only"\n',
    'license = "Apache-2.0"\n',
    place="pyproject.toml",
    member_check=foreign_licence,
)

RULES = (D11,)
