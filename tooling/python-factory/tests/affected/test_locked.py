"""A change of the lock concerns the members that hold what changed, and nobody else."""

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any  # Any: what TOML holds

from click.testing import Result

from au_sys_python_factory.affected.locked import members_between

Factory = Callable[..., Result]
LOCK: dict[str, Any] = {
    "version": 1,
    "manifest": {"members": ["web", "tool"], "dependency-groups": {"dev": [{"name": "pytest"}, {"name": "web"}]}},
    "package": [
        {"name": "web", "source": {"editable": "web"}, "dependencies": [{"name": "httpx"}, {"name": "tool"}]},
        {"name": "tool", "source": {"editable": "tool"}, "optional-dependencies": {"fast": [{"name": "orjson"}]}},
        {"name": "httpx", "version": "1.0", "dependencies": [{"name": "anyio"}]},
        {"name": "anyio", "version": "4.0"},
        {"name": "orjson", "version": "3.0"},
        {"name": "pytest", "version": "9.0", "dependencies": [{"name": "pluggy"}]},
        {"name": "pluggy", "version": "1.0"},
    ],
}


def changed(name: str, **values: Any) -> dict[str, Any]:  # Any: what TOML holds
    """The lock with another entry for a distribution."""
    lock = copy.deepcopy(LOCK)
    next(entry for entry in lock["package"] if entry["name"] == name).update(values)
    return lock


def test_what_a_member_holds_far_down_concerns_it_alone() -> None:
    """Through dependencies of dependencies, and through extras of a sibling."""
    assert members_between(LOCK, changed("anyio", version="5.0")) == {"web"}
    assert members_between(LOCK, changed("orjson", version="4.0")) == {"web", "tool"}


def test_what_tests_run_on_concerns_everybody() -> None:
    """The workspace's own group, and what it brings."""
    assert members_between(LOCK, changed("pluggy", version="2.0")) is None


def test_a_new_dependency_concerns_who_asks_for_it() -> None:
    """Its entry and that of the member differ."""
    lock = changed("tool", dependencies=[{"name": "rich"}])
    lock["package"].append({"name": "rich", "version": "15.0"})
    assert members_between(LOCK, lock) == {"web", "tool"}


def test_the_resolution_itself_concerns_everybody() -> None:
    """Another format, other members, other markers."""
    assert members_between(LOCK, {**LOCK, "resolution-markers": ["python_version > '3.12'"]}) is None


def test_a_changed_lock_takes_only_those_members(factory: Factory, bare: Path) -> None:
    """Asked through the command: the runtime holds nothing that changed; a lock that cannot be read concerns all."""
    runtime = '[[package]]\nname = "fastapi-services-platform"\nsource = { editable = "packages/fsp-runtime" }\n'
    other = '[[package]]\nname = "other"\nversion = "%s"\n'
    (bare / "uv.lock").write_text(runtime + other % "1.0")
    git = ["git", "-C", str(bare), "-c", "user.email=a@example.net", "-c", "user.name=a"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    (bare / "uv.lock").write_text(runtime + other % "2.0")
    assert factory("affected", "--since", "HEAD", "--packages").output == ""
    (bare / "uv.lock").write_text("no lock")
    assert "fastapi-services-platform" in factory("affected", "--since", "HEAD", "--packages").output
