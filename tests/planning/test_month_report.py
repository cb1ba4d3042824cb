"""What a month's report is made of: stakes by class, products over the months, who moved most."""

from dataclasses import replace
from decimal import Decimal

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, BIRCH_ENDPOINT, OCTOBER, Month
from report_building import found, full_report, line, month_sums, numbers, report_of, usd

from connector.model import Firewall, Period, UsageRow
from connector.planning.diagnosis.discrepancies import CLASSES
from connector.planning.month_report import (
    at_stake,
    differing_first,
    direction_of,
    is_checked,
    stakes,
)
from connector.planning.month_trends import months_through, movers, product_trends, sums_of
from connector.planning.prices import Money
from connector.planning.states import FirewallState


def test_the_direction_comes_from_the_class_and_every_class_has_one() -> None:
    told = {code: direction_of(code) for code in CLASSES}
    assert {code for code, side in told.items() if side == "over"} == {
        "OVER_BILLED", "ORPHAN_ADDITION", "OFF_STILL_BILLING",
    }  # fmt: skip
    assert told["NO_ADDITION"] == told["FIREWALL_UNASSIGNED"] == told["PRICE_ZERO"] == "under"
    assert told["HAND_EDITED"] == told["NOT_CHECKED"] == "either"
    assert direction_of("ITEM_NOT_FOUND") == "either"


def test_what_is_at_stake_is_added_up_by_class_and_currency_and_the_unknown_is_counted() -> None:
    report = report_of(
        found("UNDER_BILLED", 5),
        replace(found("UNDER_BILLED"), money=Money(Decimal(2), "EUR")),
        found("UNDER_BILLED", needs_person=False),
        found("OVER_BILLED", 9),
    )
    first, second = stakes(report.diagnosis)
    assert (first.code, first.direction, first.items, first.people, first.unknown) == (
        "UNDER_BILLED", "under", 3, 2, 1,
    )  # fmt: skip
    assert first.money == (Money(Decimal(2), "EUR"), usd(5))
    assert (second.code, second.money) == ("OVER_BILLED", (usd(9),))
    assert at_stake(report.diagnosis) == {"under": (Money(Decimal(2), "EUR"), usd(5)), "over": (usd(9),)}


def test_what_needs_a_person_stands_apart_from_what_is_only_worth_knowing() -> None:
    report = full_report()
    assert [item.code for item in report.to_know] == ["RENAMED"]
    assert len(report.for_people) == 4
    assert report.period == OCTOBER


def test_lines_with_a_difference_come_before_those_that_agree() -> None:
    report = report_of(
        found("UNDER_BILLED", key=BIRCH_ENDPOINT),
        found("PRICE_ZERO", key=BIRCH_ENDPOINT),
        found("UNDER_BILLED", key=BIRCH_ENDPOINT),
        found("UNMAPPED_PRODUCT"),
        numbers=(numbers(ALDER_ENDPOINT, 1, 1, 1, 1), numbers(BIRCH_ENDPOINT, 2, 1, 1, 1)),
    )
    (first, why), (second, nothing) = differing_first(report.diagnosis)
    assert (first.key, why) == (BIRCH_ENDPOINT, ("UNDER_BILLED", "PRICE_ZERO"))
    assert (second.key, nothing) == (ALDER_ENDPOINT, ())


def test_a_line_that_could_not_be_read_does_not_count_as_checked() -> None:
    assert not is_checked(("NOT_CHECKED",))
    assert is_checked(("UNDER_BILLED",))
    assert is_checked(())


def test_a_tenant_without_a_name_is_called_by_its_id() -> None:
    report = full_report()
    assert report.tenant(ALDER) == "Alder Dental Group"
    assert report.tenant("who-id") == "who-id"
    assert report.tenant(None) == ""


def test_firewalls_that_are_billed_and_nobodys_are_the_unassigned_ones() -> None:
    idle = FirewallState(Firewall("X9"), (), Decimal(0), (), None, None)
    report = replace(full_report(), firewalls=(*full_report().firewalls, idle))
    assert [each.firewall.serial for each in report.unassigned] == ["X11001JYCGB4J30"]


def test_the_outcomes_of_a_run_are_counted() -> None:
    run = full_report().run
    assert run is not None
    assert run.outcomes == (("done", 1), ("failed", 1))


# Over the months -------------------------------------------------------------------------------------


def test_a_month_is_added_up_by_product_exactly() -> None:
    price = '{"unitPrice": "0.10", "unitPriceCurrency": "USD"}'
    rows = [UsageRow("CIXA-MSP", Decimal("0.1"), ALDER, received=price) for _ in range(3)]
    sums = sums_of(OCTOBER, "sophos-api", [*rows, UsageRow("CEMA-MSP", Decimal(2), BIRCH)])
    assert {code: each.quantity for code, each in sums.codes.items()} == {
        "CIXA-MSP": Decimal("0.3"), "CEMA-MSP": Decimal(2),
    }  # fmt: skip
    assert sums.cost == (usd("0.03"),)


def test_months_are_consecutive_and_one_that_is_not_stored_is_a_gap() -> None:
    months = months_through((month_sums(7, CIXA=1), month_sums(10, CIXA=2)), 12)
    assert [(period.month, sums is None) for period, sums in months] == [
        (7, False), (8, True), (9, True), (10, False),
    ]  # fmt: skip
    assert months_through((), 12) == ()


@pytest.mark.parametrize(("most", "first"), [(12, 1), (4, 7), (3, 10), (2, 10), (1, 10)])
def test_no_more_months_than_asked_and_none_that_begin_with_a_gap(most: int, first: int) -> None:
    stored = (month_sums(1, CIXA=1), month_sums(7, CIXA=1), month_sums(10, CIXA=2))
    months = months_through(stored, most)
    assert months[0][0] == Period(2026, first)
    assert months[-1][0] == OCTOBER


def test_the_product_that_costs_most_now_comes_first_and_one_that_stopped_last() -> None:
    months = months_through((month_sums(8, OLD=9, CIXA=1), month_sums(10, CEMA=3, CIXA=5)), 12)
    trends = product_trends(months, {"CIXA": "Endpoint"})
    assert [trend.product_code for trend in trends] == ["CIXA", "CEMA", "OLD"]
    assert [(trend.product, trend.quantities) for trend in trends] == [
        ("Endpoint", (1, None, 5)), ("", (0, None, 3)), ("", (9, None, 0)),
    ]  # fmt: skip
    assert trends[2].cost == ()
    assert product_trends((), {}) == ()


def test_products_are_told_of_a_row_of_months_that_ends_with_a_gap() -> None:
    (trend,) = product_trends(((OCTOBER.previous, month_sums(9, CIXA=2)), (OCTOBER, None)), {})
    assert trend.quantities == (2, None)


# Movers ----------------------------------------------------------------------------------------------


def test_who_moved_most_money_comes_first_whatever_the_sign() -> None:
    before = (line(ALDER, "CIXA", 40, 80), line(BIRCH, "CEMA", 50, 100), line(BIRCH, "CIXA", 7, 14))
    after = (line(ALDER, "CIXA", 52, 104), line(BIRCH, "CIXA", 7, 14), line(None, "XGS", 1, 42))
    found_movers = movers(before, after)
    assert [(each.tenant_id, each.product_code, each.before, each.after) for each in found_movers] == [
        (BIRCH, "CEMA", 50, None), (None, "XGS", None, 1), (ALDER, "CIXA", 40, 52),
    ]  # fmt: skip
    assert [each.moved for each in found_movers] == [(usd(-100),), (usd(42),), (usd(24),)]
    assert (found_movers[2].cost_before, found_movers[2].cost_after) == ((usd(80),), (usd(104),))


def test_a_price_that_moved_moves_money_and_usage_without_a_price_is_ordered_by_quantity() -> None:
    before = (line(ALDER, "CIXA", 4, 8), line(ALDER, "CEMA", 4), line(ALDER, "CDE", 4), line(BIRCH, "NIL", 0))
    after = (line(ALDER, "CIXA", 4, 9), line(ALDER, "CEMA", 5), line(ALDER, "CDE", 9))
    assert [each.product_code for each in movers(before, after)] == ["CIXA", "CDE", "CEMA"]


def test_a_plan_goes_with_the_report_as_it_is() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 3).plan()
    assert report_of(plan=plan).plan is plan
