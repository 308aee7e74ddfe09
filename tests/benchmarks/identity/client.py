"""A client that costs little: one keep-alive connection over a plain socket."""

import json
import socket
from typing import Any
from urllib.parse import urlencode


class Connection:
    """One connection to the server on a port of this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(120)
        self.head = ""

    def call(
        self, method: str, path: str, body: bytes = b"", kind: str = "", token: str = "", extra: str = ""
    ) -> tuple[int, bytes]:
        """Status and body of an answer; ``extra`` is another header."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        if kind:
            head += f"Content-Type: {kind}\r\n"
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        if extra:
            head += f"{extra}\r\n"
        self._socket.sendall(head.encode() + b"\r\n" + body)
        return self._read()

    def register(self, email: str, password: str) -> int:
        """Make an account."""
        body = json.dumps({"email": email, "password": password}).encode()
        return self.call("POST", "/auth/register", body, "application/json")[0]

    def json(self, method: str, path: str, body: object, token: str = "") -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer to JSON."""
        status, answer = self.call(method, path, json.dumps(body).encode(), "application/json", token)
        return status, json.loads(answer or b"{}")

    def login(self, email: str, password: str) -> tuple[int, dict[str, Any]]:
        """Status and tokens of a sign-in."""
        body = urlencode({"username": email, "password": password}).encode()
        status, answer = self.call("POST", "/auth/jwt/login", body, "application/x-www-form-urlencoded")
        return status, json.loads(answer)

    def page_session(self, email: str, password: str) -> str:
        """The session cookie of a sign-in on the page."""
        page = self.call("GET", "/login")[1].decode()
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        body = urlencode({"csrf_token": token, "email": email, "password": password}).encode()
        self.call("POST", "/login", body, "application/x-www-form-urlencoded")
        return self.head.split("identity_session=")[1].split(";")[0]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self) -> tuple[int, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length, self.head = 0, head.decode()
        for line in head.lower().split(b"\r\n")[1:]:
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += self._more()
        return int(head.split(b" ", 2)[1]), body

    def _more(self) -> bytes:
        part = self._socket.recv(65536)
        if not part:
            raise ConnectionError("the server hung up")
        return part
