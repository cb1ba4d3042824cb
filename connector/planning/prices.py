"""What usage costs and lists at, row by row; money is an exact decimal with a currency (sophos-api.md, 3)."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from connector.model import UsageRow

_LARGEST = Decimal(10) ** 12


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of one currency, as ISO 4217 writes it; an empty currency is one that nobody named."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """What one unit costs the MSP and what it lists at; None where the row does not say."""

    cost: Money | None
    list_price: Money | None


def unit_prices(row: UsageRow) -> UnitPrices:
    """Return the prices of a row; one that is no number, or no price, counts as not said."""
    said = json.loads(row.received)
    return UnitPrices(_money(said, "unitPrice"), _money(said, "unitMsrp"))


def _money(said: dict[str, object], name: str) -> Money | None:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= _LARGEST:
        return None
    currency = said.get(f"{name}Currency")
    return Money(amount, currency.strip().upper() if isinstance(currency, str) else "")


def cost_of(rows: Iterable[UsageRow]) -> tuple[Money, ...]:
    """Return what rows cost the MSP, one sum for each currency, the largest first.

    A row costs `billableQuantity * unitPrice`; `netPrice` is the whole order line (design, section 5).
    """
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        price = unit_prices(row).cost
        if price is not None:
            sums[price.currency] += row.quantity * price.amount
    return tuple(sorted((Money(amount, currency) for currency, amount in sums.items()), reverse=True))


def totals(moved: Iterable[Money | None], *, absolute: bool = False) -> tuple[Money, ...]:
    """Add money up by currency, or how far it moves either way; what is not known is left out."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for money in moved:
        if money is not None:
            sums[money.currency] += abs(money.amount) if absolute else money.amount
    return tuple(Money(sums[currency], currency) for currency in sorted(sums))
