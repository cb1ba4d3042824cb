"""What a month's usage is beside the months before it: each product's sums, and who moved most."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.model import Period, UsageRow
from connector.planning.prices import Money
from connector.planning.usage_comparison import added, less
from connector.planning.usage_views import Adder, UsageLine


@dataclass(frozen=True, slots=True)
class CodeSum:
    """What one product code came to in a month: its quantity, and its cost in each currency."""

    quantity: Decimal
    cost: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthSums:
    """A month over all tenants, by product code, and the source that said so."""

    period: Period
    source: str
    codes: Mapping[str, CodeSum]

    @property
    def cost(self) -> tuple[Money, ...]:
        """What the whole month cost, by currency."""
        return added(each.cost for each in self.codes.values())


@dataclass(frozen=True, slots=True)
class ProductTrend:
    """A product over consecutive months; a quantity is None in a month of which nothing is stored."""

    product_code: str
    product: str
    quantities: tuple[Decimal | None, ...]
    cost: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class Mover:
    """One tenant's usage of one product in a month and in the month before; `moved` is the cost's change."""

    tenant_id: str | None
    tenant: str
    product_code: str
    product: str
    before: Decimal | None
    after: Decimal | None
    cost_before: tuple[Money, ...]
    cost_after: tuple[Money, ...]
    moved: tuple[Money, ...]


def sums_of(period: Period, source: str, rows: Iterable[UsageRow]) -> MonthSums:
    """Return a month's rows added up by product code."""
    adders: dict[str, Adder] = defaultdict(Adder)
    for row in rows:
        adders[row.product_code].add(row)
    totals = {code: adders[code].amounts() for code in sorted(adders)}
    return MonthSums(
        period, source, {code: CodeSum(each.quantity, each.cost) for code, each in totals.items()}
    )


def months_through(months: Iterable[MonthSums], most: int) -> tuple[tuple[Period, MonthSums | None], ...]:
    """Return consecutive months up to the newest, `most` at the most, from the oldest one known on."""
    known = {each.period: each for each in months}
    if not known:
        return ()
    found: list[tuple[Period, MonthSums | None]] = []
    period, oldest = max(known), min(known)
    while len(found) < most and period >= oldest:
        found.append((period, known.get(period)))
        period = period.previous
    while found[-1][1] is None:  # where `most` cut the list at a gap
        found.pop()
    return tuple(reversed(found))


def product_trends(
    months: Sequence[tuple[Period, MonthSums | None]], names: Mapping[str, str]
) -> tuple[ProductTrend, ...]:
    """Return every product of these months, what costs most in the newest one first.

    A code that a stored month does not have was not used then: 0, and no gap.
    """
    if not months:
        return ()
    newest = months[-1][1]
    latest = newest.codes if newest is not None else {}
    codes = {code for _, sums in months if sums is not None for code in sums.codes}
    found = [
        ProductTrend(
            code,
            names.get(code, ""),
            tuple(
                None if sums is None else sums.codes[code].quantity if code in sums.codes else Decimal(0)
                for _, sums in months
            ),
            latest[code].cost if code in latest else (),
        )
        for code in codes
    ]
    return tuple(sorted(found, key=_dearest_first))


def movers(before: Iterable[UsageLine], after: Iterable[UsageLine]) -> tuple[Mover, ...]:
    """Return each tenant's product whose quantity or cost moved, the one that moves most money first.

    Lines are those of the view `pair`. Where no price is known, the quantity orders.
    """
    was = {(line.tenant_id, line.product_code): line for line in before}
    now = {(line.tenant_id, line.product_code): line for line in after}
    found = []
    for pair in was.keys() | now.keys():
        mover = _mover(was.get(pair), now.get(pair))
        if mover.moved or (mover.before or 0) != (mover.after or 0):
            found.append(mover)
    return tuple(sorted(found, key=_farthest_first))


def _mover(old: UsageLine | None, new: UsageLine | None) -> Mover:
    line = new or old
    assert line is not None  # noqa: S101  # one side has it, or there is nothing to tell
    cost_before = old.amounts.cost if old is not None else ()
    cost_after = new.amounts.cost if new is not None else ()
    return Mover(
        tenant_id=line.tenant_id,
        tenant=line.tenant,
        product_code=line.product_code,
        product=line.product,
        before=old.amounts.quantity if old is not None else None,
        after=new.amounts.quantity if new is not None else None,
        cost_before=cost_before,
        cost_after=cost_after,
        moved=less(cost_after, cost_before),
    )


def _dearest_first(trend: ProductTrend) -> tuple[Decimal, Decimal, str]:
    dearest = max((money.amount for money in trend.cost), default=Decimal(0))
    return -dearest, -(trend.quantities[-1] or Decimal(0)), trend.product_code


def _farthest_first(mover: Mover) -> tuple[Decimal, Decimal, str, str]:
    moved = max((abs(money.amount) for money in mover.moved), default=Decimal(0))
    counted = abs((mover.after or Decimal(0)) - (mover.before or Decimal(0)))
    return -moved, -counted, mover.tenant_id or "", mover.product_code
