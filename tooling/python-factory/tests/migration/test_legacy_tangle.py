"""What is odd in an older application is moved rightly, or said before anything is written."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result

from au_sys_python_factory.blueprint.naming import Names
from au_sys_python_factory.migration.making import make
from au_sys_python_factory.migration.model import Migration, written
from au_sys_python_factory.migration.planning import plan_migration
from au_sys_python_factory.workspace.members import read_workspace

Factory = Callable[..., Result]
BROWNFIELD = Path(__file__).parents[1] / "brownfield"
PACKAGE = "src/au_sys_tangle_home"


@pytest.fixture
def tangle(tmp_path: Path) -> Path:
    """A copy of ``legacy_tangle`` as its owners would have it."""
    root = tmp_path / "tangle"
    shutil.copytree(BROWNFIELD / "legacy_tangle", root)
    for path in root.rglob("*.txt"):
        path.rename(path.with_suffix(""))
    return root


def decided(plan: Migration) -> Migration:
    """The plan after a person looked at it: the two of one name apart, the rest as proposed."""
    target = {"tangle.plugins.one": "core/plugin_one.py"}
    entries = [replace(item, decide=False, target=target.get(item.module, item.target)) for item in plan.entries]
    return replace(plan, entries=tuple(entries))


def test_the_plan_asks_about_everything_that_is_odd(tangle: Path) -> None:
    """Files that cannot be read, work at import, names made while it runs, one name twice."""
    asked = plan_migration(tangle, "tangle-home", "", date(2026, 1, 1)).to_decide()
    said = [line.split(": ", 1) for line in asked]
    assert [place for place, _ in said] == [
        "tangle/__init__.py → left behind",
        "tangle/app.py → manifest/container.py",
        "tangle/beta.py → core/beta.py",
        "tangle/broken.py → left behind",
        "tangle/latin.py → left behind",
        "tangle/plugins/one.py → core/one.py",
    ]
    reasons = dict(said)
    assert "it does something when it is imported" in reasons["tangle/__init__.py → left behind"]
    assert "line 13 imports <'tangle.plugins.' + name>" in reasons["tangle/beta.py → core/beta.py"]
    assert "line 1 does not parse: invalid syntax" in reasons["tangle/broken.py → left behind"]
    assert "encoding" in reasons["tangle/latin.py → left behind"]
    assert "taken by another module" in reasons["tangle/plugins/one.py → core/one.py"]


def test_circles_are_listed_before_anything_is_written(
    tangle: Path, tmp_path: Path, bare: Path, factory: Factory
) -> None:
    """With the whole way round."""
    plan = tmp_path / "plan"
    plan.mkdir()
    (plan / "migration.toml").write_text(written(decided(plan_migration(tangle, "tangle-home", "", date.today()))))
    refused = factory("migrate", "apply", str(plan), "--from", str(tangle), "--no-sync")
    assert refused.exit_code == 4
    assert "A08 cycle among siblings: au_sys_tangle_home.core.alpha → au_sys_tangle_home.core.beta" in refused.output
    assert not (bare / "packages/au-sys-tangle-home").exists()


def test_stars_texts_late_values_and_a_shadow_are_moved(tangle: Path, tmp_path: Path, bare: Path) -> None:
    """What the moved code answers is what the old one did; the module that hid the standard library's hides nothing."""
    plan = decided(plan_migration(tangle, "tangle-home", "", date(2026, 1, 1)))
    made = make(plan, Names("tangle-home"), tangle, read_workspace(bare), tmp_path / "plan").files
    text = {name: made[f"{PACKAGE}/{name}.py"] for name in ("core/alpha", "core/gamma", "manifest/container")}
    assert "import *" not in "".join(text.values())
    assert "from au_sys_tangle_home.core.beta import BETA" in text["core/alpha"]
    assert 'TARGET = "au_sys_tangle_home.core.plugin_one:ONE"' in text["core/gamma"]
    assert "class Queue" in made[f"{PACKAGE}/core/queue.py"]
    for name, content in made.items():
        (tmp_path / "made" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "made" / name).write_text(content)
    asking = "import asyncio; from au_sys_tangle_home.manifest.container import total; print(asyncio.run(total()))"
    run = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'made/src')!r}); {asking}"]
    ended = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (ended.stdout.strip(), ended.returncode) == ("{'sum': 5, 'plugin': 1}", 0), ended.stderr
