"""Why a line bills what it bills: rows, parts, rules and history, as values, and how they are found."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connector.model import Addition, Firewall, Key, Mappings, Period, UsageRow
from connector.planning.allowances import desired_of, told
from connector.planning.change import Change
from connector.planning.findings import Part, Unresolved, Warn
from connector.planning.sources import FILE
from connector.planning.tenant_finder import TenantFinder

PlacedBy = Literal["accountId", "externalId", "firewalls", "billingTenant", "tenant", "import", "serial"]
"""What told whose a row is (contract rule 4); `import` is a file's customer, `serial` a licence of then."""

EventKind = Literal["create", "update", "zero", "end", "adopt", "carried", "left"]

PLACED: Mapping[PlacedBy, str] = {
    "accountId": "Sophos names the tenant (accountId)",
    "externalId": "Sophos names the tenant by its second id (externalId)",
    "firewalls": "`firewalls:` of mappings.yaml",
    "billingTenant": "the tenant that the firewall's monthly licence is assigned to (billingTenant)",
    "tenant": "the tenant that the firewall is registered at (tenant)",
    "import": "the customer that the file names",
    "serial": "the firewall's licence as Sophos listed it that day; it says otherwise now",
}

_QUIET: Collection[EventKind] = {"carried", "left"}
"""What a run that wrote nothing made of a line."""

RULES: Mapping[str, str] = {
    "create": "nothing billed the item there, so a line was made",
    "update": "the line is ours, and usage said another quantity",
    "zero": "no usage any more, and `absent: zero` sets the line to 0",
    "end": "no usage any more, and `absent: end` ends the line",
    "adopt": "people had made the line; it was taken over",
    "carried": "the line billed what was used already, so nothing was written",
    "left": "the run left the line alone",
}

DECIDED_BY: Mapping[str, tuple[str, ...]] = {
    "create": ("effective", "mark"),
    "adopt": ("adopt", "mark"),
    "zero": ("absent",),
    "end": ("absent",),
}
"""The keys of `defaults:` that decide a kind of change."""


@dataclass(frozen=True, slots=True)
class MapLine:
    """A line of mappings.yaml that decides something; `line` is None where the file does not say it.

    `then` is what the map of the run said, where that was something else.
    """

    what: str
    file: str
    line: int | None
    text: str
    then: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row of usage, its number in its snapshot or file, and what placed it on its tenant."""

    number: int
    row: UsageRow
    placed_by: PlacedBy | None = None
    mapping: MapLine | None = None


@dataclass(frozen=True, slots=True)
class Fed:
    """One part of a line: a tenant's usage of a code, its rows, and the map's lines that send it there."""

    part: Part
    tenant: str
    rows: tuple[PlacedRow, ...]
    mapping: tuple[MapLine, ...]

    @property
    def counted(self) -> Decimal:
        """The sum of its rows."""
        return sum((each.row.quantity for each in self.rows), Decimal(0))


@dataclass(frozen=True, slots=True)
class Event:
    """What one run made of a line; `after` is the quantity afterwards, None where that is not known.

    An undo `undoes` an earlier run of any month; `moment` is the month that had come when it did.
    """

    period: Period
    run: int
    kind: EventKind
    before: Decimal | None
    after: Decimal | None
    outcome: str
    at: str
    who: str
    version: str
    digest: str
    because: str
    source: str
    held: str | None = None
    message: str | None = None
    request_id: str | None = None
    undoes: int | None = None
    moment: Period | None = None

    @property
    def made(self) -> bool:
        """Whether it wrote the quantity."""
        return self.outcome == "done"

    @property
    def tells(self) -> bool:
        """Whether it says what the line billed afterwards."""
        return self.after is not None and (self.made or self.kind in _QUIET)

    @property
    def month(self) -> Period:
        """The month of the line's history that it belongs to."""
        return self.moment or self.period


@dataclass(frozen=True, slots=True)
class Origin:
    """The usage that a quantity comes from: its month, source, snapshot, and when that was read."""

    period: Period
    source: str
    snapshot: int
    fetched_at: str
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run would do with a key now; `next` is the one command to type, empty where nothing is to do."""

    change: Change | None
    unresolved: tuple[Unresolved, ...]
    warnings: tuple[Warn, ...]
    origin: Origin
    next: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class LineStory:
    """Everything about one addition; `ours` is False for one that people made.

    `written` is what was last written or seen by a run, `usage` what its parts come to and `sum` how.
    `origin` is where the parts come from, `billed` whether a run has billed that usage, and `run` which.
    `adds_up` says whether rows and parts come to the quantity that was written from them. `gone` says that
    ConnectWise has no such line any more, `ended` that a run ended or replaced it, and `over` that its end
    date has passed. Where an older `month` was asked for, that month's quantity and maker are told.
    """

    addition_id: int
    key: Key
    company: str
    agreement: str
    item: str
    mark: str
    ours: bool
    connectwise: Addition | None
    gone: bool
    ended: bool
    written: Decimal | None
    usage: Decimal | None
    sum: str
    origin: Origin | None
    billed: bool
    adds_up: bool
    parts: tuple[Fed, ...]
    mapping: tuple[MapLine, ...]
    history: tuple[Event, ...]
    now: Outlook | None
    notes: tuple[str, ...] = ()
    run: int | None = None
    over: bool = False
    month: Period | None = None

    @property
    def quantity(self) -> Decimal | None:
        """What it bills: as ConnectWise has it, else as we wrote it; what it billed in an older month."""
        if self.month is not None:
            known = [event.after for event in self.history if event.tells and event.month <= self.month]
            return known[-1] if known else None
        return self.connectwise.quantity if self.connectwise is not None else self.written

    @property
    def maker(self) -> Event | None:
        """What made its quantity last, until the end of an older month."""
        return maker_of(self.history, self.month)

    @property
    def fitting(self) -> str:
        """Its sum, where the run that made the quantity, or one that found it right, billed that usage."""
        maker = self.maker
        if self.run is None or not self.billed:
            return ""
        fits = self.adds_up if maker is None or self.run > maker.run else self.run == maker.run
        return self.sum if fits else ""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Usage that no run bills: why, where the map says so, and the one command to type next.

    `still` is the line that goes on billing what no run looks after any more.
    """

    code: str
    tenant_id: str | None
    tenant: str
    product_code: str | None
    serial: str | None
    quantity: Decimal | None
    message: str
    next: str
    rows: tuple[PlacedRow, ...] = ()
    mapping: tuple[MapLine, ...] = ()
    still: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for: a tenant (and a product code), an addition, or a serial number."""

    tenant: str | None = None
    product: str | None = None
    addition: int | None = None
    serial: str | None = None
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: lines, the dearest first, and what is not billed.

    `subject` names what was asked for. `looked` says whether ConnectWise was looked at, `note` why not.
    """

    asked: Asked
    subject: str
    origin: Origin
    lines: tuple[LineStory, ...]
    unbilled: tuple[Unbilled, ...]
    looked: bool
    note: str = ""


def rows_of_part(
    part: Part, rows: Iterable[tuple[int, UsageRow]], finder: TenantFinder
) -> tuple[tuple[int, UsageRow], ...]:
    """Return the rows that a part is made of.

    Who a firewall counted for when the part was made may not be told any more: then its serial numbers
    tell, as far as the sum agrees.
    """
    named, by_serial = [], []
    for number, row in rows:
        if row.product_code != part.product_code:
            continue
        if row.account_id == part.tenant_id or (row.account_id is None and row.external_id == part.tenant_id):
            named.append((number, row))
        elif row.account_id is None and row.serial is not None and row.serial in part.serials:
            by_serial.append((number, row))
    if _sum(named) + _sum(by_serial) != part.quantity:
        by_serial = [each for each in by_serial if finder.tenant_of(each[1]) == part.tenant_id]
    return tuple(sorted((*named, *by_serial), key=lambda each: each[0]))


def placed_by(
    row: UsageRow,
    tenant_id: str,
    *,
    source: str,
    mapped: Mapping[str, str],
    firewalls: Mapping[str, Collection[Firewall]],
) -> PlacedBy:
    """Say what told that a row is this tenant's; `mapped` is `firewalls:` of the map that was used then."""
    if row.account_id == tenant_id:
        return "import" if source == FILE else "accountId"
    if row.external_id == tenant_id:
        return "externalId"
    if row.serial is not None and mapped.get(row.serial) == tenant_id:
        return "firewalls"
    listed = firewalls.get(row.serial or "", ())
    if any(each.billing_tenant_id == tenant_id for each in listed):
        return "billingTenant"
    if any(each.billing_tenant_id is None and each.tenant_id == tenant_id for each in listed):
        return "tenant"
    return "serial"


def first_that_adds_up(
    candidates: Iterable[tuple[Part, ...]],
    quantity: Decimal | None,
    rows: Collection[tuple[int, UsageRow]],
    finder: TenantFinder,
    mappings: Mappings,
) -> tuple[tuple[Part, ...], bool]:
    """Return the parts that were a line's in a month of which nobody wrote them down, and whether it is sure.

    Of several accounts that remain, the first whose rows come to the quantity is the one.
    """
    listed = list(candidates)
    for parts in listed:
        if add_up(parts, quantity, rows, finder, mappings):
            return parts, True
    return (listed[0] if listed else ()), False


def add_up(
    parts: tuple[Part, ...],
    quantity: Decimal | None,
    rows: Collection[tuple[int, UsageRow]],
    finder: TenantFinder,
    mappings: Mappings,
) -> bool:
    """Whether the rows come to the parts, and the parts to the quantity."""
    return desired_of(mappings, parts).quantity == quantity and all(
        _sum(rows_of_part(part, rows, finder)) == part.quantity for part in parts
    )


def sum_told(parts: Iterable[Part], mappings: Mappings, names: Mapping[str, str]) -> str:
    """Say what a quantity is made of: `40 CIXA-MSP + 3 CDE-MSP`; nothing where nothing feeds it."""
    listed = tuple(parts)
    return told(mappings, listed, names) if listed else ""


def told_history(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events that tell a line's history.

    Every change counts; of the runs of a month that changed nothing, only the last, and none beside a change
    that stands.
    """
    kept: list[Event] = []
    for event in events:
        before = kept[-1] if kept else None
        if before is not None and before.month == event.month and event.undoes is None:
            if event.kind in _QUIET and before.made and before.undoes is None:
                continue
            if before.kind in _QUIET:
                kept.pop()
        kept.append(event)
    return tuple(kept)


def maker_of(events: Sequence[Event], month: Period | None = None) -> Event | None:
    """Return what made a line's quantity last, until the end of a month where one is given."""
    made = (each for each in reversed(events) if each.made and (month is None or each.month <= month))
    return next(made, None)


def bars(events: Iterable[Event], now: Decimal | None) -> tuple[tuple[str, Decimal], ...]:
    """Return the quantity at the end of each month, and what is billed now."""
    months: dict[str, Decimal] = {}
    for event in events:
        if event.after is not None and event.tells:
            months[str(event.month)] = event.after
    found = tuple(sorted(months.items()))
    return (*found, ("now", now)) if now is not None else found


def _sum(rows: Iterable[tuple[int, UsageRow]]) -> Decimal:
    return sum((row.quantity for _, row in rows), Decimal(0))
