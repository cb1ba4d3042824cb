"""One change of a run beside its line as it is now: what takes it back, or why that must not be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from connector.model import Addition, Period
from connector.planning.change import Change, Kind, KnownAddition, Moved, holds_mark, plain
from connector.planning.findings import Unresolved
from connector.planning.undo.past import PastChange, PastRun, standing_after, undone_by

MOVED_SINCE = "MOVED_SINCE"
END_STAYS = "END_STAYS"

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """A run, its changes, and all that is known of their lines now.

    `histories` are all changes that were ever made to these additions, the oldest first. `additions` are
    those of every agreement that the run changed or that holds lines of ours, and that is still there;
    `currencies` are theirs. Where a rule of mappings.yaml owns prices, money is counted: they are `priced`.
    """

    run: PastRun
    period: Period
    changes: Sequence[PastChange]
    histories: Mapping[int, Sequence[PastChange]]
    additions: Mapping[int, tuple[Addition, ...]]
    known: Mapping[int, KnownAddition]
    today: date
    source: str = ""
    currencies: Mapping[int, str] = field(default_factory=dict)
    priced: bool = False


def way_back(after: Aftermath, change: PastChange, line: Addition | None) -> Change | Unresolved | None:
    """Return the change that takes one back, why that must not be, or None where it is as before.

    `line` is the addition as ConnectWise shows it now, None where it does not.
    """
    return _Line(after, change, line).verdict()


class _Line:
    """One change of the past, beside its line as it is now."""

    def __init__(self, after: Aftermath, change: PastChange, line: Addition | None) -> None:
        self.after = after
        self.past = change
        self.id = change.addition_id or 0
        self.was = change.before if change.before is not None else ZERO
        self.lines = after.additions.get(change.key.agreement_id)
        self.line = line

    def verdict(self) -> Change | Unresolved | None:
        history = self.after.histories.get(self.id, ())
        if self.past.id in undone_by(history):
            return None
        later = standing_after(history, self.past)
        if later:
            newest = later[-1].run
            what = f"run {newest} changed addition {self.id} since, to {plain(later[-1].after)}"
            return self.refused(what, f"undo that run first: connector runs undo {newest}")
        line = self.line
        if line is None:
            there = (
                "addition {} is gone" if self.lines is not None else "the agreement of addition {} is gone"
            )
            return self.moved(f"{there.format(self.id)} from ConnectWise")
        if self.past.kind == "end":
            return self.ended(line)
        why = self.why_moved(line)
        return self.moved(why) if why else self.inverse(line)

    def why_moved(self, line: Addition) -> str:
        """Say what is otherwise than the run left it, or "" where nothing is."""
        past = self.past
        remembered = self.after.known.get(self.id)
        rivals = [
            other.id
            for other in self.lines or ()
            if other.key == line.key
            and other.id != line.id
            and other.live(self.after.today)
            and other.quantity > 0
        ]
        said = ""
        if line.key != past.key:
            said = f"addition {self.id} has another product or agreement"
        elif not line.live(self.after.today):
            said = f"addition {self.id} ended on {line.cancelled}"
        elif remembered is not None and remembered.closed:
            said = f"another line has replaced addition {self.id}"
        elif line.quantity not in {self.left, self.was}:
            shows, left = plain(line.quantity), plain(self.left)
            said = f"addition {self.id} shows {shows}, and run {past.run} left it at {left}"
        elif line.quantity == 0 < self.was and rivals:
            said = f"addition {', '.join(map(str, rivals))} bills the item now"
        elif self.marked and line.serial_number.strip() != past.mark:
            said = f'somebody wrote beside our mark in addition {self.id}: "{line.serial_number}"'
        return said or self.price_moved(line)

    @property
    def left(self) -> Decimal:
        """The quantity that the run left the line at: of one not created as asked, what it came to."""
        remembered = self.after.known.get(self.id)
        return self.past.after if self.past.outcome == "done" or remembered is None else remembered.quantity

    @property
    def marked(self) -> bool:
        """Whether the line holds the mark that an adoption put into it."""
        mark = self.past.mark if self.past.kind == "adopt" else ""
        return bool(mark) and self.line is not None and holds_mark(self.line.serial_number, mark)

    def price_moved(self, line: Addition) -> str:
        shown = (
            ("price", line.unit_price, self.past.unit_price),
            ("cost", line.unit_cost, self.past.unit_cost),
        )
        for name, now, set_to in shown:
            if set_to is not None and set_to.before is not None and now not in {set_to.before, set_to.after}:
                shows = "none" if now is None else plain(now)
                left = f"run {self.past.run} set it to {plain(set_to.after)}"
                return f"the {name} of addition {self.id} is {shows}, and {left}"
        return ""

    def inverse(self, line: Addition) -> Change | None:
        """Return the change that brings the line back to where it was before the run."""
        past = self.past
        creates = past.kind == "create"
        price = None if creates else _back(past.unit_price, line.unit_price)
        cost = None if creates else _back(past.unit_cost, line.unit_cost)
        gives_back = past.kind == "adopt"
        if (
            not gives_back
            and not past.release
            and line.quantity == self.was
            and price is None
            and cost is None
        ):
            return None
        return Change(
            kind=self.kind_back(line),
            key=past.key,
            addition_id=line.id,
            before=line.quantity,
            after=self.was,
            because=self.because(),
            parts=past.was,
            was=past.parts,
            mark=self.mark_back(line),
            item=past.item or f"item {past.key.item_id}",
            company=past.company,
            agreement=past.agreement,
            included=line.less_included,
            unit_price=price,
            unit_cost=cost,
            release=gives_back,
        )

    def kind_back(self, line: Addition) -> Kind:
        if self.past.release:
            return "adopt"
        falls = self.was == 0 < line.quantity
        return "zero" if falls and self.past.kind != "adopt" else "update"

    def mark_back(self, line: Addition) -> str:
        """Return the mark that is to be taken out of the line, or put into it again."""
        if self.past.kind == "adopt":
            return self.past.mark if self.marked else ""
        return self.past.mark if self.past.release and not line.serial_number else ""

    def because(self) -> str:
        past = self.past
        said = f"as before run {past.run}"
        if past.kind == "create":
            said = f"created by run {past.run}; stays ours at 0"
        elif past.kind == "adopt":
            said = f"given back to people, {said}"
        elif past.release:
            said = f"taken over again, {said}"
        prices = () if past.kind == "create" else (past.unit_price, past.unit_cost)
        if any(each is not None and each.before is None for each in prices):
            said += "; what it cost before is not known, so that stays"
        return said

    def ended(self, line: Addition) -> Unresolved | None:
        """Refuse to take an end date back: no one has seen ConnectWise do it."""
        if line.live(self.after.today):
            return None
        return self.refused(
            f"run {self.past.run} ended addition {self.id} on {line.cancelled}, and an end date is not taken "
            "back by the connector",
            f"take the cancelled date out of addition {self.id} in ConnectWise, or bill what is used on a "
            "new line: connector sync --recreate",
            END_STAYS,
        )

    def moved(self, what: str) -> Unresolved:
        return self.refused(what, f"set addition {self.id} in ConnectWise to what it should bill")

    def refused(self, what: str, next_step: str, code: str = MOVED_SINCE) -> Unresolved:
        past = self.past
        pairs = {part.pair for part in (*past.parts, *past.was)}
        tenant_id, product_code = pairs.pop() if len(pairs) == 1 else (None, None)
        return Unresolved(
            code=code,
            message=f"{past.label}: {what}; so {_told(past)} is not undone",
            tenant_id=tenant_id,
            product_code=product_code,
            quantity=past.after,
            key=past.key,
            rows=0,
            next_step=next_step,
            billed=True,
        )


def _told(past: PastChange) -> str:
    before = "new" if past.before is None else plain(past.before)
    return f"{before} -> {plain(past.after)}"


def _back(moved: Moved | None, now: Decimal | None) -> Moved | None:
    """Return how a price goes back, None where it is back, or was not known before."""
    if moved is None or moved.before is None or now == moved.before:
        return None
    return Moved(now, moved.before)
