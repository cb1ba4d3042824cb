"""Two months of usage, or one month from two sources: every difference, what kind it is and what it costs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from connector.model import UsageRow, UsageRows
from connector.planning.prices import Money, UnitPrices
from connector.planning.product_names import product_name
from connector.planning.tenant_finder import TenantFinder
from connector.planning.usage_views import EXACT, Adder, Amounts, is_device, money_of

DifferenceKind = Literal["only_a", "only_b", "tenant", "quantity", "price", "name"]
KINDS: tuple[DifferenceKind, ...] = ("only_a", "only_b", "tenant", "quantity", "price", "name")


class Place(NamedTuple):
    """What is compared: a tenant's usage of a product, and of one device where both sides tell devices."""

    tenant_id: str | None
    product_code: str
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its rows, and what finds whose they are."""

    rows: UsageRows
    finder: TenantFinder


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between A and B; `kind` is the gravest, `also` are the others at the same place.

    `a` and `b` are the places; they differ for a device that moved to another tenant, and one of them is
    None for what only one side has. Money is B less A, in each currency.
    """

    kind: DifferenceKind
    also: tuple[DifferenceKind, ...]
    a: Place | None
    b: Place | None
    product_a: str
    product_b: str
    amounts_a: Amounts
    amounts_b: Amounts

    @property
    def place(self) -> Place:
        """Where it is: on side B, if B has it."""
        place = self.b or self.a
        assert place is not None  # noqa: S101  # one side has it, or there is nothing to tell
        return place

    @property
    def quantity(self) -> Decimal:
        """How much more B has."""
        return EXACT.subtract(self.amounts_b.quantity, self.amounts_a.quantity)

    @property
    def cost(self) -> tuple[Money, ...]:
        """How much more B costs."""
        return less(self.amounts_b.cost, self.amounts_a.cost)

    @property
    def list_value(self) -> tuple[Money, ...]:
        """How much more B lists at."""
        return less(self.amounts_b.list_value, self.amounts_a.list_value)


@dataclass(frozen=True, slots=True)
class KindTotal:
    """All differences of one kind together."""

    kind: DifferenceKind
    count: int
    quantity: Decimal
    cost: tuple[Money, ...]
    list_value: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, in the order of tenants and products, and what either side comes to."""

    differences: tuple[Difference, ...]
    amounts_a: Amounts
    amounts_b: Amounts

    @property
    def cost(self) -> tuple[Money, ...]:
        """How much more B costs altogether."""
        return less(self.amounts_b.cost, self.amounts_a.cost)

    def totals(self) -> tuple[KindTotal, ...]:
        """Return the differences added up by kind, those kinds only that there are."""
        found = []
        for kind in KINDS:
            alike = [each for each in self.differences if each.kind == kind]
            if alike:
                quantity = Decimal(0)
                for each in alike:
                    quantity = EXACT.add(quantity, each.quantity)
                cost = added(each.cost for each in alike)
                found.append(
                    KindTotal(kind, len(alike), quantity, cost, added(each.list_value for each in alike))
                )
        return tuple(found)


def compare(a: Side, b: Side) -> Comparison:
    """Return every difference between two sides; their differences in money add up to the whole one."""
    rows_a, rows_b = _placed(a), _placed(b)
    _merge_devices(rows_a, rows_b)
    at_a = {place: _Sum(rows) for place, rows in rows_a.items()}
    at_b = {place: _Sum(rows) for place, rows in rows_b.items()}
    moved = _moved(at_a.keys() - at_b.keys(), at_b.keys() - at_a.keys())
    differences = [_between(at, place, at_a[at], at_b[place]) for place, at in moved.items()]
    gone = set(moved.values())
    for place in (at_a.keys() | at_b.keys()) - moved.keys() - gone:
        before, after = at_a.get(place), at_b.get(place)
        if before is None or after is None or before.differs(after):
            was, now = (place if each is not None else None for each in (before, after))
            differences.append(_between(was, now, before or _Sum(()), after or _Sum(())))
    return Comparison(tuple(sorted(differences, key=_order)), _whole(at_a), _whole(at_b))


def less(more: Iterable[Money], fewer: Iterable[Money]) -> tuple[Money, ...]:
    """Return one sum less another, in each currency; what does not differ is left out."""
    return added([more, [Money(EXACT.minus(money.amount), money.currency) for money in fewer]])


def added(listed: Iterable[Iterable[Money]]) -> tuple[Money, ...]:
    """Return sums added up, in each currency; what comes to nothing is left out."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in listed:
        for money in each:
            sums[money.currency] = EXACT.add(sums[money.currency], money.amount)
    return money_of({currency: amount for currency, amount in sums.items() if amount})


class _Sum:
    """The rows of one place added up, with all prices and names that they have."""

    __slots__ = ("adder", "amounts", "names", "prices")

    def __init__(self, rows: Iterable[UsageRow]) -> None:
        self.adder = Adder()
        self.prices: set[UnitPrices] = set()
        self.names: set[str] = set()
        for row in rows:
            prices = self.adder.add(row)
            if row.quantity:
                self.prices.add(prices)
            self.names.add(_name(row.description))
        self.names.discard("")
        self.amounts = self.adder.amounts()

    def differs(self, other: "_Sum") -> list[DifferenceKind]:
        """Return what another has otherwise, the gravest first."""
        mine, theirs = self.amounts, other.amounts
        kinds: list[DifferenceKind] = []
        if mine.quantity != theirs.quantity:
            kinds.append("quantity")
        same_money = (mine.cost, mine.list_value) == (theirs.cost, theirs.list_value)
        if self.prices != other.prices or (not kinds and not same_money):
            kinds.append("price")
        if self.names != other.names:
            kinds.append("name")
        return kinds


_name = lru_cache(4096)(product_name)
"""What Sophos calls a product, less its price band, which moves as the partner grows."""

_Rows = dict[Place, list[UsageRow]]


def _placed(side: Side) -> _Rows:
    found: _Rows = defaultdict(list)
    for row in side.rows:
        serial = row.serial if is_device(row, side.finder) else None
        found[Place(side.finder.tenant_of(row), row.product_code, serial)].append(row)
    return found


def _merge_devices(a: _Rows, b: _Rows) -> None:
    """Forget the devices of a tenant's product that both sides have, where one does not tell them all."""
    both = {place[:2] for place in a} & {place[:2] for place in b}
    untold = {place[:2] for place in (*a, *b) if place.serial is None} & both
    for side in (a, b):
        for place in [each for each in side if each.serial is not None and each[:2] in untold]:
            side[place._replace(serial=None)] += side.pop(place)


def _moved(gone: Iterable[Place], new: Iterable[Place]) -> dict[Place, Place]:
    """Return where on side A each device was that side B has at another tenant."""
    was: dict[tuple[str, str], list[Place]] = defaultdict(list)
    now: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for places, found in ((gone, was), (new, now)):
        for place in places:
            if place.serial is not None:
                found[place.serial, place.product_code].append(place)
    return {
        places[0]: was[device][0]
        for device, places in now.items()
        if len(places) == 1 and len(was.get(device, ())) == 1
    }


def _between(was: Place | None, now: Place | None, before: _Sum, after: _Sum) -> Difference:
    kinds: list[DifferenceKind]
    if was is None or now is None:
        kinds = ["only_b" if was is None else "only_a"]
    else:
        kinds = before.differs(after)
        if was != now:
            kinds.insert(0, "tenant")
    return Difference(
        kind=kinds[0],
        also=tuple(kinds[1:]),
        a=was,
        b=now,
        product_a=", ".join(sorted(before.names)),
        product_b=", ".join(sorted(after.names)),
        amounts_a=before.amounts,
        amounts_b=after.amounts,
    )


def _whole(sums: Mapping[Place, _Sum]) -> Amounts:
    adder = Adder()
    for each in sums.values():
        adder.absorb(each.adder)
    return adder.amounts()


def _order(difference: Difference) -> tuple[object, ...]:
    tenant_id, code, serial = difference.place
    return tenant_id is None, tenant_id or "", code, serial or ""
