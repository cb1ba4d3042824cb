"""What Sophos charges for usage that is billed to nobody, worked out from a month's rows (pure)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.model import UsageRow
from connector.planning.findings import Unresolved
from connector.planning.prices import Money, unit_prices

Place = tuple[str | None, str, str | None]
"""The tenant and the product code; without a tenant, the serial number beside the code."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Money by currency; it is not `whole` where there is more, and nobody can say how much."""

    money: tuple[Money, ...] = ()
    whole: bool = True


NOTHING = Charge()
UNKNOWN = Charge(whole=False)


def charges_of(
    rows: Iterable[UsageRow],
    whose: Callable[[UsageRow], str | None],
    *,
    of: Iterable[Unresolved] | None = None,
) -> dict[Place, Charge]:
    """Return what each tenant's usage of each code costs the MSP, and that of each device of nobody.

    With `of`, only what these entries are about.
    """
    wanted = None if of is None else {_place(entry) for entry in of}
    sums: dict[Place, dict[str, Decimal]] = {}
    unpriced: set[Place] = set()
    for row in rows:
        tenant_id = whose(row)
        place = (tenant_id, row.product_code, row.serial if tenant_id is None else None)
        if wanted is not None and place not in wanted:
            continue
        mine = sums.setdefault(place, defaultdict(Decimal))
        cost = unit_prices(row).cost
        if cost is not None:
            mine[cost.currency] += row.quantity * cost.amount
        elif row.quantity:
            unpriced.add(place)
    return {
        place: Charge(tuple(Money(mine[of], of) for of in sorted(mine)), whole=place not in unpriced)
        for place, mine in sums.items()
    }


def charged_for(entries: Iterable[Unresolved], charges: Mapping[Place, Charge]) -> Charge:
    """Return what Sophos charges for usage that cannot be placed; what is billed all the same is nothing."""
    return together(
        charges.get(_place(entry), UNKNOWN) for entry in entries if entry.rows and not entry.billed
    )


def together(charges: Iterable[Charge]) -> Charge:
    """Add charges up, by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    whole = True
    for charge in charges:
        whole = whole and charge.whole
        for money in charge.money:
            sums[money.currency] += money.amount
    return Charge(tuple(Money(sums[of], of) for of in sorted(sums)), whole=whole)


def _place(entry: Unresolved) -> Place:
    return (entry.tenant_id, entry.product_code or "", entry.serial if entry.tenant_id is None else None)
