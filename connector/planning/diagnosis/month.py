"""A month, checked: what is used, what we wrote and what ConnectWise has, and what is wrong. Pure.

The order of its items: first what needs a person; of that, the most money first, currency by currency (the
one of most items before the others, then by name), then what nobody knows the money of, then what moves
none; then the class, the key, and whose it is.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from connector.model import Key, UsageRow
from connector.planning.change import Plan
from connector.planning.diagnosis.coverage import checked_of
from connector.planning.diagnosis.discrepancies import NOT_CHECKED, Checked, Diagnosis, Discrepancy
from connector.planning.diagnosis.distributor import Distributor, distributor_items
from connector.planning.diagnosis.keys import KeyDoctor
from connector.planning.diagnosis.prices import price_items
from connector.planning.diagnosis.remedies import BESIDE, INACTIVE, TOLD_APART
from connector.planning.diagnosis.rows import (
    fed_by,
    renamed_products,
    restated_items,
    succession_items,
    told_items,
    unplaced,
)
from connector.planning.diagnosis.sides import Sides
from connector.planning.diagnosis.stakes import Costs, place_of
from connector.planning.diagnosis.written import WrittenThen
from connector.planning.findings import Unresolved
from connector.planning.lines import Lines
from connector.planning.plan import Inputs
from connector.planning.resolve import Resolved
from connector.planning.restatement import RESTATED, Restated
from connector.planning.successors import SUSPECTED, Successor, fed_before, find_successors, held_pairs
from connector.planning.tenant_finder import TenantFinder

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class AsItIs:
    """The usage of a month that was billed otherwise, as its source has it now."""

    rows: Sequence[UsageRow]
    resolved: Resolved


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a month beside its usage and its plan.

    `unread` says of agreements why their additions could not be read, `tried` what ConnectWise said to
    changes of this month that it refused. `restated` is what has changed since the month was billed, and
    `as_it_is` the month as its source has it now; `then` is what was written for it, where a newer month
    has been billed since. `called_before` are the descriptions that each code had in the month before.
    """

    unread: Mapping[int, str] = field(default_factory=dict)
    tried: Mapping[Key, str] = field(default_factory=dict)
    restated: tuple[Restated, ...] = ()
    as_it_is: AsItIs | None = None
    then: WrittenThen | None = None
    called_before: Mapping[str, Collection[str]] = field(default_factory=dict)
    distributor: Distributor | None = None


PLAIN = Circumstances()


def diagnose(
    inputs: Inputs,
    plan: Plan,
    *,
    rows: Sequence[UsageRow],
    finder: TenantFinder,
    beside: Circumstances = PLAIN,
) -> Diagnosis:
    """Say what is wrong with a month, in order of money, and how much of it was checked.

    `plan` is made of these inputs, which are made of `rows`, whose tenants `finder` finds.
    """
    distributor = beside.distributor
    costs = Costs(rows, finder)
    theirs = distributor.resolved if distributor is not None else None
    sides = Sides(inputs, plan, costs, beside.unread, then=beside.then, distributor=theirs)
    now = beside.as_it_is or AsItIs(rows, inputs.resolved)
    costs_now = Costs(now.rows, finder) if beside.as_it_is is not None else costs
    changed = {(each.tenant_id, each.product_code) for each in beside.restated}
    coverage = checked_of(inputs, now.resolved, costs_now, beside.unread, changed)
    items = list(_differences(sides, costs, beside, now, costs_now))
    items += _worth_knowing(sides, rows, beside.called_before)
    items += price_items(sides, costs)
    if distributor is not None:
        items += distributor_items(sides, costs, distributor)
    if not coverage.rows_checked and not any(item.code in {NOT_CHECKED, RESTATED} for item in items):
        items.append(_nothing(sides, coverage))
    return Diagnosis(
        period=inputs.period,
        source=inputs.source,
        coverage=coverage,
        items=tuple(sorted(items, key=_order(items))),
        numbers=tuple(sides.numbers(key) for key in sides.every_key),
    )


def without(inputs: Inputs, agreement_ids: Container[int]) -> Inputs:
    """Return what a plan is made of less these agreements: of what could not be read nothing is planned."""
    desired = inputs.resolved.desired
    read = {key: each for key, each in desired.items() if key.agreement_id not in agreement_ids}
    return replace(inputs, resolved=replace(inputs.resolved, desired=read))


def _differences(
    sides: Sides, costs: Costs, beside: Circumstances, now: AsItIs, costs_now: Costs
) -> Iterator[Discrepancy]:
    """Yield what is wrong with keys and with usage that reaches none, each difference once."""
    entries = [
        entry
        for entry in sides.plan.unresolved
        if entry.key is None and not (beside.restated and entry.code == RESTATED)
    ]
    changed = {(each.tenant_id, each.product_code) for each in beside.restated}
    # What is restated and has no place is told as it is now: no run could bill it, restated or not.
    nowhere = [entry for entry in now.resolved.unresolved if _pair(entry) in changed]
    places = {place_of(entry) for entry in nowhere}
    entries = [*(entry for entry in entries if place_of(entry) not in places), *nowhere]
    unmapped = {_pair(entry) for entry in nowhere}
    restated = [each for each in beside.restated if (each.tenant_id, each.product_code) not in unmapped]
    yield from restated_items(sides, restated)
    successors = _successors(sides)
    falls = fed_by((key for key, change in sides.changes.items() if change.held == SUSPECTED), sides)
    explained: set[int] = set()
    for item, told in succession_items(sides, costs_now, successors, entries, falls):
        explained |= {id(entry) for entry in told}
        yield item
    held = {key for keys in falls.values() for key in keys}
    doctor = KeyDoctor(sides, costs, beside.tried, held, held_pairs(successors))
    for key in sides.every_key:
        waiting = _waiting(sides, key, entries)
        explained |= {id(entry) for entry in waiting}
        found = doctor.judge(key, sum((entry.quantity for entry in waiting), ZERO))
        if found is not None:
            yield found
        else:
            apart = {*TOLD_APART, BESIDE} if key in held and sides.beside(key) else TOLD_APART
            unsaid = (each for each in sides.warnings.get(key, ()) if each.code not in apart)
            yield from told_items(sides, unsaid)
    yield from unplaced(sides, costs_now, (entry for entry in entries if id(entry) not in explained))


def _successors(sides: Sides) -> tuple[Successor, ...]:
    """Return the codes that unmapped ones may have replaced, as the plan suspects them."""
    resolved, mappings = sides.inputs.resolved, sides.inputs.placer.mappings
    before = fed_before(defaultdict(Lines, sides.lines), sides.changes.values(), resolved.used, mappings)
    known = [part for part in before if sides.inputs.uncounted.knows(part)]
    return find_successors(known, resolved.used, mappings)


def _waiting(sides: Sides, key: Key, entries: Iterable[Unresolved]) -> list[Unresolved]:
    """Return the usage that goes on feeding a line of ours whose agreement does not bill any more."""
    if all(warning.code != INACTIVE for warning in sides.warnings.get(key, ())):
        return []
    pairs = {part.pair for part in sides.was(key)}
    return [
        entry
        for entry in entries
        if entry.code == INACTIVE and (entry.tenant_id, entry.product_code) in pairs
    ]


def _pair(entry: Unresolved) -> tuple[str | None, str | None]:
    return entry.tenant_id, entry.product_code


def _worth_knowing(
    sides: Sides, rows: Iterable[UsageRow], called_before: Mapping[str, Collection[str]]
) -> Iterator[Discrepancy]:
    """Yield what is called otherwise now, and what else the plan warns of that is of no key."""
    yield from told_items(
        sides, (each for each in sides.plan.warnings if each.key is None and each.code != SUSPECTED)
    )
    called: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        called[row.product_code].add(row.description)
    yield from renamed_products(called, called_before)


def _nothing(sides: Sides, coverage: Checked) -> Discrepancy:
    """Return the finding of a month of which nothing was checked: that is no clean bill."""
    rows = f"none of the {coverage.rows} usage rows" if coverage.rows else "there is no usage row, so nothing"
    return Discrepancy(
        code=NOT_CHECKED,
        message=f"{sides.inputs.period}: {rows} was compared with ConnectWise",
        next=sides.command("plan"),
        advice="settle the other findings first"
        if coverage.rows
        else "see in Sophos Central Partner whether the month is really empty",
    )


def _order(items: Iterable[Discrepancy]) -> Callable[[Discrepancy], tuple[object, ...]]:
    counted = Counter(item.money.currency for item in items if item.money is not None and item.money.amount)
    rank = {
        currency: at
        for at, (currency, _) in enumerate(sorted(counted.items(), key=lambda each: (-each[1], each[0])))
    }

    def key(item: Discrepancy) -> tuple[object, ...]:
        money = item.money
        if money is None:
            stake: tuple[int, int, Decimal] = (1, 0, ZERO)
        elif money.amount:
            stake = (0, rank[money.currency], -money.amount)
        else:
            stake = (2, 0, ZERO)
        whose = (item.tenant_id or "", item.product_code or "", item.serial or "")
        return (not item.needs_person, *stake, item.code, item.key or Key(0, 0), whose, item.message)

    return key
