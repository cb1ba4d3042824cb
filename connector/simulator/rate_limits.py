"""Sophos's request limits per credential set (reference/sophos-api.md, section 5.1)."""

import math
from collections import deque
from collections.abc import Callable

WINDOWS = ((1, 10), (60, 100), (3600, 1_000), (86_400, 200_000))
"""Seconds, and the requests allowed within them."""


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
