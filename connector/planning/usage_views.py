"""A month of usage added up the ways people ask for: by tenant and product, by device, partner-wide."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal

from connector.model import UsageRow
from connector.planning.prices import Money, UnitPrices, unit_prices
from connector.planning.product_names import Band, band_of
from connector.planning.summing import NO_DEVICES
from connector.planning.tenant_finder import TenantFinder

View = Literal["pair", "product", "tenant", "firewall"]
NOBODY = "nobody: unassigned"
"""What is shown as the tenant of rows that nobody can place; they are a group of their own."""

EXACT = Context(prec=200)
"""Sums and products of all that a row can say, without rounding."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What rows come to: how many, their quantity, and money in each currency, the largest first.

    `unpriced` rows have a quantity and no price, so that `cost` is not the whole cost.
    """

    rows: int
    quantity: Decimal
    cost: tuple[Money, ...]
    list_value: tuple[Money, ...]
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class UsageLine:
    """One line of a view; what the view does not tell apart is empty.

    `tenant_id` is None where nobody can tell whose the rows are. `tenants` and `products` count what the
    line is made of; `product` is what Sophos called the code last.
    """

    tenant_id: str | None
    tenant: str
    product_code: str
    product: str
    group: str
    serial: str
    tenants: int
    products: int
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class ProductTotal:
    """A product over all tenants, as Sophos adds it up to find the price band.

    `in_band` says whether the sum lies in every band that the rows name; None where none can be read.
    """

    product_code: str
    product: str
    group: str
    tenants: int
    bands: tuple[Band, ...]
    in_band: bool | None
    unit_costs: tuple[Money, ...]
    unit_list_prices: tuple[Money, ...]
    amounts: Amounts


class Adder:
    """Adds rows up, exactly."""

    __slots__ = ("cost", "list_value", "quantity", "rows", "unpriced")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows = self.unpriced = 0
        self.quantity = Decimal(0)
        self.cost: dict[str, Decimal] = defaultdict(Decimal)
        self.list_value: dict[str, Decimal] = defaultdict(Decimal)

    def add(self, row: UsageRow) -> UnitPrices:
        """Add a row and return its prices: it costs `billableQuantity * unitPrice`, never `netPrice`."""
        self.rows += 1
        self.quantity = EXACT.add(self.quantity, row.quantity)
        prices = unit_prices(row)
        self.unpriced += prices.cost is None and row.quantity != 0
        for price, sums in ((prices.cost, self.cost), (prices.list_price, self.list_value)):
            if price is not None:
                value = EXACT.multiply(row.quantity, price.amount)
                sums[price.currency] = EXACT.add(sums[price.currency], value)
        return prices

    def absorb(self, other: "Adder") -> None:
        """Add all that another one has."""
        self.rows += other.rows
        self.unpriced += other.unpriced
        self.quantity = EXACT.add(self.quantity, other.quantity)
        for mine, theirs in ((self.cost, other.cost), (self.list_value, other.list_value)):
            for currency, amount in theirs.items():
                mine[currency] = EXACT.add(mine[currency], amount)

    def amounts(self) -> Amounts:
        """Return what the rows come to."""
        return Amounts(
            self.rows, self.quantity, money_of(self.cost), money_of(self.list_value), self.unpriced
        )


def money_of(sums: Mapping[str, Decimal]) -> tuple[Money, ...]:
    """Return one sum for each currency, the largest first."""
    return tuple(sorted((Money(amount, currency) for currency, amount in sums.items()), reverse=True))


def amounts_of(rows: Iterable[UsageRow]) -> Amounts:
    """Return what rows come to."""
    adder = Adder()
    for row in rows:
        adder.add(row)
    return adder.amounts()


def usage_lines(
    rows: Iterable[UsageRow], finder: TenantFinder, names: Mapping[str, str], view: View = "pair"
) -> tuple[UsageLine, ...]:
    """Return a view of a month; every row is in exactly one line, in the firewall view every device's.

    `pair` tells tenants and products apart, tenant by tenant; `product` does product by product; `tenant`
    adds up each tenant; `firewall` tells serial numbers apart.
    """
    together: dict[tuple[str, ...], list[tuple[str | None, UsageRow]]] = defaultdict(list)
    for row in rows:
        tenant_id = finder.tenant_of(row)
        if view == "firewall" and not (is_device(row, finder) or tenant_id is None):
            continue
        key = [tenant_id or ""]
        key += [] if view == "tenant" else [row.product_code]
        key += [row.serial or ""] if view == "firewall" else []
        together[tuple(key)].append((tenant_id, row))
    lines = [_line(found, names, view) for found in together.values()]
    return tuple(sorted(lines, key=_ORDERS[view]))


def product_totals(rows: Iterable[UsageRow], finder: TenantFinder) -> tuple[ProductTotal, ...]:
    """Return the partner-wide sum of each product, by code."""
    together: dict[str, list[UsageRow]] = defaultdict(list)
    for row in rows:
        together[row.product_code].append(row)
    return tuple(_total(code, found, finder) for code, found in sorted(together.items()))


def is_device(row: UsageRow, finder: TenantFinder) -> bool:
    """Whether a row's serial number is a device's; on users' and servers' rows it is an account number."""
    return finder.knows_device(row) or (row.serial is not None and row.group.casefold() not in NO_DEVICES)


def tenant_shown(tenant_id: str | None, names: Mapping[str, str]) -> str:
    """Return what people call a tenant; who has no name is shown by id."""
    return NOBODY if tenant_id is None else names.get(tenant_id) or tenant_id


def _line(found: list[tuple[str | None, UsageRow]], names: Mapping[str, str], view: View) -> UsageLine:
    tenant_id, _ = found[0]
    rows = [row for _, row in found]
    one = view != "tenant"
    return UsageLine(
        tenant_id=tenant_id,
        tenant=tenant_shown(tenant_id, names),
        product_code=rows[0].product_code if one else "",
        product=_last(row.description for row in rows) if one else "",
        group=_last(row.group for row in rows) if one else "",
        serial=rows[0].serial or "" if view == "firewall" else "",
        tenants=1 if tenant_id is not None else 0,
        products=len({row.product_code for row in rows}),
        amounts=amounts_of(rows),
    )


def _total(code: str, rows: list[UsageRow], finder: TenantFinder) -> ProductTotal:
    amounts = amounts_of(rows)
    bands = tuple(sorted({band for row in rows if (band := band_of(row.description)) is not None}))
    judged = [band.holds(amounts.quantity) for band in bands]
    known = [each for each in judged if each is not None]
    prices = [unit_prices(row) for row in rows]
    return ProductTotal(
        product_code=code,
        product=_last(row.description for row in rows),
        group=_last(row.group for row in rows),
        tenants=len({finder.tenant_of(row) for row in rows} - {None}),
        bands=bands,
        in_band=all(known) if known else None,
        unit_costs=tuple(sorted({price.cost for price in prices if price.cost is not None})),
        unit_list_prices=tuple(sorted({each.list_price for each in prices if each.list_price is not None})),
        amounts=amounts,
    )


def _last(texts: Iterable[str]) -> str:
    """Return the last text that says anything."""
    found = ""
    for text in texts:
        found = text or found
    return found


def _by_tenant(line: UsageLine) -> tuple[object, ...]:
    return line.tenant_id is None, line.tenant.casefold(), line.tenant_id or "", line.product_code


def _by_product(line: UsageLine) -> tuple[object, ...]:
    return line.product_code, *_by_tenant(line)


def _by_serial(line: UsageLine) -> tuple[object, ...]:
    return line.tenant_id is not None, line.serial, *_by_tenant(line)


_ORDERS: Mapping[View, Callable[[UsageLine], tuple[object, ...]]] = {
    "pair": _by_tenant,
    "tenant": _by_tenant,
    "product": _by_product,
    "firewall": _by_serial,
}
