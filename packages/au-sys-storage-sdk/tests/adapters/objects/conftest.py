"""A real S3 server over HTTP: OpenStack Swift with its S3 API, started for a module."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
import pytest
from obstore.store import S3Store

KEYS = {"AWS_ACCESS_KEY_ID": "test:tester", "AWS_SECRET_ACCESS_KEY": "testing"}


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def with_bucket(endpoint: str) -> str:
    """The endpoint, once its bucket is there."""
    store = S3Store(
        "bucket", endpoint=endpoint, region="us-east-1", access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"], client_options={"allow_http": True},
    )  # fmt: skip
    made = httpx.put(obstore.sign(store, "PUT", "", timedelta(minutes=1)), timeout=60)
    assert made.status_code == 200, made.text
    return endpoint


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with an empty bucket; its keys are in the environment meanwhile."""
    folder, port = tmp_path_factory.mktemp("swift"), free_port()
    script = Path(__file__).with_name("swift_server.py")
    command = [sys.executable, "-W", "ignore", str(script), str(folder), str(port)]
    with pytest.MonkeyPatch.context() as environment, (folder / "log").open("w") as log:
        for name, value in KEYS.items():
            environment.setenv(name, value)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as server:
            assert server.stdout
            try:
                assert server.stdout.readline() == "serving\n", (folder / "log").read_text()
                yield with_bucket(f"http://127.0.0.1:{port}")
            finally:
                server.terminate()
