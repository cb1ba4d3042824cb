"""Makes a plan's changes: of several agreements at the same time, of one agreement in the plan's order.

One thread decides, writes everything down and tells of it; only the requests are made by others. So the
ledger is written as if one change came after the other, and whatever stops the run stops it between two
lines of this file.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from connector.errors import RequestRefused, StateFault, VendorError
from connector.ledger import Ledger
from connector.planning.change import Change, Feed, Plan
from connector.reports.log_line import LogLine
from connector.reports.outcome import Result
from connector.reports.run_lines import change_line, counted_lines
from connector.runs.additions import Additions
from connector.runs.change_writer import RUN_AGAIN, Ask, ChangeWriter, Made, Making, id_of
from connector.runs.story import Story
from connector.runs.width import Width
from connector.vendors.hands import TICK_SECONDS, Answer, Hands

OUTAGE = 5
"""So many changes in a row without any answer, without a sign-in or with nothing but pauses, and the rest
waits for the next run."""

_SILENT = frozenset({None, 401, 429})


@dataclass(slots=True, eq=False)
class _Lane:
    """The changes of one agreement, of which at most one is being made; `ask` is its next request."""

    numbers: deque[int]
    number: int = -1
    making: Making[Made] | None = None
    ask: Ask | None = None


class Applier:
    """Applies one plan, once."""

    def __init__(
        self,
        additions: Additions,
        ledger: Ledger,
        *,
        run: int,
        today: date,
        in_flight_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """So long after Ctrl-C, what is under way is waited for."""
        self._vendor = additions
        self._ledger = ledger
        self._run = run
        self._writer = ChangeWriter(additions, ledger, run=run, today=today, clock=clock)
        self._width = Width(additions.pauses)
        self._hands: Hands[_Lane, object] = Hands()
        self._in_flight_seconds = in_flight_seconds
        self._clock = clock
        self._waiting: deque[_Lane] = deque()
        self._flying: set[_Lane] = set()
        self._silent = self._finished = 0
        self.interrupted = False

    def apply(self, plan: Plan, digest: str, story: Story) -> list[Result]:
        """Make every change that nothing holds, and say what became of each, in the plan's order.

        Raises StateFault only when nothing has been sent: from then on it is an outcome, because what was
        written must be reported. After Ctrl-C no change is begun any more; a second one ends the wait for
        those under way.
        """
        self._changes, self._period, self._story = plan.changes, str(plan.period), story
        self._ids = self._ledger.begin_applying(self._run, digest, plan.changes)
        self._ledger.record_feeds(self._run, (*plan.unchanged, *_only_priced(plan)))
        self._results = [untried(change, "the run ended before") for change in plan.changes]
        todo = [number for number, change in enumerate(plan.changes) if change.held is None]
        self._todo = len(todo)
        self._waiting.extend(_lanes(plan, todo))
        try:
            with self._hands:
                self._make_all()
        finally:
            if self._flying:  # nobody hears of these any more, so nothing may leave in their name
                self._vendor.close()
        self._tell_of_the_rest(todo)
        return self._results

    def _make_all(self) -> None:
        self._progress()
        try:
            self._go_on()
        except KeyboardInterrupt:
            self.interrupted = True
            self._writer.ending = True
            with suppress(KeyboardInterrupt):
                self._say_what_is_waited_for()
                self._go_on(self._clock() + self._in_flight_seconds)

    def _go_on(self, until: float | None = None) -> None:
        """Make changes until there is nothing left to wait for, or nobody waits any longer."""
        while True:
            while self._waiting and len(self._flying) < self._width.at_a_time:
                self._begin(self._waiting.popleft())
            if not any(map(self._is_awaited, self._flying)):
                return
            left = TICK_SECONDS if until is None else min(TICK_SECONDS, until - self._clock())
            answer = self._hands.answer(left)
            if answer is not None:
                self._hear(answer)
            elif left <= 0:
                return
            else:
                self._progress()

    def _is_awaited(self, lane: _Lane) -> bool:
        """Whether what a lane does still matters: a run that ends lets go of what it has not sent."""
        return not self._writer.ending or self._ids[lane.number] in self._writer.sent

    # One agreement -------------------------------------------------------------------------------

    def _begin(self, lane: _Lane) -> None:
        """Let a lane go on with the request that it waits to make, or else with its next change."""
        if lane.making is not None:
            if self._is_awaited(lane):
                self._ask(lane)
        elif lane.numbers and not self._writer.ending:
            lane.number = lane.numbers.popleft()
            lane.making = self._writer.make(self._ids[lane.number], self._changes[lane.number])
            self._step(lane, next)

    def _hear(self, answer: Answer[_Lane, object]) -> None:
        lane, error = answer.name, answer.error
        self._flying.discard(lane)
        self._width.answered(self._vendor.pauses)
        if not self._is_awaited(lane):
            return
        if error is None:
            self._step(lane, lambda making: making.send(answer.value))
        else:
            self._step(lane, lambda making: making.throw(error))

    def _step(self, lane: _Lane, go_on: Callable[[Making[Made]], Ask]) -> None:
        """Take a change up to its next request or to its end."""
        if lane.making is None:
            raise AssertionError("only a lane that makes a change is taken further")
        change = self._changes[lane.number]
        try:
            lane.ask = go_on(lane.making)
        except StopIteration as made:
            self._end(lane, *made.value)
        except StateFault as fault:
            if not self._writer.sent:
                raise
            self._writer.ending = True
            self._end(lane, Result(change, "unclear", change.addition_id, fault.message), None)
        else:
            if lane.ask.leaves or len(self._flying) < self._width.at_a_time:
                self._ask(lane)
            else:
                self._waiting.appendleft(lane)

    def _ask(self, lane: _Lane) -> None:
        if lane.ask is None:
            raise AssertionError("a change that is being made waits for a request")
        self._flying.add(lane)
        self._hands.start(lane, lane.ask.call)

    def _end(self, lane: _Lane, result: Result, error: VendorError | None) -> None:
        """Tell what became of a change; the next one of its agreement comes before other agreements."""
        self._results[lane.number] = result
        lane.making = lane.ask = None
        self._waiting.appendleft(lane)
        self._finished += 1
        refused = isinstance(error, RequestRefused)  # by ConnectWise, or by ourselves before it left
        silent = error is not None and error.status in _SILENT and not refused
        self._silent = self._silent + 1 if silent else 0
        if self._silent >= OUTAGE:
            self._writer.ending = True
        self._story.said(change_line(result, self._period, error.request_id if error else None))
        self._progress()

    # What is told --------------------------------------------------------------------------------

    def _progress(self) -> None:
        self._story.progress(self._finished, self._todo)

    def _say_what_is_waited_for(self) -> None:
        under_way = sum(map(self._is_awaited, self._flying))
        if under_way:
            requests = "1 change is" if under_way == 1 else f"{under_way} changes are"
            message = (
                f"Interrupted; no other change is begun. {requests} under way and waited for, "
                f"{self._in_flight_seconds:g} seconds at most; Ctrl-C ends the wait."
            )
            self._story.said(LogLine("warning", message, "warning"))

    def _tell_of_the_rest(self, todo: list[int]) -> None:
        """Tell of what was not tried, and of what may have left without anybody seeing the answer."""
        left = []
        for number in todo:
            change = self._changes[number]
            if self._results[number].outcome != "not_tried":
                continue
            if self._ids[number] in self._writer.sent:
                result = Result(change, "unclear", change.addition_id, f"interrupted; {RUN_AGAIN}")
                self._results[number] = result
                self._story.said(change_line(result, self._period))
            else:
                left.append(change)
        for line in counted_lines(left, "not_tried", self._period, "the run ended before"):
            self._story.said(line)


def untried(change: Change, why: str) -> Result:
    """Return what becomes of a change whose turn does not come: it is held, or not tried and why."""
    if change.held is not None:
        return Result(change, "held", change.addition_id, f"held: {change.held}")
    return Result(change, "not_tried", change.addition_id, why)


def _lanes(plan: Plan, todo: list[int]) -> Iterator[_Lane]:
    """Yield the changes of each agreement, in the plan's order, and so those agreements."""
    lanes: dict[int, _Lane] = {}
    for number in todo:
        lanes.setdefault(plan.changes[number].key.agreement_id, _Lane(deque())).numbers.append(number)
    yield from lanes.values()


def _only_priced(plan: Plan) -> Iterator[Feed]:
    """Yield who feeds the additions whose quantity is right, whatever becomes of their prices."""
    for change in plan.to_make:
        if change.kind == "update" and change.before == change.after and not change.release:
            yield Feed(id_of(change), change.key, change.after, change.parts)
