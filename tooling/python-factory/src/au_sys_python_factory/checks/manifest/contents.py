"""What the manifest offers is what the code has."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.manifest.offers import settings
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_ASKED = re.compile(r"permission\s*=\s*[\"']([\w.:-]+)[\"']")
_WITH_ROUTES = (("adapters", "api"), ("adapters", "web"))


def different(member: MemberFiles) -> Iterator[Hit]:
    """Routers, permissions, settings and migrations that the manifest does not hand over."""
    if not member.member.tri_layer or member.at("manifest/plugin.py") is None:
        return
    yield from _routers(member)
    yield from _permissions(member)
    yield from _settings(member)
    yield from _migrations(member)


def routers(member: MemberFiles) -> Iterator[tuple[SourceFile, ast.Assign]]:
    """Modules with a router of their own, and where it is made."""
    for file in member.source:
        if file.inner[:2] not in _WITH_ROUTES:
            continue
        for node in file.tree.body:
            called = node.value.func if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) else None
            if isinstance(node, ast.Assign) and file.qualified(called).endswith("APIRouter"):
                yield file, node
                break


def imported(member: MemberFiles) -> set[str]:
    """Every module that another module of the package imports."""
    return {name for file in member.source for item in file.imports for name in (item.module, item.target)}


def _routers(member: MemberFiles) -> Iterator[Hit]:
    known = imported(member)
    for file, node in routers(member):
        if file.module not in known:
            yield Hit(node.lineno, 1, "nobody mounts the routes of this router", file.path)


def _permissions(member: MemberFiles) -> Iterator[Hit]:
    """Permissions of this capability that a route asks for and the manifest does not name."""
    offered, names = _texts(member), set(member.member.plugins)
    for file in member.source:
        unknown = {asked for asked in _ASKED.findall(file.text) if not {asked, asked.partition(".")[2]} & offered}
        for call in file.find(ast.Call) if any(asked.partition(".")[0] in names for asked in unknown) else ():
            given = next((item.value for item in call.keywords if item.arg == "permission"), None)
            asked = str(given.value) if isinstance(given, ast.Constant) else ""
            if asked in unknown and file.qualified(call.func).endswith("access"):
                yield Hit(call.lineno, call.col_offset + 1, f"{asked} is no permission of the manifest", file.path)


def _texts(member: MemberFiles) -> set[str]:
    inside = [file for file in member.source if file.layer == "manifest"]
    return {node.value for file in inside for node in file.find(ast.Constant) if isinstance(node.value, str)}


def _settings(member: MemberFiles) -> Iterator[Hit]:
    config = member.at("manifest/config.py")
    if config is None:
        return
    for owner, _, _ in settings(config):
        used = any(owner.name in file.text for file in member.source if file is not config)
        if not used and config.text.count(owner.name) == 1:
            yield Hit(owner.lineno, 1, f"nobody reads {owner.name}", config.path)


def _migrations(member: MemberFiles) -> Iterator[Hit]:
    versions = [file for file in member.source if "versions" in file.inner and "migrations" in file.inner]
    steps = [file for file in versions if not file.is_package]
    told = any("Migrations(" in file.text for file in member.source if file.layer == "manifest")
    if steps and not told:
        yield Hit(1, 1, "the manifest offers no Migrations for this step", steps[0].path)


M02 = Rule(
    "M02",
    "The manifest differs from the code",
    "What the manifest does not hand over is installed, tested and never there.",
    "name it in manifest/plugin.py, or delete what nobody offers.",
    "from fastapi import APIRouter\nfrom fastapi_services_platform import access\n\nrouter = APIRouter()\n\n\n"
    '@router.get("/planted")\n@access(authenticated=True)\nasync def planted() -> str:\n    """A word."""\n'
    '    return "word"\n',
    "ROUTES = 3\n",
    place="src/{package}/adapters/api/planted.py",
    member_check=different,
)

RULES = (M02,)
