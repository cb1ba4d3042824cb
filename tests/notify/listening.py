"""Real servers of the protocols that messages go out by: SMTP, HTTP, and one that never answers."""

import email
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "correct-horse-battery"


@dataclass
class Mailbox:
    """What an SMTP server took."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refusing: bool = False

    @property
    def address(self) -> str:
        """Its address for CONNECTOR_NOTIFY."""
        return f"mailto://clerk:{PASSWORD}@127.0.0.1:{self.port}?mode=insecure&from=job@msp.example&to=desk@msp.example"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail, or refuse it."""
        if self.refusing:
            return "554 No"
        content = envelope.content or b""
        assert isinstance(content, bytes)
        self.mails.append(email.message_from_bytes(content, policy=policy.default))
        return "250 OK"


@contextmanager
def smtp() -> Iterator[Mailbox]:
    """Serve SMTP with a sign-in."""
    box = Mailbox()

    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _how: str, said: object
    ) -> AuthResult:
        assert isinstance(said, LoginPassword)
        return AuthResult(success=said.password == PASSWORD.encode())

    with socket.create_server(("127.0.0.1", 0)) as probe:
        box.port = probe.getsockname()[1]
    controller = Controller(
        box, hostname="127.0.0.1", port=box.port, authenticator=authenticate, auth_require_tls=False
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Posted:
    """One request that an HTTP server took."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Hook:
    """What an HTTP server was sent, and what it answers: the statuses in turn, the last one for ever."""

    port: int = 0
    posted: list[Posted] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [200])

    def address(self, scheme: str, path: str = "/hook") -> str:
        """Its address for CONNECTOR_NOTIFY."""
        return f"{scheme}://clerk:{PASSWORD}@127.0.0.1:{self.port}{path}"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def http() -> Iterator[Hook]:
    """Serve HTTP."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            hook.posted.append(Posted(self.command, self.path, dict(self.headers.items()), body))
            status = hook.statuses.pop(0) if len(hook.statuses) > 1 else hook.statuses[0]
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{hook.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's word
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hanging() -> Iterator[int]:
    """Listen and never answer; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def nobody() -> int:
    """Return a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
