"""What a running platform writes: JSON line by line on the console, text in the file, and no secret in either."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

SECRETS = {
    "bearer": "b-hunter2-header-value",
    "cookie": "c-hunter2-cookie-value",
    "query": "q-hunter2-query-value",
    "key": "k-hunter2-settings-key-0123456789",
    "scrape": "s-hunter2-scrape-token",
}
FEATURES = "capabilities:\n" + "".join(
    f"  {name}: {{enabled: false}}\n" for name in ("identity", "storage", "skriptoteket")
)


@contextmanager
def running(folder: Path, log_dir: Path) -> Iterator[str]:
    """A platform in a process of its own at debug level; its console goes to ``console.log``."""
    (folder / "config").mkdir()
    (folder / "config" / "router_factory_features.yaml").write_text(FEATURES)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        "FSP_DATA_DIR": str(folder / "data"),
        "FSP_CONFIG_DIR": str(folder / "config"),
        "FSP_LOG_DIR": str(log_dir),
        "FSP_LOG_LEVEL": "debug",
        "FSP_SECRET_KEY": SECRETS["key"],
        "FSP_METRICS_TOKEN": SECRETS["scrape"],
    }
    command = [sys.executable, "-m", "fastapi_services_platform.cli", "run", "--port", str(port)]
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=console)
    deadline = monotonic() + 120
    while monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(60) == 0


def visit(base: str) -> list[int]:
    """Requests with every secret in the places where secrets travel."""
    headers = {"authorization": f"Bearer {SECRETS['bearer']}", "cookie": f"session={SECRETS['cookie']}"}
    with httpx.Client(base_url=base, timeout=60) as client:
        return [
            client.get("/health", headers=headers).status_code,
            client.get(f"/?access_token={SECRETS['query']}", headers=headers).status_code,
            client.get(f"/nothing/{SECRETS['query']}", headers=headers).status_code,
            client.get("/metrics", headers={"authorization": f"Bearer {SECRETS['scrape']}"}).status_code,
            client.post("/theme", data={"password": SECRETS["query"]}, headers=headers).status_code,
        ]


def test_console_is_json_file_is_text_and_neither_holds_a_secret(tmp_path: Path) -> None:
    """Every line of the console is an object with time, level, logger and event; the file is for people."""
    logs = tmp_path / "logs"
    with running(tmp_path, logs) as base:
        statuses = visit(base)
    console = (tmp_path / "console.log").read_text()
    text = (logs / "platform.log").read_text()
    events = [json.loads(line) for line in console.splitlines()]
    assert [status for status in statuses if status >= 500 and status != 503] == []
    assert [event for event in events if not {"time", "level", "logger", "event"} <= set(event)] == []
    assert len([event for event in events if event["event"] == "request"]) == len(statuses)
    assert "platform.started" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text.splitlines()[0])
    assert [name for name, secret in SECRETS.items() if secret in console + text] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_log_disk_stops_no_request(tmp_path: Path) -> None:
    """The file cannot be written from the first line on; requests are answered, and the console says so once or so."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "platform.log").symlink_to("/dev/full")
    with running(tmp_path, logs) as base:
        statuses = [httpx.get(f"{base}/health/live", timeout=60).status_code for _ in range(20)]
    events = [json.loads(line) for line in (tmp_path / "console.log").read_text().splitlines()]
    failed = [event for event in events if event["event"] == "log.file_failed"]
    assert statuses == [200] * 20
    assert failed
    assert "No space left" in failed[0]["error"]
    assert len([event for event in events if event["event"] == "request"]) >= 20
