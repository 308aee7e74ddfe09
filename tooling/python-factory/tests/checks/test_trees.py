"""Violations that are more than one file: found with the right id and no other."""

import subprocess
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


def twenty_five(root: Path) -> None:
    """The same twenty-five lines in two modules."""
    lines = "".join(f'    "word number {number}",\n' for number in range(25))
    for name in ("left", "right"):
        module(root / SOURCE / "adapters" / "crowd" / f"{name}.py", f"{name.upper()} = (\n{lines})\n")


def sync_method(root: Path) -> None:
    """The memory adapter answers at once where the port is waited for."""
    store = root / SOURCE / "adapters/memory/store.py"
    change(store, "async def remove(", "def remove(")


def single_adapter(root: Path) -> None:
    """A port that only a stand-in has."""
    port = 'class Clock(Protocol):\n    """What time it is."""\n\n    def seconds(self) -> int: ...\n'
    module(root / SOURCE / "core" / "clocks" / "ports.py", f"from typing import Protocol\n\n\n{port}")
    method = '    def seconds(self) -> int:\n        """Of the day."""\n        return 43200\n'
    clock = f'class Stopped:\n    """Noon."""\n\n{method}'
    module(root / SOURCE / "adapters" / "memory" / "clocks.py", clock)


def second_head(root: Path) -> None:
    """Another first step."""
    versions = root / SOURCE / "adapters/db/migrations/versions"
    (versions / "create_other.py").write_text(
        '"""Other."""\n\nrevision = "create_other"\ndown_revision = None\n', encoding="utf-8"
    )


def uncalled(root: Path) -> None:
    """A route that no test and no row knows."""
    router = root / SOURCE / "adapters/api/router.py"
    route = '@router.get("/planted/words")\n@access(permission="notes.notes.read")\n'
    function = 'async def planted_words() -> list[str]:\n    """None."""\n    return []\n'
    router.write_text(f"{router.read_text(encoding='utf-8')}\n\n{route}{function}", encoding="utf-8")


def gone_name(root: Path) -> None:
    """A name of the release is missing, and no fragment says so."""
    name = '"""The door."""\n\nLIMIT = 3\n"""How many."""\n\n__all__ = ["LIMIT"]\n'
    (root / SOURCE / "__init__.py").write_text(name, encoding="utf-8")
    me = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    for words in (("init", "-q"), ("add", "-A"), (*me, "commit", "-qm", "a"), ("tag", "au-sys-notes/v0.1.0")):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    (root / SOURCE / "__init__.py").write_text('"""The door."""\n\n__all__: list[str] = []\n', encoding="utf-8")


def owned_by_the_factory(root: Path) -> None:
    """A file that state.toml calls generated has another text."""
    state = root / NOTES / ".factory/state.toml"
    text = state.read_text(encoding="utf-8")
    begin = text.index('[files."README.md"]')
    state.write_text(text[:begin] + text[begin:].replace('"merged"', '"generated"', 1), encoding="utf-8")
    (root / NOTES / "README.md").write_text("# Mine\n", encoding="utf-8")


LOCKED = """version = 1

[[package]]
name = "au-sys-notes"
version = "0.0.9"
source = { editable = "packages/au-sys-notes" }
"""


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
    ("A09", replaced(".importlinter", "    au_sys_notes\n", "")),
    ("A10", single_adapter),
    ("A15", written("platforms/fsp_shell_001/planted.py", '"""Planted."""\n')),
    ("D02", replaced(f"{NOTES}/pyproject.toml", RUNTIME_LINE, f'{RUNTIME_LINE},\n    "packaging>=25"')),
    ("D03", replaced(f"{NOTES}/pyproject.toml", RUNTIME_LINE, '"fastapi-services-platform>=2.0"')),
    ("D04", replaced(f"{NOTES}/pyproject.toml", RUNTIME_LINE, '"fastapi-services-platform>=3.0,<4"')),
    ("D05", written("uv.lock", 'source = { registry = "https://packages.example.net/simple" }\n')),
    ("D06", written("uv.lock", LOCKED)),
    ("D07", written("settings.toml", 'index-url = "https://packages.example.net/simple"\n')),
    ("D07", written("settings.toml", 'folder = "/home/ada/notes"\n')),
    ("D07", written("settings.toml", 'url = "https://ada:lovelace@example.net/"\n')),
    ("D08", replaced(f"{NOTES}/pyproject.toml", "hatchling.build", "setuptools.build_meta")),
    ("D08", replaced(f"{NOTES}/pyproject.toml", "hatchling>=1.27,<2", "hatchling")),
    ("D09", replaced(f"{NOTES}/pyproject.toml", 'requires-python = ">=3.11"', 'requires-python = ">=3.9"')),
    ("D11", replaced(f"{NOTES}/pyproject.toml", 'license = "Apache-2.0"', 'license = "AGPL-3.0-only"')),
    ("L01", gone(f"{SOURCE}/manifest/__init__.py")),
    ("L01", gone(f"{NOTES}/README.md")),
    ("L03", grown(f"{SOURCE}/adapters/web/forms.py", 501)),
    ("L04", grown(f"{SOURCE}/manifest/plugin.py", 100)),
    ("L05", grown(f"{NOTES}/tests/conftest.py", 61)),
    ("L06", sixteen),
    ("L09", wide_door),
    ("L13", twenty_five),
    ("L10", gone(f"{SOURCE}/py.typed")),
    ("M01", replaced(f"{NOTES}/pyproject.toml", "entry-points.au_sys_plugins", "entry-points.other_plugins")),
    ("M01", replaced(f"{NOTES}/pyproject.toml", "plugin:NotesCapability", "plugin:Nobody")),
    ("M03", replaced(f"{SOURCE}/core/errors.py", "class NoteNotFound", f"{ODD_ERROR}class NoteNotFound")),
    ("M04", replaced(f"{NOTES}/.env.example", "NOTES_PAGE_SIZE", "NOTES_OTHER")),
    ("M05", second_owner),
    ("M06", second_head),
    ("M07", uncalled),
    ("M09", gone_name),
    ("T01", owned_by_the_factory),
    ("T02", replaced(f"{NOTES}/.factory/state.toml", 'version = "1"', 'version = "1"\nopen_to = "2"')),
    ("Z13", sync_method),
    ("T03", replaced(f"{NOTES}/.factory/state.toml", "noun =", "now =")),
]  # fmt: skip


def test_the_furnished_workspace_has_no_finding(look: Look) -> None:
    """What the factory generates passes every rule."""
    assert look() == []


def test_a_protocol_may_say_more_than_a_port(garden: Path, look: Look) -> None:
    """What an adapter asks for is no adapter."""
    text = "from typing import Protocol\n\nfrom au_sys_notes.core.notes.ports import NoteStore\n\n\n"
    body = 'class CountedNoteStore(NoteStore, Protocol):\n    """A store as the figures see it."""\n'
    module(garden / SOURCE / "adapters" / "platform" / "figures.py", text + body)
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
