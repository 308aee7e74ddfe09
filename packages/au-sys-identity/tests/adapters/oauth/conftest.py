"""A real second OpenID Connect provider: npm's oidc-provider, installed into a cache and run by node."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "provider"
CALLBACK = "http://platform.test/auth/oauth/corp/callback"


def _installed() -> Path:
    """The folder with the locked packages, made once for each lock file."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = home / "au-sys-identity-tests" / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "node_modules" / ".package-lock.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, folder / name)
        npm = shutil.which("npm") or "npm"
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    shutil.copy(SOURCE / "server.mjs", folder / "server.mjs")
    return folder


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    node = shutil.which("node") or "node"
    command = [node, "server.mjs", str(port), CALLBACK]
    process = subprocess.Popen(command, cwd=_installed(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    while process.stdout.readline().strip() != "ready":
        assert process.poll() is None
        assert time.monotonic() < deadline
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=30)
    process.stdout.close()
