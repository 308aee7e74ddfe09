"""The plan of ``new platform``: bill of materials, configuration, gauntlet, and what is wired into it at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from au_sys_python_factory.blueprint.capability import bound
from au_sys_python_factory.blueprint.rendering import TEMPLATES, formatted, render, versions
from au_sys_python_factory.errors import Refused, UsageError
from au_sys_python_factory.pipelines.locked import resolved_lock
from au_sys_python_factory.pipelines.registration import VARIABLES, Texts, variables_of, wire
from au_sys_python_factory.plan.editing.lists import add_to_toml_list, add_to_toml_table
from au_sys_python_factory.plan.model import Plan, write
from au_sys_python_factory.workspace.members import RUNTIME, Member, Workspace

_KIND = "platform"
_NAME = re.compile(r"fsp_shell_(\d{3})")
_PLATFORM = re.compile(r"(?ms)^# --- platform -.*?(?=^# --- |\Z)")
_FEWEST = (
    "# Which overlay of the configuration applies.\nFSP_ENVIRONMENT=dev\n# Folder of SQLite databases and blobs.\n"
    "FSP_DATA_DIR={state}/data\n# Folder of the three configuration files.\nFSP_CONFIG_DIR={config}\n"
    "# Address under which browsers reach the platform.\nFSP_PUBLIC_URL={url}\n"
    "# Key for signed tokens; required when environment is prod.\nFSP_SECRET_KEY=<random>\n"
)


def next_name(workspace: Workspace) -> str:
    """The name of the next platform."""
    numbers = [int(found[1]) for item in workspace.platforms if (found := _NAME.fullmatch(item.path.name))]
    return f"fsp_shell_{max(numbers, default=0) + 1:03d}"


def plan_new_platform(workspace: Workspace, name: str, wired: Sequence[Member]) -> Plan:
    """Everything that ``new platform`` writes.

    Raises:
        UsageError: the name is none of a platform.
        Refused: the folder is there already.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a platform.", fix=f"fsp_shell_NNN, for example {next_name(workspace)}."
        )
    folder = f"platforms/{name}"
    if (workspace.root / folder).exists():
        raise Refused("the folder is there already.", where=folder, fix=f"the next is {next_name(workspace)}.")
    runtime = workspace.by_dist.get(RUNTIME)
    bounds = bound(runtime.version if runtime else "2.0")
    with_people = any(
        "authenticator" in capability or capability == "identity" for m in wired for capability in m.plugins
    )
    values = {
        "name": name,
        "dist": name.replace("_", "-"),
        "summary": f"Bill of materials of {name.replace('_', '-')}: the runtime and what is wired into it.",
        "runtime": f"{RUNTIME}{bounds}",
        "runtime_postgres": f"{RUNTIME}[postgres]{bounds}",
        "openapi": "authenticated" if with_people else "public",
        "people": with_people,
        "variables": _variables(workspace).rstrip("\n"),
    }
    rendered = formatted(render(TEMPLATES / _KIND / f"v{versions(_KIND)[-1]}", values, {}), [RUNTIME.replace("-", "_")])
    files = {f"{folder}/{path}": text for path, text in rendered.items()}
    texts = Texts(workspace.root, dict(files))
    root = texts.read("pyproject.toml") or ""
    root = add_to_toml_table(root, "tool.uv.sources", f"{values['dist']} = {{ workspace = true }}")
    texts.change("pyproject.toml", add_to_toml_list(root, "dependency-groups", "dev", str(values["dist"])))
    place = Member(workspace.root, Path(workspace.root, folder), {"project": {"name": values["dist"]}})
    for member in wired:
        example = texts.read(f"{member.relative}/.env.example")
        for capability in member.plugins:
            wire(texts, place, member.dist, member.version, capability, variables_of(example or ""))
    lock = resolved_lock(workspace, texts.edits)
    operations = [
        write(workspace.root, path, text, "part of the platform" if path in files else "the platform is registered")
        for path, text in sorted(texts.edits.items())
    ]
    if lock is not None:
        operations.append(write(workspace.root, "uv.lock", lock, "the platform is locked"))
    return Plan(f"new platform {name}", tuple(operations))


def _variables(workspace: Workspace) -> str:
    """The runtime's own variables, as an existing platform documents them."""
    for platform in workspace.platforms:
        example = platform.path / VARIABLES
        found = _PLATFORM.search(example.read_text(encoding="utf-8")) if example.is_file() else None
        if found:
            return found[0]
    return _FEWEST
