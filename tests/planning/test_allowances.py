"""What an item's quantity is, where mappings.yaml says otherwise than the sum of what Sophos counts."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    BIRCH_ENDPOINT,
    EMAIL,
    STRANGER,
    Month,
    told,
    warned,
)
from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.records import parts_of, parts_text
from connector.model import Defaults, Key, Mappings, ProductEntry, ProductException, TenantEntry
from connector.planning.allowances import aggregate_of, desired_of, whole_units
from connector.planning.findings import Part

CODES = ("A", "B", "C")
TENANTS = (ALDER, BIRCH, STRANGER)
VANISHED = "TENANT_VANISHED"


def month_with(**said: Any) -> Month:
    """Return a month in which CIXA-MSP has these keys, and CDE-MSP feeds the same item."""
    month = Month()
    month.products["CIXA-MSP"] = replace(month.products["CIXA-MSP"], **said)
    month.products["CDE-MSP"] = ProductEntry(
        "Encryption", "SOPHOS-ENDPOINT", aggregate=said.get("aggregate", "sum")
    )
    return month


def shared(month: Month) -> Month:
    """Bill Birch on Alder's agreement."""
    return month.maps(BIRCH, company="AlderDental")


# Units -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "per", "up", "down"),
    [
        ("7", 3, "3", "2"),
        ("6", 3, "2", "2"),
        ("0", 3, "0", "0"),
        ("0.5", 1, "1", "0"),
        ("1000000000000000000000000000001", 2, "500000000000000000000000000001", "5E+29"),
        ("-7", 3, "-2", "-3"),
    ],
)
def test_a_quantity_is_divided_exactly_and_rounded_to_whole_units(
    used: str, per: int, up: str, down: str
) -> None:
    assert whole_units(Decimal(used), per, "up") == Decimal(up)
    assert whole_units(Decimal(used), per, "down") == Decimal(down)


@pytest.mark.parametrize(
    ("used", "said", "after", "because"),
    [
        (7, {"per": 3}, 3, "7 CIXA-MSP / 3, rounded up = 3"),
        (7, {"per": 3, "rounding": "down"}, 2, "7 CIXA-MSP / 3, rounded down = 2"),
        (6, {"per": 3}, 2, "6 CIXA-MSP / 3 = 2"),
        (8, {"minimum": Decimal(10)}, 10, "minimum 10 CIXA-MSP (8 used)"),
        (0, {"minimum": Decimal(10)}, 10, "minimum 10 CIXA-MSP (0 used)"),
        (12, {"minimum": Decimal(10)}, 12, "12 CIXA-MSP"),
        (7, {"per": 3, "minimum": Decimal(10)}, 10, "minimum 10 CIXA-MSP (7 / 3, rounded up = 3 used)"),
        (7, {"aggregate": "max"}, 7, "7 CIXA-MSP"),
    ],
)
def test_the_reason_says_how_a_quantity_comes_about(
    used: int, said: dict[str, Any], after: int, because: str
) -> None:
    change = month_with(**said).uses(ALDER, "CIXA-MSP", used).change()

    assert (change.after, change.because) == (after, because)
    assert [part.quantity for part in change.parts] == [used]  # the lineage keeps what Sophos counts


def test_rows_of_one_tenant_and_code_are_added_up_before_they_are_rounded_once() -> None:
    month = month_with(per=3)
    for _ in range(3):
        month.uses(ALDER, "CIXA-MSP", 1)

    assert month.change().after == 1


def test_every_tenant_is_rounded_by_itself() -> None:
    month = shared(month_with(per=3)).uses(ALDER, "CIXA-MSP", 4).uses(BIRCH, "CIXA-MSP", 4)

    change = month.change()
    assert change.after == 4
    assert change.because == (
        "(4 CIXA-MSP / 3, rounded up = 2) for Alder (alder-id) + "
        "(4 CIXA-MSP / 3, rounded up = 2) for Birch (birch-id)"
    )


# Bundles -----------------------------------------------------------------------------------------


def test_a_bundle_counts_each_user_of_a_tenant_once_and_adds_tenants_up() -> None:
    month = shared(month_with(aggregate="max"))
    month.uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "CDE-MSP", 15)
    month.uses(BIRCH, "CIXA-MSP", 3).uses(BIRCH, "CDE-MSP", 2)

    change = month.change()
    assert change.after == 18
    assert change.because == (
        "max of 15 CDE-MSP, 12 CIXA-MSP = 15 for Alder (alder-id) + "
        "max of 2 CDE-MSP, 3 CIXA-MSP = 3 for Birch (birch-id)"
    )


def test_codes_are_converted_and_committed_before_the_largest_is_taken() -> None:
    month = month_with(aggregate="max", per=3).uses(ALDER, "CIXA-MSP", 40).uses(ALDER, "CDE-MSP", 13)
    assert month.change().because == "max of 13 CDE-MSP, (40 CIXA-MSP / 3, rounded up = 14) = 14"

    month = month_with(aggregate="max", minimum=Decimal(20))
    month.uses(ALDER, "CIXA-MSP", 4).uses(ALDER, "CDE-MSP", 13)
    assert month.change().because == "max of 13 CDE-MSP, minimum 20 CIXA-MSP (4 used) = 20"


def test_a_bundle_falls_only_when_its_largest_code_does() -> None:
    fed = {(ALDER, "CDE-MSP"): 15, (ALDER, "CIXA-MSP"): 12}
    month = month_with(aggregate="max").manages(ALDER_ENDPOINT, 15, fed).uses(ALDER, "CDE-MSP", 15)
    assert month.plan().changes == ()

    month = month_with(aggregate="max").manages(ALDER_ENDPOINT, 15, fed).uses(ALDER, "CIXA-MSP", 12)
    change = month.change()
    assert (change.after, change.because, change.held) == (12, "12 CIXA-MSP; was 15", None)


def test_a_fall_of_a_bundle_waits_while_one_of_its_codes_is_unresolved() -> None:
    fed = {(ALDER, "CDE-MSP"): 15, (ALDER, "CIXA-MSP"): 12}
    month = month_with(aggregate="max").manages(ALDER_ENDPOINT, 15, fed).uses(ALDER, "CIXA-MSP", 12)
    month.products["CDE-MSP"] = ProductEntry("Encryption", "NOT-THERE")
    month.uses(ALDER, "CDE-MSP", 15)

    assert month.change().held == "ITEM_NOT_FOUND"


def conflicting() -> Month:
    month = month_with(aggregate="max").uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "CDE-MSP", 15)
    month.products["CDE-MSP"] = ProductEntry("Encryption", 48)  # the same item, by its id
    return month


def test_codes_that_turn_out_to_feed_one_item_but_add_up_differently_bill_nobody() -> None:
    for month in (conflicting(), conflicting().manages(ALDER_ENDPOINT, 9, {(ALDER, "CIXA-MSP"): 9})):
        plan = month.plan()

        assert plan.changes == ()
        assert told(plan) == [("AGGREGATE_DIFFERS", "CDE-MSP"), ("AGGREGATE_DIFFERS", "CIXA-MSP")]
        assert plan.unresolved[0].message.endswith("CDE-MSP has sum, CIXA-MSP has max")
        assert (plan.coverage.unresolved, plan.exit_code) == (2, 3)


def test_a_disagreement_holds_what_the_same_usage_would_lower_elsewhere() -> None:
    email = Key(ALDER_AGREEMENT, EMAIL)
    month = conflicting().manages(email, 12, {(ALDER, "CIXA-MSP"): 12})

    assert month.change().held == "AGGREGATE_DIFFERS"


def test_codes_of_different_tenants_need_not_agree() -> None:
    month = shared(month_with(aggregate="max")).uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CDE-MSP", 15)
    month.products["CDE-MSP"] = ProductEntry("Encryption", 48)

    assert month.change().after == 27


@pytest.mark.parametrize(
    ("item", "but", "found"),
    [("sophos-bundle ", "C", "max"), ("SOPHOS-BUNDLE", "A", None), (48, "C", "sum"), ("48", "C", None)],
)
def test_a_code_joins_the_others_of_its_item(item: str | int, but: str, found: str | None) -> None:
    products = {
        "A": ProductEntry(item="SOPHOS-BUNDLE", aggregate="max"),
        "B": ProductEntry(item="SOPHOS-BUNDLE", sync=False),
        "D": ProductEntry(item=48),
        "E": ProductEntry(),
    }
    assert aggregate_of(Mappings(products=products), item, but=but) == found


# Commitments -------------------------------------------------------------------------------------


def test_the_minimum_of_a_tenant_comes_before_that_of_the_product() -> None:
    month = month_with(minimum=Decimal(10)).excepts(ALDER, "CIXA-MSP", minimum=Decimal(0))
    month.excepts(BIRCH, "CIXA-MSP", agreement="Managed Security")
    month.uses(ALDER, "CIXA-MSP", 3).uses(BIRCH, "CIXA-MSP", 3).uses(STRANGER, "CIXA-MSP", 3)

    assert {change.key: change.after for change in month.plan().changes} == {
        ALDER_ENDPOINT: 3,
        BIRCH_ENDPOINT: 10,
    }


def test_a_minimum_turns_nothing_on() -> None:
    month = Month().excepts(ALDER, "CPHISH-MSP", minimum=Decimal(5)).uses(ALDER, "CPHISH-MSP", 2)

    plan = month.plan()
    assert (plan.changes, plan.coverage.off) == ((), 1)


def test_without_a_row_no_minimum_is_billed() -> None:
    month = month_with(minimum=Decimal(10)).uses(ALDER, "CEMA-MSP", 4)

    plan = month.plan()
    assert [change.because for change in plan.changes] == ["4 CEMA-MSP"]
    assert warned(plan) == []


def test_a_tenant_whose_committed_product_has_no_row_any_more_is_zeroed_and_that_is_said() -> None:
    month = month_with(minimum=Decimal(10)).uses(ALDER, "CEMA-MSP", 4)
    month.manages(ALDER_ENDPOINT, 10, {(ALDER, "CIXA-MSP"): 8})

    plan = month.plan()
    (zero,) = (change for change in plan.changes if change.kind == "zero")
    assert (zero.before, zero.held) == (10, None)
    (warning,) = plan.warnings
    assert warning.code == "MINIMUM_WITHOUT_USAGE"
    assert warning.message.endswith(
        "Alder (alder-id) has a minimum of 10 CIXA-MSP, but no row of it in 2026-10; without a row no "
        "minimum is billed"
    )


@pytest.mark.parametrize(
    "month",
    [
        month_with(minimum=Decimal(10)).manages(ALDER_ENDPOINT, 8, {(ALDER, "CIXA-MSP"): 0}),
        month_with(minimum=Decimal(0)).manages(ALDER_ENDPOINT, 8, {(ALDER, "CIXA-MSP"): 8}),
        month_with(minimum=Decimal(10), sync=False).manages(ALDER_ENDPOINT, 8, {(ALDER, "CIXA-MSP"): 8}),
        month_with().manages(ALDER_ENDPOINT, 8, {(ALDER, "CIXA-MSP"): 8}),
    ],
    ids=["it billed nothing before", "no minimum is said", "it is off", "there is none"],
)
def test_no_minimum_is_missed_where_none_was_billed_or_none_holds(month: Month) -> None:
    assert "MINIMUM_WITHOUT_USAGE" not in warned(month.uses(ALDER, "CEMA-MSP", 4).plan())


@pytest.mark.parametrize("still_said", [True, False])
def test_a_tenant_that_vanishes_is_held_although_only_its_minimum_billed(still_said: bool) -> None:
    before = month_with(minimum=Decimal(10)).uses(ALDER, "CIXA-MSP", 0).change()
    month = month_with(minimum=Decimal(10) if still_said else None).uses(BIRCH, "CEMA-MSP", 4)
    month.manages(ALDER_ENDPOINT, 10)
    parts = parts_of(parts_text(before.parts))  # as the ledger gives them back
    month.known[9001] = replace(month.known[9001], parts=parts)

    (zero,) = (change for change in month.plan().changes if change.kind == "zero")
    assert (zero.before, zero.held) == (10, VANISHED)


def test_a_lineage_without_commitments_is_stored_as_ever() -> None:
    parts = (Part(ALDER, "CIXA-MSP", Decimal(8), ("S1",)),)

    assert parts_text(parts) == '[["alder-id", "CIXA-MSP", "8", ["S1"]]]'
    assert parts_of(parts_text(parts)) == parts


def test_a_quantity_below_zero_is_no_commitment_and_waits_for_a_person() -> None:
    change = month_with(minimum=Decimal(10)).uses(ALDER, "CIXA-MSP", -2).change()

    assert (change.after, change.held) == (-2, "NEGATIVE_QUANTITY")


# What else is said of a quantity ------------------------------------------------------------------


def test_usage_that_is_rounded_away_is_not_called_absent() -> None:
    month = month_with(per=3, rounding="down").uses(ALDER, "CIXA-MSP", 2)
    assert month.plan().changes == ()

    month.manages(ALDER_ENDPOINT, 1, {(ALDER, "CIXA-MSP"): 3})
    change = month.change()
    assert (change.kind, change.because) == ("zero", "2 CIXA-MSP / 3, rounded down = 0")


def test_what_is_left_to_people_says_what_should_be_billed_and_why() -> None:
    month = month_with(per=3).uses(ALDER, "CIXA-MSP", 7).bills(ALDER_ENDPOINT, 9)
    month.defaults = Defaults(adopt="never")
    (entry,) = month.plan().unresolved
    assert entry.message.endswith("3 should be billed (7 CIXA-MSP / 3, rounded up = 3)")
    assert entry.quantity == 7

    month = month_with(per=9, rounding="down").uses(ALDER, "CIXA-MSP", 7).bills(ALDER_ENDPOINT, 9)
    (warning,) = month.plan().warnings
    assert "0 should be billed (7 CIXA-MSP / 9, rounded down = 0); it is left alone" in warning.message


def test_units_that_connectwise_includes_are_told_and_change_no_write() -> None:
    plans = []
    for included in (0, 5):
        month = Month().uses(ALDER, "CIXA-MSP", 40)
        plans.append(
            month.manages(
                ALDER_ENDPOINT, 38, {(ALDER, "CIXA-MSP"): 38}, less_included=Decimal(included)
            ).plan()
        )
    without, with_five = plans

    assert [plan.changes[0].included for plan in plans] == [0, 5]
    assert without.digest == with_five.digest
    assert with_five.changes[0].after == 40


def test_after_the_state_was_lost_a_converted_line_tells_nothing_of_how_much_was_used() -> None:
    """A new code at two tenants may be the old one, whatever 30 users came to as units of the item."""
    month = month_with(per=10)
    del month.products["CDE-MSP"]  # so that only one code can have caused the fall
    for tenant, key, addition in ((ALDER, ALDER_ENDPOINT, 1), (BIRCH, BIRCH_ENDPOINT, 2)):
        month.manages(key, 3, addition_id=addition).uses(tenant, "CIXA2-MSP", 30)

    plan = month.lose_state().plan()
    assert [change.held for change in plan.changes] == ["SUSPECTED_SUCCESSOR"] * 2
    (warning,) = plan.warnings
    assert "counts CIXA-MSP with `per` or `minimum`, which CIXA2-MSP has to be given too" in warning.message


def test_a_successor_of_a_code_that_is_billed_as_counted_needs_nothing_else() -> None:
    month = Month()
    for tenant, key, addition in ((ALDER, ALDER_ENDPOINT, 1), (BIRCH, BIRCH_ENDPOINT, 2)):
        month.manages(key, 30, addition_id=addition).uses(tenant, "CIXA2-MSP", 30)

    (warning,) = month.lose_state().plan().warnings
    assert (warning.code, "has to be given too" in warning.message) == ("SUSPECTED_SUCCESSOR", False)


# Nothing said, nothing changed --------------------------------------------------------------------


def test_a_map_without_these_keys_plans_as_before_they_existed() -> None:
    month = shared(month_with())
    month.uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "CDE-MSP", "0.5").uses(BIRCH, "CIXA-MSP", 7)
    month.uses(BIRCH, "CEMA-MSP", 3).uses(STRANGER, "CIXA-MSP", 2).uses(ALDER, "CPHISH-MSP", 4)
    plan = month.manages(ALDER_ENDPOINT, 4, {(ALDER, "CIXA-MSP"): 4}).plan()

    # Taken from the last release that knew none of them.
    assert plan.digest == "ffcf557e1682"
    assert plan.changes[0].because == (
        "0.5 CDE-MSP for Alder (alder-id) + 12 CIXA-MSP for Alder (alder-id) + "
        "7 CIXA-MSP for Birch (birch-id); was 4"
    )


quantities = st.one_of(
    st.integers(-5, 400).map(Decimal), st.decimals("0", "60", places=2, allow_nan=False, allow_infinity=False)
)
minimums = st.one_of(st.none(), st.integers(0, 60).map(Decimal))
usage = st.dictionaries(st.tuples(st.sampled_from(TENANTS), st.sampled_from(CODES)), quantities)


def parts_for(used: dict[tuple[str, str], Decimal]) -> list[Part]:
    return [Part(*pair, quantity) for pair, quantity in sorted(used.items())]


@given(usage)
def test_without_any_key_a_quantity_is_the_sum_of_its_parts(used: dict[tuple[str, str], Decimal]) -> None:
    desired = desired_of(Mappings(products={"A": ProductEntry(item="I")}), parts_for(used))

    assert desired.quantity == desired.used == sum(used.values(), Decimal(0))
    assert (desired.parts, desired.conflict) == (tuple(parts_for(used)), "")


@given(
    used=usage,
    largest=st.booleans(),
    pers=st.fixed_dictionaries({code: st.one_of(st.none(), st.integers(1, 12)) for code in CODES}),
    downs=st.sets(st.sampled_from(CODES)),
    least=st.fixed_dictionaries(dict.fromkeys(CODES, minimums)),
    excepted=st.dictionaries(st.tuples(st.sampled_from(TENANTS), st.sampled_from(CODES)), minimums),
)
def test_every_quantity_agrees_with_a_small_calculation_in_fractions(
    used: dict[tuple[str, str], Decimal],
    largest: bool,
    pers: dict[str, int | None],
    downs: set[str],
    least: dict[str, Decimal | None],
    excepted: dict[tuple[str, str], Decimal | None],
) -> None:
    exceptions: dict[str, dict[str, ProductException]] = defaultdict(dict)
    for (tenant, code), minimum in excepted.items():
        exceptions[tenant][code] = ProductException(minimum=minimum, sync=True)
    mappings = Mappings(
        products={
            code: ProductEntry(
                item="I",
                per=pers[code],
                rounding="down" if code in downs else "up",
                aggregate="max" if largest else "sum",
                minimum=least[code],
            )
            for code in CODES
        },
        tenants={tenant: TenantEntry(products=said) for tenant, said in exceptions.items()},
    )

    by_tenant: dict[str, list[Fraction]] = defaultdict(list)
    for (tenant, code), quantity in used.items():
        amount = Fraction(quantity)
        per = pers[code]
        if per is not None:
            exact, wholes = amount / per, range(-10, 500)
            if code in downs:
                amount = Fraction(max(whole for whole in wholes if whole <= exact))
            else:
                amount = Fraction(min(whole for whole in wholes if whole >= exact))
        said = excepted.get((tenant, code))
        wanted = said if said is not None else least[code]
        if wanted is not None and amount >= 0 and amount < wanted:
            amount = Fraction(wanted)
        by_tenant[tenant].append(amount)
    expected = sum((max(each) if largest else sum(each) for each in by_tenant.values()), Fraction(0))

    desired = desired_of(mappings, parts_for(used))
    assert Fraction(desired.quantity) == expected
    assert [part.quantity for part in desired.parts] == [part.quantity for part in parts_for(used)]
