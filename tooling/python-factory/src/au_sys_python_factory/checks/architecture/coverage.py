"""Whom the contracts know, and where Python has no business."""

import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles, Project
from au_sys_python_factory.checks.rule import Hit, Rule

_PLATFORM_FOLDERS = {"gauntlet", "tests", "packages"}


def uncovered(project: Project) -> Iterator[Hit]:
    """Members with code that ``.importlinter`` does not name: among its roots, and with the layers of a capability."""
    contracts = project.workspace.root / ".importlinter"
    if not contracts.is_file():
        return
    text = contracts.read_text(encoding="utf-8")
    roots, layered = _listed(text, "root_packages"), _listed(text, "containers")
    for member in project.workspace.members:
        name, where = member.import_name, member.path / "pyproject.toml"
        if name is None or member.role == "platform":
            continue
        if name not in roots:
            yield Hit(1, 1, f"{name} is no root package of .importlinter: no contract holds it", where)
        elif member.tri_layer and name not in layered:
            yield Hit(1, 1, f"{name} is in no contract of layers", where)


def _listed(text: str, key: str) -> set[str]:
    """The entries of every list with this key."""
    blocks = re.findall(rf"(?m)^{key}\s*=[ \t]*((?:.*\n?)(?:[ \t]+\S.*\n?|[ \t]*\n(?=[ \t]+\S))*)", text)
    return {word for block in blocks for word in block.split() if not word.startswith("#")}


def code_in_platform(member: MemberFiles) -> Iterator[Hit]:
    """Python of a platform that is neither its entry nor a proof of it."""
    if member.member.role != "platform":
        return
    for file in member.files:
        inner = file.path.relative_to(member.member.path).parts
        if inner != ("asgi.py",) and inner[0] not in _PLATFORM_FOLDERS:
            yield Hit(1, 1, f"{'/'.join(inner)} is code of its own", file.path)


A09 = Rule(
    "A09",
    "A member that no contract holds",
    "A package outside the contracts may do what all others may not, and nobody notices.",
    "name it in .importlinter: root_packages, the contract of layers, and a door of its own.",
    "a member that root_packages does not name\n",
    "one that it names\n",
    project_check=uncovered,
)
A15 = Rule(
    "A15",
    "Python in a platform",
    "A platform is a list of wheels and their configuration; code in it is tested and released by nobody.",
    "move the code into a capability; a platform has asgi.py, gauntlet/ and tests/.",
    '"""Planted."""\n\nLIMIT = 3\n',
    '"""What the server loads."""\n\nfrom fastapi_services_platform import create_app\n\napp = create_app()\n',
    place="platforms/fsp_shell_001/planted.py",
    areas=("other",),
    member_check=code_in_platform,
)

RULES = (A09, A15)
