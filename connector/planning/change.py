"""A plan as a value: every write of a period, each with its lineage and its reason, and a digest."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from connector.model import Addition, Key, Period
from connector.planning.findings import Coverage, Objection, Options, Part, Unresolved, Warn
from connector.planning.prices import Money, totals
from connector.planning.sources import source_option

Kind = Literal["create", "update", "zero", "end", "adopt"]

MARK = "sophos-sync"
_HELD_AT = 8
_UNPRICED = 9
"""How many values the `writes` of a change has that sets no price."""
_RELEASE = "release"
_MARKS = re.compile(rf"(?<![\w:-]){MARK}:\d+:\d+")


def mark_of(key: Key) -> str:
    """Return the mark that says an addition of this key is ours (contract rule 10), 50 characters at most.

    It names the key, so that a line which ConnectWise copied onto another agreement is not taken for ours.
    """
    return f"{MARK}:{key.agreement_id}:{key.item_id}"


def holds_mark(text: str, mark: str) -> bool:
    """Whether a serial number holds this very mark, whatever people wrote around it."""
    return any(found[0] == mark for found in _MARKS.finditer(text))


def carries_mark(addition: Addition) -> bool:
    """Whether an addition's serial number holds our mark for its own key."""
    return holds_mark(addition.serial_number, mark_of(addition.key))


@dataclass(frozen=True, slots=True)
class KnownAddition:
    """What the ledger knows of an addition that we manage.

    `ended` is the end date that we gave it, None while it should bill. A `closed` one is history: a
    person has had a new one created beside it, or it is gone.
    """

    id: int
    key: Key
    quantity: Decimal
    parts: tuple[Part, ...] = ()
    ended: date | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A change whose request may have left, and whose answer the ledger never saw.

    `seen` are the ids of the key's lines just before a create was sent, at `sent_at`. The prices are
    those that it was to set. A `release` was to take the mark out and leave the line to people.
    """

    id: int
    kind: Kind
    key: Key
    addition_id: int | None
    after: Decimal
    effective: date | None
    mark: str
    parts: tuple[Part, ...]
    seen: frozenset[int]
    sent_at: datetime
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None
    release: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A price that a rule owns and a change sets; `before` is None where it is new or not known."""

    before: Decimal | None
    after: Decimal


@dataclass(frozen=True, slots=True)
class Change:
    """One write: `before` and `after` are absolute quantities; `held` is why a person must decide first.

    `effective` is the first day of a created addition, or the last day of an ended one. `mark` goes into
    the addition's serialNumber when it is not empty. `was` is who fed the key before. `included` are the
    addition's units that ConnectWise does not bill (its lessIncluded); we never change them. `money` is by
    how much the bill changes, None where it is not known or nobody asked. A `release` gives an adopted line
    back to people: `mark`, where it is not empty, is taken out.
    """

    kind: Kind
    key: Key
    addition_id: int | None
    before: Decimal | None
    after: Decimal
    because: str
    parts: tuple[Part, ...] = ()
    was: tuple[Part, ...] = ()
    effective: date | None = None
    mark: str = ""
    held: str | None = None
    item: str = ""
    company: str = ""
    agreement: str = ""
    included: Decimal = Decimal(0)
    unit_price: Moved | None = None
    unit_cost: Moved | None = None
    money: Money | None = None
    release: bool = False

    @property
    def prices_move(self) -> bool:
        """Whether it sets the price or the cost."""
        return self.unit_price is not None or self.unit_cost is not None

    @property
    def writes(self) -> tuple[str | None, ...]:
        """What makes two changes the same write; the words around it do not.

        Prices count only where one is set: the digests of plans without them stay what they were.
        """
        prices = (self.unit_price, self.unit_cost)
        moved = tuple(
            plain_or_none(each)
            for price in prices
            for each in ((None, None) if price is None else (price.before, price.after))
        )
        return (
            self.kind,
            str(self.key.agreement_id),
            str(self.key.item_id),
            None if self.addition_id is None else str(self.addition_id),
            plain_or_none(self.before),
            plain(self.after),
            None if self.effective is None else str(self.effective),
            self.mark,
            self.held,
            *(moved if self.prices_move else ()),
            *((_RELEASE,) if self.release else ()),
        )


def unheld(writes: Sequence[str | None]) -> tuple[str | None, ...]:
    """Return what a change writes (`writes`), whatever holds it."""
    return (*writes[:_HELD_AT], None, *writes[_HELD_AT + 1 :])


def prices_asked(writes: Sequence[str | None]) -> dict[str, Decimal | None]:
    """Return the price and cost that a change was to set, from what was written down of it (`writes`)."""
    price, cost = prices_moved(writes)
    return {
        "unit_price": None if price is None else price.after,
        "unit_cost": None if cost is None else cost.after,
    }


def prices_moved(writes: Sequence[str | None]) -> tuple[Moved | None, Moved | None]:
    """Return how a change was to move price and cost, from what was written down of it."""
    priced = writes[_UNPRICED : _UNPRICED + 4]
    if len(priced) < 4:
        return None, None
    return _moved(*priced[:2]), _moved(*priced[2:])


def _moved(before: str | None, after: str | None) -> Moved | None:
    return None if after is None else Moved(None if before is None else Decimal(before), Decimal(after))


def released(writes: Sequence[str | None]) -> bool:
    """Whether a change was to give its line back to people, from what was written down of it."""
    return len(writes) > _UNPRICED and writes[-1] == _RELEASE


@dataclass(frozen=True, slots=True)
class Feed:
    """Who feeds a managed addition that already bills what it should."""

    addition_id: int
    key: Key
    quantity: Decimal
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Every write for one period, in the order they will be made, and all that a person must know.

    `managed` and `managed_quantity` count the live managed additions; guards measure by them.
    `names` are the tenants' names, for people only. `undoes` is the run that it takes back.
    """

    period: Period
    source: str
    changes: tuple[Change, ...]
    coverage: Coverage
    unresolved: tuple[Unresolved, ...] = ()
    warnings: tuple[Warn, ...] = ()
    objections: tuple[Objection, ...] = ()
    unchanged: tuple[Feed, ...] = ()
    managed: int = 0
    managed_quantity: Decimal = Decimal(0)
    options: Options = field(default_factory=Options)
    names: Mapping[str, str] = field(default_factory=dict)
    undoes: int | None = None

    @property
    def to_make(self) -> tuple[Change, ...]:
        """The changes that nothing holds."""
        return tuple(change for change in self.changes if change.held is None)

    @property
    def held(self) -> tuple[Change, ...]:
        """The changes that wait for a person."""
        return tuple(change for change in self.changes if change.held is not None)

    @property
    def unbilled(self) -> tuple[Unresolved, ...]:
        """What is billed to nobody, without what is billed and only waits for its price."""
        return tuple(entry for entry in self.unresolved if not entry.billed)

    @property
    def money(self) -> tuple[Money, ...]:
        """By how much bills change if nothing is held, by currency; what is not known is left out."""
        return totals(change.money for change in self.to_make)

    @property
    def sync(self) -> str:
        """The command that plans it afresh and carries it out."""
        if self.undoes is not None:
            return f"connector runs undo {self.undoes}"
        command = "adopt" if self.options.only == {"adopt"} else "sync"
        restate = " --restate" if self.options.restate else ""
        return f"connector {command} {self.period}{source_option(self.source)}{restate}"

    @property
    def digest(self) -> str:
        """Name exactly these writes: `apply` refuses a plan whose writes moved (contract rule 19)."""
        writes = (change.writes for change in self.changes)
        return digest_of(self.period, self.source, self.options, writes, undoes=self.undoes)

    @property
    def exit_code(self) -> int:
        """The exit code that applying this plan would meet, if every write succeeds (contract section 3)."""
        if self.objections:
            return 4
        return 3 if self.held or self.unresolved else 0


def digest_of(
    period: Period,
    source: str,
    options: Options,
    writes: Iterable[tuple[str | None, ...]],
    *,
    undoes: int | None = None,
) -> str:
    """Return twelve hexadecimal digits that no other set of writes shares."""
    named: list[object] = [str(period), source, options.tenant, options.product]
    named.append([list(write) for write in writes])
    if options.restate:  # the same writes, and yet another month counts as billed afterwards
        named.append("restate")
    if undoes is not None:  # an empty one is not the empty plan of its month
        named.append(["undoes", undoes])
    if options.only:  # planned afresh, it must stay limited
        named.append(["only", *sorted(options.only)])
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:12]


def plain(quantity: Decimal) -> str:
    """Write a quantity the way people do: no exponent, no trailing zeros, no minus before zero."""
    text = f"{quantity:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def plain_or_none(quantity: Decimal | None) -> str | None:
    """Write a quantity, or pass None on."""
    return None if quantity is None else plain(quantity)
