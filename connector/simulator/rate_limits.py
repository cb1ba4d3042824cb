"""The vendors' request limits (reference/sophos-api.md, 5.1; reference/connectwise-api.md, 5.2)."""

import math
import threading
from collections import deque
from collections.abc import Callable

WINDOWS = ((1, 10), (60, 100), (3600, 1_000), (86_400, 200_000))
"""Sophos's: seconds, and the requests allowed within them for one credential set."""
A_MINUTE = 1_000
"""ConnectWise's: "over about 1000 requests a minute throttling is likely" (D)."""
AT_ONCE = 8
"""And at a time: 12 workers met 429, 4 did not (O), so it lies somewhere between (I)."""
COME_AGAIN = 30
"""The seconds that the documented 429 of ConnectWise names (D)."""


class RateLimits:
    """Counts requests in sliding windows."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[int, deque[float]] = {seconds: deque() for seconds, _ in WINDOWS}

    def wait(self) -> int | None:
        """Count a request; return the seconds to wait if it is one too many, else None."""
        now = self._clock()
        waits = []
        for seconds, allowed in WINDOWS:
            seen = self._seen[seconds]
            while seen and seen[0] <= now - seconds:
                seen.popleft()
            if len(seen) >= allowed:
                waits.append(max(1, math.ceil(seen[0] + seconds - now)))
        if waits:
            return max(waits)
        for seen in self._seen.values():
            seen.append(now)
        return None


class Throttle:
    """A bucket of requests that refills as it is used, and only so many of them at a time."""

    def __init__(self, clock: Callable[[], float], a_minute: int = A_MINUTE, at_once: int = AT_ONCE) -> None:
        self._clock = clock
        self._size = a_minute
        self._at_once = at_once
        self._left = float(a_minute)
        self._filled = clock()
        self._under_way = 0
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Let a request in, unless it is one too many; each one let in must `leave`."""
        with self._lock:
            now = self._clock()
            self._left = min(self._size, self._left + (now - self._filled) * self._size / 60)
            self._filled = now
            if self._under_way >= self._at_once or self._left < 1:
                return False
            self._left -= 1
            self._under_way += 1
            return True

    def leave(self) -> None:
        """Say that a request has its answer."""
        with self._lock:
            self._under_way -= 1
