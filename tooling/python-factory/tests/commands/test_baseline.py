"""``check --baseline``: older code is adopted as it is, and only gets better."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Factory = Callable[..., Result]

_ENGINE = "packages/fsp-runtime/src/fastapi_services_platform/engine"


@pytest.fixture
def planted(bare: Path) -> Path:
    """A module with a finding."""
    path = bare / _ENGINE / "planted.py"
    path.write_text('"""Planted."""\n\nLIMIT = 3  # TODO: ask\n')
    return path


def test_only_what_comes_on_top_fails(factory: Factory, planted: Path, tmp_path: Path) -> None:
    """Also when lines move, and when the same thing is done once more."""
    path = tmp_path / "known.json"
    stored = factory("check", "--baseline", str(path))
    assert (stored.exit_code, "1 findings are stored" in stored.stderr) == (0, True)
    planted.write_text("\n\n" + planted.read_text())
    assert factory("check", "--baseline", str(path)).exit_code == 0
    planted.write_text(planted.read_text() + "OTHER = 4  # TODO: ask\n")
    found = json.loads(factory("check", "--baseline", str(path), "--json").stdout)
    assert (found["exit"], [item["line"] for item in found["findings"]]) == (1, [6])


def test_what_is_mended_is_stored_again(factory: Factory, planted: Path, tmp_path: Path) -> None:
    """Else it could come back unseen."""
    path = tmp_path / "known.json"
    factory("check", "--baseline", str(path))
    planted.unlink()
    ended = factory("check", "--baseline", str(path))
    assert (ended.exit_code, "1 of its findings are mended" in ended.stdout) == (1, True)
    assert factory("check", "--baseline", str(path), "--store-baseline").exit_code == 0
    assert json.loads(path.read_text())["findings"] == []


def test_a_part_of_the_workspace_is_compared_and_never_stored(factory: Factory, planted: Path, tmp_path: Path) -> None:
    """A baseline of a part would forgive the rest."""
    path = tmp_path / "known.json"
    assert factory("check", "--only", "Z", "--baseline", str(path)).exit_code == 2
    factory("check", "--baseline", str(path))
    assert factory("check", "--only", "L", "--baseline", str(path)).exit_code == 0


@pytest.mark.parametrize("text", ["hello", '{"format": 9, "findings": []}', "[]"])
def test_another_file_is_refused(text: str, factory: Factory, tmp_path: Path) -> None:
    """And left as it is."""
    path = tmp_path / "known.json"
    path.write_text(text)
    assert (factory("check", "--baseline", str(path)).exit_code, path.read_text()) == (4, text)


def test_storing_asks_where(factory: Factory) -> None:
    """With the option that is missing."""
    ended = factory("check", "--store-baseline")
    assert (ended.exit_code, "--baseline FILE" in ended.output) == (2, True)
