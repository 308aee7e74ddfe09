"""``python -m tests.containers.run``: image, containers, gauntlet against them, and nothing left over.

Needs an engine with Compose, and the two images that platforms/fsp_shell_001/docker/make_base_image.sh makes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from au_sys_python_factory.gauntlet.cli import PASSWORD
from au_sys_python_factory.shell.supervision.addresses import free_port

FACTORY = [sys.executable, "-m", "au_sys_python_factory"]
BASE = "fsp-base:local"
FOR_THE_GAUNTLET = {
    "FSP_ENVIRONMENT": "dev",
    "IDENTITY_REGISTRATION": "open",
    "IDENTITY_REGISTRATION_VERIFY": "off",
    "IDENTITY_RATE_SIGN_IN": "1000/minute",
    "IDENTITY_RATE_MAIL": "1000/minute",
    "IDENTITY_RATE_DEFAULT": "6000/minute",
    "IDENTITY_MAIL_URL": "file:///var/lib/fsp/outbox",
}


def engine(*arguments: str) -> str:
    """Ask the engine."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def present() -> set[str]:
    """Containers, volumes and networks that there are."""
    asked = (
        ("ps", "--all", "--format", "container {{.Names}}"),
        ("volume", "ls", "--format", "volume {{.Name}}"),
        ("network", "ls", "--format", "network {{.Name}}"),
    )
    return {line for arguments in asked for line in engine(*arguments).splitlines()}


def main() -> int:
    """Exit 0 when the gauntlet passed and nothing is left."""
    before = present()
    environment = {**os.environ, **FOR_THE_GAUNTLET}
    with tempfile.TemporaryDirectory(prefix="fsp-containers-") as folder:
        place = ["--docker", "--base-image", BASE]
        state = ["--state", str(Path(folder) / "state")]
        started = time.monotonic()
        up = ["shell", "up", *place, *state, "--port", str(free_port()), "--json"]
        try:
            shown = subprocess.run([*FACTORY, *up], env=environment, stdout=subprocess.PIPE, check=True).stdout
            found = json.loads(shown)["data"]
            print(f"ready after {time.monotonic() - started:.1f} s: {found['image']}", flush=True)
            letters = engine("volume", "inspect", "--format", "{{.Mountpoint}}", "fsp_data")
            asked = ["--base-url", found["url"], "--admin", found["admin"]["email"], "--letters", f"{letters}/outbox"]
            played = subprocess.run(
                [*FACTORY, "gauntlet", *asked, "--report", folder],
                env={**environment, PASSWORD: found["admin"]["password"]},
                check=False,
            ).returncode
        finally:
            subprocess.run([*FACTORY, "shell", "down", *place, *state, "--volumes"], env=environment, check=True)
    left = sorted(present() - before)
    print(f"left over: {', '.join(left) or 'nothing'}")
    return 1 if played or left else 0


if __name__ == "__main__":
    sys.exit(main())
