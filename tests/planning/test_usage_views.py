"""A month added up: no row is lost and no cent is, whatever way it is looked at."""

import json
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.model import Firewall, UsageRow
from connector.planning.prices import Money
from connector.planning.product_names import Band, band_of
from connector.planning.tenant_finder import TenantFinder
from connector.planning.usage_views import (
    NOBODY,
    Amounts,
    View,
    amounts_of,
    is_device,
    product_totals,
    usage_lines,
)

FINDER = TenantFinder({"alder", "birch"}, {"X1": "alder"}, [Firewall("X2", tenant_id="birch")])
NAMES = {"alder": "Alder Dental", "birch": "Birch Legal"}
VIEWS: tuple[View, ...] = ("pair", "product", "tenant", "firewall")


def row(code: str, quantity: object, tenant: str | None = None, **said: Any) -> UsageRow:
    """Return a row; money is given as on the wire."""
    wire = {name: said.pop(name) for name in list(said) if name.startswith("unit")}
    wire |= {f"{name}Currency": "USD" for name in ("unitPrice", "unitMsrp") if name in wire} | wire
    return UsageRow(code, Decimal(str(quantity)), tenant, received=json.dumps(wire), **said)


def fraction_sums(rows: list[UsageRow], name: str) -> dict[str, Fraction]:
    """Add up money another way: in fractions, from the JSON."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for each in rows:
        said = json.loads(each.received)
        if name in said:
            sums[said[f"{name}Currency"]] += Fraction(each.quantity) * Fraction(said[name])
    return sums


def whole(parts: list[Amounts], name: str) -> dict[str, Fraction]:
    """Add up the money of lines."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for part in parts:
        for money in getattr(part, name):
            sums[money.currency] += Fraction(money.amount)
    return sums


QUANTITIES = st.decimals(-(10**9), 10**12, places=6)
PRICES = st.decimals(0, 10**9, places=8).map(str)
ROWS = st.lists(
    st.builds(
        lambda code, quantity, tenant, serial, group, wire: UsageRow(
            code, quantity, tenant, serial=serial, group=group, received=json.dumps(wire)
        ),
        st.sampled_from(["CIXA-MSP", "XGS-MSP", ""]),
        QUANTITIES,
        st.sampled_from(["alder", "birch", "stranger", None]),
        st.sampled_from([None, "X1", "X2", "X9"]),
        st.sampled_from(["User", "Server", "Device", ""]),
        st.fixed_dictionaries(
            {"unitPriceCurrency": st.sampled_from(["USD", "EUR"]), "unitMsrpCurrency": st.just("USD")},
            optional={"unitPrice": PRICES, "unitMsrp": PRICES},
        ),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(ROWS, st.sampled_from(VIEWS))
def test_the_lines_of_any_view_add_up_to_the_rows_that_it_shows(rows: list[UsageRow], view: View) -> None:
    shown = rows
    if view == "firewall":
        shown = [each for each in rows if is_device(each, FINDER) or FINDER.tenant_of(each) is None]
    lines = usage_lines(rows, FINDER, NAMES, view)
    amounts = [line.amounts for line in lines]
    assert sum(each.rows for each in amounts) == len(shown)
    assert sum(Fraction(each.quantity) for each in amounts) == sum(Fraction(each.quantity) for each in shown)
    assert whole(amounts, "cost") == fraction_sums(shown, "unitPrice")
    assert whole(amounts, "list_value") == fraction_sums(shown, "unitMsrp")
    keys = [(line.tenant_id, line.product_code, line.serial) for line in lines]
    assert len(keys) == len(set(keys))


@settings(deadline=None)
@given(ROWS)
def test_the_partner_wide_sums_lose_nothing_either(rows: list[UsageRow]) -> None:
    totals = product_totals(rows, FINDER)
    amounts = [each.amounts for each in totals]
    assert {each.product_code for each in totals} == {each.product_code for each in rows}
    assert sum(each.rows for each in amounts) == len(rows)
    assert whole(amounts, "cost") == fraction_sums(rows, "unitPrice")
    assert sum(Fraction(each.quantity) for each in amounts) == sum(Fraction(each.quantity) for each in rows)


@settings(deadline=None)
@given(ROWS, st.sampled_from(VIEWS), st.randoms())
def test_the_order_that_rows_come_in_changes_no_sum(rows: list[UsageRow], view: View, random: Any) -> None:
    def seen(given: list[UsageRow]) -> list[object]:
        return [
            (line.tenant, line.product_code, line.serial, line.amounts)
            for line in usage_lines(given, FINDER, NAMES, view)
        ]

    mixed = list(rows)
    random.shuffle(mixed)
    assert seen(mixed) == seen(rows)


def test_a_tenants_rows_of_a_product_are_one_line_with_cost_and_list_value() -> None:
    rows = [
        row("CIXA-MSP", 3, "alder", unitPrice="2.10", unitMsrp="3.00", description="Endpoint", group="User"),
        row("CIXA-MSP", "1.5", "alder", unitPrice="2.00", unitMsrp="3.00"),
        row("CEMA-MSP", 1, "birch", unitPrice="1.00"),
    ]
    first, second = usage_lines(rows, FINDER, NAMES)
    assert (first.tenant, first.product_code, first.product, first.group) == (
        "Alder Dental",
        "CIXA-MSP",
        "Endpoint",
        "User",
    )
    assert first.amounts == Amounts(
        2, Decimal("4.5"), (Money(Decimal("9.30"), "USD"),), (Money(Decimal("13.50"), "USD"),)
    )
    assert (second.tenant, second.amounts.list_value) == ("Birch Legal", ())


def test_money_of_two_currencies_is_never_added_up() -> None:
    rows = [
        row("A", 2, "alder", unitPrice="1"),
        row("A", 2, "alder", unitPrice="3", unitPriceCurrency="EUR"),
    ]
    assert amounts_of(rows).cost == (Money(Decimal(6), "EUR"), Money(Decimal(2), "USD"))


def test_usage_without_a_price_is_counted_and_zero_usage_needs_none() -> None:
    assert amounts_of([row("A", 2), row("A", 0), row("A", 1, unitPrice="free")]).unpriced == 2


def test_what_nobody_can_place_is_a_group_of_its_own_at_the_end() -> None:
    rows = [row("XGS-MSP", 1, serial="X9", group="Device"), row("XGS-MSP", 1, "alder"), row("A", 1)]
    lines = usage_lines(rows, FINDER, NAMES, "tenant")
    assert [(line.tenant, line.amounts.rows, line.products) for line in lines] == [
        ("Alder Dental", 1, 1),
        (NOBODY, 2, 2),
    ]


def test_a_tenant_that_nobody_named_is_shown_by_its_id() -> None:
    (line,) = usage_lines([row("A", 1, "stranger")], FINDER, NAMES)
    assert line.tenant == "stranger"


def test_by_firewall_each_device_is_a_line_and_account_numbers_are_none() -> None:
    rows = [
        row("XGS-MSP", 1, serial="X2", group="Device"),
        row("XGS-MSP", 1, serial="X1", group="Device"),
        row("XGS-MSP", 1, serial="X9", group="Device"),
        row("CIXA-MSP", 40, "alder", serial="8004410101", group="User"),
    ]
    lines = usage_lines(rows, FINDER, NAMES, "firewall")
    assert [(line.serial, line.tenant) for line in lines] == [
        ("X9", NOBODY),
        ("X1", "Alder Dental"),
        ("X2", "Birch Legal"),
    ]


def test_by_product_its_users_stand_together() -> None:
    rows = [row("B", 1, "alder"), row("A", 1, "birch"), row("B", 1, "birch"), row("A", 2, "alder")]
    lines = usage_lines(rows, FINDER, NAMES, "product")
    assert [(line.product_code, line.tenant) for line in lines] == [
        ("A", "Alder Dental"),
        ("A", "Birch Legal"),
        ("B", "Alder Dental"),
        ("B", "Birch Legal"),
    ]


@pytest.mark.parametrize(
    ("description", "band"),
    [
        ("Sophos Endpoint - 500-999 DEVICES", Band("500-999 DEVICES", 500, 999)),
        ("Endpoint 1,000 to 4,999 Users - MSP Monthly", Band("1,000 to 4,999 Users", 1000, 4999)),
        ("Endpoint 1.000-4.999 users", Band("1.000-4.999 users", 1000, 4999)),
        ("Endpoint 10000+ USERS", Band("10000+ USERS", 10000, None)),
        ("Endpoint 1.5-20 USERS", Band("1.5-20 USERS")),
        ("XGS 107 Xstream Protection", None),
        ("", None),
    ],
)
def test_a_price_band_is_read_off_the_description(description: str, band: Band | None) -> None:
    assert band_of(description) == band


@pytest.mark.parametrize(
    ("quantity", "band", "inside"),
    [
        ("500", "500-999 USERS", True),
        ("999.5", "500-999 USERS", True),
        ("1000", "500-999 USERS", False),
        ("499", "500-999 USERS", False),
        ("10000", "500+ USERS", True),
        ("1", "1.5-20 USERS", None),
    ],
)
def test_a_sum_lies_in_its_band_or_does_not(quantity: str, band: str, inside: bool | None) -> None:
    (total,) = product_totals([row("A", quantity, "alder", description=f"Endpoint {band}")], FINDER)
    assert (total.in_band, [each.text for each in total.bands]) == (inside, [band])


def test_the_sum_over_all_tenants_is_what_the_band_is_judged_by() -> None:
    said = {"description": "Endpoint - 25-49 USERS", "group": "User", "unitMsrp": "3"}
    rows = [
        row("A", 20, "alder", unitPrice="2.10", **said),
        row("A", 20, "birch", unitPrice="2.00", **said),
        row("A", 2, **said),
    ]
    (total,) = product_totals(rows, FINDER)
    assert (total.in_band, total.tenants, total.amounts.quantity) == (True, 2, Decimal(42))
    assert total.unit_costs == (Money(Decimal("2.00"), "USD"), Money(Decimal("2.10"), "USD"))
    assert total.unit_list_prices == (Money(Decimal(3), "USD"),)


def test_a_product_billed_in_two_bands_is_in_band_only_if_it_is_in_both() -> None:
    rows = [row("A", 30, "alder", description=f"A {band} USERS") for band in ("25-49", "50-99")]
    (total,) = product_totals(rows, FINDER)
    assert (total.in_band, len(total.bands)) == (False, 2)


def test_a_product_without_a_band_is_not_judged() -> None:
    (total,) = product_totals([row("A", 1, "alder")], FINDER)
    assert (total.in_band, total.bands, total.unit_costs) == (None, (), ())
