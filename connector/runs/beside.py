"""A vendor is read while the other one is: in a thread of its own, whose story the waiting one tells."""

from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

from connector.reports.log_line import LogLine
from connector.runs.story import Story
from connector.vendors.hands import Hands

_Value = TypeVar("_Value")


class _CalledOff(Exception):
    """Nobody waits for what is being read."""


class _Overheard:
    """Hears the story of a thread, for another one to tell."""

    def __init__(self) -> None:
        self._heard: SimpleQueue[Callable[[Story], None]] = SimpleQueue()
        self.called_off = False

    def stage(self, what: str) -> None:
        """Hear that a stage begins."""
        self._hear(lambda story: story.stage(what))

    def progress(self, done: int, total: int | None) -> None:
        """Hear how far the stage is."""
        self._hear(lambda story: story.progress(done, total))

    def said(self, line: LogLine) -> None:
        """Hear what happened."""
        self._hear(lambda story: story.said(line))

    def tell(self, story: Story) -> None:
        """Tell what was heard since."""
        while True:
            try:
                telling = self._heard.get_nowait()
            except Empty:
                return
            telling(story)

    def _hear(self, telling: Callable[[Story], None]) -> None:
        if self.called_off:
            raise _CalledOff
        self._heard.put(telling)


class Beside(Generic[_Value]):
    """One reading that goes on beside the rest of the block; leaving the block calls it off.

    What reads must neither use the ledger nor tell anything but the story that it is given.
    """

    def __init__(self, read: Callable[[Story], _Value]) -> None:
        self._read = read
        self._overheard = _Overheard()
        self._hands: Hands[None, _Value] = Hands()
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading at the next thing that is told; nobody waits for that."""
        self._overheard.called_off = True
        self._hands.__exit__(kind, error, trace)

    @property
    def under_way(self) -> bool:
        """Whether it reads, and nobody has heard yet how that ended."""
        return self._hands.busy > 0

    def begin(self) -> None:
        """Read from now on."""
        if not self._begun:
            self._begun = True
            self._hands.start(None, partial(self._read, self._overheard))

    def result(self, story: Story) -> _Value:
        """Wait for the reading, tell its story meanwhile, and return or raise what came of it."""
        self.begin()
        answer = None
        while answer is None:
            answer = self._hands.answer()
            self._overheard.tell(story)
        if answer.error is not None:
            raise answer.error
        return answer.value  # type: ignore[return-value]  # without an error there is one
