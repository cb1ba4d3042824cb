"""What a unit costs and sells at by the rules of mappings.yaml; exact until rounded, once, at the end."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from connector.model import CostRule, Mappings, PriceRule, Pricing, UsageRow
from connector.planning.findings import Part
from connector.planning.prices import Money, unit_prices

CENT = Decimal("0.01")
ZERO = Decimal(0)
Pair = tuple[str, str]
Rates = Mapping[str, Mapping[str, Decimal]]
_Priced = dict[Money | None, Decimal]
"""How many units there are at each price; None for those that name none."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What rows come to at one of their prices, by currency; `unpriced` where a row that counts has none."""

    sums: Mapping[str, Fraction] = field(default_factory=dict)
    unpriced: bool = False


@dataclass(frozen=True, slots=True)
class Worth:
    """What one tenant's usage of one code costs the MSP, and what it lists at."""

    cost: Tally = field(default_factory=Tally)
    listed: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Rule:
    """What mappings.yaml says of the prices of one tenant and product code, all levels taken together."""

    cost: CostRule = "leave"
    price: PriceRule = field(default_factory=PriceRule)
    round: Decimal = CENT
    rates: Rates = field(default_factory=dict)

    @property
    def on(self) -> bool:
        """Whether it owns the price or the cost."""
        return self.cost != "leave" or self.price.kind != "leave"


LEAVE = Rule()
NOTHING = Worth()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the prices of a key are left alone until a person decides, and whose usage it is about."""

    code: str
    message: str
    pairs: frozenset[Pair] | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """What the rule of a key gives for one unit; None leaves it alone. `warnings` are codes and words."""

    price: Decimal | None = None
    cost: Decimal | None = None
    warnings: tuple[tuple[str, str], ...] = ()


# Rules -------------------------------------------------------------------------------------------


def rule_for(mappings: Mappings, tenant_id: str, product_code: str) -> Rule:
    """Return the rule of a pair: each field from the nearest place that says it."""
    said = tuple(_places(mappings, tenant_id, product_code))
    found = Rule(
        cost=next((each.cost for each in said if each.cost is not None), LEAVE.cost),
        price=next((each.price for each in said if each.price is not None), LEAVE.price),
        round=next((each.round for each in said if each.round is not None), LEAVE.round),
        rates=next((each.rates for each in said if each.rates is not None), LEAVE.rates),
    )
    return found if found.on else LEAVE


def _places(mappings: Mappings, tenant_id: str, product_code: str) -> Iterator[Pricing]:
    """Yield what is said of the prices of a pair, the nearest place first."""
    tenant = mappings.tenants.get(tenant_id)
    if tenant is not None:
        if product_code in tenant.products:
            yield tenant.products[product_code].pricing
        yield tenant.pricing
    if product_code in mappings.products:
        yield mappings.products[product_code].pricing
    yield mappings.defaults.pricing


def uses_prices(mappings: Mappings) -> bool:
    """Whether any rule of mappings.yaml owns a price or a cost."""
    places = [mappings.defaults.pricing, *(entry.pricing for entry in mappings.products.values())]
    for tenant in mappings.tenants.values():
        places += [tenant.pricing, *(said.pricing for said in tenant.products.values())]
    return any(
        place.cost == "sophos" or (place.price is not None and place.price.kind != "leave")
        for place in places
    )


# What usage is worth -----------------------------------------------------------------------------


class Worths:
    """Adds up what each tenant's usage of each code costs and lists at: `billableQuantity * unitPrice`.

    `netPrice` is the whole order line. A price in no named currency is no price.
    """

    def __init__(self) -> None:
        """Begin with no row."""
        self._sums: dict[Pair, tuple[_Priced, _Priced]] = {}

    def add(self, tenant_id: str, row: UsageRow) -> None:
        """Count one row of a tenant."""
        if row.quantity == 0:
            return
        sums = self._sums.setdefault((tenant_id, row.product_code), ({}, {}))
        prices = unit_prices(row)
        for mine, money in zip(sums, (prices.cost, prices.list_price), strict=True):
            # By price, to be multiplied once: exact arithmetic takes its time.
            price = money if money is not None and money.currency else None
            mine[price] = mine.get(price, ZERO) + row.quantity

    def by_pair(self) -> dict[Pair, Worth]:
        """Return what has come together."""
        return {pair: Worth(*map(_tally, self._sums[pair])) for pair in sorted(self._sums)}


def _tally(priced: _Priced) -> Tally:
    sums: dict[str, Fraction] = {}
    for price, quantity in priced.items():
        if price is not None:
            amount = Fraction(quantity) * Fraction(price.amount)
            sums[price.currency] = sums.get(price.currency, Fraction(0)) + amount
    return Tally(sums, None in priced)


# One key -----------------------------------------------------------------------------------------


def price_key(
    rules: Sequence[Rule],
    parts: Sequence[Part],
    worth: Mapping[Pair, Worth],
    *,
    quantity: Decimal,
    currency: str,
    line_price: Decimal | None,
) -> Priced | Doubt:
    """Return what one unit of a key should cost and sell at, or why a person must decide.

    `rules` are those of its parts, `quantity` is what it bills, `currency` the agreement's, `line_price`
    what its addition sells at now. Nothing is divided by a quantity of zero or below: its prices stay.
    """
    if quantity <= 0 or not any(rule.on for rule in rules):
        return Priced()
    rule = rules[0]
    if any(other != rule for other in rules):
        return Doubt(
            "PRICE_CONFLICT", "its tenants and product codes have different price rules, and it has one price"
        )
    known = [(part.pair, worth.get(part.pair, NOTHING)) for part in parts]

    def unit(tallies: Iterable[tuple[Pair, Tally]], what: str) -> Fraction | Doubt:
        total = _total(tuple(tallies), rule.rates, currency, what)
        return total if isinstance(total, Doubt) else total / Fraction(quantity)

    costs = unit(((pair, each.cost) for pair, each in known), "price")
    amount: Fraction | None = None
    if rule.cost == "sophos" or rule.price.kind == "markup":
        if isinstance(costs, Doubt):
            return costs
        if rule.price.kind == "markup":
            amount = costs * (1 + Fraction(rule.price.value))
    if rule.price.kind in {"msrp", "discount"}:
        listed = unit(((pair, each.listed) for pair, each in known), "list price")
        if isinstance(listed, Doubt):
            return listed
        amount = listed * (1 - Fraction(rule.price.value))
    elif rule.price.kind == "fixed":
        amount = Fraction(rule.price.value)
    price = None if amount is None else rounded(amount, rule.round)
    known_cost = None if isinstance(costs, Doubt) else rounded(costs, rule.round)
    cost = known_cost if rule.cost == "sophos" else None
    return Priced(price, cost, _warnings(price, line_price if price is None else price, known_cost))


def rounded(amount: Fraction, step: Decimal) -> Decimal:
    """Return the multiple of `step` nearest to an amount that is not negative, half up."""
    return int(amount / Fraction(step) + Fraction(1, 2)) * step


def _total(fed: Sequence[tuple[Pair, Tally]], rates: Rates, currency: str, what: str) -> Fraction | Doubt:
    """Return what rows come to in the agreement's currency, or why nobody can tell."""
    unknown = frozenset(pair for pair, tally in fed if tally.unpriced)
    if unknown:
        return Doubt("PRICE_UNKNOWN", f"the usage has no {what} that names its currency", unknown)
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for _, tally in fed:
        for of, amount in tally.sums.items():
            sums[of] += amount
    if not sums:
        return Doubt("PRICE_UNKNOWN", "there is no usage to take a price from")
    # An agreement that names no currency is one of a ConnectWise that has but one.
    wanted = currency or (next(iter(sums)) if len(sums) == 1 else "")
    total = Fraction(0)
    for of, amount in sums.items():
        rate = Decimal(1) if of == wanted else rates.get(of, {}).get(wanted)
        if rate is None:
            return Doubt(
                "CURRENCY_MISMATCH",
                f"Sophos bills in {of}, the agreement is in {wanted or 'a currency that it does not name'}, "
                "and `rates` has no rate for it",
            )
        total += amount * Fraction(rate)
    if total < 0:
        return Doubt("PRICE_UNKNOWN", f"credits outweigh the {what} of its usage")
    return total


def _warnings(
    price: Decimal | None, charged: Decimal | None, cost: Decimal | None
) -> tuple[tuple[str, str], ...]:
    if price == 0:
        return (("PRICE_ZERO", "its price rule gives 0"),)
    if charged is not None and cost is not None and charged < cost:
        return (("MARGIN_NEGATIVE", f"a unit sells at {charged:f} and costs {cost:f}"),)
    return ()


# Money moved -------------------------------------------------------------------------------------


def bill_of(quantity: Decimal, less_included: Decimal, price: Decimal | None) -> Decimal | None:
    """Return what a line bills: units beyond those included, at its price; None where no price is known."""
    billed = max(quantity - less_included, Decimal(0))
    if billed == 0:
        return Decimal(0)
    return None if price is None else billed * price
