"""The lock names the public index, whatever the environment does; two loopback servers play both indexes."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.wheels.lock.guard import find_leak, refuse_leak
from au_sys_python_factory.wheels.lock.repair import repair
from au_sys_python_factory.wheels.uv import clean_environment, run_uv

pytestmark = pytest.mark.needs_uv
ROOT = Path(__file__).resolve().parents[4]


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a line for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def wheel(folder: Path, version: str, content: str = "") -> Path:
    """A tiny package on an index page."""
    path = folder / "tiny-dep" / f"tiny_dep-{version}-py3-none-any.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    info = f"tiny_dep-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("tiny_dep.py"), content)
        archive.writestr(
            zipfile.ZipInfo(f"{info}/METADATA"), f"Metadata-Version: 2.1\nName: tiny-dep\nVersion: {version}\n"
        )
        archive.writestr(
            zipfile.ZipInfo(f"{info}/WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "")
    links = "".join(
        f'<a href="{found.name}#sha256={hashlib.sha256(found.read_bytes()).hexdigest()}">{found.name}</a>'
        for found in sorted(path.parent.glob("*.whl"))
    )
    (path.parent / "index.html").write_text(links)
    return path


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Addresses of the public and of a foreign index; folders ``public`` and ``foreign``."""
    servers = []
    for name in ("public", "foreign"):
        wheel(tmp_path / name, "1.0")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / name)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    public, foreign = (f"http://127.0.0.1:{server.server_address[1]}/" for server in servers)
    yield public, foreign
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def workspace(tmp_path: Path, indexes: tuple[str, str]) -> Path:
    """A workspace with one dependency, locked through its own index."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        '[project]\nname = "tiny"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["tiny-dep>=1"]\n'
        f'[tool.uv]\npackage = false\n[tool.uv.workspace]\n[[tool.uv.index]]\nurl = "{indexes[0]}"\ndefault = true\n'
    )
    lock(root, indexes[0])
    return root


def lock(root: Path, index: str) -> None:
    """``uv lock`` as it goes with an index in the environment."""
    run_uv(["lock", "--quiet"], doing="locking", folder=root, extra={"UV_DEFAULT_INDEX": index})


def leak(root: Path, foreign: str) -> None:
    """Let a foreign index into the lock."""
    (root / "uv.lock").unlink()
    lock(root, foreign)


def test_the_lock_of_this_repository_is_clean() -> None:
    """Nothing but the public index and its file host."""
    assert find_leak(ROOT) is None


def test_a_leak_is_named_with_its_cause_and_the_fix(
    workspace: Path, indexes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Host, variable, command; never the credential in the variable."""
    leak(workspace, indexes[1])
    host = indexes[1].removeprefix("http://").rstrip("/")
    monkeypatch.setenv("UV_INDEX", f"http://me:hunter2@{host}/")
    with pytest.raises(Refused) as caught:
        refuse_leak(workspace)
    assert f"names {host} instead of the public index; UV_INDEX is set and names it" in caught.value.sentence
    assert "fix: python-factory lock repair" in caught.value.sentence
    assert "hunter2" not in caught.value.sentence


def test_a_repair_gives_back_the_very_same_lock(workspace: Path, indexes: tuple[str, str]) -> None:
    """Byte for byte, although a newer version is there by now; a second repair has nothing to do."""
    original = (workspace / "uv.lock").read_bytes()
    leak(workspace, indexes[1])
    assert (workspace / "uv.lock").read_bytes() != original
    wheel(workspace.parent / "public", "1.1")
    done = repair(workspace)
    assert done is not None
    assert done.packages == ("tiny-dep",)
    assert (workspace / "uv.lock").read_bytes() == original
    assert repair(workspace) is None


def test_a_version_that_is_not_public_is_refused(workspace: Path, indexes: tuple[str, str]) -> None:
    """The impostor with the higher version is named, and the lock stays as it was."""
    wheel(workspace.parent / "foreign", "9.9")
    leak(workspace, indexes[1])
    before = (workspace / "uv.lock").read_bytes()
    with pytest.raises(Refused, match=r"nothing was changed"):
        repair(workspace)
    assert (workspace / "uv.lock").read_bytes() == before


def test_other_files_under_the_same_version_are_refused(workspace: Path, indexes: tuple[str, str]) -> None:
    """Equal names with other content are what an attack looks like."""
    wheel(workspace.parent / "foreign", "1.0", content="print('boo')")
    leak(workspace, indexes[1])
    before = (workspace / "uv.lock").read_bytes()
    with pytest.raises(Refused, match=r"the files of tiny-dep 1\.0 on the public index are others"):
        repair(workspace)
    assert (workspace / "uv.lock").read_bytes() == before


def test_calls_of_uv_never_see_an_index_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable that names one is replaced or dropped."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    found = clean_environment()
    assert not [value for value in found.values() if "127.0.0.1:9" in value]
