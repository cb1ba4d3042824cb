"""What both vendors share in one world: the day, what happens on it, chance and the lock."""

import random
import threading
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta


class Timeline:
    """A day that a test can set, dated events, and chance that a seed repeats."""

    def __init__(self, seed: int, today: date, clock: Callable[[], float]) -> None:
        self.seed = seed
        self.clock = clock
        """Seconds for token lifetimes and rate limits; not the calendar."""
        self.lock = threading.RLock()
        """Held for the length of every request; hold it to change several things at once."""
        self.chance = random.Random(seed)  # noqa: S311  repeatable data, not a secret
        self._today = today
        self._events: list[tuple[date, Callable[[], None]]] = []
        self._ticks = 0

    @property
    def today(self) -> date:
        """The day it is at both vendors; setting it lets the events up to that day happen."""
        return self._today

    @today.setter
    def today(self, day: date) -> None:
        self.advance(day)

    def advance(self, day: date) -> None:
        """Set the day and let every event up to it happen, oldest first; going back undoes nothing."""
        with self.lock:
            self._today = day
            due = sorted((event for event in self._events if event[0] <= day), key=lambda event: event[0])
            self._events = [event for event in self._events if event[0] > day]
            for _, happen in due:
                happen()

    def on(self, day: date, happen: Callable[[], None]) -> None:
        """Arrange for something to happen when the world reaches that day."""
        with self.lock:
            self._events.append((day, happen))
            if day <= self._today:
                self.advance(self._today)

    def fresh_uuid(self) -> str:
        """Return the next UUID of this world's seed."""
        with self.lock:
            return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def stamp(self) -> str:
        """Return a moment of today, later than the last one, as ConnectWise writes it (section 6.2)."""
        self._ticks = (self._ticks + 1) % 50_000
        moment = datetime.combine(self._today, time(8)) + timedelta(seconds=self._ticks)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
