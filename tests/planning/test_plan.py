"""What becomes of each key: contract rules 10 to 16, 19 and 20."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    EMAIL,
    ENDPOINT,
    TODAY,
    Month,
    told,
    warned,
)

from connector.model import Agreement, Company, Defaults, Key, ProductEntry
from connector.planning.change import digest_of, mark_of, plain

OURS = {(ALDER, "CIXA-MSP"): 40}
YESTERDAY, TOMORROW = date(2026, 10, 27), date(2026, 10, 29)


# Rule 12: create ---------------------------------------------------------------------------------


def test_usage_that_nothing_bills_yet_gets_one_marked_line_from_the_first_of_the_month() -> None:
    change = Month().uses(ALDER, "CIXA-MSP", 12).change()
    assert (change.kind, change.before, change.after, change.held) == ("create", None, 12, None)
    assert change.effective == date(2026, 10, 1)
    assert change.mark == mark_of(ALDER_ENDPOINT) == "sophos-sync:118:48"
    assert change.because == "12 CIXA-MSP"


def test_no_line_is_made_for_usage_of_zero() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 0).plan()
    assert (plan.changes, plan.exit_code) == ((), 0)


def test_a_line_is_not_marked_when_the_map_says_so() -> None:
    month = Month(defaults=Defaults(mark=False)).uses(ALDER, "CIXA-MSP", 12)
    assert month.change().mark == ""


@pytest.mark.parametrize(("effective", "starts"), [("today", TODAY), ("next_invoice", date(2026, 11, 1))])
def test_a_new_line_starts_when_the_map_says(effective: str, starts: date) -> None:
    month = Month(defaults=Defaults(effective=effective)).uses(ALDER, "CIXA-MSP", 12)  # type: ignore[arg-type]
    month.agreements[0] = replace(month.agreements[0], next_invoice=date(2026, 11, 1))
    assert month.change().effective == starts


@pytest.mark.parametrize("bound", ["start", "bill_start"])
def test_a_new_line_never_starts_before_its_agreement(bound: str) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 12)
    agreement = month.agreements[0]
    month.agreements[0] = (
        replace(agreement, start=date(2026, 10, 15))
        if bound == "start"
        else replace(agreement, bill_start=date(2026, 10, 15))
    )
    assert month.change().effective == date(2026, 10, 15)


def test_a_line_that_should_start_with_the_next_invoice_waits_for_its_date_to_be_known() -> None:
    month = Month(defaults=Defaults(effective="next_invoice")).uses(ALDER, "CIXA-MSP", 12)
    plan = month.plan()
    assert not plan.changes
    assert told(plan) == [("NO_INVOICE_DATE", "CIXA-MSP")]


# Rules 10 and 11: managed, live ------------------------------------------------------------------


def test_a_line_that_bills_what_is_used_is_left_alone() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 40).manages(ALDER_ENDPOINT, "40.00", OURS).plan()
    assert (plan.changes, len(plan.unchanged), plan.exit_code) == ((), 1, 0)


def test_a_line_of_ours_is_set_to_what_is_used() -> None:
    change = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS).change()
    assert (change.kind, change.addition_id, change.before, change.after) == ("update", 9001, 40, 43)
    assert change.because == "43 CIXA-MSP; was 40"
    assert change.mark == ""


def test_a_line_is_ours_by_the_ledger_even_where_its_serial_number_is_the_customers() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS)
    month.additions[0] = replace(month.additions[0], serial_number="PO 4711")
    assert month.change().kind == "update"


@pytest.mark.parametrize("around", ["{}", "checked {}", "{};PO 1", "({})"])
def test_a_line_is_ours_by_its_mark_when_the_state_is_lost(around: str) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS).lose_state()
    month.additions[0] = replace(month.additions[0], serial_number=around.format(mark_of(ALDER_ENDPOINT)))
    assert (month.change().kind, month.change().held) == ("update", None)


@pytest.mark.parametrize("around", ["{}9", "old-{}", "x{}"])
def test_what_only_looks_like_our_mark_makes_no_line_ours(around: str) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43)
    month.bills(ALDER_ENDPOINT, 40, serial_number=around.format(mark_of(ALDER_ENDPOINT)))
    assert month.change().kind == "adopt"


def test_a_mark_that_connectwise_copied_to_another_agreement_makes_no_line_ours() -> None:
    month = Month().uses(BIRCH, "CIXA-MSP", 3)
    month.bills(Key(204, ENDPOINT), 40, serial_number=mark_of(ALDER_ENDPOINT))
    assert (month.change().kind, month.change().held) == ("adopt", "NEEDS_ADOPTION")


@pytest.mark.parametrize(("ends", "kind"), [(TOMORROW, "update"), (None, "update")])
def test_an_end_date_in_the_future_ends_a_line_only_when_it_comes(ends: date | None, kind: str) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS, cancelled=ends)
    assert month.change().kind == kind


def test_other_lines_of_the_item_beside_ours_are_left_alone_and_reported() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS)
    plan = month.bills(ALDER_ENDPOINT, 5, addition_id=9002).plan()
    assert [change.addition_id for change in plan.changes] == [9001]
    assert warned(plan) == ["OTHER_LINES"]


def test_lines_of_items_that_nothing_maps_to_are_never_touched() -> None:
    plan = Month().bills(Key(ALDER_AGREEMENT, 777), 5).plan()
    assert (plan.changes, plan.warnings, plan.unresolved) == ((), (), ())


# Rule 13: adoption -------------------------------------------------------------------------------


def test_a_line_that_people_made_is_taken_over_only_when_a_person_says_so() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).bills(ALDER_ENDPOINT, 40)
    held, released = month.change(), month.change(adopt=True)
    assert (held.kind, held.held, released.held) == ("adopt", "NEEDS_ADOPTION", None)
    assert (held.before, held.after, held.mark) == (40, 43, mark_of(ALDER_ENDPOINT))
    assert month.plan().exit_code == 3
    assert month.change(force=frozenset({"NEEDS_ADOPTION"})).held is None


def test_a_line_that_people_made_can_be_taken_over_by_rule() -> None:
    month = Month(defaults=Defaults(adopt="auto")).uses(ALDER, "CIXA-MSP", 43).bills(ALDER_ENDPOINT, 40)
    assert month.change().held is None


def test_a_line_that_people_made_is_never_doubled_when_it_must_not_be_taken_over() -> None:
    month = Month(defaults=Defaults(adopt="never")).uses(ALDER, "CIXA-MSP", 43).bills(ALDER_ENDPOINT, 40)
    plan = month.plan()
    assert not plan.changes
    assert told(plan) == [("NEEDS_ADOPTION", "CIXA-MSP")]
    assert plan.coverage.unresolved == 1
    assert not month.plan(adopt=True, force=frozenset({"all"})).changes


@pytest.mark.parametrize(("serial", "mark"), [("PO 4711", True), ("", False)])
def test_a_taken_over_line_is_marked_only_where_nothing_stands_and_marks_are_on(
    serial: str, mark: bool
) -> None:
    month = Month(defaults=Defaults(mark=mark)).uses(ALDER, "CIXA-MSP", 43)
    assert month.bills(ALDER_ENDPOINT, 40, serial_number=serial).change().mark == ""


def test_a_line_that_people_made_stays_theirs_while_sophos_reports_nothing() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 0).bills(ALDER_ENDPOINT, 40).plan(adopt=True)
    assert (plan.changes, warned(plan)) == ((), ["NOT_OURS"])


# Rule 14: duplicates -----------------------------------------------------------------------------


def test_several_lines_of_people_are_told_apart_by_a_person() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).bills(ALDER_ENDPOINT, 20)
    plan = month.bills(ALDER_ENDPOINT, 20, addition_id=9002).plan(adopt=True)
    assert not plan.changes
    assert told(plan) == [("DUPLICATE_ADDITIONS", "CIXA-MSP")]
    assert "9001, 9002; none of them ours" in plan.unresolved[0].message


@pytest.mark.parametrize("used", [43, 0, None])
def test_several_lines_of_ours_are_never_written(used: int | None) -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).uses(ALDER, "CEMA-MSP", 0)
    month.manages(ALDER_ENDPOINT, 40, OURS, addition_id=9002)
    if used is not None:
        month.uses(ALDER, "CIXA-MSP", used)
    plan = month.plan()
    assert not plan.changes
    assert plan.unresolved[0].code == "DUPLICATE_ADDITIONS"
    assert plan.exit_code == 3


def test_several_lines_of_ours_that_bill_nothing_bother_nobody() -> None:
    month = Month().manages(ALDER_ENDPOINT, 0, OURS).manages(ALDER_ENDPOINT, 0, OURS, addition_id=9002)
    assert not month.plan().unresolved


def test_several_lines_of_people_bother_nobody_where_nothing_is_used() -> None:
    month = Month().bills(ALDER_ENDPOINT, 5).bills(ALDER_ENDPOINT, 5, addition_id=9002)
    assert not month.plan().unresolved
    assert not month.uses(ALDER, "CIXA-MSP", 0).plan().unresolved


def test_several_lines_of_ours_for_a_product_that_is_off_are_reported_as_still_billing() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).manages(ALDER_ENDPOINT, 0, OURS, addition_id=9002)
    plan = month.excepts(ALDER, "CIXA-MSP", sync=False).plan()
    assert (plan.unresolved, warned(plan)) == ((), ["OFF_STILL_BILLING"])


def test_several_lines_that_nothing_explains_any_more_still_name_their_key() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).manages(ALDER_ENDPOINT, 40, OURS, addition_id=9002)
    month.uses(ALDER, "CIXA-MSP", -1)
    assert told(month.plan()) == [("DUPLICATE_ADDITIONS", "CIXA-MSP")]


# Rule 15: ended, gone and moved ------------------------------------------------------------------


@pytest.mark.parametrize("ended", [YESTERDAY, TODAY])
def test_a_line_that_somebody_ended_is_billed_again_only_when_a_person_says_so(ended: date) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS, cancelled=ended)
    plan = month.plan()
    assert not plan.changes
    assert told(plan) == [("ENDED_BY_HAND", "CIXA-MSP")]
    again = month.change(recreate=True)
    assert (again.kind, again.after, again.because) == ("create", 43, "43 CIXA-MSP; made again, as asked")


def test_a_line_that_somebody_ended_is_known_by_its_mark_when_the_state_is_lost() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS, cancelled=YESTERDAY)
    assert told(month.lose_state().plan()) == [("ENDED_BY_HAND", "CIXA-MSP")]


def test_a_line_that_we_ended_is_followed_by_a_new_one_when_usage_comes_back() -> None:
    last_day = date(2026, 8, 31)
    month = Month().uses(ALDER, "CIXA-MSP", 43)
    month.manages(ALDER_ENDPOINT, 40, OURS, cancelled=last_day, ended=last_day)
    assert month.change().kind == "create"


def test_a_line_that_a_person_replaced_long_ago_is_history() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS, cancelled=YESTERDAY)
    month.known[9001] = replace(month.known[9001], closed=True)
    assert month.change().kind == "create"


@pytest.mark.parametrize("recreate", [False, True])
def test_people_who_end_our_line_and_make_their_own_are_asked_whether_to_take_it_over(recreate: bool) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS, cancelled=YESTERDAY)
    change = month.bills(ALDER_ENDPOINT, 40, addition_id=9002).change(recreate=recreate)
    assert (change.kind, change.addition_id, change.held) == ("adopt", 9002, "NEEDS_ADOPTION")


def test_a_line_that_is_gone_from_connectwise_is_made_again_and_says_so() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS)
    month.additions.clear()
    change = month.change()
    assert change.kind == "create"
    assert change.because == "43 CIXA-MSP; addition 9001 is gone from ConnectWise"


def test_a_line_that_was_given_another_product_is_not_doubled() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).manages(ALDER_ENDPOINT, 40, OURS)
    month.additions[0] = replace(month.additions[0], item_id=777)
    assert told(month.plan()) == [("MOVED_BY_HAND", "CIXA-MSP")]
    assert month.change(recreate=True).kind == "create"


# Rule 16: no longer used -------------------------------------------------------------------------


def absent_month(absent: str = "zero") -> Month:
    """Alder used CIXA-MSP, and has only CEMA-MSP left."""
    month = Month(defaults=Defaults(absent=absent)).manages(ALDER_ENDPOINT, 40, OURS)  # type: ignore[arg-type]
    month.manages(Key(ALDER_AGREEMENT, EMAIL), 5, {(ALDER, "CEMA-MSP"): 5}, addition_id=9002)
    return month.uses(ALDER, "CEMA-MSP", 5)


def test_usage_that_stopped_sets_the_line_to_zero() -> None:
    change = absent_month().change()
    assert (change.kind, change.before, change.after, change.held) == ("zero", 40, 0, None)
    assert change.because == "no CIXA-MSP usage in 2026-10"


def test_usage_of_zero_sets_the_line_to_zero_the_same_way() -> None:
    change = absent_month().uses(ALDER, "CIXA-MSP", 0).change()
    assert (change.kind, change.after) == ("zero", 0)


def test_usage_that_stopped_can_end_the_line_the_day_before_the_month() -> None:
    change = absent_month("end").change()
    assert (change.kind, change.effective) == ("end", date(2026, 9, 30))


def test_usage_that_stopped_can_leave_the_line_as_it_is_and_report_it() -> None:
    plan = absent_month("keep").plan()
    assert (plan.changes, warned(plan), plan.exit_code) == ((), ["ABSENT_KEPT"], 0)


def test_a_line_at_zero_needs_nothing_more() -> None:
    month = Month().manages(ALDER_ENDPOINT, 0, OURS).uses(ALDER, "CEMA-MSP", 0)
    assert not month.plan().changes
    assert not month.uses(ALDER, "CIXA-MSP", 0).plan().changes


def test_a_line_at_zero_bills_again_when_usage_comes_back_without_a_hold() -> None:
    change = Month().manages(ALDER_ENDPOINT, 0, OURS).uses(ALDER, "CIXA-MSP", 5000).change()
    assert (change.kind, change.held) == ("update", None)


@pytest.mark.parametrize("why", ["product", "tenant", "exception", "unmapped product", "unmapped tenant"])
def test_what_is_off_or_unmapped_since_goes_on_billing_and_is_reported(why: str) -> None:
    month = absent_month()
    month.rows.clear()
    if why == "product":
        month.products["CIXA-MSP"] = ProductEntry("Endpoint", "SOPHOS-ENDPOINT", sync=False)
    elif why == "tenant":
        month.maps(ALDER, sync=False)
    elif why == "exception":
        month.excepts(ALDER, "CIXA-MSP", sync=False)
    elif why == "unmapped product":
        del month.products["CIXA-MSP"]
    else:
        del month.tenants[ALDER]
    plan = month.uses(ALDER, "CIXA-MSP", 40).uses(ALDER, "CEMA-MSP", 5).plan()
    assert not plan.changes
    assert "OFF_STILL_BILLING" in warned(plan)


def test_a_line_that_is_off_and_at_zero_is_not_worth_a_word() -> None:
    plan = Month().manages(ALDER_ENDPOINT, 0, OURS).excepts(ALDER, "CIXA-MSP", sync=False).plan()
    assert not plan.warnings


def test_where_only_some_feeds_are_off_the_rest_is_billed_as_usual() -> None:
    month = Month().maps(BIRCH, company="AlderDental")
    month.manages(ALDER_ENDPOINT, 15, {(ALDER, "CIXA-MSP"): 12, (BIRCH, "CIXA-MSP"): 3})
    month.excepts(BIRCH, "CIXA-MSP", sync=False).uses(BIRCH, "CIXA-MSP", 3)
    assert month.uses(ALDER, "CIXA-MSP", 12).change().after == 12
    month.rows.pop()
    absent = month.uses(ALDER, "CEMA-MSP", 0).change()
    assert (absent.kind, absent.because) == ("zero", "no CIXA-MSP usage in 2026-10")


def test_usage_that_the_map_now_sends_elsewhere_leaves_its_old_line() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).excepts(ALDER, "CIXA-MSP", item="SOPHOS-EMAIL")
    plan = month.uses(ALDER, "CIXA-MSP", 40).plan()
    assert [(change.kind, change.key.item_id, change.after) for change in plan.changes] == [
        ("zero", ENDPOINT, 0),
        ("create", EMAIL, 40),
    ]
    assert "is billed as SOPHOS-EMAIL on" in plan.changes[0].because


def test_with_the_state_lost_the_map_tells_what_a_marked_line_was_for() -> None:
    month = absent_month().lose_state()
    change = month.change()
    assert (change.kind, change.key) == ("zero", ALDER_ENDPOINT)
    del month.products["CIXA-MSP"]
    assert warned(month.plan()) == ["OFF_STILL_BILLING"]


@pytest.mark.parametrize("agreement", [None, Agreement(ALDER_AGREEMENT, "Old", 1, status="Expired")])
def test_a_line_on_an_agreement_that_no_longer_bills_is_left_alone(agreement: Agreement | None) -> None:
    month = absent_month().maps(ALDER, agreement="New")
    month.agreements = [Agreement(119, "New", 1)]
    month.companies = [Company(1, "AlderDental")]
    if agreement is not None:
        month.agreements.append(agreement)
    plan = month.plan()
    assert [(change.kind, change.key.agreement_id) for change in plan.changes] == [("create", 119)]
    assert set(warned(plan)) == ({"AGREEMENT_INACTIVE"} if agreement else set())


# Rule 19, and what a person asked for ------------------------------------------------------------


def test_the_same_month_gives_the_same_plan_whatever_order_its_rows_came_in() -> None:
    month = absent_month().uses(BIRCH, "CIXA-MSP", 1).uses(ALDER, "NDR-MSP", 1).uses(None, "F", 1, serial="S")
    first = month.plan()
    for listed in (month.rows, month.additions, month.agreements, month.companies, month.items):
        listed.reverse()
    assert month.plan() == first
    assert month.plan().digest == first.digest


def test_a_plan_dies_with_whatever_it_would_write() -> None:
    def digest(quantity: int, before: int) -> str:
        return Month().uses(ALDER, "CIXA-MSP", quantity).manages(ALDER_ENDPOINT, before, OURS).plan().digest

    assert len({digest(43, 40), digest(44, 40), digest(43, 41)}) == 3
    assert len(digest(43, 40)) == 12


def test_a_plan_for_one_tenant_bills_whole_keys_and_nothing_else() -> None:
    month = Month().maps(BIRCH, company="AlderDental").maps("c", company="BirchLegal", agreement=204)
    month.uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 3).uses("c", "CIXA-MSP", 1)
    plan = month.uses("c", "NDR-MSP", 1).uses(None, "F", 1, serial="S").plan(tenant=BIRCH)
    assert [(change.key, change.after) for change in plan.changes] == [(ALDER_ENDPOINT, 15)]
    assert (plan.unresolved, plan.coverage.rows, plan.coverage.billed) == ((), 1, 1)


def test_a_plan_for_one_product_covers_its_rows_only() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "CEMA-MSP", 3).uses(ALDER, "CPHISH-MSP", 1)
    plan = month.uses(None, "F", 1, serial="S").plan(product="F")
    assert (plan.changes, told(plan), plan.coverage.rows) == ((), [("FIREWALL_UNASSIGNED", "S")], 1)


def test_a_plan_for_one_tenant_has_the_lines_that_it_no_longer_feeds() -> None:
    month = absent_month()
    assert month.change(tenant=ALDER).kind == "zero"
    assert not month.plan(tenant=BIRCH).changes
    assert month.plan(tenant=ALDER).digest != replace(month.plan()).digest


def test_every_row_is_billed_off_or_unresolved() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1).uses(ALDER, "CIXA-MSP", 1).uses(ALDER, "CPHISH-MSP", 1)
    month.uses(ALDER, "NDR-MSP", 1).uses(None, "F", 1, serial="S")
    month.uses(BIRCH, "CIXA-MSP", 1).uses(BIRCH, "CIXA-MSP", 1)
    month.bills(Key(204, ENDPOINT), 1).bills(Key(204, ENDPOINT), 1, addition_id=9002)
    coverage = month.plan().coverage
    assert (coverage.rows, coverage.billed, coverage.off, coverage.unresolved) == (7, 2, 1, 4)


@pytest.mark.parametrize(
    ("quantity", "text"),
    [("12", "12"), ("12.00", "12"), ("0.50", "0.5"), ("-0", "0"), ("1E+3", "1000"), ("-3.10", "-3.1")],
)
def test_quantities_are_written_as_people_write_them(quantity: str, text: str) -> None:
    assert plain(Decimal(quantity)) == text


def test_a_digest_names_the_period_the_source_and_the_wish() -> None:
    plan = Month().plan()
    base = (plan.period, "sophos-api", plan.options)
    others = [
        (plan.period.previous, "sophos-api", plan.options),
        (plan.period, "file", plan.options),
        (plan.period, "sophos-api", replace(plan.options, tenant=ALDER)),
    ]
    assert digest_of(*base, []) == plan.digest
    assert plan.digest not in {digest_of(*other, []) for other in others}
