"""What mappings.yaml may say of prices, and what it is told where it says something else."""

from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import MappingsFault
from connector.mappings import load_mappings, parse_mappings
from connector.model import PriceRule, Pricing

FILE = Path(__file__).parent / "accepted" / "prices.yaml"
AMOUNT = 'must be an amount of 0 or more, with a decimal point if any, such as "5000" or "3.50"'
FORMS = 'leave, msrp, {markup: "25%"}, {discount: "10%"} or {fixed: "3.50"}'
PERCENT = 'must be a percentage from 0% to {}%, such as "25%"'
ALDER = "223c98b5-d39e-4c60-afde-892a53de496c"


def fault(pricing: str) -> str:
    """Return the one fault of `defaults: {pricing: ...}` in line 2, as `column message`."""
    with pytest.raises(MappingsFault) as caught:
        parse_mappings(f"version: 1\ndefaults: {{pricing: {pricing}}}".encode(), "mappings.yaml")
    (found,) = caught.value.faults
    assert found.line == 2
    return f"{found.column} {found.message.removeprefix('defaults.pricing')}"


def test_prices_can_be_said_at_four_places_in_quotes_or_not() -> None:
    said = load_mappings(FILE)

    assert said.guards.money == 5000
    assert said.defaults.pricing == Pricing(
        cost="leave",
        price=PriceRule("leave"),
        round=Decimal("0.01"),
        rates={
            "USD": {"EUR": Decimal("0.9215"), "GBP": Decimal("0.79")},
            "CAD": {"EUR": Decimal(1)},
        },
    )
    assert said.products["CIXA-MSP"].pricing == Pricing("sophos", PriceRule("markup", Decimal("0.25")))
    assert said.products["CEMA-MSP"].pricing == Pricing(
        price=PriceRule("discount", Decimal("0.125")), round=Decimal("0.05")
    )
    assert said.products["pricing"].pricing == Pricing()
    alder = said.tenants[ALDER]
    assert alder.pricing == Pricing(price=PriceRule("msrp"), round=Decimal(1))
    assert alder.products["CIXA-MSP"].pricing == Pricing(price=PriceRule("fixed", Decimal("3.50")))
    assert alder.products["CEMA-MSP"].pricing == Pricing("leave", PriceRule("fixed", Decimal(4)))


def test_where_nothing_is_said_of_prices_nothing_owns_them() -> None:
    said = parse_mappings(b"version: 1\nproducts: {A: {item: 1}}\ntenants: {t: {}}\n", "mappings.yaml")

    assert said.defaults.pricing == said.products["A"].pricing == said.tenants["t"].pricing == Pricing()
    assert said.guards.money is None


@pytest.mark.parametrize(
    ("pricing", "expected"),
    [
        (
            "{price: {markup: 25}}",
            f'38 .price.markup: {PERCENT.format(9999)}, not 25; did you mean "25%"?',
        ),
        (
            '{price: {discount: "10"}}',
            f'40 .price.discount: {PERCENT.format(100)}, not "10"; did you mean "10%"?',
        ),
        (
            "{price: {markup: 0.25}}",
            f"38 .price.markup: {PERCENT.format(9999)}, not 0.25",
        ),
        (
            "{price: {discount: 100.01%}}",
            f'40 .price.discount: {PERCENT.format(100)}, not "100.01%"',
        ),
        (
            "{price: {markup: -5%}}",
            f'38 .price.markup: {PERCENT.format(9999)}, not "-5%"',
        ),
        (
            "{price: {fixed: -1}}",
            f"37 .price.fixed: {AMOUNT}, not -1",
        ),
        (
            "{price: {fixed: .nan}}",
            f"37 .price.fixed: {AMOUNT}, not .nan",
        ),
        (
            '{price: {fixed: "3,50"}}',
            f'37 .price.fixed: {AMOUNT}, not "3,50"',
        ),
        (
            "{price: {fixed: }}",
            f"30 .price.fixed: {AMOUNT}, not nothing",
        ),
        (
            "{price: {fixed: true}}",
            f"37 .price.fixed: {AMOUNT}, not true",
        ),
        ("{price: {fixt: 1}}", '30 .price: unknown key "fixt"; did you mean "fixed"?'),
        (
            '{price: {fixed: "1", markup: 5%}}',
            f"29 .price: must say one thing: {FORMS}",
        ),
        (
            "{price: {}}",
            f"29 .price: must say one thing: {FORMS}",
        ),
        (
            "{price: list}",
            f'29 .price: must be {FORMS}, not "list"',
        ),
        ("{cost: sohpos}", '28 .cost: "sohpos" is not allowed; did you mean "sophos"?'),
        ("{cost: 1}", "28 .cost: must be one of leave, sophos, not 1"),
        ("{round: 0}", '29 .round: must be an amount above 0, such as "0.01", not 0'),
        ("{round: '0.0000001'}", '29 .round: must be an amount above 0, such as "0.01", not "0.0000001"'),
        (
            "{rates: {USD: {EUR: 0.00}}}",
            '41 .rates.USD.EUR: must be a rate above 0, such as "0.9215", not 0.00',
        ),
        (
            "{rates: {usd: {EUR: 1}}}",
            '29 .rates: "usd" is no currency; write three capital letters, such as EUR',
        ),
        (
            "{rates: {USD: {euro: 1}}}",
            '35 .rates.USD: "euro" is no currency; write three capital letters, such as EUR',
        ),
        ("{rates: {USD: {USD: 1}}}", "29 .rates: a rate from USD to itself means nothing"),
        ("{rates: 1}", "29 .rates: must be a mapping (lines of `key: value`), not 1"),
        ("{rates: {USD: 1}}", "35 .rates.USD: must be a mapping (lines of `key: value`), not 1"),
        ("{prise: msrp}", '22 : unknown key "prise"; did you mean "price"?'),
        ("msrp", '21 : must be a mapping (lines of `key: value`), not "msrp"'),
    ],
)
def test_what_is_no_price_rule_is_refused_where_it_stands(pricing: str, expected: str) -> None:
    assert fault(pricing) == expected


@pytest.mark.parametrize("money", ["-1", "5e3", "", '"5,000"'])
def test_a_money_limit_that_is_no_amount_is_refused(money: str) -> None:
    with pytest.raises(MappingsFault, match=r"guards\.money: must be an amount of 0 or more"):
        parse_mappings(f"version: 1\nguards: {{money: {money}}}".encode(), "mappings.yaml")
