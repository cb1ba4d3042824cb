"""Both vendors on one loopback port, over HTTP/1.1 with connections kept alive."""

import contextlib
import io
import select
import socket
import threading
import time
from typing import TYPE_CHECKING, Self, cast

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .control import control_app
from .faults import Faults
from .request_log import Request
from .traffic import Answer, Hook, Traffic
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_TICK = 0.02
"""Seconds between two looks at whether a hanging client, or the server, has gone."""


class Simulator:
    """Serves a world until the `with` block ends; each request takes `latency` seconds on its way."""

    def __init__(self, world: World, port: int = 0, *, latency: float = 0.0) -> None:
        self.world = world
        self._port = port
        self._traffic = Traffic(world)
        self._traffic.latency = latency
        self._traffic.control = control_app(world, self._traffic.faults, self._traffic.log)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self._traffic, self._port)
        self._traffic.pause = self._server.stopping.wait
        self._port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_TICK,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; hanging answers end at once."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None

    @property
    def url(self) -> str:
        """Where both vendors are; the port is known from the start of the `with` block on."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def site_url(self) -> str:
        """`CONNECTWISE_URL` as a site, whose code base `/login/companyinfo/` tells."""
        return self.url

    def settings(self) -> dict[str, str]:
        """Return the environment with which the connector talks to this simulator (contract, section 1)."""
        return {
            "SOPHOS_CLIENT_ID": self.world.sophos_client_id,
            "SOPHOS_CLIENT_SECRET": self.world.sophos_client_secret,
            "SOPHOS_AUTH_URL": f"{self.url}/api/v2/oauth2/token",
            "SOPHOS_API_URL": self.url,
            "CONNECTWISE_URL": f"{self.url}/v4_6_release/apis/3.0",
            "CONNECTWISE_COMPANY": self.world.company_login,
            "CONNECTWISE_PUBLIC_KEY": self.world.public_key,
            "CONNECTWISE_PRIVATE_KEY": self.world.private_key,
            "CONNECTWISE_CLIENT_ID": self.world.connectwise_client_id,
            "CONNECTOR_TODAY": f"{self.world.today}",
        }

    @property
    def latency(self) -> float:
        """Seconds that each request to a vendor takes on its way, without holding up the others."""
        return self._traffic.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._traffic.latency = seconds

    @property
    def faults(self) -> Faults:
        """What shall go wrong."""
        return self._traffic.faults

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request to either vendor, in order of arrival."""
        return self._traffic.log.all

    @property
    def writes(self) -> tuple[Request, ...]:
        """The requests that would change ConnectWise, whether they succeeded or not."""
        methods = {"POST", "PATCH", "PUT", "DELETE"}
        return tuple(it for it in self.requests if it.vendor == "connectwise" and it.method in methods)

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._traffic.log.clear()

    @property
    def before_request(self) -> Hook | None:
        """Called when a request has arrived and nothing has been done."""
        return self._traffic.before_request

    @before_request.setter
    def before_request(self, hook: Hook | None) -> None:
        self._traffic.before_request = hook

    @property
    def after_commit(self) -> Hook | None:
        """Called when a request has been processed and nothing has been sent."""
        return self._traffic.after_commit

    @after_commit.setter
    def after_commit(self, hook: Hook | None) -> None:
        self._traffic.after_commit = hook


class _Handler(WSGIRequestHandler):
    """Keeps connections alive, which werkzeug's own handler does not, and can break an answer off."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Serve a connection for as long as it lives."""
        server = cast("_Server", self.server)
        server.opened(self.connection)
        try:
            super().handle()
        finally:
            server.closed(self.connection)

    def run_wsgi(self) -> None:
        """Read one request, answer it, leave the connection open."""
        server = cast("_Server", self.server)
        environ = self.make_environ()
        body = self._body(environ)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = server.traffic.answer(environ)
        if answer.response is None:
            self._linger(answer.seconds, server.stopping)
            self._drop()
        else:
            self._send(answer, server.stopping)

    def _body(self, environ: "WSGIEnvironment") -> bytes:
        """Read the whole body, so that the next request on this connection begins where it ends."""
        if environ.get("wsgi.input_terminated"):
            return cast("bytes", environ["wsgi.input"].read())
        length = environ.get("CONTENT_LENGTH", "")
        return self.rfile.read(int(length)) if length.isdigit() else b""

    def _send(self, answer: Answer, stopping: threading.Event) -> None:
        response = answer.response
        assert response is not None  # noqa: S101  the caller has looked
        body = response.get_data()
        self.send_response(response.status_code)
        for name, value in response.headers:
            if name.casefold() not in {"content-length", "connection"}:
                self.send_header(name, value)
        if response.status_code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.manner == "cut":
            self.wfile.write(body[: len(body) // 2])
            self._drop()
        elif answer.manner == "slow":
            self._send_slowly(body, answer.seconds, stopping)
        else:
            self.wfile.write(body)
            self.wfile.flush()

    def _send_slowly(self, body: bytes, seconds: float, stopping: threading.Event) -> None:
        """Send the body in drops over that many seconds; at once when the server stops."""
        drops = max(1, int(seconds / _TICK))
        size = -(-len(body) // drops) or 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
            stopping.wait(_TICK)

    def _linger(self, seconds: float, stopping: threading.Event) -> None:
        """Wait until the time is up, the client has given up or the server stops."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not stopping.wait(_TICK):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _drop(self) -> None:
        """End the connection without another byte."""
        self.close_connection = True
        with contextlib.suppress(OSError):  # the client may have gone first
            self.wfile.flush()
        _cut(self.connection)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's word
        """Stay silent: the request log is the record."""

    def version_string(self) -> str:
        """Name no software, as the vendors do not."""
        return "simulator"


class _Server(ThreadedWSGIServer):
    """A threaded server that can end its open connections."""

    daemon_threads = True

    def __init__(self, traffic: Traffic, port: int) -> None:
        # Bound here, because werkzeug ends the whole process when the port is taken.
        with socket.create_server(("127.0.0.1", port), backlog=128) as bound:
            super().__init__("127.0.0.1", bound.getsockname()[1], _no_app, _Handler, fd=bound.fileno())
        self.traffic = traffic
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._idle = threading.Condition()

    def opened(self, connection: socket.socket) -> None:
        """Note an open connection; one that comes too late is cut at once."""
        with self._idle:
            self._open.add(connection)
            if self.stopping.is_set():
                _cut(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._idle:
            self._open.discard(connection)
            self._idle.notify_all()

    def stop(self) -> None:
        """Stop accepting, cut what is open and wait for its threads."""
        self.stopping.set()
        self.shutdown()
        with self._idle:
            for connection in self._open:
                _cut(connection)
            self._idle.wait_for(lambda: not self._open, timeout=2)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may have gone by itself
        connection.shutdown(socket.SHUT_RDWR)


def _no_app(_environ: object, _start_response: object) -> list[bytes]:
    """Stand in where werkzeug wants an app: the handler goes to `Traffic` itself."""
    raise NotImplementedError
