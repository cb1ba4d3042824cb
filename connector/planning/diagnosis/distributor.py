"""What a distributor's file says of a month, beside what Sophos says: the fourth number. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.planning.change import plain
from connector.planning.diagnosis.discrepancies import Discrepancy
from connector.planning.diagnosis.sides import Sides
from connector.planning.diagnosis.stakes import Costs, share_of
from connector.planning.findings import Unresolved
from connector.planning.resolve import Resolved
from connector.planning.sources import OPTIONS

DIFFERS = "DISTRIBUTOR_DIFFERS"
ZERO = Decimal(0)
_ASK = "ask the distributor, and mend what is wrong at its source"
Place = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Distributor:
    """A file's month, placed by the same map; `failed` are its rows that could not be read as usage."""

    file: str
    resolved: Resolved
    failed: tuple[Unresolved, ...] = ()


def distributor_items(sides: Sides, costs: Costs, theirs: Distributor) -> Iterator[Discrepancy]:
    """Yield each key, and each tenant's code that has none, where the file says another quantity."""
    named = next(name for name, source in OPTIONS.items() if source == sides.inputs.source)
    look = f"connector usage show {sides.inputs.period} --source {named}"
    for key in sorted(theirs.resolved.desired.keys() | sides.inputs.resolved.desired.keys()):
        mine, other = sides.desired(key), theirs.resolved.desired.get(key)
        ours = mine.quantity if mine is not None else ZERO
        said = other.quantity if other is not None else ZERO
        if ours != said:
            cost = costs.of(mine.parts) if mine is not None and mine.quantity > 0 else None
            yield sides.item(
                DIFFERS,
                key,
                f"{theirs.file} says {plain(said)}, and the usage is {plain(ours)}",
                look,
                advice=_ASK,
                evidence=tuple(
                    f"{whose}: {sides.words.sum_of(each.parts)}"
                    for whose, each in ((theirs.file, other), ("usage", mine))
                    if each is not None
                ),
                money=share_of(cost, abs(ours - said), ours) if cost is not None else None,
            )
    mine_unplaced, unplaced = _unplaced(sides.inputs.resolved), _unplaced(theirs.resolved)
    for place in sorted(mine_unplaced.keys() | unplaced.keys(), key=lambda place: tuple(map(str, place))):
        ours, said = mine_unplaced.get(place, ZERO), unplaced.get(place, ZERO)
        if ours != said:
            tenant_id, code, serial = place
            whose = sides.tenant(tenant_id) or tenant_id or (f"serial {serial}" if serial else "nobody")
            yield Discrepancy(
                code=DIFFERS,
                message=f"{whose}, {code}: {theirs.file} says {plain(said)}, and the usage is {plain(ours)}",
                next=look,
                advice=_ASK,
                tenant_id=tenant_id,
                product_code=code,
                serial=serial,
                usage=ours,
                distributor=said,
                tenant=sides.tenant(tenant_id),
            )
    for entry in theirs.failed:
        yield Discrepancy(
            code=entry.code,
            message=f"{theirs.file}: {entry.message}",
            next=look,
            advice=entry.next_step,
            product_code=entry.product_code,
            distributor=entry.quantity,
        )


def _unplaced(resolved: Resolved) -> Mapping[Place, Decimal]:
    """Return what reaches no key, by tenant, code and, where there is no tenant, serial number."""
    sums: dict[Place, Decimal] = {}
    for entry in resolved.unresolved:
        place = (entry.tenant_id, entry.product_code, entry.serial if entry.tenant_id is None else None)
        sums[place] = sums.get(place, ZERO) + entry.quantity
    return sums
