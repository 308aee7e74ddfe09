"""``new service``: a capability under another name rule, with roles, a worker and what it stands on."""

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

SKELETON = Path(__file__).parents[2] / "skeleton"


def factory(root: Path, *arguments: str) -> Result:
    """The console script in a workspace, without a terminal."""
    return CliRunner().invoke(main, [*arguments, "--workspace", str(root)])


def tree(root: Path) -> dict[str, str]:
    """Digest of every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the generated service ``ledger``; nobody changes it."""
    root = tmp_path_factory.mktemp("services") / "workspace"
    shutil.copytree(SKELETON, root)
    ended = factory(root, "new", "service", "ledger", "--no-sync", "--no-verify")
    assert ended.exit_code == 0, ended.output
    return root


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "own"))


def test_it_carries_no_prefix_and_stands_on_its_siblings(made: Path) -> None:
    """Folder, distribution, import, console script and entry point have the plain name; bounds are stated."""
    project = tomllib.loads((made / "services/ledger/pyproject.toml").read_text())["project"]
    assert (project["name"], project["scripts"]) == ("ledger", {"ledger": "ledger.manifest.command_line:main"})
    assert project["entry-points"]["au_sys_plugins"] == {"ledger": "ledger.manifest.plugin:LedgerService"}
    assert {"au-sys-identity>=0.1,<1", "au-sys-storage-sdk>=0.1,<1"} <= set(project["dependencies"])
    assert (made / "services/ledger/src/ledger/adapters/worker/daemon.py").is_file()
    state = tomllib.loads((made / "services/ledger/.factory/state.toml").read_text())
    assert state["template"] == {"id": "service", "version": "1"}


def test_it_lies_above_identity_and_is_wired(made: Path) -> None:
    """A layer of services over the others, the door, the platform's features."""
    contracts = (made / ".importlinter").read_text()
    assert "layers =\n    ledger\n    au_sys_identity | au_sys_storage_sdk\n" in contracts
    assert "[importlinter:contract:ledger-door]" in contracts
    platform = made / "platforms/fsp_shell_001"
    assert '"ledger>=0.1,<1"' in (platform / "pyproject.toml").read_text()
    assert "  ledger: { enabled: true" in (platform / "config/router_factory_features.yaml").read_text()
    assert "# LEDGER_ARCHIVE_AFTER_DAYS=365" in (platform / "config/shell.env.example").read_text()


def test_the_rules_find_nothing(made: Path) -> None:
    """`check` of the fresh package has no finding."""
    ended = factory(made, "check", "--json")
    assert [item for item in json.loads(ended.output)["findings"] if item["path"].startswith("services/")] == []


def test_unwired_wired_and_undone_it_is_byte_for_byte_as_before(made: Path, own: Path) -> None:
    """Out and in again is the same workspace; undo of all three is the bare one, redo the first again."""
    after = tree(made)
    assert factory(own, "unwire", "ledger", "--no-sync").exit_code == 0
    assert factory(own, "wire", "ledger", "--no-sync").exit_code == 0
    assert after == tree(own)
    for _ in range(3):
        assert factory(own, "undo", "--no-sync").exit_code == 0
    assert tree(SKELETON) == tree(own)


def test_destroy_removes_every_trace(own: Path) -> None:
    """A second service shares the layer while it is there; without both the workspace is the bare one."""
    assert factory(own, "new", "service", "till", "--no-sync", "--no-verify").exit_code == 0
    assert "    ledger | till\n" in (own / ".importlinter").read_text()
    for name in ("ledger", "till"):
        assert factory(own, "destroy", name, "--no-sync", "--yes").exit_code == 0
    assert tree(SKELETON) == tree(own)


def test_a_new_permission_goes_to_the_role_that_edits(own: Path) -> None:
    """`add endpoint` names it in the manifest and among the rights of editors, once."""
    route = ("POST", "/{ledger_id}/close", "--verb", "close", "--permission", "ledger.ledgers.close")
    for _ in range(2):
        ended = factory(own, "add", "endpoint", *route, "--no-sync")
        assert ended.exit_code == 0, ended.output
    package = own / "services/ledger/src/ledger"
    assert '(*USER_RIGHTS, WRITE, "ledger.ledgers.close")' in (package / "core/roles.py").read_text()
    assert len(re.findall("ledgers.close", (package / "manifest/plugin.py").read_text())) == 1


def test_nothing_differs_and_there_is_nothing_to_upgrade(made: Path) -> None:
    """`diff` renders the service again from its state; `upgrade` finds it up to date."""
    assert json.loads(factory(made, "diff", "ledger", "--json").output)["data"] == {"files": []}
    assert "up to date" in factory(made, "upgrade", "ledger", "--no-sync").output


def test_eject_forgets_it(own: Path) -> None:
    """The package stays, the state goes."""
    assert factory(own, "eject", "ledger", "--no-sync").exit_code == 0
    assert not (own / "services/ledger/.factory/state.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("ledger",), 2),
        (("class",), 2),
        (("au-sys-till",), 2),
        (("till", "--wire", "nowhere"), 2),
        (("roles",), 2),
    ],
)
def test_a_mistake_ends_with_its_exit_code_and_writes_nothing(
    arguments: tuple[str, ...], code: int, made: Path
) -> None:
    """No name, a taken or reserved one, a prefix, an unknown platform, a part of services."""
    before = tree(made)
    ended = factory(made, "new", "service", *arguments, "--no-sync")
    assert (code, before) == (ended.exit_code, tree(made)), ended.output
