"""One place that says what each failure means: which error, in whose words, and what to do next.

Unreachable           5  (connector.errors)
├── Unclear           5  a write left us and nobody can say whether it was carried out
└── Throttled         5  too many requests; this one was certainly not carried out
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from connector.errors import Nonsense, SettingsFault, Unreachable, VendorError
from connector.vendors.answers import TooLarge, TooSlow
from connector.vendors.calls import Answer, Call, retry_after
from connector.vendors.fields import Malformed
from connector.vendors.redaction import Redactor, shown

# More than this of what a vendor says is never looked at: redacting takes time.
_LONGEST_SAID = 1 << 16

_Error = TypeVar("_Error", bound=VendorError)

_LATER = "Run the same command again later."
_READ_FIRST = "Run the same command again: it reads what is there before it writes anything."


class Unclear(Unreachable):
    """A write left us and nobody can say whether it was carried out: read before anything else."""

    code = "UNCLEAR"


class Throttled(Unreachable):
    """Too many requests; this one was not carried out. `retry_after` is in seconds, if given."""

    code = "THROTTLED"
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one vendor says what went wrong.

    `words` takes the vendor's own sentence out of an error document. `advice` gets the status, the
    words and the right that the call needs, and returns the error that a 4xx means, with its next
    step. `passing_500` judges by the text whether a 500 may pass.
    """

    vendor: str
    words: Callable[[object], str]
    request_id: Callable[[Mapping[str, str], object], str | None]
    passing_500: Callable[[str], bool]
    advice: Callable[[int, str, str], tuple[type[VendorError], str]]


class Setback(Exception):
    """One attempt failed: the error it would be, and whether another attempt makes sense."""

    def __init__(
        self, error: VendorError, *, passing: bool = False, reached: bool = True, wait: float | None = None
    ) -> None:
        super().__init__(error.message)  # redacted already: stamina's hooks log it
        self.error = error
        self.passing = passing
        self.reached = reached  # the vendor may have carried the request out
        self.wait = wait
        self.late = False  # no answer came in time


@dataclass(frozen=True, slots=True)
class Failures:
    """Turns whatever came back from one vendor into the error it means."""

    dialect: Dialect
    redact: Redactor

    def nonsense(self, doing: str, what: str, answer: Answer | None = None) -> Nonsense:
        """Return the error for an answer whose content cannot be what it should be."""
        next_step = (
            f"Run the same command again; if it repeats, show this to {self.dialect.vendor}'s support."
        )
        said = f"answered nonsense while {doing}: {shown(self.redact(what), 500)}"
        return self._made(Nonsense, said, next_step, answer)

    @contextmanager
    def reading(self, doing: str, answer: Answer | None = None) -> Iterator[None]:
        """Turn whatever is Malformed in an answer into Nonsense."""
        try:
            yield
        except Malformed as flaw:
            raise self.nonsense(doing, str(flaw), answer) from None

    def request_id(self, headers: Mapping[str, str], document: object) -> str | None:
        """Return what the vendor's support wants to know, fit to be shown."""
        return shown(self.redact(self.dialect.request_id(headers, document) or ""), 100) or None

    def no_answer(self, call: Call, error: Exception) -> Setback:
        """Judge a request without any answer: no connection, a time-out, a cut before the status line."""
        host = urlsplit(call.url).netloc
        reason = shown(self.redact(_innermost(error)))
        said = f"could not be reached at {host} while {call.doing}: {reason}"
        if isinstance(error, requests.Timeout):
            said = f"did not answer in time at {host} while {call.doing}"
        distrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        setback = Setback(
            self._made(
                Unreachable,
                said,
                "Set REQUESTS_CA_BUNDLE to the certificates of that server." if distrusted else _LATER,
            ),
            passing=isinstance(error, requests.ConnectionError | requests.Timeout) and not distrusted,
            reached=not (distrusted or _never_left(error)),
        )
        setback.late = isinstance(error, requests.ReadTimeout)
        return setback

    def broken(self, call: Call, answer: Answer, flaw: Exception) -> Setback:
        """Judge a 2xx whose body did not come whole."""
        if isinstance(flaw, TooLarge):
            return Setback(self.nonsense(call.doing, "the answer is larger than 64 MiB", answer))
        what = "took too long to finish" if isinstance(flaw, TooSlow) else "broke off"
        error = self._made(Unreachable, f"{what} its answer while {call.doing}", _LATER, answer)
        return Setback(error, passing=True)

    def unreadable(self, call: Call, answer: Answer, why: str, body: bytes) -> Setback:
        """Judge a 2xx whose body is no JSON."""
        what = f"{why}: {self._quoted(body)}" if body else "the answer is empty"
        return Setback(self.nonsense(call.doing, what, answer))

    def refused(self, call: Call, answer: Answer, body: bytes) -> Setback:
        """Judge any status that is not a 2xx."""
        status = answer.status
        if not 400 <= status < 600:
            what = "a redirect, which is never followed" if 300 <= status < 400 else "no known status"
            return Setback(self.nonsense(call.doing, f"{status}, {what}", answer))
        words = shown(self.redact(self.dialect.words(answer.document)[:_LONGEST_SAID])) or self._quoted(body)
        said = f"{status}, {words}" if words else f"{status}"
        if status == 429:
            throttled = self._made(
                Throttled, f"has had too many requests while {call.doing}: {said}", _LATER, answer
            )
            throttled.retry_after = retry_after(answer.headers)
            return Setback(throttled, passing=True, reached=False, wait=throttled.retry_after)
        if status >= 500:
            passing = status in {502, 503, 504} or (
                status == 500 and self.dialect.passing_500(body.decode("utf-8", "replace"))
            )
            failed = self._made(Unreachable, f"failed while {call.doing}: {said}", _LATER, answer)
            return Setback(failed, passing=passing, wait=retry_after(answer.headers))
        kind, next_step = self.dialect.advice(status, words, call.right)
        return Setback(self._made(kind, f"refused {call.doing}: {said}", next_step, answer), reached=False)

    def given_up(self, call: Call) -> Unreachable:
        """Return the error of a request that does not leave, because nobody waits for its answer any more."""
        return self._made(Unreachable, f"was not asked while {call.doing}: the run has ended", _LATER)

    def certificates_missing(self, error: OSError) -> SettingsFault:
        """Return the fault of a REQUESTS_CA_BUNDLE that cannot be read."""
        return SettingsFault(
            f"The certificates to check {self.dialect.vendor} by cannot be read: "
            f"{shown(self.redact(str(error)))}",
            "Set REQUESTS_CA_BUNDLE to a file of PEM certificates, or unset it.",
        )

    def unclear(self, error: VendorError, before: str = "") -> Unclear:
        """Return the same failure, for a write that may have been carried out."""
        return Unclear(
            f"{before[:1].upper()}{before[1:]}{error.message} Whether it was carried out is unclear.",
            _READ_FIRST,
            vendor=error.vendor,
            status=error.status,
            request_id=error.request_id,
        )

    def _made(self, kind: type[_Error], said: str, next_step: str, answer: Answer | None = None) -> _Error:
        request_id = answer.request_id if answer else None
        end = "" if said.endswith((".", "!", "?")) else "."
        return kind(
            f"{self.dialect.vendor} {said}{end}{f' Request id {request_id}.' if request_id else ''}",
            next_step,
            vendor=self.dialect.vendor,
            status=answer.status if answer else None,
            request_id=request_id,
        )

    def _quoted(self, body: bytes) -> str:
        text = shown(self.redact(body[:_LONGEST_SAID].decode("utf-8", "replace")), 200)
        return f'"{text}"' if text else ""


def _innermost(error: BaseException) -> str:
    """Return what the system said, without the three wrappings of the libraries above it."""
    for _ in range(5):
        inner = getattr(error, "reason", None) or error.__cause__
        within = [part for part in (inner, *reversed(error.args)) if isinstance(part, BaseException)]
        if not within:
            break
        error = within[0]
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _never_left(error: Exception) -> bool:
    """Whether a request failed before a byte of it was sent: no connection was ever made."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
