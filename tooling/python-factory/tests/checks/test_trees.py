"""Violations that are more than one file: found with the right id and no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

Look = Callable[[], list[tuple[str, str]]]
Damage = Callable[[Path], object]

NOTES = "packages/au-sys-notes"
SOURCE = f"{NOTES}/src/au_sys_notes"


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def module(path: Path, body: str) -> None:
    """A module with a docstring, in a folder that is a package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").touch()
    if not (path.parent / "__init__.py").read_text(encoding="utf-8"):
        (path.parent / "__init__.py").write_text('"""Planted."""\n', encoding="utf-8")
    path.write_text(f'"""Planted."""\n\n{body}', encoding="utf-8")


def circle(root: Path) -> None:
    """Two siblings that import each other."""
    core = root / SOURCE / "core"
    module(core / "one" / "left.py", "import au_sys_notes.core.other.right\n\nLEFT = au_sys_notes.core.other.right\n")
    module(core / "other" / "right.py", "import au_sys_notes.core.one.left\n\nRIGHT = au_sys_notes.core.one.left\n")


def sixteen(root: Path) -> None:
    """A folder with sixteen modules."""
    for number in range(16):
        module(root / SOURCE / "adapters" / "crowd" / f"part_{number}.py", f"NUMBER = {number}\n")


def second_owner(root: Path) -> None:
    """The runtime takes the capability's prefix."""
    body = 'from pydantic_settings import BaseSettings\n\n\nclass Other(BaseSettings):\n    """Planted."""\n\n'
    module(
        root / "packages/fsp-runtime/src/fastapi_services_platform/planted/settings.py",
        f'{body}    model_config = {{"env_prefix": "NOTES_"}}\n'.replace(
            '{"env_prefix": "NOTES_"}', 'dict(env_prefix="NOTES_")'
        ),
    )


def wide_door(root: Path) -> None:
    """Thirteen names."""
    names = ", ".join(f'"NAME_{number}"' for number in range(13))
    values = "\n".join(f"NAME_{number} = {number}" for number in range(13))
    (root / SOURCE / "__init__.py").write_text(f'"""The door."""\n\n{values}\n__all__ = [{names}]\n', encoding="utf-8")


def upward(root: Path) -> None:
    """The runtime imports a capability that it even declares."""
    project = root / "packages/fsp-runtime/pyproject.toml"
    change(project, '    "alembic>=1.16,<2",', '    "alembic>=1.16,<2",\n    "au-sys-notes>=0.1,<1",')
    module(
        root / "packages/fsp-runtime/src/fastapi_services_platform/planted/up.py",
        "import au_sys_notes\n\nUP = au_sys_notes\n",
    )


def grown(path: str, lines: int) -> Damage:
    """A file that is filled with comment lines."""

    def grow(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        missing = lines - len(text.splitlines())
        (root / path).write_text(text + "# another line of words\n" * missing, encoding="utf-8")

    return grow


def replaced(path: str, old: str, new: str) -> Damage:
    """One text for another."""
    return lambda root: change(root / path, old, new)


def gone(path: str) -> Damage:
    """A file less."""
    return lambda root: (root / path).unlink()


def written(path: str, text: str) -> Damage:
    """A file more."""
    return lambda root: (root / path).write_text(text, encoding="utf-8")


ODD_ERROR = 'class Odd(NotesError):\n    """Odd."""\n\n\n'
RUNTIME_LINE = '"fastapi-services-platform>=2.0,<3"'
CASES: list[tuple[str, Damage]] = [
    ("A01", upward),
    ("A08", circle),
    ("D02", replaced(f"{NOTES}/pyproject.toml", RUNTIME_LINE, f'{RUNTIME_LINE},\n    "packaging>=25"')),
    ("D03", replaced(f"{NOTES}/pyproject.toml", RUNTIME_LINE, '"fastapi-services-platform>=2.0"')),
    ("D04", replaced(f"{NOTES}/pyproject.toml", RUNTIME_LINE, '"fastapi-services-platform>=3.0,<4"')),
    ("D05", written("uv.lock", 'source = { registry = "https://packages.example.net/simple" }\n')),
    ("D07", written("settings.toml", 'index-url = "https://packages.example.net/simple"\n')),
    ("D07", written("settings.toml", 'folder = "/home/ada/notes"\n')),
    ("D07", written("settings.toml", 'url = "https://ada:lovelace@example.net/"\n')),
    ("D08", replaced(f"{NOTES}/pyproject.toml", "hatchling.build", "setuptools.build_meta")),
    ("D08", replaced(f"{NOTES}/pyproject.toml", "hatchling>=1.27,<2", "hatchling")),
    ("D09", replaced(f"{NOTES}/pyproject.toml", 'requires-python = ">=3.11"', 'requires-python = ">=3.9"')),
    ("L01", gone(f"{SOURCE}/manifest/__init__.py")),
    ("L01", gone(f"{NOTES}/README.md")),
    ("L03", grown(f"{SOURCE}/adapters/web/forms.py", 501)),
    ("L04", grown(f"{SOURCE}/manifest/plugin.py", 100)),
    ("L05", grown(f"{NOTES}/tests/conftest.py", 61)),
    ("L06", sixteen),
    ("L09", wide_door),
    ("L10", gone(f"{SOURCE}/py.typed")),
    ("M01", replaced(f"{NOTES}/pyproject.toml", "entry-points.au_sys_plugins", "entry-points.other_plugins")),
    ("M01", replaced(f"{NOTES}/pyproject.toml", "plugin:NotesCapability", "plugin:Nobody")),
    ("M03", replaced(f"{SOURCE}/core/errors.py", "class NoteNotFound", f"{ODD_ERROR}class NoteNotFound")),
    ("M04", replaced(f"{NOTES}/.env.example", "NOTES_PAGE_SIZE", "NOTES_OTHER")),
    ("M05", second_owner),
    ("T02", replaced(f"{NOTES}/.factory/state.toml", 'version = "1"', 'version = "1"\nopen_to = "2"')),
    ("T03", replaced(f"{NOTES}/.factory/state.toml", "noun =", "now =")),
]  # fmt: skip


def test_the_furnished_workspace_has_no_finding(look: Look) -> None:
    """What the factory generates passes every rule."""
    assert look() == []


@pytest.mark.parametrize(("rule", "damage"), CASES, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(CASES)])
def test_the_damage_is_found_and_nothing_else(rule: str, damage: Damage, garden: Path, look: Look) -> None:
    """One rule speaks, and only that one."""
    platform = garden / "platforms/fsp_shell_001/config/shell.env.example"
    change(platform, "# NOTES_PAGE_SIZE=50\n", "")
    damage(garden)
    assert {rule} == {found for found, _ in look()}


def test_identity_and_storage_may_not_look_into_each_other(bare: Path, garden: Path, look: Look) -> None:
    """The two foundations have a rule of their own."""
    for name in ("identity", "storage-sdk"):
        package = f"au_sys_{name.replace('-', '_')}"
        folder = garden / f"packages/au-sys-{name}"
        module(folder / "src" / package / "core" / "errors.py", "WORD = 1\n")
        (folder / "src" / package / "__init__.py").write_text('"""The door."""\n', encoding="utf-8")
        text = (bare / "packages/fsp-runtime/pyproject.toml").read_text(encoding="utf-8")
        (folder / "pyproject.toml").write_text(
            text.replace("fastapi-services-platform", f"au-sys-{name}"), encoding="utf-8"
        )
    planted = garden / "packages/au-sys-identity/src/au_sys_identity/core/planted.py"
    module(planted, "from au_sys_storage_sdk.core.errors import WORD\n\nSAME = WORD\n")
    assert {"A07"} == {
        rule for rule, path in look() if path.startswith("packages/au-sys-identity/src") and rule[0] == "A"
    }
