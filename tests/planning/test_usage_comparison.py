"""Two months side by side: every difference has one kind, and the money adds up."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from planning.test_usage_views import FINDER, ROWS, row

from connector.model import UsageRow
from connector.planning.prices import Money
from connector.planning.tenant_finder import TenantFinder
from connector.planning.usage_comparison import Comparison, Place, Side, compare, less


def side(*rows: UsageRow, finder: TenantFinder = FINDER) -> Side:
    """Return one side."""
    return Side(rows, finder)


def kinds(found: Comparison) -> list[tuple[str, ...]]:
    """Return the kinds of each difference."""
    return [(each.kind, *each.also) for each in found.differences]


def usd(amount: str) -> tuple[Money, ...]:
    """Return dollars."""
    return (Money(Decimal(amount), "USD"),)


def moved(sums: Any) -> dict[str, Fraction]:
    """Return money by currency, less what is nothing."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for money in sums:
        found[money.currency] += Fraction(money.amount)
    return {currency: amount for currency, amount in found.items() if amount}


@settings(deadline=None)
@given(ROWS, ROWS)
def test_the_differences_add_up_to_the_whole_difference(a: list[UsageRow], b: list[UsageRow]) -> None:
    found = compare(side(*a), side(*b))
    costs = [money for each in found.differences for money in each.cost]
    assert moved(costs) == moved(found.cost) == moved(less(found.amounts_b.cost, found.amounts_a.cost))
    lists = [money for each in found.differences for money in each.list_value]
    assert moved(lists) == moved(less(found.amounts_b.list_value, found.amounts_a.list_value))
    quantity = sum(Fraction(each.quantity) for each in found.differences)
    assert quantity == Fraction(found.amounts_b.quantity) - Fraction(found.amounts_a.quantity)
    totals = found.totals()
    assert sum(total.count for total in totals) == len(found.differences)
    assert moved(money for total in totals for money in total.cost) == moved(found.cost)
    assert sum(Fraction(total.quantity) for total in totals) == quantity


@settings(deadline=None)
@given(ROWS, ROWS)
def test_looked_at_from_the_other_side_the_money_is_the_opposite(
    a: list[UsageRow], b: list[UsageRow]
) -> None:
    there, back = compare(side(*a), side(*b)), compare(side(*b), side(*a))
    mirrored = {"only_a": "only_b", "only_b": "only_a"}
    assert len(there.differences) == len(back.differences)
    assert sorted(kinds(there)) == sorted((mirrored.get(kind, kind), *also) for kind, *also in kinds(back))
    assert moved(there.cost) == {currency: -amount for currency, amount in moved(back.cost).items()}


@settings(deadline=None)
@given(ROWS)
def test_a_month_equals_itself_in_any_order(rows: list[UsageRow]) -> None:
    assert compare(side(*rows), side(*reversed(rows))).differences == ()


def test_what_only_one_side_has_is_priced() -> None:
    found = compare(
        side(row("A", 2, "alder", unitPrice="3", unitMsrp="5", description="Email")),
        side(row("B", 1, "alder", unitPrice="4")),
    )
    gone, new = found.differences
    assert (gone.kind, gone.a, gone.b, gone.cost) == ("only_a", Place("alder", "A"), None, usd("-6"))
    assert (gone.quantity, gone.list_value, gone.product_a, gone.product_b) == (-2, usd("-10"), "Email", "")
    assert (new.kind, new.a, new.b, new.cost) == ("only_b", None, Place("alder", "B"), usd("4"))
    assert found.cost == usd("-2")
    assert [(each.kind, each.count, each.cost) for each in found.totals()] == [
        ("only_a", 1, usd("-6")),
        ("only_b", 1, usd("4")),
    ]


def test_a_quantity_a_price_and_a_name_that_moved_are_told_apart() -> None:
    said = {"tenant": "alder", "unitPrice": "2"}
    a = [row("A", 2, **said), row("B", 2, **said), row("C", 2, description="Email Std", **said)]
    b = [
        row("A", 3, **said),
        row("B", 2, tenant="alder", unitPrice="2.5"),
        row("C", 2, description="Email Adv", **said),
    ]
    found = compare(side(*a), side(*b))
    assert kinds(found) == [("quantity",), ("price",), ("name",)]
    assert [each.cost for each in found.differences] == [usd("2"), usd("1.0"), ()]


def test_all_that_differs_at_one_place_is_one_difference_of_the_gravest_kind() -> None:
    a = row("A", 2, "alder", unitPrice="2", description="Old")
    b = row("A", 3, "alder", unitPrice="1", description="New")
    found = compare(side(a), side(b))
    assert kinds(found) == [("quantity", "price", "name")]
    assert found.cost == usd("-1")


def test_the_same_prices_on_other_quantities_are_a_difference_in_price() -> None:
    a = [row("A", 1, "alder", unitPrice="2"), row("A", 3, "alder", unitPrice="1")]
    b = [row("A", 3, "alder", unitPrice="2"), row("A", 1, "alder", unitPrice="1")]
    assert kinds(compare(side(*a), side(*b))) == [("price",)]


def test_another_currency_is_a_difference_in_price_of_both_currencies() -> None:
    a = row("A", 2, "alder", unitPrice="3")
    b = row("A", 2, "alder", unitPrice="3", unitPriceCurrency="EUR")
    found = compare(side(a), side(b))
    assert kinds(found) == [("price",)]
    assert found.cost == (Money(Decimal(6), "EUR"), Money(Decimal(-6), "USD"))


def test_a_price_band_that_moved_with_the_partners_growth_is_no_difference() -> None:
    a = row("A", 2, "alder", description="Sophos Endpoint - User MSP Monthly - 1-24 USERS")
    b = row("A", 2, "alder", description="Sophos Endpoint - User MSP Monthly - 25-49 USERS")
    assert compare(side(a), side(b)).differences == ()


def test_rows_that_are_split_otherwise_are_no_difference() -> None:
    a = [row("A", 2, "alder", unitPrice="2"), row("A", 3, "alder", unitPrice="2")]
    assert compare(side(*a), side(row("A", 5, "alder", unitPrice="2"))).differences == ()


def device(serial: str, quantity: int = 1, tenant: str | None = None, **said: Any) -> UsageRow:
    """Return a firewall's row."""
    return row("XGS-MSP", quantity, tenant, serial=serial, group="Device", unitPrice="42", **said)


def test_a_firewall_that_moved_to_another_tenant_is_one_difference() -> None:
    found = compare(side(device("X7", tenant="alder")), side(device("X7", tenant="birch")))
    (only,) = found.differences
    assert (only.kind, only.a, only.b) == (
        "tenant",
        Place("alder", "XGS-MSP", "X7"),
        Place("birch", "XGS-MSP", "X7"),
    )
    assert (only.cost, found.cost) == ((), ())


def test_a_firewall_that_was_placed_since_is_one_difference_too() -> None:
    placed = TenantFinder({"alder"}, {"X9": "alder"}, [])
    found = compare(side(device("X9")), side(device("X9", 2), finder=placed))
    (only,) = found.differences
    assert (only.kind, only.also, only.place.tenant_id) == ("tenant", ("quantity",), "alder")
    assert only.cost == usd("42")


def test_a_firewall_that_two_tenants_have_is_not_said_to_have_moved() -> None:
    found = compare(
        side(device("X7", tenant="alder")), side(device("X7", tenant="birch"), device("X7", tenant="elm"))
    )
    assert kinds(found) == [("only_a",), ("only_b",), ("only_b",)]


def test_two_devices_of_one_tenant_are_compared_one_by_one() -> None:
    found = compare(
        side(device("X5", tenant="alder"), device("X6", tenant="alder")),
        side(device("X6", tenant="alder"), device("X8", tenant="alder")),
    )
    assert [(each.kind, each.place.serial) for each in found.differences] == [
        ("only_a", "X5"),
        ("only_b", "X8"),
    ]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_file_without_serial_numbers_still_equals_the_api(swapped: bool) -> None:
    api = side(device("X5", tenant="alder"), device("X6", tenant="alder"))
    file = side(row("XGS-MSP", 2, "alder", unitPrice="42"))
    pair = (file, api) if swapped else (api, file)
    assert compare(*pair).differences == ()


def test_an_account_number_in_a_file_that_names_no_group_is_no_device() -> None:
    api = row("CIXA-MSP", 4, "alder", serial="8004", group="User")
    assert compare(side(api), side(row("CIXA-MSP", 4, "alder", serial="8004"))).differences == ()
