"""`pricing:` of mappings.yaml, at all its levels: amounts and percentages that were never a float."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal, NoReturn

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from connector.mappings.scalars import Number
from connector.mappings.wording import did_you_mean, quoted, shown
from connector.model import CostRule, PriceRule, Pricing

_AMOUNT = r"[0-9]{1,12}(\.[0-9]{1,6})?"
_RATE = r"[0-9]{1,9}(\.[0-9]{1,12})?"
_PERCENT = r"([0-9]{1,4}(?:\.[0-9]{1,6})?) ?%"
_LARGEST = 10**12
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_PRICE_FORMS = 'leave, msrp, {markup: "25%"}, {discount: "10%"} or {fixed: "3.50"}'


def _refuse(message: str) -> NoReturn:
    raise PydanticCustomError("mappings", "{message}", {"message": message})


def _written(value: object) -> str | None:
    """Return a number as the file has it, in quotes or not; None for what is no number there."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Number):
        return value.source
    return str(value) if type(value) is int else None


def _exact(pattern: str, wanted: str, *, above_zero: bool = False) -> Callable[[object], Decimal]:
    def check(value: object) -> Decimal:
        text = _written(value)
        if text is not None and re.fullmatch(pattern, text, re.ASCII):
            number = Decimal(text)
            if number or not above_zero:
                return number
        _refuse(f"must be {wanted}, not {shown(value)}")

    return check


def _percent(most: int) -> Callable[[object], Decimal]:
    def check(value: object) -> Decimal:
        text = _written(value) or ""
        match = re.fullmatch(_PERCENT, text, re.ASCII)
        if match is not None and Decimal(match[1]) <= most:
            return Decimal(match[1]) / 100
        meant = re.fullmatch(_AMOUNT, text, re.ASCII) and 1 <= Decimal(text) <= most
        hint = f'; did you mean "{text}%"?' if meant else ""
        _refuse(f'must be a percentage from 0% to {most}%, such as "25%", not {shown(value)}{hint}')

    return check


def _cost(value: object) -> object:
    choices = ("leave", "sophos")
    if not isinstance(value, str):
        _refuse(f"must be one of {', '.join(choices)}, not {shown(value)}")
    if value not in choices:
        _refuse(f"{shown(value)} is not allowed{did_you_mean(value, choices)}")
    return value


def _price(value: object) -> object:
    if isinstance(value, dict):
        if len(value) != 1:
            _refuse(f"must say one thing: {_PRICE_FORMS}")
        return value
    if value == "msrp":
        return PriceShape.of("msrp")
    if value == "leave":
        return PriceShape()
    _refuse(f"must be {_PRICE_FORMS}, not {shown(value)}")


def _currencies(value: object) -> object:
    for code in value if isinstance(value, dict) else ():
        if not _CURRENCY.fullmatch(code):
            _refuse(f"{quoted(code)} is no currency; write three capital letters, such as EUR")
    return value


def _rates(value: object) -> object:
    _currencies(value)
    for code, others in value.items() if isinstance(value, dict) else ():
        if isinstance(others, dict) and code in others:
            _refuse(f"a rate from {code} to itself means nothing")
    return value


def _number_or(pattern: str, *, above_zero: bool = False) -> WithJsonSchema:
    least = "exclusiveMinimum" if above_zero else "minimum"
    return WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{pattern}$"},
                {"type": "number", least: 0, "maximum": _LARGEST},
            ]
        }
    )


_PERCENT_SCHEMA = {"type": "string", "pattern": f"^{_PERCENT}$"}
_PRICE_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"enum": ["leave", "msrp"]},
            {
                "type": "object",
                "properties": {
                    "markup": _PERCENT_SCHEMA,
                    "discount": _PERCENT_SCHEMA,
                    "fixed": {"type": ["string", "number"]},
                },
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }
)

MoneyValue = Annotated[
    Decimal | None,
    PlainValidator(
        _exact(_AMOUNT, 'an amount of 0 or more, with a decimal point if any, such as "5000" or "3.50"')
    ),
    _number_or(_AMOUNT),
]
StepValue = Annotated[
    Decimal | None,
    PlainValidator(_exact(_AMOUNT, 'an amount above 0, such as "0.01"', above_zero=True)),
    _number_or(_AMOUNT, above_zero=True),
]
RateValue = Annotated[
    Decimal,
    PlainValidator(_exact(_RATE, 'a rate above 0, such as "0.9215"', above_zero=True)),
    _number_or(_RATE, above_zero=True),
]
MarkupValue = Annotated[Decimal | None, PlainValidator(_percent(9999))]
DiscountValue = Annotated[Decimal | None, PlainValidator(_percent(100))]
CostValue = Annotated[CostRule | None, BeforeValidator(_cost), WithJsonSchema({"enum": ["leave", "sophos"]})]


class PriceShape(BaseModel):
    """One price rule: a word, or one of its keys."""

    model_config = ConfigDict(extra="forbid")

    markup: MarkupValue = None
    discount: DiscountValue = None
    fixed: MoneyValue = None
    _word: Literal["leave", "msrp"] = PrivateAttr(default="leave")

    @classmethod
    def of(cls, word: Literal["leave", "msrp"]) -> "PriceShape":
        """Return the rule that is one word."""
        shape = cls()
        shape._word = word
        return shape

    def value(self) -> PriceRule:
        """Return the same as the model says it."""
        if self.markup is not None:
            return PriceRule("markup", self.markup)
        if self.discount is not None:
            return PriceRule("discount", self.discount)
        if self.fixed is not None:
            return PriceRule("fixed", self.fixed)
        return PriceRule(self._word)


PriceValue = Annotated[PriceShape | None, BeforeValidator(_price), _PRICE_SCHEMA]
RatesValue = Annotated[
    dict[str, Annotated[dict[str, RateValue], BeforeValidator(_currencies)]] | None, BeforeValidator(_rates)
]


class PricingShape(BaseModel):
    """What owns the price and the cost of additions; what is left out is taken from the next wider place."""

    model_config = ConfigDict(extra="forbid", title="Pricing")

    cost: CostValue = Field(
        default=None, description="leave, or sophos: what Sophos bills the MSP for a unit of the addition."
    )
    price: PriceValue = Field(
        default=None,
        description="leave, msrp (Sophos's list price), or one of markup (on the cost, in percent), discount "
        "(off the list price, in percent) and fixed (an amount in the agreement's currency).",
    )
    round: StepValue = Field(
        default=None, description="Prices and costs are rounded to this step, half up; 0.01 where unsaid."
    )
    rates: RatesValue = Field(
        default=None,
        description="What a unit of Sophos's currency is worth in an agreement's: {USD: {EUR: 0.9215}}.",
    )

    def value(self) -> Pricing:
        """Return the same as the model says it."""
        price = None if self.price is None else self.price.value()
        return Pricing(cost=self.cost, price=price, round=self.round, rates=self.rates)


def pricing_of(shape: PricingShape | None) -> Pricing:
    """Return what a level says of prices, nothing where it has no `pricing:`."""
    return Pricing() if shape is None else shape.value()
