"""Threads that make requests while one thread decides; nothing is written down or told in any of them."""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

NAME = "hand"
"""What every thread of these is called, in a debugger and wherever all of them are to be waited for."""

TICK_SECONDS = 0.2
"""On Windows, Ctrl-C is only heard between two waits."""

_Name = TypeVar("_Name", bound=Hashable)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Answer(Generic[_Name, _Value]):
    """What came of a call: a value, or what it raised."""

    name: _Name
    value: _Value | None = None
    error: BaseException | None = None


class Hands(Generic[_Name, _Value]):
    """Makes calls, as many at a time as were started.

    They are daemons: a request that nobody waits for any more cannot keep Python from ending.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[_Name, Callable[[], _Value]] | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer[_Name, _Value]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the threads go, each when its call is done."""
        for _ in self._threads:
            self._jobs.put(None)

    @property
    def busy(self) -> int:
        """How many calls were started and have not been heard of since."""
        return self._busy

    def start(self, name: _Name, call: Callable[[], _Value]) -> None:
        """Begin a call now."""
        self._busy += 1
        self._jobs.put((name, call))
        if self._busy > len(self._threads):
            thread = threading.Thread(target=self._work, name=NAME, daemon=True)
            self._threads.append(thread)
            thread.start()

    def answer(self, seconds: float = TICK_SECONDS) -> Answer[_Name, _Value] | None:
        """Return the next answer, None where there is none within that time."""
        try:
            answer = self._answers.get(timeout=max(seconds, 0.0))
        except Empty:
            return None
        self._busy -= 1
        return answer

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            name, call = job
            try:
                self._answers.put(Answer(name, call()))
            except BaseException as error:  # noqa: BLE001  it is raised where somebody listens
                self._answers.put(Answer(name, error=error))


def answers(width: int, calls: Mapping[_Name, Callable[[], _Value]]) -> Iterator[tuple[_Name, _Value]]:
    """Make these calls, so many at a time, and yield what each returned as it comes.

    What the first one raises is raised when those under way have ended; Ctrl-C waits for none.
    """
    left = iter(calls.items())
    with Hands[_Name, _Value]() as hands:
        failed: BaseException | None = None
        for name, call in islice(left, width):
            hands.start(name, call)
        while hands.busy:
            answer = hands.answer()
            if answer is None:
                continue
            failed = failed or answer.error
            if failed is not None:
                continue
            for name, call in islice(left, 1):
                hands.start(name, call)
            yield answer.name, answer.value  # type: ignore[misc]
        if failed is not None:
            raise failed


def in_order(width: int, calls: Iterable[Callable[[], _Value]]) -> Iterator[_Value]:
    """Make these calls, so many at a time, and yield what they returned, or raise it, in their order.

    Whoever asks for no more, and Ctrl-C, waits for none of those under way.
    """
    left = enumerate(calls)
    came: dict[int, Answer[int, _Value]] = {}
    with Hands[int, _Value]() as hands:
        for number, call in islice(left, width):
            hands.start(number, call)
        for due in count():
            while due not in came:
                if not hands.busy:
                    return
                answer = hands.answer()
                if answer is not None:
                    came[answer.name] = answer
                    for number, call in islice(left, 1):
                        hands.start(number, call)
            found = came.pop(due)
            if found.error is not None:
                raise found.error
            yield found.value  # type: ignore[misc]
