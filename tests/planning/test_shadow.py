"""What we would bill beside what another tool bills, key by key and run by run."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    BIRCH_ENDPOINT,
    EMAIL,
    ENDPOINT,
    OCTOBER,
    STRANGER,
    Month,
)

from connector.model import Agreement, CatalogItem, Key, ProductEntry
from connector.planning.findings import Options
from connector.planning.plan import Inputs
from connector.planning.prices import Money
from connector.planning.resolve import resolve
from connector.planning.shadow import Compared, Earlier, Shadow, trend
from connector.planning.shadow_comparison import compare
from connector.planning.tenant_finder import TenantFinder

ALDER_EMAIL = Key(ALDER_AGREEMENT, EMAIL)
IN_DOLLARS = [
    Agreement(ALDER_AGREEMENT, "Managed Security", 1, currency="USD"),
    Agreement(204, "Managed Security", 2, currency="USD"),
]


def shadow_of(month: Month, source: str = "sophos-api") -> Shadow:
    """Compare October."""
    placer = month.placer()
    finder = TenantFinder({ALDER, BIRCH, *month.tenants}, month.mapped_firewalls, month.firewalls)
    agreements = placer.agreement_ids()
    return compare(
        Inputs(
            period=OCTOBER,
            source=source,
            today=month.today,
            resolved=resolve(month.rows, finder, placer, {}),
            placer=placer,
            additions={
                agreement: tuple(each for each in month.additions if each.agreement_id == agreement)
                for agreement in agreements
            },
            known=month.known,
            options=Options(),
            names={},
        )
    )


def only(shadow: Shadow) -> Compared:
    """Return the one line that was compared."""
    (line,) = shadow.lines
    return line


def test_a_line_of_the_same_quantity_is_agreed_on() -> None:
    shadow = shadow_of(Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 14))

    line = only(shadow)
    assert (line.state, line.wanted, line.there, line.ours) == ("SAME", 14, 14, False)
    assert (line.message, line.difference, line.addition_ids) == ("", 0, (9001,))
    assert (shadow.share, shadow.all_agree, shadow.exit_code) == (100, True, 0)


@pytest.mark.parametrize(("there", "difference", "money"), [(12, 2, "9.00"), (20, -6, "-27.00")])
def test_another_quantity_tells_by_how_much_and_what_it_is_worth(
    there: int, difference: int, money: str
) -> None:
    month = Month(agreements=IN_DOLLARS).uses(ALDER, "CIXA-MSP", 14)
    month.bills(ALDER_ENDPOINT, there, unit_price=Decimal("4.50"))

    shadow = shadow_of(month)

    line = only(shadow)
    assert (line.state, line.difference) == ("OTHER_QUANTITY", difference)
    assert line.money == Money(Decimal(money), "USD")
    assert line.message == f"addition 9001 has {there}; we would bill 14"
    assert shadow.money == (Money(abs(Decimal(money)), "USD"),)
    assert (shadow.share, shadow.all_agree, shadow.exit_code) == (0, False, 3)


def test_units_that_are_included_are_worth_nothing() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14)
    month.bills(ALDER_ENDPOINT, 12, unit_price=Decimal(5), less_included=Decimal(13))

    assert only(shadow_of(month)).money == Money(Decimal(5), "")


def test_usage_without_a_line_would_be_created_at_the_price_of_its_item() -> None:
    items = [
        CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT", price=Decimal("4.50")),
        CatalogItem(EMAIL, "SOPHOS-EMAIL"),
    ]
    month = Month(items=items, agreements=IN_DOLLARS).uses(ALDER, "CIXA-MSP", 2).uses(ALDER, "CEMA-MSP", 3)

    endpoint, email = shadow_of(month).lines

    assert (endpoint.state, endpoint.there, endpoint.money) == ("NO_LINE", None, Money(Decimal(9), "USD"))
    assert endpoint.message == "there is no line; we would create one with 2"
    assert (email.state, email.money) == ("NO_LINE", None)


def test_a_line_that_no_usage_feeds_is_told() -> None:
    line = only(shadow_of(Month().uses(BIRCH, "CPHISH-MSP", 1).bills(ALDER_ENDPOINT, 5)))

    assert (line.state, line.wanted, line.there) == ("NOTHING_FEEDS", None, 5)
    assert line.message == "addition 9001 has 5, and no usage of 2026-10 feeds it"


def test_rows_that_wait_to_be_placed_are_told_beside_a_line_that_nothing_feeds() -> None:
    month = Month().uses(None, "CIXA-MSP", 5, serial="X1").bills(ALDER_ENDPOINT, 5)

    shadow = shadow_of(month)

    assert only(shadow).message.endswith("feeds it; rows of CIXA-MSP wait to be placed")
    assert shadow.waiting == 1


def test_a_line_for_usage_of_nothing_is_told() -> None:
    assert (
        only(shadow_of(Month().uses(ALDER, "CIXA-MSP", 0).bills(ALDER_ENDPOINT, 5))).state == "NOTHING_FEEDS"
    )


def test_several_lines_of_one_item_are_never_agreed_on() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 10)
    month.bills(ALDER_ENDPOINT, 4, addition_id=9002)

    line = only(shadow_of(month))

    assert (line.state, line.there, line.difference, line.money) == ("SEVERAL_LINES", 14, 0, None)
    assert line.message == (
        "several lines bill at the same time (ids 9001, 9002), 14 together; we would bill 14"
    )


def test_lines_that_bill_nothing_and_are_fed_by_nothing_are_no_difference() -> None:
    month = Month().uses(ALDER, "CEMA-MSP", 0).bills(ALDER_ENDPOINT, 0)
    month.bills(BIRCH_ENDPOINT, 0, addition_id=9002).bills(BIRCH_ENDPOINT, 0, addition_id=9003)

    assert shadow_of(month).lines == ()


def test_a_line_that_has_ended_is_not_there() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 14, cancelled=date(2026, 9, 30))

    assert only(shadow_of(month)).state == "NO_LINE"


def test_other_items_of_an_agreement_are_nobodys_business() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 14)
    month.items.append(CatalogItem(77, "HELPDESK"))
    month.bills(Key(ALDER_AGREEMENT, 77), 30, addition_id=9002)

    assert only(shadow_of(month)).key == ALDER_ENDPOINT


def test_a_line_of_ours_is_compared_although_the_map_forgot_its_item() -> None:
    month = Month().manages(ALDER_ENDPOINT, 5, {(ALDER, "CIXA-MSP"): 5})
    del month.products["CIXA-MSP"]

    line = only(shadow_of(month))

    assert (line.state, line.ours) == ("NOTHING_FEEDS", True)
    assert line.message.endswith("feeds it")


@pytest.mark.parametrize("off", ["product", "tenant", "exception"])
def test_lines_of_what_is_off_are_counted_apart(off: str) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 12)
    if off == "product":
        month.products["CIXA-MSP"] = ProductEntry("Endpoint", "SOPHOS-ENDPOINT", sync=False)
    elif off == "tenant":
        month.maps(ALDER, sync=False)
    else:
        month.excepts(ALDER, "CIXA-MSP", sync=False)

    shadow = shadow_of(month)

    assert (shadow.lines, shadow.off) == ((), 1)
    assert (shadow.rows.compared, shadow.rows.off) == (0, 1)


def test_what_is_off_and_has_no_line_is_not_counted() -> None:
    assert shadow_of(Month().uses(ALDER, "CEMA-MSP", 1).excepts(ALDER, "CIXA-MSP", sync=False)).off == 0


def test_rows_are_counted_by_what_becomes_of_them() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 14)
    month.uses(ALDER, "CPHISH-MSP", 1).uses(ALDER, "NEW-MSP", 1).uses(STRANGER, "CIXA-MSP", 1)
    month.uses(None, "CIXA-MSP", 1, serial="X1")

    shadow = shadow_of(month)

    rows = shadow.rows
    assert (rows.rows, rows.compared, rows.off, rows.unmapped, rows.unplaced) == (5, 1, 1, 2, 1)
    assert (shadow.all_agree, shadow.waiting, shadow.exit_code) == (True, 3, 3)


def test_codes_that_disagree_on_how_they_add_up_are_not_compared() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).uses(ALDER, "OTHER-MSP", 2).bills(ALDER_ENDPOINT, 16)
    month.products["OTHER-MSP"] = ProductEntry("Other", "SOPHOS-ENDPOINT", aggregate="max")

    shadow = shadow_of(month)

    assert (shadow.lines, shadow.rows.compared, shadow.rows.unplaced) == ((), 0, 2)


def test_a_run_over_nothing_is_no_agreement() -> None:
    shadow = shadow_of(Month())

    assert (shadow.share, shadow.all_agree, shadow.exit_code) == (None, False, 3)


def test_the_share_says_100_only_when_all_agree() -> None:
    same = Compared(ALDER_ENDPOINT, "SAME", Decimal(1), Decimal(1))
    other = Compared(ALDER_EMAIL, "NO_LINE", Decimal(1), None)
    rows = shadow_of(Month()).rows

    assert Shadow(OCTOBER, "sophos-api", (*[same] * 118, other, other), rows).share == Decimal("98.3")
    assert Shadow(OCTOBER, "sophos-api", (*[same] * 9999, other), rows).share == Decimal("99.9")


def test_the_command_that_takes_over_names_the_source() -> None:
    assert shadow_of(Month()).adoption == "connector adopt 2026-10"
    assert shadow_of(Month(), "file").adoption == "connector adopt 2026-10 --source file"


# What a run would not do -------------------------------------------------------------------------


def test_no_line_is_promised_for_an_item_that_is_inactive() -> None:
    items = [CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT", inactive=True, price=Decimal(4))]
    line = only(shadow_of(Month(items=items).uses(ALDER, "CIXA-MSP", 12)))

    assert (line.state, line.waits_for, line.money) == ("WAITS", "ITEM_INACTIVE", None)
    assert line.message == (
        "there is no line for 12, and a run would make none: item SOPHOS-ENDPOINT is inactive, so no "
        "addition can be made (ITEM_INACTIVE)"
    )


def test_no_line_is_promised_where_somebody_ended_ours() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 12).manages(ALDER_ENDPOINT, 12, {(ALDER, "CIXA-MSP"): 12})
    month.additions = [replace(each, cancelled=date(2026, 9, 30)) for each in month.additions]

    line = only(shadow_of(month))

    assert (line.state, line.waits_for) == ("WAITS", "ENDED_BY_HAND")
    assert "somebody ended addition" in line.message


def test_a_line_that_a_run_would_hold_waits_for_a_person() -> None:
    line = only(shadow_of(Month().uses(ALDER, "CIXA-MSP", -3)))

    assert (line.state, line.waits_for) == ("WAITS", "NEGATIVE_QUANTITY")
    assert line.message.endswith("a run would make none: it waits for a person (NEGATIVE_QUANTITY)")


def test_a_quantity_that_a_run_would_hold_is_told_with_the_reason() -> None:
    line = only(shadow_of(Month().uses(ALDER, "CIXA-MSP", 500).bills(ALDER_ENDPOINT, 10)))

    assert (line.state, line.waits_for) == ("OTHER_QUANTITY", "LARGE_INCREASE")
    assert line.message.endswith("we would bill 500; that waits for a person (LARGE_INCREASE)")


def test_that_a_line_is_not_ours_yet_holds_nothing_in_a_shadow_run() -> None:
    assert only(shadow_of(Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 12))).waits_for == ""


# From run to run ----------------------------------------------------------------------------------


def agreed_and_differing() -> Shadow:
    """Compare a month in which both agree on Alder and not on Birch."""
    month = Month().uses(ALDER, "CIXA-MSP", 14).uses(BIRCH, "CIXA-MSP", 3).bills(ALDER_ENDPOINT, 14)
    return shadow_of(month)


def test_in_the_first_run_nothing_is_new() -> None:
    first = trend(agreed_and_differing(), None)

    assert (first.since, first.new, first.gone, first.all_agreed) == (None, frozenset(), (), 0)
    assert first.agreed == {ALDER_ENDPOINT: 1}


def test_a_difference_is_new_once_and_gone_once() -> None:
    before = Earlier(12, {ALDER_ENDPOINT: "NO_LINE", ALDER_EMAIL: "SEVERAL_LINES", BIRCH_ENDPOINT: "SAME"})
    known = Earlier(13, {BIRCH_ENDPOINT: "OTHER_QUANTITY"})

    moved = trend(agreed_and_differing(), before)

    assert (moved.since, moved.new) == (12, frozenset({BIRCH_ENDPOINT}))
    assert moved.gone == (ALDER_ENDPOINT, ALDER_EMAIL)
    assert trend(agreed_and_differing(), known).new == frozenset()


def test_runs_that_agree_are_counted_in_a_row() -> None:
    whole = shadow_of(Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 14))
    before = Earlier(12, {ALDER_ENDPOINT: "SAME"}, {ALDER_ENDPOINT: 2}, all_agreed=2)

    moved = trend(whole, before)

    assert (moved.agreed, moved.all_agreed) == ({ALDER_ENDPOINT: 3}, 3)
    assert trend(agreed_and_differing(), before).all_agreed == 0


# A plan that is limited to taking over ------------------------------------------------------------


def test_a_plan_limited_to_adoption_makes_no_other_change() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).uses(BIRCH, "CIXA-MSP", 3).uses(ALDER, "NEW-MSP", 1)
    month.bills(ALDER_ENDPOINT, 12)

    plan = month.plan(adopt=True, only=frozenset({"adopt"}))

    assert [(change.kind, change.key) for change in plan.changes] == [("adopt", ALDER_ENDPOINT)]
    assert (plan.unresolved, plan.exit_code) == ((), 0)
    assert plan.sync == "connector adopt 2026-10"


def test_a_plan_limited_to_adoption_tells_the_lines_that_a_person_must_settle() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 12)
    month.bills(ALDER_ENDPOINT, 2, addition_id=9002)

    plan = month.plan(adopt=True, only=frozenset({"adopt"}))

    assert [entry.code for entry in plan.unresolved] == ["DUPLICATE_ADDITIONS"]
    assert (plan.changes, plan.exit_code) == ((), 3)


def test_the_same_writes_limited_and_whole_are_two_plans() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 12)
    whole, limited = month.plan(adopt=True), month.plan(adopt=True, only=frozenset({"adopt"}))

    assert [change.writes for change in whole.changes] == [change.writes for change in limited.changes]
    assert whole.digest != limited.digest
