"""A month's usage, its sums and comparisons, as tables and as JSON documents; decimals are strings."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.model import Period, UsageRow
from connector.planning.change import plain
from connector.planning.prices import Money
from connector.planning.usage_comparison import Comparison, Difference, Place
from connector.planning.usage_views import (
    Amounts,
    ProductTotal,
    UsageLine,
    View,
    tenant_shown,
)
from connector.reports.survey import money_cells, money_document, money_text
from connector.reports.table import Column

Document = dict[str, Any]
Row = tuple[str, ...]

_FIRST = (
    "accountId", "assignedAccountIdentifier", "accountNumberOrSerialNumber", "productCode", "sku",
    "productDescription", "productGroup", "billableQuantity", "unitPrice", "unitPriceCurrency", "unitMsrp",
    "unitMsrpCurrency", "billingStartDate", "billingEndDate",
)  # fmt: skip
_NUMBERS = ("Quantity", "Price", "Msrp", "WithTaxes", "Percentage")
_MONEY = (
    Column("Cost", right=True),
    Column("Currency"),
    Column("List value", right=True),
    Column("Currency (list)"),
)
_COLUMNS: Mapping[str, Column] = {
    "tenant": Column("Tenant", cut=True),
    "tenant_id": Column("Tenant id"),
    "code": Column("Product"),
    "product": Column("Sophos calls it", cut=True),
    "group": Column("Group"),
    "serial": Column("Serial"),
    "products": Column("Products", right=True),
    "quantity": Column("Quantity", right=True),
}
_VIEWS: Mapping[View, tuple[str, ...]] = {
    "pair": ("tenant", "tenant_id", "code", "product", "group", "quantity"),
    "product": ("code", "product", "group", "tenant", "tenant_id", "quantity"),
    "tenant": ("tenant", "tenant_id", "products", "quantity"),
    "firewall": ("serial", "code", "product", "tenant", "tenant_id", "quantity"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a month's rows are from: source, number of the snapshot (None: read just now), file and time."""

    period: Period
    source: str
    snapshot: int | None = None
    file: str | None = None
    fetched_at: str | None = None

    def document(self) -> Document:
        """Return it for a JSON document."""
        return {
            "period": str(self.period),
            "source": self.source,
            "snapshot": self.snapshot,
            "file": self.file,
            "fetched_at": self.fetched_at,
        }

    def told(self) -> str:
        """Return it as people read it."""
        if self.snapshot is None:
            return f"{self.period}, as Sophos has it now (not stored: connector usage pull {self.period})"
        file = f" {self.file}" if self.file is not None else ""
        return f"{self.period} from {self.source}{file}, stored {self.fetched_at} (snapshot {self.snapshot})"


def amounts_document(amounts: Amounts) -> Document:
    """Return what rows come to."""
    return {
        "rows": amounts.rows,
        "quantity": plain(amounts.quantity),
        "cost": money_document(amounts.cost),
        "list_value": money_document(amounts.list_value),
        "unpriced_rows": amounts.unpriced,
    }


def amounts_text(amounts: Amounts) -> str:
    """Return what rows come to as people read it."""
    told = [f"{amounts.rows} rows", f"cost {money_text(amounts.cost) or 'unknown'}"]
    told += [f"list value {money_text(amounts.list_value)}"] if amounts.list_value else []
    told += [f"{amounts.unpriced} rows without a price"] if amounts.unpriced else []
    return ", ".join(told)


# A month ------------------------------------------------------------------------------------------


def usage_document(origin: Origin, view: View, lines: Iterable[UsageLine], whole: Amounts) -> Document:
    """Return a view of a month as `connector.usage/1`; `whole` is what all its rows come to."""
    return {
        "schema": "connector.usage/1",
        **origin.document(),
        "by": None if view == "pair" else view,
        "lines": [
            {
                "tenant_id": each.tenant_id,
                "tenant": each.tenant,
                "product_code": each.product_code or None,
                "product": each.product,
                "group": each.group,
                "serial": each.serial or None,
                "tenants": each.tenants,
                "products": each.products,
                **amounts_document(each.amounts),
            }
            for each in lines
        ],
        "totals": amounts_document(whole),
    }


def usage_table(view: View, lines: Iterable[UsageLine]) -> tuple[tuple[Column, ...], list[Row]]:
    """Return a view of a month as a table."""
    shown = _VIEWS[view]
    columns = (*(_COLUMNS[name] for name in shown), *_MONEY)
    return columns, [(*(_cell(each, name) for name in shown), *_money(each.amounts)) for each in lines]


def _cell(line: UsageLine, name: str) -> str:
    cells = {
        "tenant": line.tenant,
        "tenant_id": line.tenant_id or "",
        "code": line.product_code,
        "product": line.product,
        "group": line.group,
        "serial": line.serial,
        "products": str(line.products),
        "quantity": plain(line.amounts.quantity),
    }
    return cells[name]


def _money(amounts: Amounts) -> Row:
    return (*money_cells(amounts.cost), *money_cells(amounts.list_value))


def raw_document(origin: Origin, rows: Iterable[UsageRow], whole: Amounts) -> Document:
    """Return a month's rows as they were received, as `connector.usage/1`; every value is text."""
    return {
        "schema": "connector.usage/1",
        **origin.document(),
        "by": "row",
        "rows": [_received(row) for row in rows],
        "totals": amounts_document(whole),
    }


def raw_table(rows: Sequence[UsageRow]) -> tuple[tuple[Column, ...], list[Row]]:
    """Return a month's rows as they were received, with a column for every field that any of them has."""
    said = [_received(row) for row in rows]
    known = {name for each in said for name in each}
    names = [*(name for name in _FIRST if name in known), *sorted(known - set(_FIRST))]
    columns = tuple(Column(name, right=_is_number(name), cut=name == "productDescription") for name in names)
    return columns or (Column("productCode"),), [tuple(each.get(name, "") for name in names) for each in said]


def _received(row: UsageRow) -> dict[str, str]:
    said = json.loads(row.received)
    return {name: _text(value) for name, value in said.items() if value is not None}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_number(name: str) -> bool:
    return name.endswith(_NUMBERS)


# Partner-wide sums -------------------------------------------------------------------------------


def totals_document(origin: Origin, totals: Iterable[ProductTotal], whole: Amounts) -> Document:
    """Return the partner-wide sums as `connector.totals/1`."""
    return {
        "schema": "connector.totals/1",
        **origin.document(),
        "products": [
            {
                "product_code": each.product_code,
                "product": each.product,
                "group": each.group,
                "tenants": each.tenants,
                "bands": [{"text": band.text, "least": band.least, "most": band.most} for band in each.bands],
                "in_band": each.in_band,
                "unit_costs": money_document(each.unit_costs),
                "unit_list_prices": money_document(each.unit_list_prices),
                **amounts_document(each.amounts),
            }
            for each in totals
        ],
        "totals": amounts_document(whole),
    }


def totals_table(totals: Iterable[ProductTotal]) -> tuple[tuple[Column, ...], list[Row]]:
    """Return the partner-wide sums as a table."""
    columns = (
        Column("Product"),
        Column("Sophos calls it", cut=True),
        Column("Tenants", right=True),
        Column("Quantity", right=True),
        Column("Price band"),
        Column("In band"),
        Column("Unit cost", right=True),
        Column("Unit list price", right=True),
        *_MONEY,
    )
    judged = {True: "yes", False: "NO", None: ""}
    return columns, [
        (
            each.product_code,
            each.product,
            str(each.tenants),
            plain(each.amounts.quantity),
            " / ".join(band.text for band in each.bands),
            judged[each.in_band],
            _prices(each.unit_costs),
            _prices(each.unit_list_prices),
            *_money(each.amounts),
        )
        for each in totals
    ]


def _prices(prices: Sequence[Money]) -> str:
    """Return a price as a number, several ones with their currencies."""
    return money_cells(prices)[0] if len(prices) == 1 else " / ".join(money_text([each]) for each in prices)


# Two months --------------------------------------------------------------------------------------


def comparison_document(a: Origin, b: Origin, found: Comparison, names: Mapping[str, str]) -> Document:
    """Return a comparison as `connector.comparison/1`; money and quantities are B less A."""
    return {
        "schema": "connector.comparison/1",
        "a": a.document() | amounts_document(found.amounts_a),
        "b": b.document() | amounts_document(found.amounts_b),
        "equal": not found.differences,
        "differences": [_difference(each, names) for each in found.differences],
        "totals": [
            {
                "kind": each.kind,
                "differences": each.count,
                "quantity": plain(each.quantity),
                "cost": money_document(each.cost),
                "list_value": money_document(each.list_value),
            }
            for each in found.totals()
        ],
        "cost": money_document(found.cost),
    }


def _difference(found: Difference, names: Mapping[str, str]) -> Document:
    return {
        "kind": found.kind,
        "also": list(found.also),
        "tenant_id": found.place.tenant_id,
        "tenant": tenant_shown(found.place.tenant_id, names),
        "tenant_id_a": found.a.tenant_id if found.a is not None else None,
        "tenant_id_b": found.b.tenant_id if found.b is not None else None,
        "product_code": found.place.product_code,
        "serial": found.place.serial,
        "product_a": found.product_a,
        "product_b": found.product_b,
        "quantity_a": plain(found.amounts_a.quantity) if found.a is not None else None,
        "quantity_b": plain(found.amounts_b.quantity) if found.b is not None else None,
        "quantity": plain(found.quantity),
        "cost_a": money_document(found.amounts_a.cost),
        "cost_b": money_document(found.amounts_b.cost),
        "cost": money_document(found.cost),
        "list_value": money_document(found.list_value),
    }


def comparison_table(found: Comparison, names: Mapping[str, str]) -> tuple[tuple[Column, ...], list[Row]]:
    """Return the differences as a table."""
    columns = (
        Column("Difference"),
        Column("Tenant", cut=True),
        Column("Tenant id"),
        Column("Product"),
        Column("Sophos calls it", cut=True),
        Column("Serial"),
        Column("Quantity A", right=True),
        Column("Quantity B", right=True),
        Column("Cost A", right=True),
        Column("Cost B", right=True),
        Column("B less A", right=True),
        Column("Currency"),
    )
    return columns, [
        (
            " + ".join((each.kind, *each.also)),
            _whose(each, names),
            each.place.tenant_id or "",
            each.place.product_code,
            _renamed(each),
            each.place.serial or "",
            plain(each.amounts_a.quantity) if each.a is not None else "",
            plain(each.amounts_b.quantity) if each.b is not None else "",
            _shared(each.amounts_a.cost, each),
            _shared(each.amounts_b.cost, each),
            *_money_moved(each),
        )
        for each in found.differences
    ]


def comparison_lines(found: Comparison) -> list[str]:
    """Return the sums by kind, as people read them."""
    if not found.differences:
        return ["No difference."]
    told = [
        f"{each.kind}: {each.count}, quantity {plain(each.quantity)}, cost {_moved_text(each.cost)}"
        for each in found.totals()
    ]
    sides = (("A", found.amounts_a.unpriced), ("B", found.amounts_b.unpriced))
    lacking = [f"{count} rows of {side}" for side, count in sides if count]
    known = (
        [f"{' and '.join(lacking)} name no price, so that costs are not the whole of it."] if lacking else []
    )
    return [*told, f"Altogether B costs {_moved_text(found.cost)} against A.", *known]


def _whose(found: Difference, names: Mapping[str, str]) -> str:
    a, b = (_tenant(place, names) for place in (found.a, found.b))
    return f"{a} -> {b}" if found.kind == "tenant" else b or a


def _tenant(place: Place | None, names: Mapping[str, str]) -> str:
    return "" if place is None else tenant_shown(place.tenant_id, names)


def _renamed(found: Difference) -> str:
    if found.product_a and found.product_b and found.product_a != found.product_b:
        return f"{found.product_a} -> {found.product_b}"
    return found.product_b or found.product_a


def _shared(sums: Sequence[Money], found: Difference) -> str:
    """Return a sum without its currency where the whole line has that one alone."""
    return money_cells(sums)[0] if len(_currencies(found)) == 1 else money_text(sums)


def _money_moved(found: Difference) -> Row:
    currencies = _currencies(found)
    if len(currencies) == 1:
        return money_cells(found.cost)[0] or "0", currencies[0]
    return money_text(found.cost), ""


def _currencies(found: Difference) -> list[str]:
    return sorted({money.currency for money in (*found.amounts_a.cost, *found.amounts_b.cost)})


def _moved_text(sums: Sequence[Money]) -> str:
    """Return a change in money, with its sign."""
    told = [("+" if money.amount > 0 else "") + money_text([money]) for money in sums]
    return ", ".join(told) or "+0"
