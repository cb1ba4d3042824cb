"""A plan as a value: every write of a period, each with its lineage and its reason, and a digest."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from connector.model import Addition, Key, Period
from connector.planning.findings import Coverage, Objection, Options, Part, Unresolved, Warn

Kind = Literal["create", "update", "zero", "end", "adopt"]

MARK = "sophos-sync"


def mark_of(key: Key) -> str:
    """Return the mark that says an addition of this key is ours (contract rule 10), 50 characters at most.

    It names the key, so that a line which ConnectWise copied onto another agreement is not taken for ours.
    """
    return f"{MARK}:{key.agreement_id}:{key.item_id}"


def holds_mark(text: str, mark: str) -> bool:
    """Whether a serial number holds this very mark, whatever people wrote around it."""
    return re.search(rf"(?<![\w:-]){re.escape(mark)}(?!\d)", text) is not None


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

    `seen` are the ids of the key's lines just before a create was sent, at `sent_at`.
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


@dataclass(frozen=True, slots=True)
class Change:
    """One write: `before` and `after` are absolute quantities; `held` is why a person must decide first.

    `effective` is the first day of a created addition, or the last day of an ended one. `mark` goes into
    the addition's serialNumber when it is not empty. `was` is who fed the key before.
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

    @property
    def writes(self) -> tuple[str | None, ...]:
        """What makes two changes the same write; the words around it do not."""
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
        )


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
    `names` are the tenants' names, for people only.
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

    @property
    def to_make(self) -> tuple[Change, ...]:
        """The changes that nothing holds."""
        return tuple(change for change in self.changes if change.held is None)

    @property
    def held(self) -> tuple[Change, ...]:
        """The changes that wait for a person."""
        return tuple(change for change in self.changes if change.held is not None)

    @property
    def digest(self) -> str:
        """Name exactly these writes: `apply` refuses a plan whose writes moved (contract rule 19)."""
        return digest_of(self.period, self.source, self.options, (change.writes for change in self.changes))

    @property
    def exit_code(self) -> int:
        """The exit code that applying this plan would meet, if every write succeeds (contract section 3)."""
        if self.objections:
            return 4
        return 3 if self.held or self.unresolved else 0


def digest_of(period: Period, source: str, options: Options, writes: Iterable[tuple[str | None, ...]]) -> str:
    """Return twelve hexadecimal digits that no other set of writes shares."""
    named = [str(period), source, options.tenant, options.product, [list(write) for write in writes]]
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
