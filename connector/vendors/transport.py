"""One requests session for each vendor: the only place with time-outs, retries, pace and a count."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import unquote, urlsplit

import requests
import stamina
import urllib3
from requests.adapters import HTTPAdapter

from connector.errors import Unreachable
from connector.vendors.answers import CutShort, TooLarge, TooSlow, parse_json, read_body
from connector.vendors.calls import Answer, Call, Patience, http_date
from connector.vendors.checked import is_loopback
from connector.vendors.failures import Dialect, Failures, Setback, Throttled, Unclear
from connector.vendors.pace import Pace
from connector.vendors.redaction import Redactor, shown

__all__ = [
    "Answer",
    "Call",
    "Dialect",
    "Exchange",
    "Pace",
    "Patience",
    "Throttled",
    "Trace",
    "Transport",
    "Unclear",
]


class Exchange(str):
    """The redacted line that tells of one request, which knows its parts, too."""

    __slots__ = ("method", "request_id", "status", "vendor")

    vendor: str
    method: str
    status: int | None
    request_id: str | None

    @classmethod
    def told(
        cls, line: str, *, vendor: str, method: str, status: int | None, request_id: str | None
    ) -> "Exchange":
        """Return a line with its parts; `status` is None where no answer came."""
        made = cls(line)
        made.vendor, made.method, made.status, made.request_id = vendor, method, status, request_id
        return made


Trace = Callable[[Exchange], None]

# Without a handler Python prints stamina's bare "retry_scheduled" to stderr; our trace says more.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class _Session(requests.Session):
    """A session to which every answer is final."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that no answer leads anywhere: requests would read one that does, even told not to follow."""
        del resp


class Transport:
    """Sends calls to one vendor, from several threads at once.

    The session is shared: nothing in it changes after __init__ (cookies are refused; headers and
    sign-in travel with each call), and the connection pool below it is made for threads.
    """

    def __init__(
        self,
        dialect: Dialect,
        secrets: Iterable[str] = (),
        *,
        pace: Pace | None = None,
        patience: Patience | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.redact = Redactor(secrets)
        self.failures = Failures(dialect, self.redact)
        self.server_date: datetime | None = None
        self.pace = pace or Pace()
        self._vendor = dialect.vendor
        self._patience = patience or Patience()
        self._trace = trace
        self._closed = False
        self._counter: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._session = _Session()
        self._session.headers["User-Agent"] = "sophos-connectwise-connector"
        self._session.headers["Accept"] = "application/json"
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("https://", "http://"):
            # max_retries=0 becomes Retry(0, read=False): urllib3 sends once. A pooled connection
            # that the server has closed is replaced before sending, or fails; nothing is resent.
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=8, max_retries=0))

    @property
    def counts(self) -> dict[str, int]:
        """How many requests left so far, by method, repetitions included."""
        with self._lock:
            return dict(self._counter)

    def close(self) -> None:
        """Let nothing more leave, and tell nothing more, whatever threads still wait here; hang up."""
        self._closed = True
        self._session.close()

    def send(self, call: Call) -> Answer:
        """Return the answer to a call; every other ending is a VendorError."""
        # Not on stamina's clock: other requests' pauses must not use up the patience for this one.
        turn = self.pace.wait() if call.turn is None else call.turn
        met: list[Setback] = []
        try:
            if call.effect == "adds":  # outside of any loop, so that nothing can ever repeat it
                return self._attempt(call, met, turn)
            for attempt in stamina.retry_context(
                on=self.wait_before_repeating,
                attempts=self._patience.attempts,
                timeout=self._patience.total_seconds,
                wait_initial=self._patience.wait_initial,
                wait_max=self._patience.wait_max,
                wait_jitter=self._patience.wait_jitter,
            ):
                with attempt:
                    return self._attempt(call, met, turn if attempt.num == 1 else self.pace.wait())
        except Setback as setback:
            error = setback.error
        # A refusal is the last word on its own attempt only: an earlier one may have been carried out.
        counted = met if call.effect == "adds" or isinstance(error, Unreachable) else met[:-1]
        unclear = call.effect != "reads" and any(setback.reached for setback in counted)
        raise self.failures.unclear(error) if unclear else error

    def wait_before_repeating(self, error: Exception) -> bool | float:
        """Stamina's hook: whether to try again, or the seconds that the vendor asked us to wait."""
        if self._closed or not isinstance(error, Setback) or not error.passing:
            return False
        if isinstance(error.error, Throttled):
            return 0.0  # the pause is everybody's, and so is the wait for its end
        return True if error.wait is None else self._capped(error.wait)

    def _capped(self, seconds: float) -> float:
        return min(seconds, self._patience.retry_after_cap)

    def _attempt(self, call: Call, met: list[Setback], turn: int) -> Answer:
        if self._closed:
            raise Setback(self.failures.given_up(call), reached=False)
        try:
            return self._exchange(call)
        except Setback as setback:
            met.append(setback)
            if isinstance(setback.error, Throttled):
                self.pace.pause(None if setback.wait is None else self._capped(setback.wait), turn)
            if sum(each.late for each in met) >= self._patience.timeouts:
                setback.passing = False
            raise

    def _exchange(self, call: Call) -> Answer:
        with self._lock:
            self._counter[call.method] += 1
        started = time.monotonic()
        try:
            response = self._request(call)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            self._tell(call, started, type(error).__name__, None)
            raise self.failures.no_answer(call, error) from None
        except OSError as error:
            raise self.failures.certificates_missing(error) from None
        with response:
            body, flaw = self._body(response)
        document, why = _parsed(body)
        request_id = self.failures.request_id(response.headers, document)
        answer = Answer(response.status_code, response.headers, document, request_id)
        self.server_date = http_date(response.headers.get("Date", "")) or self.server_date
        self._tell(call, started, answer.status, request_id)
        if answer.status in call.handled:
            return answer
        if not 200 <= answer.status < 300:
            raise self.failures.refused(call, answer, body)
        if flaw is not None:
            raise self.failures.broken(call, answer, flaw)
        if why:
            raise self.failures.unreadable(call, answer, why, body)
        return answer

    def _request(self, call: Call) -> requests.Response:
        host = urlsplit(call.url).hostname or ""
        return self._session.request(
            call.method,
            call.url,
            params=call.params,
            data=call.body,
            headers=call.headers,
            auth=call.auth,
            timeout=(self._patience.timeout_connect, self._patience.timeout_read),
            allow_redirects=False,
            stream=True,
            proxies={"no_proxy": host} if is_loopback(host) else None,
        )

    def _body(self, response: requests.Response) -> tuple[bytes, Exception | None]:
        try:
            return read_body(response, seconds=self._patience.total_seconds), None
        except (CutShort, TooLarge, TooSlow) as flaw:
            return b"", flaw

    def _tell(self, call: Call, started: float, result: int | str, request_id: str | None) -> None:
        if self._trace is None or self._closed:
            return
        path = unquote(requests.Request(call.method, call.url, params=call.params).prepare().path_url)
        milliseconds = round((time.monotonic() - started) * 1000)
        line = f"{self._vendor} {call.method} {path} {result} {milliseconds} ms {request_id or '-'}"
        self._trace(
            Exchange.told(
                shown(self.redact(line), 2000),
                vendor=self._vendor,
                method=call.method,
                status=result if isinstance(result, int) else None,
                request_id=request_id,
            )
        )


def _parsed(body: bytes) -> tuple[object, str]:
    """Return the document and why there is none, one of them empty."""
    try:
        return parse_json(body), ""
    except UnicodeDecodeError:
        return None, "the answer is no UTF-8 text"
    except ValueError as error:
        return None, f"the answer is no JSON ({error})"
