"""A month, checked: what is used, what we wrote and what ConnectWise has, and what is wrong. Pure.

The order of its items: first what needs a person; of that, the most money first, currency by currency (the
one of most items before the others, then by name), then what nobody knows the money of, then what moves
none; then the class, the key, and whose it is.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.model import Key, UsageRow
from connector.planning.change import Plan
from connector.planning.coverage import checked_of
from connector.planning.discrepancies import NOT_CHECKED, Checked, Diagnosis, Discrepancy
from connector.planning.distributor import Distributor, distributor_items
from connector.planning.findings import Unresolved, Warn
from connector.planning.key_diagnosis import KeyDoctor
from connector.planning.lines import Lines
from connector.planning.plan import Inputs
from connector.planning.price_diagnosis import price_items
from connector.planning.remedies import INACTIVE, TOLD_APART
from connector.planning.resolve import TenantFinder
from connector.planning.restatement import RESTATED, Restated
from connector.planning.row_diagnosis import (
    fed_by,
    renamed_products,
    restated_items,
    succession_items,
    told_items,
    unplaced,
)
from connector.planning.sides import Sides
from connector.planning.stakes import Costs
from connector.planning.successors import SUSPECTED, Successor, fed_before, find_successors

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a month beside its usage and its plan.

    `unread` says of agreements why their additions could not be read, `tried` what ConnectWise said to
    changes of this month that it refused. `restated` is what has changed since the month was billed,
    `called_before` the descriptions that each code had in the month before.
    """

    unread: Mapping[int, str] = field(default_factory=dict)
    tried: Mapping[Key, str] = field(default_factory=dict)
    restated: tuple[Restated, ...] = ()
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
    sides = Sides(inputs, plan, beside.unread, distributor.resolved if distributor is not None else None)
    coverage = checked_of(inputs, costs, beside.unread)
    items = [*_differences(sides, costs, beside), *_worth_knowing(sides, rows, beside.called_before)]
    items += price_items(sides, costs)
    if distributor is not None:
        items += distributor_items(sides, costs, distributor)
    if not coverage.rows_checked and not any(item.code == NOT_CHECKED for item in items):
        items.append(_nothing(sides, coverage))
    return Diagnosis(
        period=inputs.period,
        source=inputs.source,
        coverage=coverage,
        items=tuple(sorted(items, key=_order(items))),
        numbers=tuple(sides.numbers(key) for key in sides.every_key),
    )


def _differences(sides: Sides, costs: Costs, beside: Circumstances) -> Iterator[Discrepancy]:
    """Yield what is wrong with keys and with usage that reaches none, each difference once."""
    entries = [
        entry
        for entry in sides.plan.unresolved
        if entry.key is None and not (beside.restated and entry.code == RESTATED)
    ]
    yield from restated_items(sides, beside.restated)
    falls = fed_by((key for key, change in sides.changes.items() if change.held == SUSPECTED), sides)
    explained: set[int] = set()
    for item, told in succession_items(sides, costs, _successors(sides), entries, falls):
        explained |= {id(entry) for entry in told}
        yield item
    doctor = KeyDoctor(sides, costs, beside.tried, {key for keys in falls.values() for key in keys})
    for key in sides.every_key:
        waiting = _waiting(sides, key, entries)
        explained |= {id(entry) for entry in waiting}
        found = doctor.judge(key, sum((entry.quantity for entry in waiting), ZERO))
        if found is not None:
            yield found
        else:
            yield from told_items(sides, _unsaid(sides, key))
    yield from unplaced(sides, costs, (entry for entry in entries if id(entry) not in explained))


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


def _unsaid(sides: Sides, key: Key) -> list[Warn]:
    return [each for each in sides.warnings.get(key, ()) if each.code not in TOLD_APART]


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
        advice="map tenants and products first"
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
