"""A server between the connector and the simulator, which can send any bytes in place of an answer."""

import http.client
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast
from urllib.parse import unquote_plus, urlsplit

from connector.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what the simulator answered to it."""

    method: str
    path: str
    """With its query, decoded."""
    asked: Mapping[str, str]
    """The request's headers."""
    sent: bytes
    """The request's body."""
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send instead; `raw` is sent as it is, and the connection is closed behind it."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


Spoil = Callable[[Exchange], Reply | None]
"""Says what to send instead of an answer; None passes it on."""


class Between:
    """Passes requests on to a simulator until the `with` block ends, and answers as `spoil` says."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._server: _Server | None = None
        self.spoil: Spoil | None = None
        self.withholds_writes = False
        """Whether writes to ConnectWise stay here, so that `spoil` answers what was never carried out."""

    def __enter__(self) -> Self:
        self._server = _Server(self, urlsplit(self._simulator.url).netloc)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self) -> dict[str, str]:
        """Return the simulator's settings, with this server's address in them."""
        given = self._simulator.settings()
        return {name: value.replace(self._simulator.url, self.url) for name, value in given.items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, between: Between, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.between = between
        self.behind = behind

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that hangs up on nonsense is what is wanted."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        withheld = server.between.withholds_writes and self.command != "GET" and "/apis/" in self.path
        exchange = self._withheld(sent) if withheld else self._passed_on(server.behind, sent)
        reply = server.between.spoil(exchange) if server.between.spoil is not None else None
        if reply is None:
            reply = Reply(exchange.body, exchange.status, exchange.headers)
        with suppress(OSError):
            if reply.raw is not None:
                self.close_connection = True
                self.connection.sendall(reply.raw)
                self.connection.shutdown(socket.SHUT_WR)
            else:
                self.connection.sendall(written(reply))

    do_POST = do_PATCH = do_GET  # noqa: N815  # http.server's words

    def _withheld(self, sent: bytes) -> Exchange:
        return Exchange(self.command, unquote_plus(self.path), dict(self.headers.items()), sent, 500, {}, b"")

    def _passed_on(self, behind: str, sent: bytes) -> Exchange:
        asked = dict(self.headers.items())
        connection = http.client.HTTPConnection(behind, timeout=20)
        try:
            connection.request(self.command, self.path, sent or None, asked)
            answer = connection.getresponse()
            headers = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}
            }
            path = unquote_plus(self.path)
            return Exchange(self.command, path, asked, sent, answer.status, headers, answer.read())
        finally:
            connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


def written(reply: Reply) -> bytes:
    """Return a reply as it goes over the wire; headers may hold any Latin-1."""
    lines = [f"HTTP/1.1 {reply.status} X"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if "Content-Length" not in reply.headers and "Transfer-Encoding" not in reply.headers:
        lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body
