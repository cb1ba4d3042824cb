"""Things that go wrong on the way: what, where and how often (checklist rows 8 and 9 of the references)."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, get_args

Vendor = Literal["sophos", "connectwise"]

Kind = Literal[
    # Answered instead of processing: nothing is committed.
    "429", "500", "500-timeout", "502-html", "503", "401-expired-token", "403", "409", "redirect", "html-200",
    "false-200",
    # No answer: the client is left hanging, or its connection is cut, before or after the commit.
    "timeout-before", "timeout-after", "cut-before", "cut-after",
    # Committed, but the answer is not the right one.
    "error-after", "truncated-json", "cut-body", "slow-body", "wrong-shape", "repeated-nextKey",
    "wrong-items", "row-twice", "row-missing", "shuffle-pages", "body",
]  # fmt: skip

BEFORE: frozenset[Kind] = frozenset(
    {"429", "500", "500-timeout", "502-html", "503", "403", "409", "redirect", "html-200"}
)
"""Answered instead of processing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong: `Fault("429", vendor="connectwise", path="/additions", times=2)`."""

    kind: Kind
    _: KW_ONLY
    vendor: Vendor | None = None
    method: str | None = None
    path: str | None = None
    """Part of, or a regular expression found in, the path with its query; None for any."""
    times: int | None = 1
    """How often; None for always."""
    after: int = 0
    """How many matching requests pass unharmed first."""
    rate: float | None = None
    """The chance, 0 to 1, that a matching request is hit; None for certainty."""
    retry_after: int | str | None = None
    """The `Retry-After` header of an error, in seconds or as an HTTP date."""
    delay: float = 30.0
    """Seconds that a hanging or slow answer takes at most; ends early when the client or server goes."""
    location: str = "http://login.example/"
    """Where a redirect leads."""
    edit: Callable[[Any], Any] | None = None
    """For the kind `body`: turns the JSON payload into the one that is sent."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown kind of fault: {self.kind!r}; one of {', '.join(get_args(Kind))}")
        if self.kind == "body" and self.edit is None:
            raise ValueError("a fault of kind 'body' needs edit=")
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from None

    def matches(self, vendor: str, method: str, path: str) -> bool:
        """Return whether a request is meant, and of a sort that this kind can harm."""
        if self.kind == "false-200" and method != "PATCH":
            return False
        if self.kind == "401-expired-token" and path.startswith("/api/v2/oauth2/token"):
            return False
        return (
            self.vendor in (None, vendor)
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or self.path in path or re.search(self.path, path) is not None)
        )


@dataclass(slots=True)
class _Armed:
    """A fault on duty, with its counters."""

    fault: Fault
    seen: int = 0
    done: int = 0


class Faults:
    """The faults on duty; the first one that is due for a request hits it, alone."""

    def __init__(self, seed: int) -> None:
        self._armed: list[_Armed] = []
        self._chance = random.Random(seed)  # noqa: S311  repeatable faults, not a secret
        self.injected: Counter[str] = Counter()
        """How often each kind has hit so far."""

    def add(self, *faults: Fault) -> None:
        """Put faults on duty, behind those already there."""
        self._armed = [*self._armed, *(_Armed(fault) for fault in faults)]

    def clear(self) -> None:
        """Take every fault off duty; the counts stay."""
        self._armed = []

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """The faults that can still hit."""
        return tuple(armed.fault for armed in self._armed if not _is_spent(armed))

    def take(self, vendor: str, method: str, path: str) -> Fault | None:
        """Return the fault that hits this request, counting it."""
        for armed in _due(self._armed, vendor, method, path):
            fault = armed.fault
            if fault.rate is None or self._chance.random() < fault.rate:
                armed.done += 1
                self.injected[fault.kind] += 1
                return fault
        return None

    def give_back(self, fault: Fault) -> None:
        """Take a hit back that found nothing to harm, so that it waits for an answer it can."""
        self.injected[fault.kind] -= 1
        for armed in self._armed:
            if armed.fault is fault:
                armed.done -= 1


def _is_spent(armed: _Armed) -> bool:
    return armed.fault.times is not None and armed.done >= armed.fault.times


def _due(armed: Iterable[_Armed], vendor: str, method: str, path: str) -> Iterable[_Armed]:
    """Yield the faults that are due for a request, counting it for each one looked at."""
    for one in armed:
        if not _is_spent(one) and one.fault.matches(vendor, method, path):
            one.seen += 1
            if one.seen > one.fault.after:
                yield one
