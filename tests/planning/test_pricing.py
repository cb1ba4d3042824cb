"""What a unit costs and sells at, against a small calculation of its own, and at every edge."""

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    BIRCH_ENDPOINT,
    ENDPOINT,
    OCTOBER,
    Month,
    told,
    warned,
)
from hypothesis import given
from hypothesis import strategies as st

from connector.model import (
    Agreement,
    Defaults,
    GuardLimits,
    Mappings,
    PriceRule,
    Pricing,
    ProductEntry,
    ProductException,
    TenantEntry,
)
from connector.planning.change import Change, Moved, digest_of, prices_asked
from connector.planning.findings import Options
from connector.planning.prices import Money
from connector.planning.pricing import LEAVE, Rule, rounded, rule_for, uses_prices

CIXA = (ALDER, "CIXA-MSP")
SOPHOS = Pricing(cost="sophos")
MSRP, MARKUP = PriceRule("msrp"), PriceRule("markup", Decimal("0.25"))


def priced(cost: str | None = "2.10", listed: str | None = "3.00", currency: str = "USD") -> dict[str, Any]:
    """Return what a row says of its prices; None leaves one out."""
    said = {"unitPrice": cost, "unitMsrp": listed}
    known = {name: value for name, value in said.items() if value is not None}
    return {"received": json.dumps(known | {f"{name}Currency": currency for name in known})}


def fixed(amount: str) -> PriceRule:
    return PriceRule("fixed", Decimal(amount))


def month(currency: str = "USD", **pricing: Any) -> Month:
    """Return a month in which one rule stands in `defaults`, and agreements bill in one currency."""
    made = Month(defaults=Defaults(pricing=Pricing(**pricing)))
    made.agreements = [replace(agreement, currency=currency) for agreement in made.agreements]
    return made


def to_set(change: Change) -> tuple[str | None, str | None]:
    """Return the price and cost that a change sets."""
    return tuple(  # type: ignore[return-value]
        None if moved is None else str(moved.after) for moved in (change.unit_price, change.unit_cost)
    )


# Off by default ----------------------------------------------------------------------------------


def test_without_a_rule_no_price_is_set_no_money_counted_and_no_digest_moved() -> None:
    quiet = month().uses(*CIXA, 12, **priced())
    quiet.manages(ALDER_ENDPOINT, 10, {CIXA: 10}, unit_price=Decimal(4))

    plan = quiet.plan()

    (change,) = plan.changes
    assert (change.unit_price, change.unit_cost, change.money) == (None, None, None)
    assert (plan.money, plan.unresolved, plan.warnings) == ((), (), ())
    assert len(change.writes) == 9
    before = ("update", "118", "48", "9001", "10", "12", None, "", None)
    assert plan.digest == digest_of(OCTOBER, "sophos-api", Options(), [before])


def test_a_rule_of_leave_is_no_rule() -> None:
    quiet = month(cost="leave", price=PriceRule("leave")).uses(*CIXA, 12)

    assert to_set(quiet.change()) == (None, None)
    assert quiet.plan().exit_code == 0


# Nearest wins ------------------------------------------------------------------------------------


def said_at(*places: str) -> Mappings:
    """Return a map whose places each name themselves by a fixed price."""
    amounts = {"defaults": "1", "product": "2", "tenant": "3", "exception": "4"}
    at = {
        place: Pricing(price=fixed(amount)) if place in places else Pricing()
        for place, amount in amounts.items()
    }
    return Mappings(
        defaults=Defaults(pricing=at["defaults"]),
        products={"CIXA-MSP": ProductEntry(item=1, pricing=at["product"])},
        tenants={
            ALDER: TenantEntry(
                pricing=at["tenant"], products={"CIXA-MSP": ProductException(pricing=at["exception"])}
            )
        },
    )


@pytest.mark.parametrize(
    ("places", "amount"),
    [
        (("defaults",), 1),
        (("defaults", "product"), 2),
        (("defaults", "product", "tenant"), 3),
        (("defaults", "product", "tenant", "exception"), 4),
        (("product", "exception"), 4),
        (("defaults", "tenant"), 3),
    ],
)
def test_the_nearest_place_wins(places: tuple[str, ...], amount: int) -> None:
    assert rule_for(said_at(*places), *CIXA).price == fixed(str(amount))
    assert uses_prices(said_at(*places))


def test_each_field_is_taken_from_the_nearest_place_that_says_it() -> None:
    rates = {"USD": {"EUR": Decimal(2)}}
    mappings = Mappings(
        defaults=Defaults(pricing=Pricing(cost="sophos", round=Decimal(1), rates=rates)),
        products={"CIXA-MSP": ProductEntry(pricing=Pricing(price=MSRP, round=Decimal("0.05")))},
        tenants={ALDER: TenantEntry(pricing=Pricing(price=MARKUP))},
    )

    assert rule_for(mappings, *CIXA) == Rule("sophos", MARKUP, Decimal("0.05"), rates)
    assert rule_for(mappings, BIRCH, "CIXA-MSP") == Rule("sophos", MSRP, Decimal("0.05"), rates)
    assert rule_for(mappings, BIRCH, "OTHER") == Rule("sophos", PriceRule(), Decimal(1), rates)


def test_a_place_that_says_leave_turns_off_what_a_wider_one_turns_on() -> None:
    off = Pricing(cost="leave", price=PriceRule("leave"))
    mappings = Mappings(
        defaults=Defaults(pricing=Pricing(cost="sophos", price=MSRP)),
        tenants={ALDER: TenantEntry(pricing=off)},
    )

    assert rule_for(mappings, *CIXA) == LEAVE


@pytest.mark.parametrize(
    ("pricing", "used"),
    [
        (Pricing(), False),
        (Pricing(cost="leave", price=PriceRule(), round=Decimal(1), rates={}), False),
        (SOPHOS, True),
        (Pricing(price=MSRP), True),
    ],
)
def test_prices_are_used_where_some_rule_owns_one(pricing: Pricing, used: bool) -> None:
    exception = ProductException(pricing=pricing)
    assert uses_prices(Mappings(tenants={ALDER: TenantEntry(products={"A": exception})})) is used


# One unit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pricing", "expected"),
    [
        ({"cost": "sophos"}, (None, "2.10")),
        ({"price": MSRP}, ("3.00", None)),
        ({"price": MARKUP}, ("2.63", None)),  # 2.625, half up
        ({"price": PriceRule("discount", Decimal("0.1"))}, ("2.70", None)),
        ({"price": fixed("3.505")}, ("3.51", None)),
        ({"cost": "sophos", "price": MARKUP}, ("2.63", "2.10")),
        ({"cost": "sophos", "price": MARKUP, "round": Decimal("0.05")}, ("2.65", "2.10")),
        ({"cost": "sophos", "price": MSRP, "round": Decimal(1)}, ("3", "2")),
        ({"price": MARKUP, "round": Decimal("0.001")}, ("2.625", None)),
    ],
)
def test_a_new_line_gets_the_price_and_cost_of_its_rule(
    pricing: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    assert to_set(month(**pricing).uses(*CIXA, 12, **priced()).change()) == expected


@pytest.mark.parametrize(
    ("amount", "step", "expected"),
    [
        ("0.005", "0.01", "0.01"),
        ("0.00499999", "0.01", "0.00"),
        ("1.025", "0.05", "1.05"),
        ("1.0249", "0.05", "1.00"),
        ("0.5", "1", "1"),
        ("0.15", "0.3", "0.3"),
        ("0", "0.01", "0.00"),
    ],
)
def test_half_a_step_goes_up_and_less_goes_down(amount: str, step: str, expected: str) -> None:
    assert str(rounded(Fraction(amount), Decimal(step))) == expected


def test_the_unit_cost_is_the_summed_row_cost_by_the_quantity_of_the_key() -> None:
    several = month(cost="sophos", price=MARKUP)
    several.uses(*CIXA, 10, **priced("2.00")).uses(*CIXA, 5, **priced("1.00"))

    assert to_set(several.change()) == ("2.08", "1.67")  # 25 / 15 = 1.666..., and 2.0833...


def test_three_units_of_sophos_in_one_of_the_item_cost_three_times_as_much() -> None:
    bundled = month(cost="sophos", price=MSRP)
    bundled.products["CIXA-MSP"] = replace(bundled.products["CIXA-MSP"], per=3)

    assert to_set(bundled.uses(*CIXA, 12, **priced()).change()) == ("9.00", "6.30")


def test_rows_of_nothing_and_rows_of_nobody_have_no_say_in_a_price() -> None:
    odd = month(cost="sophos").uses(*CIXA, 12, **priced()).uses(*CIXA, 0).uses(None, "CIXA-MSP", 4)

    assert to_set(odd.change()) == (None, "2.10")
    assert "PRICE_UNKNOWN" not in [code for code, _ in told(odd.plan())]


def test_a_sum_of_zero_or_below_has_no_unit_price_and_no_complaint() -> None:
    falling = month(cost="sophos", price=fixed("0")).uses(*CIXA, -3)
    falling.manages(ALDER_ENDPOINT, 2, {CIXA: 2}, unit_price=Decimal(1))
    (change,) = falling.plan(force=frozenset({"all"})).changes
    assert (change.kind, change.after, to_set(change)) == ("update", -3, (None, None))

    stopped = month(cost="sophos", price=MSRP).uses(*CIXA, 0)
    stopped.manages(ALDER_ENDPOINT, 2, {CIXA: 2}, unit_price=Decimal(1))
    (change,) = stopped.plan().changes
    assert (change.kind, to_set(change)) == ("zero", (None, None))
    assert told(stopped.plan()) == warned(stopped.plan()) == []


# What a managed line has already -----------------------------------------------------------------


def test_a_line_with_another_price_is_updated_though_its_quantity_is_right() -> None:
    moved = month(price=MSRP).uses(*CIXA, 12, **priced())
    moved.manages(ALDER_ENDPOINT, 12, {CIXA: 12}, unit_price=Decimal("2.5"), unit_cost=Decimal(2))

    change = moved.change()

    assert (change.kind, change.before, change.after) == ("update", 12, 12)
    assert (change.unit_price, change.unit_cost) == (Moved(Decimal("2.5"), Decimal("3.00")), None)
    assert change.money == Money(Decimal("6.00"), "USD")
    assert change.writes[-4:] == ("2.5", "3", None, None)
    assert prices_asked(change.writes) == {"unit_price": 3, "unit_cost": None}


def test_a_line_with_the_right_prices_stays_whatever_zeros_they_end_in() -> None:
    right = month(cost="sophos", price=MSRP).uses(*CIXA, 12, **priced())
    right.manages(ALDER_ENDPOINT, 12, {CIXA: 12}, unit_price=Decimal(3), unit_cost=Decimal("2.1000"))

    plan = right.plan()

    assert (plan.changes, len(plan.unchanged)) == ((), 1)


def test_only_the_cost_moves_where_only_the_cost_differs() -> None:
    moved = month(cost="sophos", price=MSRP).uses(*CIXA, 12, **priced())
    moved.manages(ALDER_ENDPOINT, 12, {CIXA: 12}, unit_price=Decimal(3), unit_cost=Decimal(2))

    change = moved.change()

    assert (change.unit_price, change.unit_cost) == (None, Moved(Decimal(2), Decimal("2.10")))
    assert change.money == Money(Decimal(0), "USD")
    assert change.writes[-4:] == (None, None, "2", "2.1")
    assert prices_asked(change.writes) == {"unit_price": None, "unit_cost": Decimal("2.1")}


def test_another_price_before_is_another_write() -> None:
    def plan(price: str) -> Change:
        made = month(price=MSRP).uses(*CIXA, 12, **priced())
        return made.manages(ALDER_ENDPOINT, 12, {CIXA: 12}, unit_price=Decimal(price)).change()

    assert plan("2").writes != plan("2.5").writes
    assert plan("2").writes == plan("2.00").writes


def test_an_adopted_line_gets_its_price_too() -> None:
    adopted = month(price=MSRP).uses(*CIXA, 12, **priced())
    adopted.bills(ALDER_ENDPOINT, 5, unit_price=Decimal(4))

    change = adopted.change(adopt=True)

    assert (change.kind, to_set(change)) == ("adopt", ("3.00", None))
    assert change.money == Money(Decimal(16), "USD")  # 12 * 3 - 5 * 4


# What a person must decide -----------------------------------------------------------------------


def test_usage_without_a_price_is_billed_and_its_price_waits_for_a_person() -> None:
    unknown = month(cost="sophos", price=fixed("3")).uses(*CIXA, 12, **priced(cost=None))

    plan = unknown.plan()

    assert to_set(plan.changes[0]) == (None, None)
    (entry,) = plan.unresolved
    assert (entry.code, entry.billed, entry.rows) == ("PRICE_UNKNOWN", True, 0)
    assert (entry.tenant_id, entry.product_code, entry.quantity) == (*CIXA, 12)
    assert plan.unbilled == ()
    assert (plan.coverage.rows, plan.coverage.billed, plan.coverage.unresolved) == (1, 1, 0)
    assert plan.exit_code == 3


def test_a_line_whose_price_waits_keeps_it_and_is_not_written() -> None:
    unknown = month(price=MSRP).uses(*CIXA, 12, **priced(listed=None))
    unknown.manages(ALDER_ENDPOINT, 12, {CIXA: 12}, unit_price=Decimal(1))

    plan = unknown.plan()

    assert (plan.changes, len(plan.unchanged)) == ((), 1)
    assert told(plan) == [("PRICE_UNKNOWN", "CIXA-MSP")]


def test_a_fall_is_not_held_because_a_price_is_unknown() -> None:
    falling = month(price=MSRP).uses(*CIXA, 2, **priced(listed=None))
    falling.manages(ALDER_ENDPOINT, 12, {CIXA: 12})

    assert falling.change().held is None


def test_only_the_usage_without_a_price_is_named() -> None:
    mixed = month(price=MSRP).uses(*CIXA, 12, **priced())
    mixed.products["CDE-MSP"] = ProductEntry(item="SOPHOS-ENDPOINT")
    mixed.uses(ALDER, "CDE-MSP", 2, **priced(listed=None))

    assert told(mixed.plan()) == [("PRICE_UNKNOWN", "CDE-MSP")]


@pytest.mark.parametrize(
    "received", ["{}", '{"unitMsrp": "3.00"}', '{"unitMsrp": "-3", "unitMsrpCurrency": "USD"}']
)
def test_a_price_without_a_currency_or_below_zero_is_no_price(received: str) -> None:
    odd = month(price=MSRP).uses(*CIXA, 12, received=received)

    assert told(odd.plan()) == [("PRICE_UNKNOWN", "CIXA-MSP")]


def test_credits_that_outweigh_the_cost_leave_it_to_a_person() -> None:
    credited = month(cost="sophos").uses(*CIXA, 10, **priced("1.00")).uses(*CIXA, -5, **priced("2.01"))
    assert told(credited.plan()) == [("PRICE_UNKNOWN", "CIXA-MSP")]

    even = month(cost="sophos").uses(*CIXA, 10, **priced("1.00")).uses(*CIXA, -5, **priced("2.00"))
    assert to_set(even.change()) == (None, "0.00")


def test_a_commitment_that_nothing_was_used_of_has_no_price_of_its_own() -> None:
    committed = month(cost="sophos").uses(*CIXA, 0, **priced())
    committed.products["CIXA-MSP"] = replace(committed.products["CIXA-MSP"], minimum=Decimal(10))

    assert told(committed.plan()) == [("PRICE_UNKNOWN", "CIXA-MSP")]
    assert committed.change().after == 10


def test_an_agreement_in_another_currency_without_a_rate_keeps_its_price() -> None:
    foreign = month("EUR", cost="sophos", rates={"USD": {"GBP": Decimal(1)}, "EUR": {"USD": Decimal(1)}})
    foreign.uses(*CIXA, 12, **priced())

    plan = foreign.plan()

    assert to_set(plan.changes[0]) == (None, None)
    assert told(plan) == [("CURRENCY_MISMATCH", "CIXA-MSP")]
    assert plan.exit_code == 3


def test_a_rate_converts_what_sophos_bills_into_the_agreement_s_currency() -> None:
    foreign = month("EUR", cost="sophos", price=MARKUP, rates={"USD": {"EUR": Decimal("0.9215")}})
    foreign.uses(*CIXA, 12, **priced()).uses(*CIXA, 12, **priced("1.00", currency="EUR"))

    # (2.10 * 0.9215 + 1) / 2 = 1.467575, and 1.83446875 of it with a quarter more
    assert to_set(foreign.change()) == ("1.83", "1.47")
    assert foreign.change().money == Money(Decimal("43.92"), "EUR")


def test_an_agreement_that_names_no_currency_is_in_the_one_that_sophos_bills_in() -> None:
    nameless = month("", cost="sophos").uses(*CIXA, 12, **priced())
    assert to_set(nameless.change()) == (None, "2.10")

    two = month("", cost="sophos").uses(*CIXA, 12, **priced()).uses(*CIXA, 1, **priced(currency="EUR"))
    assert told(two.plan()) == [("CURRENCY_MISMATCH", "CIXA-MSP")]


def test_a_fixed_price_needs_neither_a_price_nor_a_currency_of_the_usage() -> None:
    assert to_set(month("EUR", price=fixed("3.50")).uses(*CIXA, 12).change()) == ("3.50", None)
    foreign = month("EUR", price=fixed("3.50")).uses(*CIXA, 12, **priced())
    assert to_set(foreign.change()) == ("3.50", None)
    assert foreign.plan().exit_code == 0


def test_two_rules_on_one_line_leave_its_price_alone() -> None:
    shared = month(price=MSRP).uses(*CIXA, 12, **priced())
    shared.products["CDE-MSP"] = ProductEntry(item="SOPHOS-ENDPOINT", pricing=Pricing(price=MARKUP))
    shared.uses(ALDER, "CDE-MSP", 2, **priced())

    plan = shared.plan()

    assert to_set(plan.changes[0]) == (None, None)
    assert told(plan) == [("PRICE_CONFLICT", "CDE-MSP"), ("PRICE_CONFLICT", "CIXA-MSP")]


def test_a_tenant_whose_rows_are_all_0_has_no_say_in_the_price_of_the_others() -> None:
    shared = month().uses(*CIXA, 12, **priced()).uses(BIRCH, "CIXA-MSP", 0, **priced())
    shared.maps(ALDER, pricing=Pricing(price=MSRP))
    shared.maps(BIRCH, company=1, agreement=ALDER_AGREEMENT)

    assert to_set(shared.change()) == ("3.00", None)
    assert shared.plan().exit_code == 0


@pytest.mark.parametrize(("step", "expected"), [("0.01", "3"), ("5", "5")])
def test_a_currency_without_decimals_is_rounded_to_whole_units(step: str, expected: str) -> None:
    whole = month(price=MSRP, round=Decimal(step)).uses(*CIXA, 12, **priced(listed="2.51"))
    whole.agreements = [replace(agreement, whole=True) for agreement in whole.agreements]

    assert to_set(whole.change())[0] == expected


def test_rounding_that_differs_where_no_rule_is_on_is_no_conflict() -> None:
    shared = month().uses(*CIXA, 12)
    shared.products["CDE-MSP"] = ProductEntry(item="SOPHOS-ENDPOINT", pricing=Pricing(round=Decimal(1)))
    shared.maps(BIRCH, pricing=SOPHOS)

    assert told(shared.uses(ALDER, "CDE-MSP", 2).plan()) == []


def test_findings_are_for_the_tenant_that_was_asked_for() -> None:
    both = month(price=MSRP).uses(*CIXA, 12).uses(BIRCH, "CIXA-MSP", 3)

    plan = both.plan(tenant=BIRCH)

    assert [entry.tenant_id for entry in plan.unresolved] == [BIRCH]


# What is written, and said ------------------------------------------------------------------------


def test_a_price_of_zero_is_set_and_told() -> None:
    free = month(price=PriceRule("discount", Decimal(1))).uses(*CIXA, 12, **priced())

    plan = free.plan()

    assert to_set(plan.changes[0]) == ("0.00", None)
    assert (warned(plan), plan.exit_code) == (["PRICE_ZERO"], 0)


@pytest.mark.parametrize(("amount", "codes"), [("2.09", ["MARGIN_NEGATIVE"]), ("2.10", []), ("2.11", [])])
def test_a_price_below_cost_is_set_and_told(amount: str, codes: list[str]) -> None:
    plan = month(price=fixed(amount)).uses(*CIXA, 12, **priced()).plan()

    assert to_set(plan.changes[0]) == (amount, None)
    assert (warned(plan), plan.exit_code) == (codes, 0)


def test_a_price_of_people_s_own_below_the_new_cost_is_told() -> None:
    cheap = month(cost="sophos").uses(*CIXA, 12, **priced())
    cheap.manages(ALDER_ENDPOINT, 12, {CIXA: 12}, unit_price=Decimal(2))

    assert warned(cheap.plan()) == ["MARGIN_NEGATIVE"]


# Money -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "had", "included", "effect"),
    [
        (12, 10, 0, "16.00"),  # 12 * 3 - 10 * 2
        (12, 12, 0, "12.00"),
        (5, 10, 0, "-5.00"),
        (12, 10, 4, "12.00"),  # 8 * 3 - 6 * 2
        (3, 2, 4, "0"),
    ],
)
def test_a_change_moves_the_bill_by_what_it_bills_after_less_what_it_billed_before(
    used: int, had: int, included: int, effect: str
) -> None:
    moved = month(price=MSRP).uses(*CIXA, used, **priced())
    moved.manages(ALDER_ENDPOINT, had, {CIXA: had}, unit_price=Decimal(2), less_included=Decimal(included))

    assert moved.change().money == Money(Decimal(effect), "USD")


def test_money_of_a_line_whose_price_nobody_knows_is_not_guessed() -> None:
    new = month(cost="sophos").uses(*CIXA, 12, **priced())
    assert (new.change().money, new.plan().money) == (None, ())

    old = month(price=MSRP).uses(*CIXA, 12, **priced()).manages(ALDER_ENDPOINT, 12, {CIXA: 12})
    assert old.change().money is None


def test_a_new_line_without_a_price_of_its_own_moves_the_bill_by_its_item_s() -> None:
    new = month(cost="sophos").uses(*CIXA, 12, **priced())
    new.items[0] = replace(new.items[0], price=Decimal("1.50"))

    assert new.change().money == Money(Decimal(18), "USD")
    assert warned(new.plan()) == ["MARGIN_NEGATIVE"]


def test_an_ended_line_takes_all_it_billed_off_the_bill() -> None:
    ended = Month(defaults=Defaults(absent="end", pricing=Pricing(price=MSRP)))
    ended.manages(ALDER_ENDPOINT, 12, {CIXA: 12}, unit_price=Decimal(2)).uses(
        ALDER, "CEMA-MSP", 1, **priced()
    )

    (change,) = [change for change in ended.plan().changes if change.kind == "end"]
    assert change.money == Money(Decimal(-24), "")


def test_the_plan_adds_money_up_by_currency_without_what_is_held() -> None:
    several = month(price=MSRP)
    several.agreements = [Agreement(ALDER_AGREEMENT, "Managed Security", 1, currency="USD")]
    several.agreements.append(Agreement(204, "Managed Security", 2, currency="EUR"))
    several.uses(*CIXA, 2, **priced()).uses(BIRCH, "CIXA-MSP", 3, **priced(currency="EUR"))
    several.uses(ALDER, "CEMA-MSP", 5, **priced()).bills((ALDER_AGREEMENT, 49), 1)  # type: ignore[arg-type]

    plan = several.plan()

    assert [change.held for change in plan.changes] == [None, "NEEDS_ADOPTION", None]
    assert plan.money == (Money(Decimal("9.00"), "EUR"), Money(Decimal("6.00"), "USD"))


# The guard ---------------------------------------------------------------------------------------


def limited(limit: str, **pricing: Any) -> Month:
    """Return a month whose bills move by +6 and by -6."""
    made = month(**pricing)
    made.guards = GuardLimits(money=Decimal(limit))
    made.uses(*CIXA, 12, **priced()).uses(BIRCH, "CIXA-MSP", 8, **priced())
    made.manages(ALDER_ENDPOINT, 10, {CIXA: 10}, unit_price=Decimal(3))
    birch = {(BIRCH, "CIXA-MSP"): 10}
    return made.manages(BIRCH_ENDPOINT, 10, birch, addition_id=9002, unit_price=Decimal(3))


def test_money_counts_up_and_down_alike_and_a_person_may_release_it() -> None:
    plan = limited("11.99").plan()

    assert [objection.name for objection in plan.objections] == ["money"]
    assert plan.objections[0].message == (
        "bills would change by 12 USD (the limit is 11.99). Nothing was written. "
        "If that is right: connector sync 2026-10 --force money"
    )
    assert plan.exit_code == 4
    assert plan.money == (Money(Decimal(0), "USD"),)
    assert limited("11.99").plan(force=frozenset({"money"})).objections == ()


def test_the_limit_itself_is_not_beyond_it() -> None:
    assert limited("12").plan().objections == ()


def test_each_currency_has_the_limit_to_itself() -> None:
    two = limited("6")
    two.agreements[1] = replace(two.agreements[1], currency="EUR")
    assert two.plan().objections == ()

    two.guards = GuardLimits(money=Decimal(5))
    assert two.plan().objections[0].message.startswith("bills would change by 6 EUR and 6 USD (")


def test_what_the_guard_cannot_count_it_says() -> None:
    more = limited("11")
    more.uses(ALDER, "CEMA-MSP", 1)

    assert "by 12 USD, and 1 changes by what is not known (" in more.plan().objections[0].message


def test_without_a_limit_no_money_is_too_much() -> None:
    many = month(price=fixed("1000000")).uses(*CIXA, 1000)

    assert many.plan().objections == ()


# By property -------------------------------------------------------------------------------------

cents = st.decimals("0", "999.99", places=2, allow_nan=False, allow_infinity=False)
counts = st.one_of(
    st.integers(1, 5000).map(Decimal),
    st.decimals("0.001", "500", places=3, allow_nan=False, allow_infinity=False),
)
usage = st.lists(
    st.tuples(counts, cents, cents, st.sampled_from(["USD", "EUR", "GBP"])), min_size=1, max_size=6
)
shares = st.decimals("0", "1", places=4, allow_nan=False, allow_infinity=False)
steps = st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.001"), Decimal(1), Decimal("0.25")])
rules = st.one_of(
    st.builds(PriceRule, st.sampled_from(["markup", "discount"]), shares),
    st.builds(PriceRule, st.just("fixed"), cents),
    st.just(MSRP),
)
RATES = {"USD": {"EUR": Decimal("0.9215")}, "GBP": {"EUR": Decimal("1.17")}}


def by_hand(rows: Any, rule: PriceRule, step: Decimal) -> tuple[Fraction, Fraction]:
    """Work out price and cost of a unit in euros the long way."""
    rate = {"USD": Fraction(9215, 10000), "EUR": Fraction(1), "GBP": Fraction(117, 100)}
    quantity = sum((Fraction(count) for count, *_ in rows), Fraction(0))
    costs = [Fraction(count) * Fraction(each) * rate[of] for count, each, _, of in rows]
    lists = [Fraction(count) * Fraction(each) * rate[of] for count, _, each, of in rows]
    cost, listed = sum(costs, Fraction(0)) / quantity, sum(lists, Fraction(0)) / quantity
    price = {
        "markup": cost + cost * Fraction(rule.value),
        "discount": listed - listed * Fraction(rule.value),
        "fixed": Fraction(rule.value),
        "msrp": listed,
    }[rule.kind]

    def nearest(amount: Fraction) -> Fraction:
        down = floor(amount / Fraction(step)) * Fraction(step)
        return down + Fraction(step) if amount - down >= Fraction(step) / 2 else down

    return nearest(price), nearest(cost)


@given(usage, rules, steps)
def test_any_month_is_priced_as_by_hand(rows: Any, rule: PriceRule, step: Decimal) -> None:
    made = month("EUR", cost="sophos", price=rule, round=step, rates=RATES)
    for count, cost, listed, currency in rows:
        made.uses(*CIXA, count, **priced(str(cost), str(listed), currency))

    change = made.change()

    assert change.unit_price is not None
    assert change.unit_cost is not None
    price, cost = by_hand(rows, rule, step)
    assert (Fraction(change.unit_price.after), Fraction(change.unit_cost.after)) == (price, cost)
    warnings = warned(made.plan())
    assert ("PRICE_ZERO" in warnings) is (price == 0)
    assert ("MARGIN_NEGATIVE" in warnings) is (0 < price < cost)
    assert change.money == Money(change.after * change.unit_price.after, "EUR")


@given(usage, rules, steps)
def test_a_line_at_its_price_has_nothing_to_write(rows: Any, rule: PriceRule, step: Decimal) -> None:
    made = month("EUR", cost="sophos", price=rule, round=step, rates=RATES)
    for count, cost, listed, currency in rows:
        made.uses(*CIXA, count, **priced(str(cost), str(listed), currency))
    change = made.change()
    assert change.unit_price is not None
    assert change.unit_cost is not None
    made.manages(
        ALDER_ENDPOINT,
        change.after,
        {CIXA: change.after},
        unit_price=change.unit_price.after,
        unit_cost=change.unit_cost.after,
    )

    assert made.plan().changes == ()


def test_the_key_of_another_tenant_is_priced_by_its_own_usage() -> None:
    both = month(cost="sophos").uses(*CIXA, 12, **priced("2.00")).uses(BIRCH, "CIXA-MSP", 3, **priced("4.00"))

    costs = {change.key: to_set(change)[1] for change in both.plan().changes}

    assert costs == {ALDER_ENDPOINT: "2.00", BIRCH_ENDPOINT: "4.00"}
    assert ALDER_ENDPOINT.item_id == ENDPOINT
