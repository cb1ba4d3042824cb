"""What a run changed -> the plan that takes it back, line by line, wherever nothing has moved since.

Pure: the same history and the same lines give the same plan.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.model import Addition, GuardLimits
from connector.planning.change import Change, Plan
from connector.planning.findings import Coverage, Options, Unresolved, Warn
from connector.planning.guards import objections
from connector.planning.holds import LARGE_INCREASE, grows_too_far
from connector.planning.lines import lines_by_key
from connector.planning.prices import Money
from connector.planning.pricing import bill_of
from connector.planning.undo.line import Aftermath, way_back
from connector.planning.undo.past import PastRun

NOT_DONE = "NOT_DONE"
STAYS_OURS = "STAYS_OURS"

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Undoing:
    """The plan that takes a run back; `already` counts changes that are as before it, `done` all it made."""

    run: PastRun
    plan: Plan
    done: int
    already: int


def plan_undo(after: Aftermath, options: Options, limits: GuardLimits) -> Undoing:
    """Take back each change that a run made, and refuse each whose line has moved since."""
    done = [change for change in after.changes if change.made]
    shown = {line.id: line for lines in after.additions.values() for line in lines}
    verdicts = [way_back(after, change, shown.get(change.addition_id or 0)) for change in done]
    changes = tuple(_judged(after, verdicts, shown, options, limits))
    by_key = lines_by_key(after.additions, after.known, after.today)
    managed = [line for lines in by_key.values() for line in lines.managed]
    plan = Plan(
        period=after.period,
        source=after.source,
        changes=changes,
        coverage=Coverage(rows=0, billed=0, off=0, unresolved=0),
        unresolved=tuple(each for each in verdicts if isinstance(each, Unresolved)),
        warnings=tuple(_warnings(after, changes)),
        managed=len(managed),
        managed_quantity=sum((line.quantity for line in managed), ZERO),
        options=options,
        undoes=after.run.number,
    )
    # It reads no usage, so no month can be empty; and its period has been applied, by the run it takes back.
    found = objections(plan, limits, rows=1, newest_applied=None)
    return Undoing(
        after.run,
        replace(plan, objections=found),
        done=len(done),
        already=sum(each is None for each in verdicts),
    )


def _judged(
    after: Aftermath,
    verdicts: Iterable[Change | Unresolved | None],
    shown: Mapping[int, Addition],
    options: Options,
    limits: GuardLimits,
) -> Iterator[Change]:
    """Yield each change with the money that it moves, held where it rises too far, as a plan's are."""
    changes = [each for each in verdicts if isinstance(each, Change)]
    counts = after.priced or limits.money is not None or any(change.prices_move for change in changes)
    for change in changes:
        held = grows_too_far(change, limits) and not options.releases(LARGE_INCREASE)
        yield replace(
            change,
            held=LARGE_INCREASE if held else None,
            money=_money(after, change, shown[change.addition_id or 0]) if counts else None,
        )


def _money(after: Aftermath, change: Change, line: Addition) -> Money | None:
    """Return by how much the bill of a line changes, None where its price is not known."""
    price = line.unit_price if change.unit_price is None else change.unit_price.after
    now = bill_of(line.quantity, line.less_included, line.unit_price)
    then = bill_of(change.after, line.less_included, price)
    if now is None or then is None:
        return None
    return Money(then - now, after.currencies.get(change.key.agreement_id, ""))


def _warnings(after: Aftermath, changes: Iterable[Change]) -> Iterable[Warn]:
    number = after.run.number
    left = Counter(change.outcome for change in after.changes if not change.made)
    if left:
        told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(left.items()))
        yield Warn(NOT_DONE, f"run {number} did not make all of its changes, so they are not undone: {told}")
    created = {change.addition_id for change in after.changes if change.kind == "create"}
    zeroed = [str(change.addition_id) for change in changes if change.addition_id in created]
    if zeroed:
        lines = (
            "line that run {} created goes to 0 and stays"
            if len(zeroed) == 1
            else ("lines that run {} created go to 0 and stay")
        )
        what = f"{len(zeroed)} {lines.format(number)} ours, for nothing is ever deleted: {', '.join(zeroed)}"
        yield Warn(STAYS_OURS, what)
