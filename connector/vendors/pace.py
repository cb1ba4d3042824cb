"""Keep below a vendor's limits on requests, whichever threads send them."""

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


SOPHOS_WINDOWS = (Window(8, 1.6), Window(95, 60.0))
"""Half of Sophos's 10 a second, and never more than 8 in one, so that a quiet night need not wait; a little
under its 100 a minute."""

SOPHOS_HOUR = Window(950, 3600.0)
"""A little under its 1,000 an hour, which only one call for each customer can come near."""


class Pace:
    """Sliding windows: `wait` returns when one more request fits into all of them."""

    def __init__(
        self,
        windows: tuple[Window, ...],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._windows = windows
        self._clock = clock
        self._sleep = sleep
        self._slots: deque[float] = deque(maxlen=max(window.requests for window in windows))
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Take the next free moment and sleep until it comes."""
        with self._lock:
            now = self._clock()
            slot = max([now, *self._earliest()])
            self._slots.append(slot)
        if slot > now:
            self._sleep(slot - now)

    def _earliest(self) -> list[float]:
        # Slots are handed out in ascending order, so the n-th last one opens a window of n.
        return [
            self._slots[-window.requests] + window.seconds
            for window in self._windows
            if len(self._slots) >= window.requests
        ]
