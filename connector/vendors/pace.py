"""Keep below a vendor's limits on requests, and pause for as long as it asks, whichever threads send."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most `requests` in any `seconds`."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """`burst` requests at once at most, and `each_second` that many more may go."""

    burst: int
    each_second: float


SOPHOS_WINDOWS = (Window(7, 1.02), Window(95, 60.0), Window(950, 3600.0))
"""Under Sophos's 10 a second, 100 a minute and 1,000 an hour. Under the first by three: so many requests are
under way at most (usage, tenants, firewalls), and one that is held up arrives with those sent after it."""

CONNECTWISE_BUCKET = Bucket(900, 15.0)
"""Over about 1,000 a minute ConnectWise is likely to refuse (reference, section 5.2); a quiet night of a
thousand agreements goes through without a wait."""

UNSAID_SECONDS = 30.0
"""The pause after a 429 that names no time, as ConnectWise's own advice is."""

RECOVERY_SECONDS = 10.0
APART_SECONDS = 0.125
"""So long after a pause, those who waited go one by one, so far apart: at once, they would meet the next."""


class Pace:
    """Says when one more request may leave: when it fits into every limit, and no pause is on."""

    def __init__(
        self,
        windows: tuple[Window, ...] = (),
        *,
        bucket: Bucket | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._windows = windows
        self._bucket = bucket
        self._clock = clock
        self._sleep = sleep or time.sleep
        self._slots: deque[float] = deque(maxlen=max((window.requests for window in windows), default=1))
        self._full_at = clock()
        self._open_at = float("-inf")
        self._pauses = 0
        self._lock = threading.Lock()

    @property
    def pauses(self) -> int:
        """How many times the vendor has had too many requests so far."""
        return self._pauses

    def wait(self) -> int:
        """Take the next free moment and sleep until it comes; return how many pauses there had been then."""
        while True:
            with self._lock:
                now = self._clock()
                slot = self._take(now)
            if slot > now:
                self._sleep(slot - now)
            with self._lock:
                if slot >= self._open_at:  # else a pause has begun while this one slept
                    return self._pauses

    def pause(self, seconds: float | None, turn: int) -> None:
        """Let nothing leave for so long; `turn` is what `wait` returned to the request that was refused.

        Those that were under way together are refused together: that is one pause, not many.
        """
        with self._lock:
            if turn == self._pauses:
                self._pauses += 1
            waits = UNSAID_SECONDS if seconds is None else seconds
            self._open_at = max(self._open_at, self._clock() + waits)
            if self._bucket is not None:  # whatever we thought was left of it, the vendor counts otherwise
                self._full_at = self._open_at + self._bucket.burst / self._bucket.each_second

    def _take(self, now: float) -> float:
        slot = max([now, self._open_at, *self._earliest()])
        if self._slots and slot < self._open_at + RECOVERY_SECONDS:
            slot = max(slot, self._slots[-1] + APART_SECONDS)
        self._slots.append(slot)
        if self._bucket is not None:
            self._full_at = max(self._full_at, slot) + 1 / self._bucket.each_second
        return slot

    def _earliest(self) -> list[float]:
        # Slots are handed out in ascending order, so the n-th last one opens a window of n.
        earliest = [
            self._slots[-window.requests] + window.seconds
            for window in self._windows
            if len(self._slots) >= window.requests
        ]
        if self._bucket is not None:
            earliest.append(self._full_at - (self._bucket.burst - 1) / self._bucket.each_second)
        return earliest
