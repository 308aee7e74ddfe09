"""uvicorn's HTTP protocol with an end to what a request head may take, and with a cheap refusal under overload.

uvicorn bounds neither size nor time of a head. And what it makes of a request before an application sees it costs as
much as a small answer: so the platform's edge is asked first, and the bytes of a refusal are written here.
"""

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fastapi_services_platform.http.door.request_limits import HEADER_LINE_BYTES
from fastapi_services_platform.http.edge import QUEUED, Edge

HEAD_SECONDS = 20.0
_BODY = frozenset({b"content-length", b"transfer-encoding"})

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 17\r\n"
    b"connection: close\r\n\r\nHeaders too large"
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection whose request head is larger than the limit, or whose first head does not come in time.

    Refuses a request that the edge does not take. A refused request with a body ends the connection, since nobody
    reads the body.
    """

    _head_bytes = 0
    _in_head = True
    _refused = False
    _deadline: asyncio.TimerHandle | None = None
    _edge: Edge | None = None

    def connection_made(self, transport: Any) -> None:  # Any: uvicorn's own signature
        """A client has connected; its first request head must come soon."""
        super().connection_made(transport)
        self._edge = getattr(self.app, "edge", None)
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and count while it is in a head."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEADER_LINE_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes, self._refused = True, 0, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._cancel()
        if self._is_taken():
            super().on_headers_complete()
        else:
            self._refuse()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on, unless its request was refused."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request, unless it was refused."""
        if not self._refused:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # Any: uvicorn's own signature
        edge = self._edge
        if edge is None:
            super()._start_asgi_task(cycle, app)
            return
        cycle.scope[QUEUED] = True  # type: ignore[literal-required]  # read by our edge only
        at_once = edge.turn.is_crowded and edge.is_own(cycle.scope["method"], cycle.scope["path"])
        edge.turn.admit(partial(super()._start_asgi_task, cycle, app), at_once=at_once)

    def _is_taken(self) -> bool:
        edge = self._edge
        if edge is None or self.parser.should_upgrade():
            return True
        if self.cycle is not None and not self.cycle.response_complete:
            return True  # pipelined: its answer has to wait for that of the one before
        path = self.url.partition(b"?")[0].decode("latin-1")
        return edge.takes(self.parser.get_method().decode("ascii"), path)

    def _refuse(self) -> None:
        self._refused = True
        edge = self._edge
        if edge is None or self.transport.is_closing():
            return
        bodied = any(name in _BODY and value != b"0" for name, value in self.headers)
        closing = bodied or not self.parser.should_keep_alive()
        head = self.parser.get_method() == b"HEAD"
        self.transport.write(edge.busy.rendered(self.headers, head=head, closing=closing))
        if closing:
            self.transport.close()
        else:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
