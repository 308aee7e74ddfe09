"""A manifest is read out of a wheel's source, without importing it."""

import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from fastapi_services_platform import Manifest
from fastapi_services_platform.capability import discovery
from fastapi_services_platform.capability.reading import read_manifest

PLUGIN = '''
"""A plugin whose licence is missing."""
import no_such_module
from fastapi_services_platform import Manifest

PORTS = ("ledger@1", "journal@1")


class Ledger:
    """Books."""

    name = "not this"
    manifest = Manifest("ledger", summary="Keeps the books.", version=no_such_module.VERSION, provides=PORTS,
                        requires=("authenticator@1",), settings=no_such_module.Settings, database=True)
'''
POINT = EntryPoint("ledger", "books.manifest.plugin:Ledger", discovery.GROUP)
KNOWN = Manifest(
    "ledger",
    "0",
    "Keeps the books.",
    provides=("ledger@1", "journal@1"),
    requires=("authenticator@1",),
    database=True,
)


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "books" / "manifest"
    package.mkdir(parents=True)
    (tmp_path / "books" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    return package / "plugin.py"


def test_literals_and_constants_are_read(books: Path) -> None:
    """What is computed is left out; the version is then the wheel's; nothing is imported."""
    assert read_manifest(POINT) == KNOWN
    assert "books" not in sys.modules


@pytest.mark.parametrize(
    "source",
    ["", "class Ledger:", "class Ledger:\n    manifest = None\n", "class Ledger:\n    manifest = make()\n", "\x00"],
)
def test_what_cannot_be_read_is_nothing(books: Path, source: str) -> None:
    """Broken or unusual source is no error."""
    books.write_text(source)
    assert read_manifest(POINT) is None


def test_a_wheel_that_is_not_there_is_nothing() -> None:
    """An entry point may be left over."""
    assert read_manifest(EntryPoint("ghost", "no_such_module.plugin:Ghost", discovery.GROUP)) is None


def test_every_installed_capability_can_be_read() -> None:
    """What is read is what its class says, but for the settings."""
    for point in entry_points(group=discovery.GROUP):
        told = point.load().manifest
        read = read_manifest(point)
        assert read is not None, point.name
        ports = (read.name, read.version, read.provides, read.requires, read.optional, read.database)
        assert ports == (told.name, told.version, told.provides, told.requires, told.optional, told.database)


def test_a_capability_that_cannot_be_imported_is_still_described(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list and the hub show what it is, beside why it is not running."""
    (books.parents[1] / "__init__.py").write_text("")
    monkeypatch.setattr(discovery, "entry_points", lambda **_: [POINT])
    found = discovery.discover("2.0.0")[0]
    assert found.manifest == KNOWN
    assert "No module named 'no_such_module'" in str(found.error)
