"""Makes a plan's changes one by one, each written down before and after (contract rules 20 to 22)."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Protocol

from connector.errors import RequestRefused, SignInRefused, StateFault, VendorError
from connector.ledger import Ledger
from connector.model import Addition, AdditionPatch, NewAddition
from connector.planning.change import Change, Feed, Moved, OpenChange, Plan, carries_mark, holds_mark
from connector.planning.settle import settle
from connector.reports.outcome import Outcome, Result
from connector.reports.run_lines import change_line, counted_lines
from connector.runs.story import Story
from connector.vendors.connectwise import NotAsAsked
from connector.vendors.transport import Throttled

POST_ATTEMPTS = 3
WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 120.0
OUTAGE = 5
"""So many changes in a row without any answer, or without a sign-in, and the rest waits for the next run."""

RUN_AGAIN = "the next run looks again before it writes"


class Additions(Protocol):
    """What applying needs of ConnectWise."""

    def additions(self, agreement_id: int) -> tuple[Addition, ...]:
        """Return all additions of an agreement."""
        ...

    def addition(self, agreement_id: int, addition_id: int) -> Addition | None:
        """Return one addition, or None if it is not there."""
        ...

    def create_addition(self, new: NewAddition) -> Addition:
        """Send one POST and return what it made."""
        ...

    def patch_addition(self, agreement_id: int, addition_id: int, patch: AdditionPatch) -> Addition:
        """Set named fields and return the record that shows them."""
        ...


class Applier:
    """Applies one plan. Every way out of a change leaves the ledger true."""

    def __init__(
        self, additions: Additions, ledger: Ledger, *, run: int, today: date, sleep: Callable[[float], None]
    ) -> None:
        """`sleep` waits when ConnectWise asks us to before a POST."""
        self._vendor = additions
        self._ledger = ledger
        self._run = run
        self._today = today
        self._sleep = sleep
        self._fresh: dict[int, tuple[Addition, ...]] = {}
        self._sent = False

    def apply(self, plan: Plan, digest: str, story: Story) -> list[Result]:
        """Make every change that nothing holds, and say what became of each.

        Raises StateFault only when nothing has been sent: from then on it is an outcome, because what was
        written must be reported.
        """
        ids = self._ledger.begin_applying(self._run, digest, plan.changes)
        self._ledger.record_feeds(self._run, (*plan.unchanged, *_only_priced(plan)))
        results = [untried(change, "the run ended before") for change in plan.changes]
        silent = tried = 0
        period = str(plan.period)
        todo = [number for number, change in enumerate(plan.changes) if change.held is None]
        for count, number in enumerate(todo):
            story.progress(count, len(todo))
            change = plan.changes[number]
            tried = count + 1
            try:
                results[number], error = self._make(ids[number], change)
                story.said(change_line(results[number], period, error.request_id if error else None))
            except StateFault as fault:
                if not self._sent:
                    raise
                results[number] = Result(change, "unclear", change.addition_id, fault.message)
                story.said(change_line(results[number], period))
                break
            except KeyboardInterrupt:
                results[number] = Result(change, "unclear", change.addition_id, f"interrupted; {RUN_AGAIN}")
                story.said(change_line(results[number], period))
                break
            silent = silent + 1 if error is not None and error.status in {None, 401} else 0
            if silent >= OUTAGE:
                break
        story.progress(len(todo), len(todo))
        left = [plan.changes[number] for number in todo[tried:]]
        for line in counted_lines(left, "not_tried", period, "the run ended before"):
            story.said(line)
        return results

    def _make(self, change_id: int, change: Change) -> tuple[Result, VendorError | None]:
        """Make one change; return what became of it, and the error if ConnectWise gave one."""
        try:
            if change.kind == "create":
                addition, closes = self._create(change_id, change)
            else:
                addition, closes = self._patch(change_id, change), ()
        except VendorError as error:
            return self._not_made(change_id, change, error), error
        self._ledger.record_done(change_id, self._run, addition, closes=closes)
        return Result(change, "done", addition.id), None

    # Creating ------------------------------------------------------------------------------------

    def _create(self, change_id: int, change: Change) -> tuple[Addition, tuple[int, ...]]:
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
        for attempt in range(1, POST_ATTEMPTS + 1):
            lines = self._lines(change)
            live = [line for line in lines if line.live(self._today)]
            if live:
                raise _Overtaken(change, live)
            self._ledger.record_sending(change_id, (line.id for line in lines))
            self._sent = True
            try:
                made = self._vendor.create_addition(new)
            except Throttled as throttled:
                # Certainly not carried out; whoever asks again looks again first.
                self._fresh.pop(change.key.agreement_id, None)
                if attempt == POST_ATTEMPTS:
                    raise
                asked = throttled.retry_after
                self._sleep(min(WAIT_SECONDS * attempt if asked is None else asked, LONGEST_WAIT_SECONDS))
            except VendorError:
                self._fresh.pop(change.key.agreement_id, None)
                raise
            else:
                self._fresh[made.agreement_id] = (*self._fresh[made.agreement_id], made)
                return made, tuple(line.id for line in lines if carries_mark(line))
        raise AssertionError("the last attempt either returns or raises")

    def _lines(self, change: Change) -> tuple[Addition, ...]:
        """Return the lines of a key, read since this run began to write on their agreement."""
        agreement_id = change.key.agreement_id
        if agreement_id not in self._fresh:
            self._fresh[agreement_id] = self._vendor.additions(agreement_id)
        return tuple(line for line in self._fresh[agreement_id] if line.key == change.key)

    # Changing ------------------------------------------------------------------------------------

    def _patch(self, change_id: int, change: Change) -> Addition:
        """PATCH only the fields that this kind of change owns (contract rule 20)."""
        addition_id = _id_of(change)
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
        self._sent = True
        return self._vendor.patch_addition(change.key.agreement_id, addition_id, patch)

    # What did not work ---------------------------------------------------------------------------

    def _not_made(self, change_id: int, change: Change, error: VendorError) -> Result:
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
        if self._was_sent(change_id):
            return self._look_again(change_id, change, error)
        return self._record(change_id, change, "failed", error, f"{error.message} Nothing was sent.")

    def _look_again(self, change_id: int, change: Change, error: VendorError) -> Result:
        opened = self._opened(change_id)
        try:
            verdict = settle(opened, self._read(opened), self._ledger.known_additions())
        except VendorError:
            return self._record(change_id, change, "unclear", error, f"{error.message} So {RUN_AGAIN}.")
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

    def _read(self, opened: OpenChange) -> Iterable[Addition]:
        if opened.kind == "create":
            return self._vendor.additions(opened.key.agreement_id)
        found = self._vendor.addition(opened.key.agreement_id, opened.addition_id or 0)
        return () if found is None else (found,)

    def _was_sent(self, change_id: int) -> bool:
        return any(each.id == change_id for each in self._ledger.open_changes())

    def _record(
        self, change_id: int, change: Change, outcome: Outcome, error: VendorError, message: str
    ) -> Result:
        self._ledger.record_outcome(change_id, outcome, message, error.request_id)
        return Result(change, outcome, change.addition_id, message)


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


def untried(change: Change, why: str) -> Result:
    """Return what becomes of a change whose turn does not come: it is held, or not tried and why."""
    if change.held is not None:
        return Result(change, "held", change.addition_id, f"held: {change.held}")
    return Result(change, "not_tried", change.addition_id, why)


def _set_by(moved: Moved | None) -> Decimal | None:
    """Return the price that a change sets, None where it sets none."""
    return None if moved is None else moved.after


def _only_priced(plan: Plan) -> Iterator[Feed]:
    """Yield who feeds the additions whose quantity is right, whatever becomes of their prices."""
    for change in plan.to_make:
        if change.kind == "update" and change.before == change.after and not change.release:
            yield Feed(_id_of(change), change.key, change.after, change.parts)


def _only_prices_lack(change: Change, error: NotAsAsked) -> bool:
    """Whether a changed addition shows all that was asked for but its prices."""
    line = error.addition
    if line is None or change.release or not change.prices_move or line.quantity != change.after:
        return False
    return not change.mark or holds_mark(line.serial_number, change.mark)


def _id_of(change: Change) -> int:
    if change.addition_id is None:
        raise AssertionError(f"{change.kind} without an addition")
    return change.addition_id
