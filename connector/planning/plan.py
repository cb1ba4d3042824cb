"""Turn what should be billed into the fewest writes that get us there (contract rules 10 to 16).

Pure: no clock, no network, no database. The same inputs give the same plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from connector.model import Addition, Agreement, Key, Period
from connector.planning.allowances import minimum_of
from connector.planning.change import Change, Feed, Kind, KnownAddition, Plan, mark_of, plain
from connector.planning.directory import Unplaced, inactive_because
from connector.planning.findings import Coverage, Desired, Options, Part, Unresolved, Warn, tenant_label
from connector.planning.guards import objections
from connector.planning.holds import Holds
from connector.planning.lines import Lines, lines_by_key
from connector.planning.pricer import Pricer
from connector.planning.pricing import Pair, Worth
from connector.planning.resolve import UNMAPPED, Off, Placer, Resolved
from connector.planning.successors import SUSPECTED, fed_before, find_successors, held_pairs
from connector.planning.unattended import unless_approved
from connector.planning.uncounted import NOT_COUNTED, Uncounted, not_counted, without_firewalls
from connector.planning.wording import Wording, succession

ZERO = Decimal(0)

NEXT_STEPS = {
    "AGGREGATE_DIFFERS": "give all codes of the item the same `aggregate` in `products:`",
    "DUPLICATE_ADDITIONS": "keep one of the lines in ConnectWise and cancel the others",
    "ENDED_BY_HAND": "turn the product off for the tenant, or run with --recreate to bill it again",
    "MOVED_BY_HAND": "put the line's product back in ConnectWise, or run with --recreate to bill it anew",
    "ITEM_INACTIVE": "make the item active in ConnectWise, or map the product to another one",
    "NEEDS_ADOPTION": "end the line in ConnectWise, or set `adopt: ask` and run with --adopt",
    "NO_INVOICE_DATE": "give the agreement a next invoice date, or set `effective: period_start`",
}
CONCERNS = {"adopt": frozenset({"DUPLICATE_ADDITIONS", "NEEDS_ADOPTION"})}
"""What is told as unresolved in a plan that is limited to one kind of change."""


_NO_LINES = Lines()


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a plan is made from; `newest_applied` is the newest period that a run has applied.

    `additions` are those of every agreement that matters, all of which the placer's directory has.
    `worth` is what usage costs and lists at, for the price rules of mappings.yaml. `applied_source` is
    where the usage came from that was applied for the period last. `restated` is told beside the plan:
    nothing is held back for it. `uncounted` is what live counts do not tell, `approved` the
    fingerprints of the writes that a person has let go.
    """

    period: Period
    source: str
    today: date
    resolved: Resolved
    placer: Placer
    additions: Mapping[int, tuple[Addition, ...]]
    known: Mapping[int, KnownAddition]
    options: Options
    names: Mapping[str, str]
    newest_applied: Period | None = None
    warnings: tuple[Warn, ...] = ()
    worth: Mapping[Pair, Worth] = field(default_factory=dict)
    applied_source: str | None = None
    restated: tuple[Unresolved, ...] = ()
    uncounted: Uncounted = field(default_factory=Uncounted)
    approved: frozenset[str] = frozenset()


def make_plan(inputs: Inputs) -> Plan:
    """Compare what should be billed with what is, touching only additions that we manage."""
    planner = _Planner(inputs)
    for key in sorted(inputs.resolved.desired.keys() | planner.lines.keys()):
        planner.judge_key(key)
    return planner.plan()


class _Planner:
    """Goes through the keys one by one and collects what comes of each."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.mappings = inputs.placer.mappings
        self.directory = inputs.placer.directory
        self.words = Wording(inputs.placer, inputs.names, inputs.period)
        self.pricer = Pricer(inputs.placer, inputs.worth, self.words)
        self.lines = lines_by_key(inputs.additions, inputs.known, inputs.today)
        self.changes: list[Change] = []
        self.unchanged: list[Feed] = []
        self.unresolved: list[Unresolved] = list(inputs.resolved.unresolved)
        self.warnings: list[Warn] = [*inputs.warnings, *self.directory.warnings]
        self.implied: Mapping[Key, tuple[tuple[str, str], ...]] | None = None
        self.left_alone: list[Key] = []

    def plan(self) -> Plan:
        """Hold what a person must decide, leave out what nobody asked for, and let the guards object."""
        options = self.inputs.options
        holds = Holds(
            unresolved=self.unresolved,
            resolved=self.inputs.resolved,
            suspected=self.suspected(),
            placer=self.inputs.placer,
            limits=self.mappings.guards,
            options=options,
        )
        judged = (self.held(change, holds) for change in self.changes)
        managed = [line for lines in self.lines.values() for line in lines.managed]
        plan = Plan(
            period=self.inputs.period,
            source=self.inputs.source,
            changes=tuple(
                change
                for change in judged
                if options.makes(change.kind) and _asked_for(options, (*change.parts, *change.was))
            ),
            coverage=self.coverage(),
            unresolved=tuple(
                entry
                for entry in (*self.unresolved, *self.pricer.waiting, *self.beside())
                if options.selects(entry.tenant_id, entry.product_code) and _concerns(options, entry)
            ),
            warnings=(
                *self.warnings,
                *self.pricer.warnings,
                *without_firewalls(self.inputs.uncounted, self.left_alone),
            ),
            unchanged=tuple(feed for feed in self.unchanged if _asked_for(options, feed.parts)),
            managed=len(managed),
            managed_quantity=sum((line.quantity for line in managed), ZERO),
            options=options,
            names=self.inputs.names,
        )
        found = objections(
            plan,
            self.mappings.guards,
            rows=self.inputs.resolved.rows,
            newest_applied=self.inputs.newest_applied,
            applied_source=self.inputs.applied_source,
        )
        return replace(plan, objections=found)

    def beside(self) -> tuple[Unresolved, ...]:
        """Return what a person must look at although no row of usage waits for it."""
        uncounted = not_counted(self.inputs.uncounted, self.inputs.placer, self.inputs.names)
        return (*self.inputs.restated, *uncounted)

    def held(self, change: Change, holds: Holds) -> Change:
        """Return a change, held where it must wait for a person."""
        certain = bool(self.lines[change.key].was if change.before is not None else ())
        judged = self.counted(holds.judge(change, certain=certain))
        if not self.inputs.options.unattended:
            return judged
        rules = self.mappings.unattended
        return unless_approved(judged, rules, self.inputs.period, self.inputs.approved)

    def counted(self, change: Change) -> Change:
        """Hold a change of a key whose share nobody has counted; no person can release that."""
        lacking = any(
            self.inputs.uncounted.lacks(part) and not self.off(*part.pair)
            for part in self.earlier(change.key, self.lines[change.key])
        )
        return replace(change, held=NOT_COUNTED) if lacking else change

    def coverage(self) -> Coverage:
        """Count the rows that a person asked for, by what becomes of them."""
        resolved, options = self.inputs.resolved, self.inputs.options
        unresolved = sum(
            entry.rows for entry in self.unresolved if options.selects(entry.tenant_id, entry.product_code)
        )
        placed = sum(rows for pair, rows in resolved.rows_by_pair.items() if options.selects(*pair))
        orphans = sum(
            entry.rows
            for entry in resolved.unresolved
            if entry.tenant_id is None and options.selects(None, entry.product_code)
        )
        off = sum(
            rows for pair, rows in resolved.rows_by_pair.items() if self.off(*pair) and options.selects(*pair)
        )
        rows = placed + orphans
        return Coverage(rows=rows, billed=rows - off - unresolved, off=off, unresolved=unresolved)

    # One key -------------------------------------------------------------------------------------

    def judge_key(self, key: Key) -> None:
        """Decide what becomes of one key: contract rules 11 to 16, in the order in which they bind."""
        lines = self.lines.setdefault(key, _NO_LINES)
        desired = self.inputs.resolved.desired.get(key)
        recreate = self.inputs.options.recreate
        uncounted = self.inputs.uncounted
        if lines.managed and uncounted.devices and uncounted.feeds(self.earlier(key, lines)):
            self.left_alone.append(key)
        elif desired is not None and desired.conflict:
            what = f"these codes disagree on how one tenant's usage of them adds up: {desired.conflict}"
            self.unresolve(key, desired.parts, "AGGREGATE_DIFFERS", what)
        elif len(lines.managed) != 1 and len(lines.live) > 1:
            self.several_lines(key, desired, lines)
        elif lines.managed:
            self.managed_line(key, desired, lines)
        elif desired is None or desired.quantity == 0:
            self.nothing_to_bill(key, desired, lines)
        elif lines.others:
            self.adopt(key, desired, lines.others[0])
        elif lines.ended_by_hand and not recreate:
            ended = lines.ended_by_hand[-1]
            what = f"somebody ended addition {ended.id} on {ended.cancelled}"
            self.unresolve(key, desired.parts, "ENDED_BY_HAND", f"{what}; {self.words.wanted(desired)}")
        elif lines.moved and not recreate:
            what = f"somebody gave addition {lines.moved[-1].id} another product"
            self.unresolve(key, desired.parts, "MOVED_BY_HAND", f"{what}; {self.words.wanted(desired)}")
        else:
            self.create(key, desired, lines)

    def several_lines(self, key: Key, desired: Desired | None, lines: Lines) -> None:
        """Refuse to choose between several live lines (contract rule 14)."""
        was = self.earlier(key, lines)
        if desired is None or desired.quantity == 0:
            if all(line.quantity == 0 for line in lines.managed):
                return
            if desired is None and self.all_off(was):
                for line in lines.managed:
                    self.still_billing(key, line)
                return
        ids = ", ".join(str(line.id) for line in lines.live)
        ours = f"{len(lines.managed)} of them ours" if lines.managed else "none of them ours"
        self.unresolve(
            key,
            desired.parts if desired is not None else was,
            "DUPLICATE_ADDITIONS",
            f"{len(lines.live)} additions of this item bill at the same time (ids {ids}; {ours})",
        )

    def managed_line(self, key: Key, desired: Desired | None, lines: Lines) -> None:
        """Bring the one addition that is ours to what should be billed (contract rules 11 and 16)."""
        line = lines.managed[0]
        if lines.others:
            ids = ", ".join(str(other.id) for other in lines.others)
            what = f"beside our addition {line.id}, people's own lines of this item bill too: {ids}"
            self.warn(key, "OTHER_LINES", what)
        self.commitments(key, lines)
        if desired is None or desired.quantity == 0:
            self.absent(key, desired, line)
            return
        if desired.quantity == line.quantity and not self.pricer.on:  # as on nearly every night, and fast
            self.unchanged.append(Feed(line.id, key, line.quantity, desired.parts))
            return
        update = self.change("update", key, line, desired, self.words.sum_of(desired.parts))
        if desired.quantity != line.quantity:
            because = f"{update.because}; was {plain(line.quantity)}"
            self.changes.append(replace(update, because=because))
        elif update.prices_move:
            self.changes.append(update)
        else:
            self.unchanged.append(Feed(line.id, key, line.quantity, desired.parts))

    def commitments(self, key: Key, lines: Lines) -> None:
        """Say which minimum that fed a line is not billed any more: without a row it would be a guess."""
        for part in lines.was:
            least = minimum_of(self.mappings, part.tenant_id, part.product_code)
            if not least:
                continue
            fed = part.quantity > 0 or part.committed
            here = self.inputs.placer.place(*part.pair) == key
            if fed and here and part.pair not in self.inputs.resolved.rows_by_pair:
                whose = tenant_label(part.tenant_id, self.inputs.names)
                what = (
                    f"{whose} has a minimum of {plain(least)} {part.product_code}, but no row of it in "
                    f"{self.inputs.period}; without a row no minimum is billed"
                )
                self.warn(key, "MINIMUM_WITHOUT_USAGE", what)

    def absent(self, key: Key, desired: Desired | None, line: Addition) -> None:
        """Usage of a managed addition has stopped: `absent` decides, unless it is off (contract rule 16)."""
        was = self.earlier(key, self.lines[key])
        if line.quantity <= 0:
            self.unchanged.append(Feed(line.id, key, line.quantity, desired.parts if desired else ()))
            return
        if desired is None and self.all_off(was):
            self.still_billing(key, line)
            return
        reason = inactive_because(self.directory.agreements[key.agreement_id], self.inputs.today)
        if reason is not None:
            self.warn(
                key, "AGREEMENT_INACTIVE", f"addition {line.id} is no longer used; its agreement {reason}"
            )
            return
        if desired is not None and desired.rounded_away:
            because = self.words.sum_of(desired.parts)
        else:
            because = self.words.why_absent(key, [part for part in was if not self.off(*part.pair)])
        absent = self.mappings.defaults.absent
        if absent == "keep":
            what = f"addition {line.id} goes on billing {plain(line.quantity)}: {because}"
            self.warn(key, "ABSENT_KEPT", what)
        elif absent == "zero":
            self.changes.append(self.change("zero", key, line, desired, because))
        else:
            last_day = self.inputs.period.first_day - timedelta(days=1)
            ending = self.change("end", key, line, desired, f"{because}; ends on {last_day}")
            self.changes.append(replace(ending, effective=last_day))

    def nothing_to_bill(self, key: Key, desired: Desired | None, lines: Lines) -> None:
        """Leave people's own line alone although Sophos reports no usage for it."""
        if desired is None:
            return
        for line in lines.others:
            why = self.words.wanted(desired, "reports")
            what = f"people made addition {line.id} ({plain(line.quantity)}); {why}; it is left alone"
            self.warn(key, "NOT_OURS", what)

    def adopt(self, key: Key, desired: Desired, line: Addition) -> None:
        """Take over the one line that people made (contract rule 13)."""
        adopt = self.mappings.defaults.adopt
        what = f"people made addition {line.id} with {plain(line.quantity)}"
        if adopt == "never":
            what += f"; `adopt: never` leaves it to them; {self.words.wanted(desired)}"
            self.unresolve(key, desired.parts, "NEEDS_ADOPTION", what)
            return
        because = f"{self.words.sum_of(desired.parts)}; {what}"
        marked = self.mappings.defaults.mark and not line.serial_number
        self.changes.append(
            replace(
                self.change("adopt", key, line, desired, because),
                held="NEEDS_ADOPTION" if adopt == "ask" else None,
                mark=mark_of(key) if marked else "",
            )
        )

    def create(self, key: Key, desired: Desired, lines: Lines) -> None:
        """Plan the one line that bills this key from now on (contract rule 12)."""
        item = self.directory.items[key.item_id]
        start = self.first_day(self.directory.agreements[key.agreement_id])
        if item.inactive:
            what = f"item {item.identifier} is inactive, so no addition can be made"
            self.unresolve(key, desired.parts, "ITEM_INACTIVE", what)
        elif start is None:
            what = "`effective: next_invoice`, but ConnectWise names no such date for the agreement"
            self.unresolve(key, desired.parts, "NO_INVOICE_DATE", what)
        else:
            because = self.words.sum_of(desired.parts)
            if lines.gone:
                because += f"; addition {lines.gone[-1].id} is gone from ConnectWise"
            elif lines.ended_by_hand or lines.moved:
                because += "; made again, as asked"
            mark = mark_of(key) if self.mappings.defaults.mark else ""
            created = self.change("create", key, None, desired, because)
            self.changes.append(replace(created, effective=start, mark=mark))

    def first_day(self, agreement: Agreement) -> date | None:
        """Return when a new addition starts, never before its agreement does."""
        start = {
            "period_start": self.inputs.period.first_day,
            "today": self.inputs.today,
            "next_invoice": agreement.next_invoice,
        }[self.mappings.defaults.effective]
        bounds = (agreement.start, agreement.bill_start)
        return max([start, *(bound for bound in bounds if bound is not None)]) if start is not None else None

    # Who fed a key -------------------------------------------------------------------------------

    def earlier(self, key: Key, lines: Lines) -> tuple[Part, ...]:
        """Return who fed a key before: from the ledger, or from mappings.yaml where the state was lost."""
        if lines.was:
            return lines.was
        if self.implied is None:
            self.implied = self.inputs.placer.pairs_by_key()
        return tuple(Part(tenant_id, code, ZERO) for tenant_id, code in self.implied.get(key, ()))

    def suspected(self) -> frozenset[tuple[str, str]]:
        """Return the tenants and codes that an unmapped code may follow, and say so in warnings.

        All tenants count, whatever the plan was asked for.
        """
        if all(entry.code != "UNMAPPED_PRODUCT" for entry in self.inputs.resolved.unresolved):
            return frozenset()  # nothing else can follow a code, and on nearly every night nothing is there
        used = self.inputs.resolved.used
        before = fed_before(self.lines, self.changes, used, self.mappings)
        before = tuple(part for part in before if self.inputs.uncounted.knows(part))
        successors = find_successors(before, used, self.mappings)
        meanwhile = "nothing is zeroed there meanwhile"
        if self.inputs.options.releases(SUSPECTED):
            meanwhile = "--force has released what was held for it"
        for each in successors:
            what = f"{succession(each, self.mappings)}; {meanwhile}. If it is so: {each.command}"
            self.warnings.append(Warn(SUSPECTED, what))
        return held_pairs(successors)

    def off(self, tenant_id: str, product_code: str) -> bool:
        """Whether mappings.yaml has turned a pair off."""
        return isinstance(self.inputs.placer.place(tenant_id, product_code), Off)

    def all_off(self, parts: Iterable[Part]) -> bool:
        """Whether mappings.yaml has turned off, or forgotten, all that fed a key."""
        placements = (self.inputs.placer.place(*part.pair) for part in parts)
        return all(
            isinstance(place, Off) or (isinstance(place, Unplaced) and place.code in UNMAPPED)
            for place in placements
        )

    # What comes of it ----------------------------------------------------------------------------

    def change(
        self, kind: Kind, key: Key, line: Addition | None, desired: Desired | None, because: str
    ) -> Change:
        """Write one change down, with its lineage now and before."""
        ours = kind in {"update", "zero", "end"}
        price, cost = (None, None) if desired is None else self.pricer.prices(key, desired, line)
        made = Change(
            kind=kind,
            key=key,
            addition_id=line.id if line is not None else None,
            before=line.quantity if line is not None else None,
            after=desired.quantity if desired is not None else ZERO,
            because=because,
            parts=desired.parts if desired is not None else (),
            was=self.earlier(key, self.lines[key]) if ours else (),
            item=self.words.item(key.item_id),
            company=self.words.company(key.agreement_id),
            agreement=self.words.agreement(key.agreement_id),
            included=line.less_included if line is not None else ZERO,
            unit_price=price,
            unit_cost=cost,
        )
        return self.pricer.with_money(made, line)

    def warn(self, key: Key, code: str, message: str) -> None:
        self.warnings.append(Warn(code, f"{self.words.key(key)}: {message}", key))

    def still_billing(self, key: Key, line: Addition) -> None:
        if line.quantity > 0:
            what = (
                f"addition {line.id} goes on billing {plain(line.quantity)}, though mappings.yaml has it off"
            )
            self.warn(key, "OFF_STILL_BILLING", f"{what}; end it in ConnectWise if it should stop")

    def unresolve(self, key: Key, parts: tuple[Part, ...], code: str, message: str) -> None:
        """Take a key's usage out of what is billed, one entry for each part that feeds it."""
        for part in parts or (None,):
            self.unresolved.append(
                Unresolved(
                    code=code,
                    message=f"{self.words.key(key)}: {message}",
                    tenant_id=part.tenant_id if part else None,
                    product_code=part.product_code if part else None,
                    quantity=part.quantity if part else ZERO,
                    key=key,
                    rows=self.inputs.resolved.rows_by_pair.get(part.pair, 0) if part else 0,
                    next_step=NEXT_STEPS[code],
                )
            )


def _concerns(options: Options, entry: Unresolved) -> bool:
    """Whether an entry is about a kind of change that the plan is for."""
    return not options.only or any(entry.code in CONCERNS.get(kind, ()) for kind in options.only)


def _asked_for(options: Options, parts: Iterable[Part]) -> bool:
    """Whether a person asked for what these parts feed; with no wish, everything is asked for."""
    return options.whole or any(options.selects(*part.pair) for part in parts)
