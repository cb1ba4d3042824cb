"""How long something will yet take, by how it went lately."""

import math
from collections import deque
from dataclasses import dataclass

LATELY_SECONDS = 60.0
LATELY_DONE = 20
"""It is judged by the last minute, or further back by so many that are done, whichever is longer."""

LEAST_DONE = 3
LEAST_SECONDS = 2.0
"""Before that there is nothing to judge by."""

_MINUTE = 60
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float
    done: int


class Remaining:
    """Hears how far something is, and says how long the rest takes; times are seconds of any one clock."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()
        self._done = 0
        self._total: int | None = None

    def heard(self, done: int, total: int | None, at: float) -> None:
        """Hear how far it is; what never took any time, because it was done before, does not count."""
        self._total = total
        if not self._marks or done > self._done:
            self._marks.append(_Mark(at, done))
        self._done = max(self._done, done)
        # The second mark is old enough and far enough back: the first is not needed any more.
        while (
            len(self._marks) > 2
            and at - self._marks[1].at >= LATELY_SECONDS
            and self._done - self._marks[1].done >= LATELY_DONE
        ):
            self._marks.popleft()

    def seconds(self, at: float) -> int | None:
        """Return how long it takes from now on, None where nobody can say; never 0 while any is left."""
        if self._total is None or self._done >= self._total:
            return None
        since = self._marks[0]
        done, took = self._done - since.done, at - since.at
        if done < LEAST_DONE or took < LEAST_SECONDS:
            return None
        return max(1, math.ceil((self._total - self._done) * took / done))


def time_left(seconds: int) -> str:
    """Return it in words, as exact as it can be."""
    if seconds < 2 * _MINUTE:
        return f"about {seconds} s left"
    minutes = math.ceil(seconds / _MINUTE)
    if seconds < 2 * _HOUR:
        return f"about {minutes} min left"
    return f"about {minutes // 60} h {minutes % 60} min left"


class Milestones:
    """Says when a line about how far something is tells people something new."""

    def __init__(self, began: float) -> None:
        self._told_at = began
        self._told_done = 0

    def due(self, done: int, total: int | None, at: float) -> bool:
        """Whether to tell of it now: each tenth, at most every 5 seconds, and every 30 seconds at least."""
        if total is None:
            return False
        since = at - self._told_at
        a_tenth = (done - self._told_done) * 10 >= total
        if since >= 30.0 or (a_tenth and since >= 5.0):
            self._told_at, self._told_done = at, done
            return True
        return False
