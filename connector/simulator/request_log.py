"""What arrived at the simulated servers, in order of arrival."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived, and how it was answered; secrets are not kept."""

    number: int
    vendor: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    """Parsed JSON, or None."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names; of `authorization` only the scheme."""
    status: int = 0
    """0 while there is no answer, and for good when none was given."""
    fault: str | None = None
    """The kind of fault that hit it."""


class RequestLog:
    """Grows with each request; safe to read while the servers run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[int, Request] = {}
        self._count = 0

    def next_number(self) -> int:
        """Return the number of the request that arrives now, from 1."""
        with self._lock:
            self._count += 1
            return self._count

    def add(self, request: Request) -> None:
        """Note a request on arrival."""
        with self._lock:
            self._requests[request.number] = request

    def answered(self, number: int, status: int, fault: str | None) -> None:
        """Note how a request was answered."""
        with self._lock:
            known = self._requests.get(number)
            if known is not None:
                self._requests[number] = replace(known, status=status, fault=fault)

    def clear(self) -> None:
        """Forget all requests; their numbers go on."""
        with self._lock:
            self._requests.clear()

    @property
    def all(self) -> tuple[Request, ...]:
        """The requests in order of arrival."""
        with self._lock:
            return tuple(self._requests[number] for number in sorted(self._requests))
