"""``python -m tests.upgrade.run``: follow docs/upgrade.md on a clone that begins at an older state.

Data are stored before, looked for after the upgrade, and again after the way back.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from au_sys_python_factory.shell.supervision.addresses import free_port

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "upgrade.md"
OWN_PASSWORD = "nine patient herons stand here"
_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def blocks() -> list[str]:
    """The four blocks of the guide: copy, upgrade, look, way back."""
    found = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    if len(found) != 4:
        raise ValueError(f"{GUIDE} has {len(found)} blocks, expected 4")
    return found


class Walk:
    """A clone, and whoever walks through the guide in it."""

    def __init__(self, folder: Path, old: str, new: str) -> None:
        self.clone = folder / "repository"
        self.port = str(free_port())
        bending = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_NO_SYNC")
        kept = {name: value for name, value in os.environ.items() if name not in bending}
        self.environment = {**kept, "OLD": old, "NEW": new, "PORT": self.port}
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.clone)], check=True)

    def shell(self, text: str) -> str:
        """Run a block as a person would paste it."""
        print(re.sub("^", "  $ ", text.strip(), flags=re.MULTILINE), flush=True)
        done = subprocess.run(
            ["bash", "-euc", text], cwd=self.clone, env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def request(self, method: str, path: str, token: str = "", body: bytes | None = None, kind: str = "") -> bytes:
        """One HTTP request; its answer's body."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers, method=method)
        with _OPEN(request, timeout=60) as answer:
            content: bytes = answer.read()
            return content

    def token(self, email: str, password: str) -> str:
        """Sign in."""
        form = urllib.parse.urlencode({"username": email, "password": password}).encode()
        answer = self.request("POST", "/auth/jwt/login", body=form, kind="application/x-www-form-urlencoded")
        return str(json.loads(answer)["access_token"])

    def seen(self, email: str) -> dict[str, object]:
        """What this person finds: herself, and her document."""
        token = self.token(email, OWN_PASSWORD)
        me = json.loads(self.request("GET", "/users/me", token))
        note = json.loads(self.request("GET", "/storage/upgrade/note", token))
        return {"id": me["id"], "email": me["email"], "note": note}


def main() -> int:
    """Exit 0 when the same data are there at every station."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--old", default="", help="tag or commit to begin at [default: the newest tag, else 40 commits ago]"
    )
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the shell is stopped
    new = _git("rev-parse", "HEAD")
    old = _git(
        "rev-parse",
        asked.old or _git("tag", "--sort=-creatordate", "--list", "fsp-shell-001/v*").partition("\n")[0] or "HEAD~40",
    )
    copy, upgrade, look, back = blocks()
    with tempfile.TemporaryDirectory(prefix="fsp-upgrade-") as folder:
        walk = Walk(Path(folder), old, new)
        try:
            walk.shell('git checkout --quiet "$OLD"')
            started = walk.shell('uv run just shell-up --detach --json --port "$PORT"')
            admin = json.loads(started)["data"]["admin"]
            before = _store(walk, admin["email"], admin["password"])
            walk.shell(copy)
            walk.shell(upgrade)
            walk.shell(look)
            after = walk.seen(admin["email"])
            walk.shell(back)
            again = walk.seen(admin["email"])
        finally:
            subprocess.run(["uv", "run", "just", "shell-down"], cwd=walk.clone, env=walk.environment, check=False)
    print(f"old {old[:9]}: {before}\nnew {new[:9]}: {after}\nold {old[:9]}: {again}")
    return 0 if before == after == again else 1


def _store(walk: Walk, email: str, password: str) -> dict[str, object]:
    """The administrator chooses her own password and writes a note."""
    token = walk.token(email, password)
    change = json.dumps({"current_password": password, "password": OWN_PASSWORD}).encode()
    walk.request("PATCH", "/users/me", token, change, "application/json")
    token = walk.token(email, OWN_PASSWORD)
    walk.request("PUT", "/storage/upgrade/note", token, b'{"text": "written before"}', "application/json")
    return walk.seen(email)


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
