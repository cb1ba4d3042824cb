"""A month that was billed and has changed since: what differs, and the money it moves. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.model import Period, UsageRow, UsageRows
from connector.planning.change import plain
from connector.planning.findings import Unresolved, tenant_label
from connector.planning.prices import Money, unit_prices
from connector.planning.sources import source_option

RESTATED = "RESTATED"
ZERO = Decimal(0)

Whose = Callable[[UsageRow], str | None]
Pair = tuple[str | None, str]
Device = tuple[str | None, str, str | None]


@dataclass(frozen=True, slots=True)
class Restated:
    """One tenant's product whose rows are no longer those that were billed.

    `tenant_id` is None for devices that nobody can place. `cost` and `list_value` are what moves, in each
    currency, for the MSP and at Sophos's list price; what does not move is left out. `unpriced` says that
    some rows name no price, so that there may be more. `other_devices` is false where only prices
    changed.
    """

    tenant_id: str | None
    product_code: str
    before: Decimal
    now: Decimal
    cost: tuple[Money, ...]
    list_value: tuple[Money, ...]
    unpriced: bool = False
    other_devices: bool = True


def find_restated(
    billed: UsageRows, now: UsageRows, whose: Whose, *, priced: bool = False
) -> tuple[Restated, ...]:
    """Return every tenant and product whose rows differ in quantity or serial number, in order.

    Their order, how they are split, and descriptions are no restatement. Prices are one where rows are
    `priced`: where a rule of the map makes the bill of them. Rows are gone through twice at most, and only
    their sums are kept.
    """
    was, now_is = _by_serial(billed, whose), _by_serial(now, whose)
    # Elsewhere nobody asks for prices, and they are what takes long to read.
    moved = {
        (tenant_id, code)
        for tenant_id, code, serial in was.keys() | now_is.keys()
        if was.get((tenant_id, code, serial)) != now_is.get((tenant_id, code, serial))
    }
    if not moved and not priced:
        return ()
    of = None if priced else moved
    paid, to_pay = _Money(billed, whose, of), _Money(now, whose, of)
    before, after = _by_pair(was), _by_pair(now_is)
    found = []
    for pair in sorted(paid.pairs | to_pay.pairs | moved, key=lambda pair: (pair[0] or "", pair[1])):
        cost = _moved(paid.costs.get(pair, {}), to_pay.costs.get(pair, {}))
        list_value = _moved(paid.list_values.get(pair, {}), to_pay.list_values.get(pair, {}))
        if pair in moved or cost or list_value:
            found.append(
                Restated(
                    *pair,
                    before=before[pair],
                    now=after[pair],
                    cost=cost,
                    list_value=list_value,
                    other_devices=pair in moved,
                    unpriced=pair in paid.unpriced or pair in to_pay.unpriced,
                )
            )
    return tuple(found)


def restatement_findings(
    restated: Iterable[Restated],
    period: Period,
    source: str,
    names: Mapping[str, str],
    *,
    newer: Period | None = None,
    compare: str = "",
) -> tuple[Unresolved, ...]:
    """Return what to tell of each: nothing of it is billed until a person says so.

    Where a `newer` month is billed by the same lines, no run may carry it: quantities of the older one would
    replace those of the newer. `compare` is then the command that shows the difference.
    """
    if newer is not None and newer > period:
        advice = (
            f"the lines bill {newer} now, so settle the difference on the next invoice or by a credit; "
            f"to see it: {compare or f'connector usage compare {period} {newer}'}"
        )
    else:
        command = f"connector sync {period}{source_option(source)} --restate"
        advice = f"the month stays as it was billed; to bill what Sophos says now: {command}"
    return tuple(
        Unresolved(
            code=RESTATED,
            message=_message(each, period, names),
            tenant_id=each.tenant_id,
            product_code=each.product_code,
            quantity=each.now - each.before,
            rows=0,
            next_step=advice,
        )
        for each in restated
    )


def _message(each: Restated, period: Period, names: Mapping[str, str]) -> str:
    tenant = tenant_label(each.tenant_id, names) if each.tenant_id is not None else "devices of nobody"
    was_now = f"{plain(each.before)} of {period} were billed, and it is {plain(each.now)} now"
    if each.before == each.now:
        how = "are on other serial numbers than" if each.other_devices else "have other prices than"
        was_now = f"{plain(each.now)} of {period} {how} were billed"
    money = [f"{_signed(money)} at cost" for money in each.cost]
    money += [f"{_signed(money)} at list price" for money in each.list_value]
    if each.unpriced:
        money.append("rows without a price are not in it" if money else "no price says what that moves")
    return f"{tenant}, {each.product_code}: {was_now}; " + (", ".join(money) or "no money moves")


def _signed(money: Money) -> str:
    sign = "+" if money.amount > 0 else ""
    return f"{sign}{plain(money.amount)} {money.currency}".strip()


def _by_serial(rows: Iterable[UsageRow], whose: Whose) -> dict[Device, Decimal]:
    """Return how many of a product each tenant uses on each serial number, where it uses any."""
    sums: dict[Device, Decimal] = {}
    for row in rows:
        device = (whose(row), row.product_code, row.serial)
        sums[device] = sums.get(device, ZERO) + row.quantity
    return {device: quantity for device, quantity in sums.items() if quantity}


def _by_pair(sums: Mapping[Device, Decimal]) -> dict[Pair, Decimal]:
    found: dict[Pair, Decimal] = defaultdict(Decimal)
    for (tenant_id, code, _), quantity in sums.items():
        found[tenant_id, code] += quantity
    return found


class _Money:
    """What rows cost and list at, by tenant and product; only those `of` these pairs where it is said."""

    def __init__(self, rows: Iterable[UsageRow], whose: Whose, of: Collection[Pair] | None) -> None:
        self.pairs: set[Pair] = set()
        self.unpriced: set[Pair] = set()
        self.costs: dict[Pair, dict[str, Decimal]] = {}
        self.list_values: dict[Pair, dict[str, Decimal]] = {}
        for row in rows:
            pair = (whose(row), row.product_code)
            if of is None or pair in of:
                self._add(pair, row)

    def _add(self, pair: Pair, row: UsageRow) -> None:
        self.pairs.add(pair)
        prices = unit_prices(row)
        if row.quantity and prices.cost is None:
            self.unpriced.add(pair)
        for sums, price in ((self.costs, prices.cost), (self.list_values, prices.list_price)):
            if price is not None:
                mine = sums.setdefault(pair, {})
                mine[price.currency] = mine.get(price.currency, ZERO) + row.quantity * price.amount


def _moved(before: Mapping[str, Decimal], now: Mapping[str, Decimal]) -> tuple[Money, ...]:
    moved = (
        Money(now.get(currency, ZERO) - before.get(currency, ZERO), currency)
        for currency in sorted(before.keys() | now.keys())
    )
    return tuple(money for money in moved if money.amount)
