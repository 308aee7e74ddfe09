"""What the shell calls: fsp, au-sys-identity and a worker. TINY_MODE makes them misbehave."""

import errno
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODE = os.environ.get("TINY_MODE", "")
CAPABILITY = {
    "name": "tiny",
    "version": "1.0.0",
    "summary": "tiny",
    "state": "initialized",
    "distribution": "tiny-runtime 1.0.0",
    "routes": 3,
    "permissions": ["tiny.read"],
    "provides": ["authenticator@1"],
    "database": {"head": "0001"},
    "processes": [{"name": "tinyworker", "command": ["tiny-worker"]}],
    "menu": ["/things"],
    "entry_page": "/login",
}
ANSWERS: dict[str, Any] = {
    "/health/live": {"status": "healthy"},
    "/health/ready": {"status": "healthy"},
    "/health": {"status": "healthy", "capabilities": {"tiny": {"status": "healthy", "detail": ""}}},
    "/discovery": {
        "capabilities": [{"name": "tiny", "version": "1.0.0"}],
        "routes": [{"path": "/health", "methods": ["GET"]}],
    },
    "/users/me": {"id": "7"},
    "/openapi.json": {"paths": {"/health": {"get": {}}, "/things/{name}": {"get": {}}}},
}


class Handler(BaseHTTPRequestHandler):
    """A few fixed answers; /things wants a token."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log is for what a test looks for."""

    def do_GET(self) -> None:
        if self.path.startswith("/things"):
            signed_in = self.headers.get("Authorization") == "Bearer tiny-access-token"
            self._answer(200 if signed_in else 401, {"things": ["a", "b"]} if signed_in else {"title": "Who are you?"})
        elif MODE == "unready" and self.path == "/health/ready":
            self._answer(503, {"status": "unhealthy"})
        elif self.path in ANSWERS:
            self._answer(200, ANSWERS[self.path])
        else:
            self._answer(404, {"title": "Not found"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/auth/jwt/login":
            self._answer(200, {"access_token": "tiny-access-token", "refresh_token": "tiny-refresh-token"})
        else:
            self._answer(202, {})

    def do_DELETE(self) -> None:
        self._answer(204, None)

    def _answer(self, status: int, document: object) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """fsp list, migrate, run."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--version"]:
        print("fsp 1.0.0")
    elif arguments[:1] == ["list"]:
        print(json.dumps({"capabilities": [CAPABILITY]}))
    elif arguments[:1] == ["routes"]:
        things = {"path": "/things/{name}", "methods": ["GET"], "access": "tiny.read"}
        print(json.dumps([{"path": "/health", "methods": ["GET"], "access": "public"}, things]))
    elif arguments[:1] == ["migrate"]:
        if MODE == "unmigratable":
            sys.exit("tiny: the table is on fire")
        if MODE == "full disk":
            sys.exit(f"tiny: {OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))}: {os.environ['FSP_DATA_DIR']}/tiny.db")
        print(json.dumps([{"database": "tiny", "current": "0001", "head": "0001"}]))
    elif arguments[:1] == ["run"]:
        _serve(int(arguments[arguments.index("--port") + 1]))


def _serve(port: int) -> None:
    if MODE == "dies at start":
        sys.exit("tiny: no can do")
    print(f"tiny: secret key has {len(os.environ['FSP_SECRET_KEY'])} characters", flush=True)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


def identity() -> None:
    """au-sys-identity create-admin."""
    if sys.argv[1:2] == ["--version"]:
        print("au-sys-identity 1.0.0")
        return
    email = sys.argv[sys.argv.index("--email") + 1]
    (Path(os.environ["FSP_DATA_DIR"]) / "tiny.db").write_text(email)
    print(json.dumps({"email": email, "password": "one-time-tiny-password"}))


def worker() -> None:
    """Waits until it is told to stop."""
    if sys.argv[1:] == ["--version"]:
        print("tiny-worker 1.0.0")
        return
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            signal.pause()
    signal.sigwait({signal.SIGTERM})
