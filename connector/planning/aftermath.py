"""What an edit of one product code in mappings.yaml does to usage and to lines that bill. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from connector.model import Absent, Addition, Mappings, Reference
from connector.planning.change import KnownAddition
from connector.planning.directory import Unplaced
from connector.planning.findings import Part
from connector.planning.resolve import OFF, Off, item_for

ABSENT: dict[Absent, str] = {
    "zero": "the next run sets it to 0 (absent: zero)",
    "end": "the next run ends it on the day before the month (absent: end)",
    "keep": "the next run leaves it as it is and reports it (absent: keep)",
}


@dataclass(frozen=True, slots=True)
class ItemLine:
    """A live line of ConnectWise, with what people call where it bills and what."""

    addition: Addition
    item: str
    agreement: str
    company: str
    managed: bool


@dataclass(frozen=True, slots=True)
class Touched:
    """A line of ours that a code feeds no more; `rest` are the codes that go on feeding it."""

    line: KnownAddition
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnedOn:
    """A month's usage of a code: what `products:` bills now, and what waits for its tenant to be mapped."""

    tenants: int
    quantity: Decimal
    waiting: int
    waiting_quantity: Decimal


def turned_off(code: str, known: Iterable[KnownAddition], after: Mappings) -> tuple[Touched, ...]:
    """Return our lines that the code has fed and feeds no more, as `after` turns it off."""
    return tuple(_touched(code, known, after, lambda said, _: isinstance(said, Off)))


def left_behind(
    code: str, known: Iterable[KnownAddition], after: Mappings, item: Reference, item_id: int
) -> tuple[Touched, ...]:
    """Return our lines that the code has fed and feeds no more, as `after` maps it to another item."""
    return tuple(
        _touched(code, known, after, lambda said, line: said == item and line.key.item_id != item_id)
    )


def turned_on(code: str, used: Iterable[Part], after: Mappings, item: Reference) -> TurnedOn:
    """Return how much usage of the month `products:` sends to this item."""
    billed: list[Decimal] = []
    waiting: list[Decimal] = []
    for part in used:
        if part.product_code == code and _item(after, part) == item:
            entry = after.tenants.get(part.tenant_id)
            (waiting if entry is None or entry.agreement is None else billed).append(part.quantity)
    return TurnedOn(len(billed), sum(billed, Decimal(0)), len(waiting), sum(waiting, Decimal(0)))


def _touched(
    code: str,
    known: Iterable[KnownAddition],
    after: Mappings,
    gone: Callable[[Reference | Off | Unplaced, KnownAddition], bool],
) -> Iterable[Touched]:
    for line in known:
        if line.closed or line.ended is not None:
            continue
        going = {
            part.pair for part in line.parts if part.product_code == code and gone(_item(after, part), line)
        }
        if going:
            stay = (part for part in line.parts if part.pair not in going)
            rest = {part.product_code for part in stay if not isinstance(_item(after, part), Off)}
            yield Touched(line, tuple(sorted(rest)))


def _item(mappings: Mappings, part: Part) -> Reference | Off | Unplaced:
    entry = mappings.tenants.get(part.tenant_id)
    if entry is not None and not entry.sync:
        return OFF
    return item_for(mappings, entry, part.product_code)
