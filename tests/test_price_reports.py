"""What people and programs are shown of prices and money."""

import json
from dataclasses import replace
from decimal import Decimal

from building import ALDER, ALDER_ENDPOINT, BIRCH, Month

from connector.model import Defaults, PriceRule, Pricing
from connector.planning.change import Moved
from connector.planning.prices import Money
from connector.reports.document import plan_document
from connector.reports.prices import change_text, signed
from connector.reports.text import plan_text

PRICED = json.dumps({"unitPrice": "2.1", "unitPriceCurrency": "USD"})
RULE = Pricing(cost="sophos", price=PriceRule("markup", Decimal("0.5")))


def month(pricing: Pricing) -> Month:
    made = Month(defaults=Defaults(pricing=pricing))
    made.agreements = [replace(agreement, currency="USD") for agreement in made.agreements]
    return made.uses(ALDER, "CIXA-MSP", 12, received=PRICED)


def test_a_new_line_shows_its_price_its_cost_and_what_it_adds_to_the_bill() -> None:
    text = plan_text(month(RULE).plan())

    assert "12 CIXA-MSP from 2026-10-01; price 3.15; cost 2.10; bill +37.80 USD\n" in text
    assert "\nBills change by +37.80 USD.\n" in text


def test_a_price_that_nobody_knows_is_shown_as_a_question() -> None:
    text = plan_text(month(RULE).manages(ALDER_ENDPOINT, 12, {(ALDER, "CIXA-MSP"): 12}).plan())

    assert "12 CIXA-MSP; price ? -> 3.15; cost ? -> 2.10\n" in text
    assert "Bills change" not in text


def test_what_the_total_leaves_out_is_said() -> None:
    known = month(Pricing(cost="sophos")).uses(BIRCH, "CIXA-MSP", 3, received=PRICED)
    known.manages(ALDER_ENDPOINT, 10, {(ALDER, "CIXA-MSP"): 10}, unit_price=Decimal("2.5"))

    text = plan_text(known.plan())

    assert "\nBills change by +5.00 USD; of 1 more the price is not known.\n" in text


def test_what_waits_for_its_price_is_not_called_unbilled() -> None:
    waiting = month(Pricing(price=PriceRule("msrp"))).uses(BIRCH, "NDR-MSP", 2)

    plan = waiting.plan()
    text = plan_text(plan)

    assert "Unresolved, so billed to nobody:\n  ! UNMAPPED_PRODUCT  2" in text
    assert (
        "Billed, but the price waits until a person decides:\n  ! PRICE_UNKNOWN  12  CIXA-MSP: SOPHOS" in text
    )
    assert "      do: set the price in ConnectWise, or give it `price: {fixed: ...}`" in text
    assert "1 unresolved.\n" in text
    assert [entry["billed"] for entry in plan_document(plan)["unresolved"]] == [False, True]


def test_documents_keep_every_decimal_and_say_null_for_what_is_not_said() -> None:
    made = month(RULE)
    made.agreements = [replace(agreement, currency="") for agreement in made.agreements]

    document = plan_document(made.plan())

    (change,) = document["changes"]
    assert change["unit_price"] == {"before": None, "after": "3.15"}
    assert change["unit_cost"] == {"before": None, "after": "2.1"}
    assert change["money"] == {"amount": "37.8", "currency": None}
    assert document["money"] == [{"amount": "37.8", "currency": None}]


def test_a_currency_from_a_vendor_cannot_steer_a_terminal() -> None:
    change = replace(
        month(RULE).change(),
        kind="update",
        unit_price=Moved(Decimal("3.125"), Decimal(4)),
        unit_cost=None,
        money=Money(Decimal(-2), "\x1b[31m"),
    )

    assert change_text(change) == "; price 3.125 -> 4.00; bill -2.00 \\x1b[31m"
    assert signed(Money(Decimal(0), "")) == "0.00"
