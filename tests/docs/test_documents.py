"""The documents tell the truth: examples run, links lead somewhere, generated pages are current."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.docs.settings_reference import TARGET, reference, settings_classes

from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")


def documents(workspace: Path) -> list[Path]:
    """Every page that a person reads."""
    found = [workspace / name for name in DOCUMENTS] + sorted(workspace.glob("docs/**/*.md"))
    return found + sorted(workspace.glob("*/*/README.md"))


def test_every_relative_link_leads_somewhere(workspace: Path) -> None:
    """A dead link in the documentation fails."""
    dead = []
    for page in documents(workspace):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                dead.append(f"{page.relative_to(workspace)}: {target}")
    assert dead == []


def test_every_recipe_that_a_page_names_exists(workspace: Path) -> None:
    """`just x` in a document is a recipe of the justfile."""
    recipes = set(
        re.findall(r"^([a-z][a-z-]*)(?: [*A-Z]+)*:", (workspace / "justfile").read_text(), flags=re.MULTILINE)
    )
    unknown = []
    for page in documents(workspace):
        for recipe in re.findall(r"uv run just ([a-z][a-z-]*)", page.read_text()):
            if recipe not in recipes:
                unknown.append(f"{page.relative_to(workspace)}: {recipe}")
    assert unknown == []


def test_the_settings_reference_is_current() -> None:
    """docs/settings.md is what `just docs` writes."""
    assert TARGET.read_text() == reference()


@pytest.mark.parametrize(
    ("name", "settings"), settings_classes(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_setting_says_what_it_means(name: str, settings: type) -> None:
    """A setting without a description cannot be set with confidence."""
    silent = [field for field, info in settings.model_fields.items() if not info.description]  # type: ignore[attr-defined]  # a BaseSettings subclass
    assert (name, silent) == (name, [])


async def test_the_capability_of_the_first_page_starts(workspace: Path, tmp_path: Path) -> None:
    """What README.md prints as a whole capability answers those who hold its permission, and nobody else."""
    blocks = re.findall(r"```python\n(.*?)```", (workspace / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "greetings"}  # Any: whatever the page defines
    exec(compile(blocks[0], "README.md", "exec"), names)
    capabilities = [names["Greetings"](), believing_identity()]
    async with started_app(settings=settings_for(tmp_path), capabilities=capabilities) as client:
        ada = await client.get("/greetings/Ada", headers={"authorization": "Bearer ada"})
        stranger = await client.get("/greetings/Ada")
    assert (ada.json(), stranger.status_code) == ({"greeting": "Hello, Ada"}, 401)
