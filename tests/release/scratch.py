"""A small workspace under git, and an index beside it, both for one test."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tooling/python-factory/tests/tiny_workspace"
DAY = "2026-01-31"
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Rehearsal"), ("EMAIL", "rehearsal@fsp.example"))
}
NOTES = '''"""Notes."""

__all__ = ["keep"]


def keep(text: str, mark: str = "") -> str:
    """Keep a note."""
    return text + mark
'''


@dataclass(frozen=True)
class Scratch:
    """The workspace: tiny-runtime, tiny-notes which needs it, and the platform tiny-shell which needs both."""

    root: Path

    def git(self, *arguments: str) -> str:
        """Run git here."""
        return run(["git", *arguments], self.root).stdout.strip()

    def commit(self, subject: str = "Change something") -> None:
        """Everything that is there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)

    def factory(self, *arguments: str) -> Result:
        """Call the factory here, in this process; it need not succeed."""
        with contextlib.chdir(self.root):
            return CliRunner().invoke(main, list(arguments))

    def release(self, *arguments: str) -> Result:
        """Call one of the factory's release commands here."""
        return self.factory("release", *arguments)

    def write(self, path: str, text: str) -> None:
        """One file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def plan(self) -> dict[str, dict[str, object]]:
        """The planned releases by name."""
        done = self.release("plan", "--json")
        assert done.exit_code == 0, done.output
        return {item["name"]: item for item in json.loads(done.stdout)["releases"]}

    def apply(self) -> None:
        """Make the planned release."""
        done = self.release("apply", "--date", DAY)
        assert done.exit_code == 0, done.output

    @property
    def state(self) -> tuple[str, str, str]:
        """What an undo has to bring back: commit, tags, tree."""
        return self.git("rev-parse", "HEAD"), self.git("tag", "--list"), self.git("status", "--porcelain")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A program to its end."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=300)


def make_scratch(root: Path) -> Scratch:
    """Copy, complete and commit the workspace."""
    shutil.copytree(TINY, root)
    scratch = Scratch(root)
    for folder in ("packages/tiny-runtime", "platforms/tiny_shell"):
        _complete(scratch, folder)
    scratch.write("packages/tiny-notes/src/tiny_notes/__init__.py", NOTES)
    scratch.write("packages/tiny-notes/pyproject.toml", _notes_pyproject(root))
    _complete(scratch, "packages/tiny-notes")
    shell = root / "platforms/tiny_shell/pyproject.toml"
    shell.write_text(
        shell.read_text().replace('["tiny-runtime>=1,<2"]', '["tiny-runtime>=1,<2", "tiny-notes>=0.1,<1"]')
    )
    top = root / "pyproject.toml"
    top.write_text(top.read_text() + "tiny-notes = { workspace = true }\n")
    scratch.write(".gitignore", "dist/\nplatforms/*/packages/\n.shell/\n__pycache__/\n")
    run(["uv", "lock", "--quiet"], root)
    scratch.git("init", "--quiet", "--initial-branch", "main")
    scratch.commit("Begin")
    return scratch


def _notes_pyproject(root: Path) -> str:
    text = (root / "packages/tiny-runtime/pyproject.toml").read_text().partition("[project.scripts]")[0]
    text = text.replace('"tiny-runtime"', '"tiny-notes"').replace('"1.0.0"', '"0.1.0"')
    return f'{text.rstrip()}\ndependencies = ["tiny-runtime>=1,<2"]\n'


def _complete(scratch: Scratch, folder: str) -> None:
    """What the gate asks of every member."""
    pyproject = scratch.root / folder / "pyproject.toml"
    told = 'readme = "README.md"\nlicense = "Apache-2.0"\nrequires-python'
    text = pyproject.read_text()
    pyproject.write_text(text if "readme" in text else text.replace("requires-python", told, 1))
    scratch.write(f"{folder}/README.md", "# Something small\n\nFor rehearsals – and with more than ASCII …\n")
    shutil.copy(ROOT / "LICENSE", scratch.root / folder / "LICENSE")
    scratch.write(f"{folder}/changes/begin.added.md", "It is there.\n")


@contextmanager
def running_index(folder: Path) -> Iterator[str]:
    """pypiserver on a free port, which asks nobody else; its address."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "pypiserver", "run", "--disable-fallback", "-i", "127.0.0.1"]
    command += ["-p", str(port), "-P", ".", "-a", ".", "--hash-algo", "sha256", str(folder)]
    with (folder.parent / "index.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}/simple/", server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5):
                return
        except (OSError, urllib.error.URLError):
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
