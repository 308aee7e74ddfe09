"""Attack 39: unsafe settings do not start, and say which one it is."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from tests.attacks.running_platform import COMMANDS, environment_of, free_port

_KEY = base64.b64encode(bytes(range(32))).decode()
_SAFE = {
    "FSP_ENVIRONMENT": "prod",
    "FSP_PUBLIC_URL": "https://platform.example.org",
    "FSP_SECRET_KEY": base64.b64encode(bytes(range(1, 33))).decode(),
    "IDENTITY_SECRET_KEY": _KEY,
}


def start(folder: Path, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Try to start in production with some settings changed or, with ``None``, missing."""
    (folder / "data").mkdir()
    port = free_port()
    settings = {name: value for name, value in {**_SAFE, **changes}.items() if value is not None}
    environment = environment_of(folder, port, **settings)
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
    command = [str(COMMANDS / "fsp"), "run", "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IDENTITY_SECRET_KEY", None),
        ("IDENTITY_SECRET_KEY", base64.b64encode(b"short").decode()),
        ("IDENTITY_SECRET_KEY", base64.b64encode(b"a" * 32).decode()),
        ("IDENTITY_SECRET_KEY", "not base64 at all!"),
        ("FSP_SECRET_KEY", None),
        ("FSP_PUBLIC_URL", None),
        ("FSP_PUBLIC_URL", "http://platform.example.org"),
    ],
)
def test_an_unsafe_setting_stops_the_start(tmp_path: Path, name: str, value: str | None) -> None:
    """Missing, short, repeated or plain: no start, the setting named, its value not shown."""
    refused = start(tmp_path, **{name: value})
    written = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert name in written, written[-2000:]
    assert value is None or name == "FSP_PUBLIC_URL" or value not in written
