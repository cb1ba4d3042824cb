"""Makes one change: written down, sent, and written down again (contract rules 20 to 22).

Each is a generator: it hands out the requests that it needs, one after the other, and is given what came of
each. Whoever drives it may so have those of many changes made at the same time, while all that is written
down is written by one thread.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from connector.errors import RequestRefused, SignInRefused, VendorError
from connector.ledger import Ledger
from connector.model import Addition, AdditionPatch, NewAddition
from connector.planning.change import Change, Moved, OpenChange, carries_mark, holds_mark
from connector.planning.settle import settle
from connector.reports.outcome import Outcome, Result
from connector.runs.additions import Additions
from connector.vendors.connectwise import NotAsAsked
from connector.vendors.transport import Throttled

POST_ATTEMPTS = 3

FRESH_SECONDS = 10.0
"""So long ago, at most, a line's agreement was looked at when its POST leaves."""

RUN_AGAIN = "the next run looks again before it writes"

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to make. One that `leaves` is on record as sent by now, so it must not wait for others."""

    call: Callable[[], object]
    leaves: bool = False


Making = Generator[Ask, Any, _Value]
"""Yields requests, is sent what each returned or thrown what it raised, and returns what came of it all."""

Made = tuple[Result, VendorError | None]
"""What became of a change, and the error if ConnectWise gave one."""


class ChangeWriter:
    """Makes the changes of one plan. Every way out of a change leaves the ledger true."""

    def __init__(
        self, additions: Additions, ledger: Ledger, *, run: int, today: date, clock: Callable[[], float]
    ) -> None:
        self._vendor = additions
        self._ledger = ledger
        self._run = run
        self._today = today
        self._clock = clock
        self._fresh: dict[int, _Looked] = {}
        self.sent: set[int] = set()
        """The changes of which a request may have left."""
        self.ending = False
        """Whether the run ends, so that nothing is sent once more."""

    def make(self, change_id: int, change: Change) -> Making[Made]:
        """Make one change; two of one agreement must never be made at the same time."""
        try:
            if change.kind == "create":
                addition, closes = yield from self._create(change_id, change)
            else:
                addition, closes = (yield from self._patch(change_id, change)), ()
        except VendorError as error:
            return (yield from self._not_made(change_id, change, error)), error
        self._ledger.record_done(change_id, self._run, addition, closes=closes)
        return Result(change, "done", addition.id), None

    # Creating ------------------------------------------------------------------------------------

    def _create(self, change_id: int, change: Change) -> Making[tuple[Addition, tuple[int, ...]]]:
        """POST one addition, never before a fresh look at what is there."""
        new = NewAddition(
            agreement_id=change.key.agreement_id,
            item_id=change.key.item_id,
            quantity=change.after,
            effective=change.effective or self._today,
            serial_number=change.mark,
            unit_price=_set_by(change.unit_price),
            unit_cost=_set_by(change.unit_cost),
        )
        refused: Throttled | None = None
        for attempt in range(1, POST_ATTEMPTS + 1):
            lines, turn = yield from self._nothing_there(change)
            if refused is not None and self.ending:
                raise refused
            self._ledger.record_sending(change_id, (line.id for line in lines))
            self.sent.add(change_id)
            try:
                made = yield from _asked(_creation(self._vendor, new, turn), leaves=True)
            except Throttled as throttled:
                # Certainly not carried out; whoever asks again looks again first, once the pause is over.
                self._fresh.pop(change.key.agreement_id, None)
                if attempt == POST_ATTEMPTS or self.ending:
                    raise
                refused = throttled
            except VendorError:
                self._fresh.pop(change.key.agreement_id, None)
                raise
            else:
                self._fresh[made.agreement_id].lines.append(made)
                return made, tuple(line.id for line in lines if carries_mark(line))
        raise AssertionError("the last attempt either returns or raises")

    def _nothing_there(self, change: Change) -> Making[tuple[tuple[Addition, ...], int]]:
        """Return the lines of a key, none of them live, with the turn to make one; both of this moment.

        The turn is waited for before the change is written down: what is on record as sent at a moment
        leaves at that moment, or the next run could not tell for how long it may still be under way.
        """
        agreement_id = change.key.agreement_id
        while True:
            looked = self._fresh.get(agreement_id)
            if looked is None or not self._is_fresh(looked):
                found = yield from _asked(lambda: self._vendor.additions(agreement_id))
                looked = self._fresh[agreement_id] = _Looked(self._clock(), list(found))
            lines = tuple(line for line in looked.lines if line.key == change.key)
            live = [line for line in lines if line.live(self._today)]
            if live:
                raise _Overtaken(change, live)
            turn = yield from _asked(self._vendor.take_turn)
            if self.ending or self._is_fresh(looked):  # else a pause came between: somebody may have made it
                return lines, turn

    def _is_fresh(self, looked: "_Looked") -> bool:
        return self._clock() - looked.at <= FRESH_SECONDS

    # Changing ------------------------------------------------------------------------------------

    def _patch(self, change_id: int, change: Change) -> Making[Addition]:
        """PATCH only the fields that this kind of change owns (contract rule 20)."""
        addition_id = id_of(change)
        patch = AdditionPatch(
            quantity=None if change.kind == "end" or change.after == change.before else change.after,
            cancelled=change.effective if change.kind == "end" else None,
            serial_number="" if change.release and change.mark else change.mark or None,
            unit_price=_set_by(change.unit_price),
            unit_cost=_set_by(change.unit_cost),
        )
        if patch == AdditionPatch():
            return Addition(addition_id, *change.key, change.after)
        self._ledger.record_sending(change_id, ())
        self.sent.add(change_id)
        agreement_id = change.key.agreement_id
        return (
            yield from _asked(
                lambda: self._vendor.patch_addition(agreement_id, addition_id, patch), leaves=True
            )
        )

    # What did not work ---------------------------------------------------------------------------

    def _not_made(self, change_id: int, change: Change, error: VendorError) -> Making[Result]:
        """Write down why a change is not done, after a fresh look wherever it may have been carried out."""
        if isinstance(error, NotAsAsked) and error.addition is not None and change.kind == "create":
            # It is there and it is ours, only not as asked: the next run mends it instead of repeating it.
            return self._record_ours(change_id, change, error.addition, error, error.message)
        if isinstance(error, NotAsAsked) and error.addition is not None and _only_prices_lack(change, error):
            # It bills what it should, at another price: who feeds it now must be known next month.
            return self._record_ours(change_id, change, error.addition, error, error.message)
        if isinstance(error, RequestRefused | SignInRefused | Throttled):
            return self._record(change_id, change, "failed", error, error.message)
        if isinstance(error, NotAsAsked) and change.kind != "create":
            return self._record(change_id, change, "failed", error, error.message)
        if change_id in self.sent:
            return (yield from self._look_again(change_id, change, error))
        return self._record(change_id, change, "failed", error, f"{error.message} Nothing was sent.")

    def _look_again(self, change_id: int, change: Change, error: VendorError) -> Making[Result]:
        opened = self._opened(change_id)
        try:
            found = yield from _asked(lambda: _read(self._vendor, opened))
        except VendorError:
            return self._record(change_id, change, "unclear", error, f"{error.message} So {RUN_AGAIN}.")
        verdict = settle(opened, found, self._ledger.known_additions())
        if verdict.addition is not None and verdict.outcome == "done":
            self._ledger.record_done(change_id, self._run, verdict.addition)
            return Result(change, "done", verdict.addition.id, verdict.message)
        if verdict.addition is not None and verdict.outcome == "differs":
            message = f"{error.message} {verdict.message}."
            return self._record_ours(change_id, change, verdict.addition, error, message)
        # It may still arrive: the ledger keeps it open, and the next run looks again.
        words = f"{error.message} {verdict.message}; {RUN_AGAIN}."
        return self._record(change_id, change, "unclear", error, words)

    def _record_ours(
        self, change_id: int, change: Change, line: Addition, error: VendorError, message: str
    ) -> Result:
        """Write down a line that is ours although its change failed."""
        self._ledger.record_done(change_id, self._run, line)
        self._ledger.record_outcome(change_id, "failed", message, error.request_id)
        return Result(change, "failed", line.id, message)

    def _opened(self, change_id: int) -> OpenChange:
        return next(each for each in self._ledger.open_changes() if each.id == change_id)

    def _record(
        self, change_id: int, change: Change, outcome: Outcome, error: VendorError, message: str
    ) -> Result:
        self._ledger.record_outcome(change_id, outcome, message, error.request_id)
        return Result(change, outcome, change.addition_id, message)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was seen of an agreement when, and what this run made on it since."""

    at: float
    lines: list[Addition]


class _Overtaken(RequestRefused):
    """Somebody made a line for this key after the plan was made."""

    code = "OVERTAKEN"

    def __init__(self, change: Change, live: list[Addition]) -> None:
        ids = ", ".join(str(line.id) for line in live)
        super().__init__(
            f"Since the plan was made, somebody made addition {ids} for {change.item} on agreement "
            f"{change.key.agreement_id}; no second one is created beside it.",
            "Run the same command again: it plans afresh.",
            vendor="ConnectWise",
        )


def id_of(change: Change) -> int:
    """Return the id of the addition that a change sets."""
    if change.addition_id is None:
        raise AssertionError(f"{change.kind} without an addition")
    return change.addition_id


def _asked(call: Callable[[], _Value], *, leaves: bool = False) -> Making[_Value]:
    """Have a request made, and return what came of it."""
    answer: _Value = yield Ask(call, leaves)
    return answer


def _creation(vendor: Additions, new: NewAddition, turn: int) -> Callable[[], Addition]:
    return lambda: vendor.create_addition(new, turn)


def _read(vendor: Additions, opened: OpenChange) -> Iterable[Addition]:
    if opened.kind == "create":
        return vendor.additions(opened.key.agreement_id)
    found = vendor.addition(opened.key.agreement_id, opened.addition_id or 0)
    return () if found is None else (found,)


def _set_by(moved: Moved | None) -> Decimal | None:
    """Return the price that a change sets, None where it sets none."""
    return None if moved is None else moved.after


def _only_prices_lack(change: Change, error: NotAsAsked) -> bool:
    """Whether a changed addition shows all that was asked for but its prices."""
    line = error.addition
    if line is None or change.release or not change.prices_move or line.quantity != change.after:
        return False
    return not change.mark or holds_mark(line.serial_number, change.mark)
