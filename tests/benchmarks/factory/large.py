"""A large workspace from a fixed start value: 40 packages of 100 modules in three layers."""

from __future__ import annotations

import random
from pathlib import Path

PACKAGES = 40
MODULES = 100
SEED = 20_261_121
LINES = 86

_LAYERS = (("core", 50), ("adapters", 40), ("manifest", 10))
_PROJECT = """[build-system]
requires = ["hatchling>=1.27,<2"]
build-backend = "hatchling.build"

[project]
name = "au-sys-part{number:02d}"
version = "0.1.0"
description = "Part {number}."
requires-python = ">=3.11"
readme = "README.md"
dependencies = []

[project.entry-points.au_sys_plugins]
part{number:02d} = "au_sys_part{number:02d}.manifest.plugin:Plugin"
"""
_FUNCTION = '''

def step_{name}(given: int, limit: int = {limit}) -> int:
    """The sum of all steps from ``given`` on, at most ``limit`` of them."""
    total = 0
    for number in range(given, min(given + limit, {most})):
        if number % {modulus} == 0:
            total += number
        else:
            total -= {factor}
    return total
'''


def make_large(root: Path) -> tuple[list[Path], int]:
    """Write the workspace; gives its modules and the number of their lines."""
    chance = random.Random(SEED)
    root.mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    modules: list[Path] = []
    for number in range(PACKAGES):
        modules += _package(root, number, chance)
    return modules, sum(path.read_text().count("\n") for path in modules)


def _package(root: Path, number: int, chance: random.Random) -> list[Path]:
    name = f"au_sys_part{number:02d}"
    folder = root / f"packages/au-sys-part{number:02d}"
    source = folder / "src" / name
    (folder / "changes").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "README.md").write_text(f"# Part {number}\n")
    (folder / "pyproject.toml").write_text(_PROJECT.format(number=number))
    below: list[str] = []
    found: list[Path] = []
    for layer, count in _LAYERS:
        made: list[str] = []
        for index in range(count):
            group = f"group{index // 10}"
            module = source / layer / group / f"part{index:02d}.py"
            module.parent.mkdir(parents=True, exist_ok=True)
            for place in (source, source / layer, module.parent):
                (place / "__init__.py").write_text('"""A part."""\n')
            imported = chance.sample(below, min(len(below), 6))
            module.write_text(_module(name, layer, index, imported, chance))
            made.append(f"{name}.{layer}.{group}.part{index:02d}")
            found.append(module)
        below += made
    (source / "py.typed").touch()
    (source / "core/errors.py").write_text(f'"""Errors."""\n\n\nclass Part{number}Error(Exception):\n    """Any."""\n')
    (source / "manifest/config.py").write_text('"""No settings."""\n')
    (source / "manifest/container.py").write_text('"""No services."""\n')
    (source / "manifest/plugin.py").write_text('"""The plugin."""\n\n\nclass Plugin:\n    """Offers nothing."""\n')
    return found


def _module(name: str, layer: str, index: int, imported: list[str], chance: random.Random) -> str:
    lines = [f'"""Part {index} of {layer}."""', ""]
    lines += [f"from {module} import step_{_stem(module)}_0" for module in sorted(imported)]
    text = "\n".join(lines) + "\n"
    own = f"{layer}_{index // 10}_{index:02d}"
    for number in range(7):
        text += _FUNCTION.format(
            name=f"{own}_{number}", limit=chance.randrange(5, 90), most=chance.randrange(100, 999),
            modulus=chance.randrange(2, 9), factor=chance.randrange(2, 9),
        )  # fmt: skip
    uses = [f"    found += step_{_stem(module)}_0(found)" for module in sorted(imported)]
    body = "\n".join(uses) or "    found += 1"
    return f'{text}\n\ndef whole_{own}(found: int) -> int:\n    """All parts together."""\n{body}\n    return found\n'


def _stem(module: str) -> str:
    _, layer, group, part = module.split(".")
    return f"{layer}_{group.removeprefix('group')}_{part.removeprefix('part')}"
