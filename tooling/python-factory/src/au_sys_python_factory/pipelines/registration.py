"""A package in the workspace and in a platform: sources, development group, contracts, bill of materials, features."""

from collections.abc import Mapping
from pathlib import Path

from au_sys_python_factory.blueprint.capability import bound
from au_sys_python_factory.errors import Refused, UsageError
from au_sys_python_factory.plan.editing.contracts import add_contracts, remove_contracts
from au_sys_python_factory.plan.editing.lists import (
    add_to_toml_list,
    add_to_toml_table,
    add_to_yaml_block,
    remove_from_toml_list,
    remove_from_yaml_block,
    remove_line,
)
from au_sys_python_factory.workspace.members import Member, Workspace
from au_sys_python_factory.workspace.requirements import canonical, requirement_name

FEATURES = "config/router_factory_features.yaml"
VARIABLES = "config/shell.env.example"
_SOURCES = "tool.uv.sources"
_FEATURE = "{ enabled: true, required: false }"

Edits = dict[str, str]
"""New texts of files, by path from the workspace root."""


class Texts:
    """Files as they will be: what was edited already, else what is on disk."""

    def __init__(self, root: Path, edits: Edits) -> None:
        self._root = root
        self.edits = edits

    def read(self, path: str) -> str | None:
        """The text, with line ends and byte order mark as they are."""
        if path in self.edits:
            return self.edits[path]
        whole = self._root / path
        return whole.read_bytes().decode("utf-8") if whole.is_file() else None

    def change(self, path: str, text: str) -> None:
        """Note a new text, unless it is the old one."""
        if text != self.read(path):
            self.edits[path] = text


def register(texts: Texts, dist: str, package: str, kebab: str, *, service: bool = False) -> None:
    """The package among the workspace's sources, in the development group, and under the contracts."""
    root = texts.read("pyproject.toml") or ""
    root = add_to_toml_table(root, _SOURCES, f"{dist} = {{ workspace = true }}")
    root = add_to_toml_list(root, "dependency-groups", "dev", dist)
    texts.change("pyproject.toml", root)
    contracts = texts.read(".importlinter")
    if contracts is not None:
        texts.change(".importlinter", add_contracts(contracts, package, kebab, service=service))


def deregister(texts: Texts, dist: str, package: str, kebab: str) -> None:
    """The opposite of :func:`register`."""
    root = remove_line(texts.read("pyproject.toml") or "", f"{dist} = {{ workspace = true }}")
    texts.change("pyproject.toml", remove_from_toml_list(root, "dependency-groups", "dev", dist))
    contracts = texts.read(".importlinter")
    if contracts is not None:
        texts.change(".importlinter", remove_contracts(contracts, package, kebab))


def wire(
    texts: Texts, platform: Member, dist: str, version: str, capability: str, variables: Mapping[str, str]
) -> None:
    """The capability in a platform's bill of materials, among its features and variables."""
    project = f"{platform.relative}/pyproject.toml"
    wired = {requirement_name(line) for line in platform.dependencies}
    if canonical(dist) not in wired:
        line = f"{dist}{bound(version)}"
        texts.change(project, add_to_toml_list(texts.read(project) or "", "project", "dependencies", line))
    features = f"{platform.relative}/{FEATURES}"
    present = texts.read(features)
    if present is not None:
        texts.change(features, add_to_yaml_block(present, "capabilities", capability, _FEATURE))
    example = f"{platform.relative}/{VARIABLES}"
    known = texts.read(example)
    if known is not None and variables and heading(capability) not in known:
        lines = [heading(capability), *(f"# {name}={value}" for name, value in variables.items())]
        texts.change(example, known.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n")


def unwire(texts: Texts, platform: Member, dist: str, capability: str) -> None:
    """The opposite of :func:`wire`; variables that an owner set stay, those that were only documented go."""
    project = f"{platform.relative}/pyproject.toml"
    texts.change(project, remove_from_toml_list(texts.read(project) or "", "project", "dependencies", dist))
    features = f"{platform.relative}/{FEATURES}"
    present = texts.read(features)
    if present is not None:
        texts.change(features, remove_from_yaml_block(present, capability))
    example = f"{platform.relative}/{VARIABLES}"
    known = texts.read(example)
    if known is not None:
        texts.change(example, _without_block(known, heading(capability)))


def heading(capability: str) -> str:
    """The line above a capability's variables."""
    return f"# --- {capability} ".ljust(120, "-")


def _without_block(text: str, head: str) -> str:
    lines = text.splitlines(keepends=True)
    if f"{head}\n" not in lines:
        return text
    start = lines.index(f"{head}\n")
    end = start + 1
    while end < len(lines) and lines[end].startswith("# ") and not lines[end].startswith("# ---"):
        end += 1
    kept = lines[:start] + lines[end:]
    if start and kept[start - 1] == "\n":  # it came with the block, wherever that stands now
        kept.pop(start - 1)
    return "".join(kept)


def variables_of(example: str) -> dict[str, str]:
    """The variables of a package's ``.env.example`` with their values."""
    pairs = [line.partition("=") for line in example.splitlines() if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, _, value in pairs}


def chosen_platform(workspace: Workspace, named: str | None) -> Member | None:
    """The platform to wire into: the named one, else the only one, else none.

    Raises:
        UsageError: there is no platform with that name.
    """
    platforms = workspace.platforms
    if named is None:
        return platforms[0] if len(platforms) == 1 else None
    found = [item for item in platforms if named in (item.path.name, item.dist)]
    if not found:
        known = ", ".join(item.path.name for item in platforms) or "none"
        raise UsageError(f"there is no platform {named}.", fix=f"platforms here: {known}.")
    return found[0]


def find_capability(workspace: Workspace, name: str) -> Member:
    """A capability or service by any of its names.

    Raises:
        Refused: there is none.
    """
    flat = canonical(name)
    for member in workspace.members:
        spellings = {canonical(spelling) for spelling in (member.dist, member.path.name, *member.plugins)}
        if member.tri_layer and (flat in spellings or f"au-sys-{flat}" in spellings):
            return member
    known = ", ".join(name for member in workspace.members if member.tri_layer for name in member.plugins)
    raise Refused(f"there is no capability {name}.", fix=f"capabilities here: {known}.")
