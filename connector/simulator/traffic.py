"""The way of a request through the simulator: log, limits, hooks, latency, faults, the vendor's app."""

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, unquote_plus

from flask import Flask
from werkzeug.wrappers import Response as PlainResponse

from .connectwise import connectwise_app
from .connectwise_answers import too_many_requests
from .faults import BEFORE, Fault, Faults
from .rate_limits import Throttle
from .request_log import Request, RequestLog
from .sophos import sophos_app
from .spoiled_answers import error_answer, spoil
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Hook = Callable[[str, str, str, int], None]
"""Called with vendor, method, path and the request's number."""

_KEPT_HEADERS = ("content-type", "accept", "clientid", "pagination-type", "x-partner-id", "x-tenant-id")


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send, and how: whole, in drops, cut off in the middle, or not at all."""

    response: PlainResponse | None
    manner: Literal["whole", "slow", "cut", "none"] = "whole"
    seconds: float = 0
    """How long a slow answer takes, or how long the client hangs before the connection is dropped."""


class Traffic:
    """Both vendors behind one door; one request at a time looks at the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults(world.seed)
        self.log = RequestLog()
        self.before_request: Hook | None = None
        self.after_commit: Hook | None = None
        self.control: Flask | None = None
        self.latency = 0.0
        """Seconds that each request to a vendor takes on its way; several are on their way at once."""
        self.pause: Callable[[float], object] = time.sleep
        """Waits that long; the server's own ends early, with True, when it stops."""
        self._throttle = Throttle(world.clock)
        self._apps = {"sophos": sophos_app(world), "connectwise": connectwise_app(world)}

    def answer(self, environ: "WSGIEnvironment") -> Answer:
        """Process one request whose body has been read into `wsgi.input`."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if self.control is not None and (path + "/").startswith("/simulator/"):
            return Answer(PlainResponse.from_app(self.control, environ, buffered=True))
        vendor = vendor_of(path)
        number = self.log.next_number()
        self.log.add(_noted(number, vendor, environ))
        with self._let_in(vendor) as let_in:
            if self.before_request is not None:
                self.before_request(vendor, method, path, number)
            if self.latency > 0 and self.pause(self.latency):
                return Answer(None, "none")
            if not let_in:
                self.log.answered(number, 429, None)
                return Answer(too_many_requests(self.world.connectwise_retry_after))
            answer, fault, processed = self._answered(vendor, environ)
            status = 0 if answer.response is None else answer.response.status_code
            self.log.answered(number, status, fault.kind if fault else None)
            if processed and self.after_commit is not None:
                self.after_commit(vendor, method, path, number)
        return answer

    @contextmanager
    def _let_in(self, vendor: str) -> Iterator[bool]:
        """Count a request among those under way; False for one that ConnectWise's limits refuse."""
        if vendor != "connectwise" or not self.world.connectwise_limits:
            yield True
        elif not self._throttle.enter():
            yield False
        else:
            try:
                yield True
            finally:
                self._throttle.leave()

    def _answered(self, vendor: str, environ: "WSGIEnvironment") -> tuple[Answer, Fault | None, bool]:
        """Let a request at the world; return its answer, the fault that hit it, and if it was processed."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        query = unquote_plus(environ.get("QUERY_STRING", ""))
        with self.world.lock:
            fault = self.faults.take(vendor, method, f"{path}?{query}" if query else path)
            if fault is None:
                return Answer(self._processed(vendor, environ, None)), None, True
            instead = self._instead(vendor, fault)
            if instead is not None:
                return instead, fault, False
            response = self._processed(vendor, environ, fault)
            return self._spoiled(vendor, fault, response, environ), fault, True

    def _instead(self, vendor: str, fault: Fault) -> Answer | None:
        """Answer without processing, where the fault is of that kind."""
        if fault.kind == "timeout-before":
            return Answer(None, "none", fault.delay)
        if fault.kind == "cut-before":
            return Answer(None, "none")
        if fault.kind in BEFORE or (fault.kind == "401-expired-token" and vendor == "connectwise"):
            return Answer(error_answer(self.world, vendor, fault))
        return None

    def _processed(self, vendor: str, environ: "WSGIEnvironment", fault: Fault | None) -> PlainResponse:
        if fault is not None and fault.kind == "401-expired-token":
            self.world.revoke_tokens()
        if fault is not None and fault.kind == "shuffle-pages":
            environ["simulator.shuffle"] = True
        if fault is not None and fault.kind == "false-200":
            # The stored record comes back with 200 although nothing was saved.
            environ["REQUEST_METHOD"] = "GET"
        # The apps get a copy of the environment, so what they have to tell goes into this.
        environ["simulator.notes"] = {}
        return PlainResponse.from_app(self._apps[vendor], environ, buffered=True)

    def _spoiled(
        self, vendor: str, fault: Fault, response: PlainResponse, environ: "WSGIEnvironment"
    ) -> Answer:
        """Give the answer of a processed request the way the fault wants it."""
        match fault.kind:
            case "timeout-after":
                return Answer(None, "none", fault.delay)
            case "cut-after":
                return Answer(None, "none")
            case "error-after":
                return Answer(error_answer(self.world, vendor, fault))
            case "slow-body":
                return Answer(response, "slow", fault.delay)
            case "cut-body":
                return Answer(response, "cut")
            case "401-expired-token" | "shuffle-pages" | "false-200":
                return Answer(response)
        from_key = environ["simulator.notes"].get("from_key")
        body = spoil(fault, response.get_data(), from_key) if response.status_code < 300 else None
        if body is None:
            self.faults.give_back(fault)
        else:
            response.set_data(body)
        return Answer(response)


def vendor_of(path: str) -> str:
    """Tell the vendors apart by their paths; Sophos has everything that ConnectWise has not."""
    first = path.split("/", 2)[1] if "/" in path else ""
    is_connectwise = "/apis/3.0" in path or first in {"login", "apis"} or first.startswith("v4_6")
    return "connectwise" if is_connectwise else "sophos"


def _noted(number: int, vendor: str, environ: "WSGIEnvironment") -> Request:
    headers = {}
    for name in _KEPT_HEADERS:
        key = name.upper().replace("-", "_")
        value = environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}")
        if value:
            headers[name] = value
    if "HTTP_AUTHORIZATION" in environ:
        headers["authorization"] = environ["HTTP_AUTHORIZATION"].split(" ")[0]
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    body = _json_body(environ)
    return Request(number, vendor, environ["REQUEST_METHOD"], environ["PATH_INFO"], query, body, headers)


def _json_body(environ: "WSGIEnvironment") -> Any:
    data = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(data)
    if "json" not in environ.get("CONTENT_TYPE", "") or environ["PATH_INFO"].endswith("/token"):
        return None  # the token endpoint's body holds the secret
    try:
        return json.loads(data)
    except ValueError:
        return None
