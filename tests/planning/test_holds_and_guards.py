"""When a change waits for a person, and when a whole run is refused (contract rules 17 and 18)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    EMAIL,
    ENDPOINT,
    OCTOBER,
    STRANGER,
    Month,
    told,
)

from connector.errors import CommandFault
from connector.model import Agreement, CatalogItem, Company, Defaults, Firewall, Key, Period
from connector.planning.codes import checked_force

SERIAL = "X1A7ALDER01"
OURS = {(ALDER, "CIXA-MSP"): 40}
SHARED = {(ALDER, "CIXA-MSP"): 12, (BIRCH, "CIXA-MSP"): 3}


def shared_month() -> Month:
    """Alder and Birch feed one line together."""
    return Month().maps(BIRCH, company="AlderDental").manages(ALDER_ENDPOINT, 15, SHARED)


def released(month: Month, code: str) -> str | None:
    return month.change(force=frozenset({code})).held


# Tenants that vanished ---------------------------------------------------------------------------


@pytest.mark.parametrize("absent", ["zero", "end"])
def test_a_tenant_without_any_row_is_not_zeroed_unseen(absent: str) -> None:
    month = Month(defaults=Defaults(absent=absent)).manages(ALDER_ENDPOINT, 40, OURS)  # type: ignore[arg-type]
    month.uses(BIRCH, "CPHISH-MSP", 1)
    assert month.change().held == "TENANT_VANISHED"
    assert month.plan().exit_code == 3
    assert released(month, "TENANT_VANISHED") is None
    assert released(month, "all") is None
    assert released(month, "LARGE_INCREASE") == "TENANT_VANISHED"


def test_a_shared_line_does_not_fall_while_one_of_its_tenants_has_vanished() -> None:
    assert shared_month().uses(ALDER, "CIXA-MSP", 12).change().held == "TENANT_VANISHED"


def test_a_shared_line_that_rises_all_the_same_is_written() -> None:
    assert shared_month().uses(ALDER, "CIXA-MSP", 16).change().held is None


def test_a_vanished_tenant_that_is_off_holds_nothing() -> None:
    month = shared_month().maps(BIRCH, sync=False).uses(ALDER, "CIXA-MSP", 12)
    assert month.change().held is None


def test_a_vanished_tenant_that_had_fed_nothing_holds_nothing() -> None:
    month = Month().maps(BIRCH, company="AlderDental")
    month.manages(ALDER_ENDPOINT, 15, {(ALDER, "CIXA-MSP"): 15, (BIRCH, "CIXA-MSP"): 0})
    assert month.uses(ALDER, "CIXA-MSP", 12).change().held is None


def test_a_tenant_that_still_uses_something_else_has_not_vanished() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).uses(ALDER, "CPHISH-MSP", 1)
    assert month.change().held is None


def test_a_vanished_tenant_is_noticed_even_with_the_state_lost() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).lose_state().uses(BIRCH, "CPHISH-MSP", 1)
    assert month.change().held == "TENANT_VANISHED"


# Something of theirs is unresolved ---------------------------------------------------------------


def firewall_month() -> Month:
    """A firewall of Alder's was billed, and this month Sophos does not say whose it is."""
    month = Month().manages(ALDER_ENDPOINT, 1, {(ALDER, "CIXA-MSP"): 1}, serials=(SERIAL,))
    return month.uses(ALDER, "CEMA-MSP", 0)


def test_a_line_is_not_zeroed_while_its_firewall_is_unassigned() -> None:
    month = firewall_month().uses(None, "CIXA-MSP", 1, serial=SERIAL)
    assert month.change().held == "FIREWALL_UNASSIGNED"
    assert released(month, "FIREWALL_UNASSIGNED") is None


def test_an_unassigned_firewall_says_more_than_a_vanished_tenant() -> None:
    month = firewall_month().uses(None, "CIXA-MSP", 1, serial=SERIAL)
    month.rows.pop(0)
    assert month.change().held == "FIREWALL_UNASSIGNED"
    assert released(month, "FIREWALL_UNASSIGNED") == "TENANT_VANISHED"


def test_an_unassigned_firewall_may_be_the_one_that_replaced_theirs() -> None:
    assert firewall_month().uses(None, "CIXA-MSP", 1, serial="OTHER").change().held == "FIREWALL_UNASSIGNED"


def test_somebody_elses_unassigned_firewall_holds_nothing_where_all_of_theirs_are_accounted_for() -> None:
    month = firewall_month().uses(BIRCH, "CIXA-MSP", 1, serial=SERIAL)
    month.uses(None, "CIXA-MSP", 1, serial="OTHER")
    assert [(change.kind, change.held) for change in month.plan().changes] == [
        ("zero", None),
        ("create", None),
    ]


def test_a_firewall_that_lost_its_account_holds_the_line_it_fed_with_its_account() -> None:
    month = Month().manages(ALDER_ENDPOINT, 2, {(ALDER, "CIXA-MSP"): 2}, serials=("S1", "S2"))
    month.uses(ALDER, "CIXA-MSP", 1, serial="S1").uses(None, "CIXA-MSP", 1, serial="S2")
    assert month.change().held == "FIREWALL_UNASSIGNED"


def test_an_unassigned_row_without_a_serial_may_be_anybodys() -> None:
    assert firewall_month().uses(None, "CIXA-MSP", 1).change().held == "FIREWALL_UNASSIGNED"


def test_with_the_state_lost_any_unassigned_firewall_of_that_product_may_be_theirs() -> None:
    month = firewall_month().lose_state().uses(None, "CIXA-MSP", 1, serial="OTHER")
    assert month.change().held == "FIREWALL_UNASSIGNED"


def test_a_firewall_that_moved_to_another_tenant_is_no_mystery() -> None:
    month = firewall_month().uses(None, "CIXA-MSP", 1, serial=SERIAL)
    month.firewalls.append(Firewall(SERIAL, billing_tenant_id=BIRCH))
    assert [(change.kind, change.held) for change in month.plan().changes] == [
        ("zero", None),
        ("create", None),
    ]


def test_a_key_does_not_fall_while_one_of_its_tenants_is_unmapped() -> None:
    month = shared_month().uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 3)
    del month.tenants[BIRCH]
    assert month.change().held == "UNMAPPED_TENANT"


def test_a_key_does_not_fall_while_one_of_its_codes_is_unmapped() -> None:
    month = Month().manages(ALDER_ENDPOINT, 15, {(ALDER, "CIXA-MSP"): 12, (ALDER, "CDE-MSP"): 3})
    month.uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CDE-MSP", 3)
    assert month.change().held == "UNMAPPED_PRODUCT"


def test_an_exception_that_is_at_fault_for_one_tenant_holds_no_other() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).uses(ALDER, "CIXA-MSP", 30)
    month.excepts(BIRCH, "CIXA-MSP", item="NO-SUCH-ITEM").uses(BIRCH, "CIXA-MSP", 1)
    assert month.change().held is None


def test_a_line_is_not_zeroed_while_its_item_is_in_doubt() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).uses(ALDER, "CEMA-MSP", 0)
    month.items = [CatalogItem(40, "Renamed"), CatalogItem(EMAIL, "SOPHOS-EMAIL")]
    assert month.change().held == "ITEM_NOT_FOUND"


def test_a_line_is_not_zeroed_while_the_line_that_replaces_it_is_in_doubt() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).excepts(ALDER, "CIXA-MSP", item="SOPHOS-EMAIL")
    email = Key(ALDER_AGREEMENT, EMAIL)
    month.bills(email, 1, addition_id=9002).bills(email, 1, addition_id=9003).uses(ALDER, "CIXA-MSP", 40)
    assert told(month.plan()) == [("DUPLICATE_ADDITIONS", "CIXA-MSP")]
    assert month.change().held == "DUPLICATE_ADDITIONS"


# Quantities that cannot be right -----------------------------------------------------------------


@pytest.mark.parametrize("before", [None, 5])
def test_a_sum_below_zero_waits_for_a_person(before: int | None) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 2).uses(ALDER, "CIXA-MSP", -5)
    if before is not None:
        month.manages(ALDER_ENDPOINT, before, {(ALDER, "CIXA-MSP"): before})
    assert (month.change().after, month.change().held) == (-3, "NEGATIVE_QUANTITY")
    assert released(month, "NEGATIVE_QUANTITY") is None


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [(6, 61, "LARGE_INCREASE"), (6, 60, None), (4, 54, None), (4, 55, "LARGE_INCREASE"), (0, 900, None)],
)
def test_one_line_may_not_grow_beyond_factor_and_units_at_once(
    before: int, after: int, held: str | None
) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", after).manages(ALDER_ENDPOINT, before, OURS)
    assert month.change().held == held


def test_a_line_that_is_taken_over_may_not_grow_beyond_them_either() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 900).bills(ALDER_ENDPOINT, 5)
    assert month.change().held == "NEEDS_ADOPTION"
    assert month.change(adopt=True).held == "LARGE_INCREASE"
    assert released(month, "all") is None


def test_taking_a_line_over_with_less_than_people_billed_is_not_a_fall_of_ours() -> None:
    assert Month().uses(ALDER, "CIXA-MSP", 5).bills(ALDER_ENDPOINT, 900).change(adopt=True).held is None


# Guards ------------------------------------------------------------------------------------------


def fleet(count: int, quantity: object = 10) -> Month:
    """So many tenants, each with a managed line and with one row of a product that is off."""
    month = Month(tenants={}, companies=[], agreements=[])
    for number in range(count):
        month.maps(f"t{number}", company=f"C{number}", agreement=1000 + number)
        month.agreements.append(Agreement(1000 + number, "Managed", number + 1))
        month.manages(
            Key(1000 + number, ENDPOINT),
            quantity,
            {(f"t{number}", "CIXA-MSP"): quantity},
            addition_id=number + 1,
        )
        month.uses(f"t{number}", "CPHISH-MSP", 1)
    month.companies = [Company(number + 1, f"C{number}") for number in range(count)]
    return month


def using(month: Month, count: int, quantity: object = 10) -> Month:
    for number in range(count):
        month.uses(f"t{number}", "CIXA-MSP", quantity)
    return month


def objected(month: Month, **options: object) -> list[str]:
    return [objection.name for objection in month.plan(**options).objections]


def test_a_run_may_not_remove_more_than_its_share_of_lines() -> None:
    assert objected(using(fleet(10), 7)) == []
    assert objected(using(fleet(10), 6)) == ["removals"]
    plan = using(fleet(10), 6).plan()
    assert plan.exit_code == 4
    assert "4 of 10 managed additions" in plan.objections[0].message
    assert "--force removals" in plan.objections[0].message
    assert objected(using(fleet(10), 6), force=frozenset({"removals"})) == []


def test_ended_lines_count_as_removed() -> None:
    month = using(fleet(10), 6)
    month.defaults = Defaults(absent="end")
    assert objected(month) == ["removals"]


def test_the_managed_quantity_may_not_fall_by_more_than_its_share() -> None:
    assert objected(using(fleet(10), 10, 5)) == []
    assert objected(using(fleet(10), 10, "4.9")) == ["decrease"]
    message = using(fleet(10), 10, 4).plan().objections[0].message
    assert "from 100 to 40 (60 %; the limit is 50 %)" in message


def test_what_rises_makes_up_for_what_falls() -> None:
    month = using(fleet(10), 9, 4).uses("t9", "CIXA-MSP", 40)
    assert objected(month) == []


def test_lines_at_zero_are_managed_lines_too() -> None:
    month = using(fleet(10), 10)
    for number in range(3):
        month.additions[number] = replace(month.additions[number], quantity=Decimal(0))
        month.rows = [
            row for row in month.rows if row.account_id != f"t{number}" or row.product_code != "CIXA-MSP"
        ]
    assert objected(month) == []
    month.rows = [row for row in month.rows if row.account_id not in {"t3", "t4", "t5", "t6"}]
    for number in range(3, 7):
        month.uses(f"t{number}", "CPHISH-MSP", 1)
    assert objected(month) == ["removals", "decrease"]


def test_a_line_that_is_taken_over_lowers_nothing_that_was_managed() -> None:
    month = using(fleet(10), 10).uses("t0", "CEMA-MSP", 20).bills(Key(1000, EMAIL), 200, addition_id=99)
    assert objected(month, adopt=True) == []


def test_few_lines_need_no_guard() -> None:
    assert objected(fleet(9)) == []


def test_lines_that_wait_for_a_person_do_not_count() -> None:
    month = using(fleet(10), 6)
    month.rows = [row for row in month.rows if row.account_id != "t9"]
    assert objected(month) == []


def test_a_published_month_without_any_row_is_refused() -> None:
    month = Month()
    assert objected(month) == ["empty_month"]
    assert objected(month, force=frozenset({"empty_month"})) == []
    assert objected(month, force=frozenset({"all"})) == []


def test_an_older_month_never_follows_a_newer_one() -> None:
    month = Month(newest_applied=Period(2026, 11)).uses(ALDER, "CIXA-MSP", 1)
    assert objected(month) == ["period_order"]
    month.newest_applied = OCTOBER
    assert objected(month) == []


# Codes for --force -------------------------------------------------------------------------------


def test_only_what_exists_can_be_forced() -> None:
    assert checked_force([" removals ", "TENANT_VANISHED"]) == {"removals", "TENANT_VANISHED"}
    with pytest.raises(CommandFault, match='Did you mean "removals"'):
        checked_force(["removal"])
    with pytest.raises(CommandFault, match=r"no guard and no held change is called that\.$"):
        checked_force(["xyzzy"])


def test_a_stranger_in_the_ledger_of_a_key_is_treated_as_unmapped() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, {(STRANGER, "CIXA-MSP"): 40}).uses(ALDER, "CEMA-MSP", 0)
    plan = month.plan()
    assert (plan.changes, [warning.code for warning in plan.warnings]) == ((), ["OFF_STILL_BILLING"])


def test_quantities_stay_exact_through_the_guards() -> None:
    plan = using(fleet(10, "0.1"), 10, "0.1").plan()
    assert plan.managed_quantity == Decimal("1.0")
