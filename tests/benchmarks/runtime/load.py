"""Keep-alive requests over raw sockets: cheap for the client, so that two cores suffice."""

import socket

CONNECTIONS = 8
_HEADERS = "Host: localhost\r\nAccept: application/json\r\nUser-Agent: bench\r\nAuthorization: Bearer ada\r\n\r\n"


def request(path: str) -> bytes:
    """The bytes of a request."""
    return f"GET {path} HTTP/1.1\r\n{_HEADERS}".encode()


class Load:
    """A few connections that send the same request in turn."""

    def __init__(self, port: int) -> None:
        self._connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
        for connection in self._connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(10)

    def send(self, path: str, count: int, status: int = 200) -> None:
        """Send ``count`` requests and read every answer.

        Raises:
            RuntimeError: an answer has another status.
        """
        data = request(path)
        expected = f"HTTP/1.1 {status} ".encode()
        for _ in range(count // CONNECTIONS):
            for connection in self._connections:
                connection.sendall(data)
            for connection in self._connections:
                if not _read(connection).startswith(expected):
                    raise RuntimeError(f"{path} was not answered with {status}")

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.close()


def _read(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lower = head.lower()
    mark = lower.find(b"content-length:")
    if mark >= 0:
        length = int(lower[mark + 15 :].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += connection.recv(65536)
    return head
