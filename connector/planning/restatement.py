"""A month that was billed and has changed since: what differs, and the money it moves. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.model import Period, UsageRow
from connector.planning.change import plain
from connector.planning.findings import Unresolved, tenant_label
from connector.planning.prices import Money, unit_prices
from connector.planning.sources import source_option

RESTATED = "RESTATED"
ZERO = Decimal(0)

Whose = Callable[[UsageRow], str | None]
Pair = tuple[str | None, str]


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
    billed: Iterable[UsageRow], now: Iterable[UsageRow], whose: Whose, *, priced: bool = False
) -> tuple[Restated, ...]:
    """Return every tenant and product whose rows differ in quantity or serial number, in order.

    Their order, how they are split, and descriptions are no restatement. Prices are one where rows are
    `priced`: where a rule of the map makes the bill of them.
    """
    old, new = _by_pair(billed, whose), _by_pair(now, whose)
    found = []
    for pair in sorted(old.keys() | new.keys(), key=lambda pair: (pair[0] or "", pair[1])):
        before, after = old.get(pair, []), new.get(pair, [])
        was, now_is = _by_serial(before), _by_serial(after)
        cost = _moved(_costs(before), _costs(after))
        list_value = _moved(_list_values(before), _list_values(after))
        if was != now_is or (priced and (cost or list_value)):
            found.append(
                Restated(
                    *pair,
                    before=sum(was.values(), ZERO),
                    now=sum(now_is.values(), ZERO),
                    cost=cost,
                    list_value=list_value,
                    other_devices=was != now_is,
                    unpriced=any(row.quantity and unit_prices(row).cost is None for row in (*before, *after)),
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


def _by_pair(rows: Iterable[UsageRow], whose: Whose) -> dict[Pair, list[UsageRow]]:
    found: dict[Pair, list[UsageRow]] = defaultdict(list)
    for row in rows:
        found[whose(row), row.product_code].append(row)
    return found


def _by_serial(rows: Iterable[UsageRow]) -> dict[str | None, Decimal]:
    sums: dict[str | None, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row.serial] += row.quantity
    return {serial: quantity for serial, quantity in sums.items() if quantity}


def _costs(rows: Iterable[UsageRow]) -> dict[str, Decimal]:
    return _sums((row.quantity, unit_prices(row).cost) for row in rows)


def _list_values(rows: Iterable[UsageRow]) -> dict[str, Decimal]:
    return _sums((row.quantity, unit_prices(row).list_price) for row in rows)


def _sums(priced: Iterable[tuple[Decimal, Money | None]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for quantity, price in priced:
        if price is not None:
            sums[price.currency] += quantity * price.amount
    return sums


def _moved(before: Mapping[str, Decimal], now: Mapping[str, Decimal]) -> tuple[Money, ...]:
    moved = (
        Money(now.get(currency, ZERO) - before.get(currency, ZERO), currency)
        for currency in sorted(before.keys() | now.keys())
    )
    return tuple(money for money in moved if money.amount)
