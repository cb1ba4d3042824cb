"""What every test of the vendors' clients needs: no waiting, a clean environment, a raw server."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
import responses
import stamina

from connector.vendors.hands import NAME as HAND


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # of the pause after a 429
    stamina.set_testing(True, attempts=5, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "requests_ca_bundle",
        "curl_ca_bundle",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path_factory.getbasetemp() / "no-netrc"))


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """Answers in place of the network; what it does not know is a connection error."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock
        # What nobody waited for would be asked of the next test's network.
        for thread in threading.enumerate():
            if thread.name == HAND:
                thread.join(timeout=60)
                assert not thread.is_alive()


class RawServer:
    """A loopback server that plays one byte string for each request it has read.

    `None` closes the connection instead of answering; a string after `CLOSE` is the last on its
    connection. Every request is kept whole, with the number of the connection it came over.
    """

    CLOSE = b"#close#"

    def __init__(self) -> None:
        self.script: list[bytes | None] = []
        self.requests: list[bytes] = []
        self.connections: list[int] = []
        self.closed = threading.Event()
        self._opened = 0
        self._current: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def methods(self) -> list[str]:
        return [request.split(b" ", 1)[0].decode() for request in self.requests]

    def stop(self) -> None:
        for open_socket in (self._listener, self._current):
            with suppress(OSError):
                if open_socket is not None:
                    open_socket.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._opened += 1
                self._current = connection
                with closing(connection):
                    connection.settimeout(5)
                    self._converse(connection)
                self.closed.set()

    def _converse(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while (request := self._read(connection)) is not None:
                self.requests.append(request)
                self.connections.append(self._opened)
                answer = self.script.pop(0) if self.script else None
                if answer is None:
                    return
                connection.sendall(answer.removeprefix(self.CLOSE))
                if answer.startswith(self.CLOSE):
                    return

    def _read(self, connection: socket.socket) -> bytes | None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


@pytest.fixture
def server() -> Iterator[RawServer]:
    raw = RawServer()
    yield raw
    raw.stop()
