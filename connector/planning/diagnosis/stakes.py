"""How much money is at stake in a difference: exact, in one currency, and None where nobody can tell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from connector.model import Addition, UsageRow
from connector.planning.findings import Part, Unresolved
from connector.planning.prices import Money, unit_prices
from connector.planning.tenant_finder import TenantFinder
from connector.planning.usage_views import EXACT

CENT = Decimal("0.01")
ZERO = Decimal(0)
Place = tuple[str | None, str | None, str | None]


@dataclass(slots=True)
class _Sum:
    """What rows cost, by currency; `unpriced` where one that counts names no price or no currency."""

    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    unpriced: bool = False


class Costs:
    """What a month's rows cost the MSP: for each tenant and code, and each serial that nobody can place."""

    def __init__(self, rows: Iterable[UsageRow], finder: TenantFinder) -> None:
        """Add the rows up once; a row costs `billableQuantity * unitPrice`."""
        self._sums: dict[Place, _Sum] = defaultdict(_Sum)
        for row in rows:
            if row.quantity == 0:
                continue
            tenant_id = finder.tenant_of(row)
            total = self._sums[tenant_id, row.product_code, row.serial if tenant_id is None else None]
            price = unit_prices(row).cost
            if price is None or not price.currency:
                total.unpriced = True
            else:
                amount = EXACT.multiply(row.quantity, price.amount)
                total.amounts[price.currency] = EXACT.add(total.amounts[price.currency], amount)

    def of(self, parts: Iterable[Part]) -> Money | None:
        """Return what these parts cost; None where it is not known, or of several currencies."""
        return self._joined((part.tenant_id, part.product_code, None) for part in parts)

    def of_rows(self, entries: Iterable[Unresolved]) -> Money | None:
        """Return what the rows of these findings cost."""
        return self._joined(place_of(entry) for entry in entries)

    def currencies(self, parts: Iterable[Part]) -> frozenset[str]:
        """Return the currencies that Sophos bills these parts in."""
        places = ((part.tenant_id, part.product_code, None) for part in parts)
        return frozenset(currency for place in places for currency in self._at(place).amounts)

    def only_currency(self) -> str:
        """Return the currency of all usage, or "" where it is of several or names none."""
        found = {currency for total in self._sums.values() for currency in total.amounts}
        return next(iter(found)) if len(found) == 1 else ""

    def by_place(self) -> Mapping[Place, Mapping[str, Decimal]]:
        """Return every sum, by tenant, product code and, where there is no tenant, serial number."""
        return {place: total.amounts for place, total in self._sums.items()}

    def _at(self, place: Place) -> _Sum:
        return self._sums.get(place) or _Sum()

    def _joined(self, places: Iterable[Place]) -> Money | None:
        joined: dict[str, Decimal] = defaultdict(Decimal)
        for place in places:
            total = self._at(place)
            if total.unpriced:
                return None
            for currency, amount in total.amounts.items():
                joined[currency] = EXACT.add(joined[currency], amount)
        if len(joined) != 1:
            return None
        ((currency, amount),) = joined.items()
        return Money(abs(amount), currency)


def place_of(entry: Unresolved) -> Place:
    """Return where the rows of a finding are counted."""
    return entry.tenant_id, entry.product_code, entry.serial if entry.tenant_id is None else None


def billed_of(line: Addition) -> Decimal:
    """Return how many units of a line ConnectWise bills: those beyond what is included."""
    return billed_units(line.quantity, line.less_included)


def billed_units(quantity: Decimal, included: Decimal) -> Decimal:
    """Return how many units of a quantity are billed."""
    return max(quantity - included, ZERO)


def charged(line: Addition) -> bool:
    """Whether ConnectWise charges for a line at all; people may set that it does not."""
    return line.bill_customer in {"", "Billable"}


def worth_of(units: Decimal, price: Decimal | None, currency: str) -> Money | None:
    """Return what so many units come to, too many or too few; None where no price is known."""
    return None if price is None else Money(abs(EXACT.multiply(units, price)), currency)


def loss_of(cost: Money, price: Decimal, quantity: Decimal, bought: Decimal) -> Money:
    """Return by how much `quantity` units sell below what they cost, of which `bought` cost this much."""
    share = cost if quantity == bought else share_of(cost, quantity, bought)
    lost = EXACT.subtract(share.amount, EXACT.multiply(price, quantity))
    return Money(max(lost, ZERO), cost.currency)  # a share is rounded, which may hide a small loss


def each_of(cost: Money, bought: Decimal) -> Decimal:
    """Return what one unit costs, for people: four decimals at most."""
    return EXACT.divide(cost.amount, bought).quantize(Decimal("0.0001"))


def share_of(cost: Money, part: Decimal, bought: Decimal) -> Money:
    """Return what a part of what was bought costs, to the cent."""
    amount = EXACT.divide(EXACT.multiply(cost.amount, part), bought)
    return Money(amount.quantize(CENT), cost.currency)
