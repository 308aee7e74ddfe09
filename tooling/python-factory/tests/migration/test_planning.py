"""A plan says where each module goes, with evidence, and asks where it does not know."""

from datetime import date
from pathlib import Path

import pytest

from au_sys_python_factory.errors import Refused, UsageError
from au_sys_python_factory.migration.model import read_migration, written
from au_sys_python_factory.migration.planning import plan_migration

DAY = date(2026, 1, 1)


def test_each_module_has_a_place_and_its_evidence(older: Path) -> None:
    """Tables, routes and the application's making go to their layers."""
    plan = plan_migration(older, "older-notes", "", DAY)
    places = {entry.module: entry.target for entry in plan.entries}
    assert places["notes.db"] == "adapters/db/tables.py"
    assert places["notes.api"] == "adapters/api/api.py"
    assert places["main"] == "manifest/container.py"
    assert all(entry.evidence for entry in plan.moved)


def test_what_is_written_is_read_again(older: Path, folder: Path) -> None:
    """Nothing of a plan is lost in its file."""
    plan = plan_migration(older, "older-notes", "", DAY)
    (folder / "migration.toml").write_text(written(plan))
    assert plan == read_migration(folder)


def test_with_a_scope_the_rest_stays_a_dependency(older: Path) -> None:
    """Only modules below it are in the plan."""
    released = older.rename(older.parent / "older-1.2")
    plan = plan_migration(released, "older-notes", "notes", DAY)
    assert "older==1.2" in plan.dependencies
    assert all(entry.module.startswith("notes") for entry in plan.entries)


def test_where_no_application_is_made_nothing_is_planned(tmp_path: Path) -> None:
    """The message says what is looked for."""
    (tmp_path / "one.py").write_text("ONE = 1\n")
    with pytest.raises(Refused, match="FastAPI"):
        plan_migration(tmp_path, "older-notes", "", DAY)


def test_a_damaged_plan_names_all_that_is_wrong(folder: Path) -> None:
    """Missing and unknown keys at once."""
    (folder / "migration.toml").write_text('name = "x"\nsauce = "y"\n')
    with pytest.raises(UsageError, match=r"application.*sauce"):
        read_migration(folder)


def test_with_a_scope_its_tests_come_along_with_what_they_stand_on(tmp_path: Path) -> None:
    """Those that import it, those whose fixtures do, and their packages; tests of the rest stay behind."""
    root = tmp_path / "shop-1.0"
    texts = {
        "shop/__init__.py": "", "shop/prices.py": "ONE = 1\n",
        "shop/web/__init__.py": "", "shop/web/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
        "tests/__init__.py": "", "tests/test_prices.py": "from shop.prices import ONE\n",
        "tests/web/__init__.py": "", "tests/web/conftest.py": "from .clients import client\n",
        "tests/web/clients.py": "from shop.web.main import app\n\nclient = app\n",
        "tests/web/test_pages.py": "def test_page(client): assert client\n",
    }  # fmt: skip
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    plan = plan_migration(root, "shop-web", "shop.web", DAY)
    assert {entry.path for entry in plan.entries if entry.in_tests} == {
        "tests/__init__.py", "tests/web/__init__.py", "tests/web/conftest.py", "tests/web/clients.py",
        "tests/web/test_pages.py",
    }  # fmt: skip
