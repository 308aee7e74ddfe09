"""Fifty packages of one template version, each with an edit of its owner, and a factory that knows the next version."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from au_sys_python_factory.blueprint import rendering

PACKAGES = 50
EDITED = "README.md"
OTHERS = "src/{package}/core/{many}/creating.py"


def make_fifty(root: Path, skeleton: Path, templates: Path) -> None:
    """The workspace below ``root``; below ``templates`` the present version, and one more with other lines."""
    from au_sys_python_factory.blueprint.capability import STANDARD_FIELDS, Blueprint, dependencies
    from au_sys_python_factory.blueprint.fields import read_fields
    from au_sys_python_factory.blueprint.naming import Names, noun_of
    from au_sys_python_factory.blueprint.package import files_of_all, newest
    from au_sys_python_factory.blueprint.state import STATE, written
    from au_sys_python_factory.workspace.members import read_workspace

    shutil.copytree(skeleton, root)
    version = newest()
    shutil.copytree(rendering.TEMPLATES, templates)
    following = templates / "capability" / f"v{int(version) + 1}"
    shutil.copytree(templates / "capability" / f"v{version}", following)
    _change(following)
    workspace = read_workspace(root)
    fields = read_fields(STANDARD_FIELDS)
    made = []
    for number in range(PACKAGES):
        name = f"record{number:02d}"
        noun = noun_of(name)
        made.append(Blueprint(Names(name), noun, fields, f"Keeps {noun.label_many}.", dependencies(workspace)))
    wanted = [("capability", version, blueprint) for blueprint in made]
    for (kind, _, blueprint), files in files_of_all(wanted).items():
        folder = root / blueprint.names.folder
        for path, text in {**files, STATE: written(kind, version, blueprint, files)}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        for path in (EDITED, OTHERS.format(package=blueprint.names.package, many=blueprint.noun.many)):
            (folder / path).write_text(f"{(folder / path).read_text()}\n# its owner's line\n")


def _change(following: Path) -> None:
    """A new first line in every module of the core, and one more file."""
    for path in following.rglob("core/**/*.py.jinja"):
        path.write_text(path.read_text().replace('"""\n', ' Since the next version."""\n', 1))
    (following / "NOTICE.md.jinja").write_text("{{ names.dist }}\n")


def main(arguments: list[str]) -> None:
    """The factory with other templates: the first argument names them."""
    rendering.TEMPLATES = Path(arguments[0])
    from au_sys_python_factory.cli import main as factory

    factory(arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
