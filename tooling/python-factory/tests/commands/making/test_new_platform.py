"""``new platform``: a bill of materials with its configuration, into which capabilities are wired and out of it."""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from fastapi_services_platform.config.files import read_configuration

Factory = Callable[..., Result]
PLATFORM = "platforms/fsp_shell_002"


def digests(root: Path) -> dict[str, str]:
    """Every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_it_is_the_next_one_and_the_runtime_reads_its_configuration(run: Factory, house: Path) -> None:
    """Bounds, features and variables of what is wired in; check finds nothing; undo is exact."""
    before = digests(house)
    made = run("new", "platform", "--with", "notes", "--no-sync")
    assert made.exit_code == 0, made.output
    project = tomllib.loads((house / PLATFORM / "pyproject.toml").read_text())["project"]
    assert {"au-sys-notes>=0.1,<1", "fastapi-services-platform>=2.0,<3"} == set(project["dependencies"])
    features = yaml.safe_load((house / PLATFORM / "config/router_factory_features.yaml").read_text())
    assert set(features["capabilities"]) == {"hub", "notes"}
    assert read_configuration(house / PLATFORM / "config") is not None
    assert json.loads(run("check", "--json").stdout)["findings"] == []
    assert run("undo", "--no-sync").exit_code == 0
    assert before == digests(house)


def test_its_containers_have_no_rights_and_every_variable_is_described(run: Factory, house: Path) -> None:
    """Numbered users, nothing fetched while the image is built, secrets as files, the example as long as the use."""
    run("new", "platform", "--no-sync")
    docker = house / PLATFORM / "docker"
    compose = (docker / "compose.yaml").read_text()
    services = yaml.safe_load(compose)["services"]
    assert set(services) == {"migrate", "web", "postgres"}
    assert all(found["cap_drop"] == ["ALL"] and found["read_only"] for found in services.values())
    used = {f"# {name}={value}" for name, value in re.findall(r"\$\{(\w+):-([^}]*)\}", compose)}
    described = (docker / "compose.env.example").read_text().splitlines()[1:]
    assert used == set(described)
    assert "--no-index" in (docker / "Dockerfile").read_text()
    assert 'title="fsp-shell-002"' in (docker / "Dockerfile").read_text()


def test_wire_and_unwire_return_to_the_same_bytes(run: Factory, house: Path) -> None:
    """In any order, with two platforms."""
    run("new", "platform", "--no-sync")
    before = digests(house)
    assert run("wire", "notes", "--shell", "fsp_shell_002", "--no-sync").exit_code == 0
    assert run("unwire", "notes", "--shell", "fsp_shell_002", "--no-sync").exit_code == 0
    assert before == digests(house)


@pytest.mark.parametrize(("name", "code"), [("shop", 2), ("fsp_shell_1", 2), ("fsp_shell_001", 4)])
def test_another_name_is_refused(name: str, code: int, run: Factory, house: Path) -> None:
    """With the name that would be right."""
    before = digests(house)
    ended = run("new", "platform", name, "--no-sync")
    assert (code, before) == (ended.exit_code, digests(house))
    assert "fsp_shell_002" in ended.output
