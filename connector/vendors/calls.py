"""What goes to a vendor and what comes back, as values."""

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import requests
from requests.auth import AuthBase

Effect = Literal["reads", "sets", "adds"]
"""What a request does: what reads may be repeated, and so may a write that sets absolute values;
what adds a record is sent exactly once."""


class NoSignIn(AuthBase):
    """Sends no credentials, and by being there keeps requests from taking some out of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request


class SignIn(AuthBase):
    """Sends one Authorization header, whatever ~/.netrc says of the host."""

    def __init__(self, header: str) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header."""
        request.headers["Authorization"] = self._header
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    `doing` completes "while ..." in every error, `right` is the permission it needs, and an answer
    with one of the `handled` statuses is returned instead of raised. `turn` is what `Pace.wait` returned,
    where whoever sends it has waited for it already.
    """

    url: str
    doing: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: AuthBase = field(default_factory=NoSignIn)
    effect: Effect = "reads"
    right: str = ""
    handled: frozenset[int] = frozenset()
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor said; `document` is None where it is no JSON, which only a failure may be."""

    status: int
    headers: Mapping[str, str]
    document: object
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and how often, a vendor is given the chance to answer."""

    attempts: int = 5
    total_seconds: float = 120.0
    timeout_connect: float = 10.0
    timeout_read: float = 30.0
    timeouts: int = 2  # so many answers that did not come in time, and it is not asked again
    retry_after_cap: float = 120.0
    wait_initial: float = 0.5
    wait_max: float = 30.0
    wait_jitter: float = 0.5


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header, written as seconds or as a date; None without one.

    A date is compared with the server's own, so that a wrong clock here does not matter.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    until = http_date(text)
    if until is None:
        return None
    now = http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def http_date(text: str) -> datetime | None:
    """Return the moment that a header names, or None."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
