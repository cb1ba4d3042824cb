"""A month for people to look at: how much was checked, what is at stake, what moved, what to do next."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from connector.model import Key, Period
from connector.planning.change import Plan
from connector.planning.diagnosis.discrepancies import NOT_CHECKED, Diagnosis, Discrepancy, KeyNumbers
from connector.planning.month_trends import MonthSums, Mover, ProductTrend
from connector.planning.prices import Money, totals
from connector.planning.states import FirewallState
from connector.planning.usage_views import UsageLine

Direction = Literal["under", "over", "either"]

_DIRECTIONS: Mapping[str, Direction] = {
    "UNDER_BILLED": "under",
    "NO_ADDITION": "under",
    "ENDED_BY_HAND": "under",
    "UNMAPPED_PRODUCT": "under",
    "UNMAPPED_TENANT": "under",
    "SUSPECTED_SUCCESSOR": "under",
    "FIREWALL_UNASSIGNED": "under",
    "AGREEMENT_INACTIVE": "under",
    "MARGIN_NEGATIVE": "under",
    "PRICE_ZERO": "under",
    "OVER_BILLED": "over",
    "ORPHAN_ADDITION": "over",
    "OFF_STILL_BILLING": "over",
}


def direction_of(code: str) -> Direction:
    """Return whether a class means too little billed or too much; `either` where it alone does not tell."""
    return _DIRECTIONS.get(code, "either")


@dataclass(frozen=True, slots=True)
class Stake:
    """One class of a diagnosis: how often it is there, and the money at stake in each currency.

    Of `unknown` items nobody knows what they are worth; `people` of them need a person.
    """

    code: str
    direction: Direction
    items: int
    people: int
    money: tuple[Money, ...]
    unknown: int


@dataclass(frozen=True, slots=True)
class MadeChange:
    """A change of a run as the ledger has it, with what became of it."""

    kind: str
    key: Key
    addition_id: int | None
    before: Decimal | None
    after: Decimal
    outcome: str
    message: str
    because: str
    item: str
    company: str
    agreement: str


@dataclass(frozen=True, slots=True)
class PeriodRun:
    """The last run of a month that changed something.

    `later` counts those after it that had nothing to change, `later_held` those that made none of theirs.
    """

    number: int
    kind: str
    finished: str
    who: str
    exit_code: int | None
    changes: tuple[MadeChange, ...]
    later: int = 0
    later_held: int = 0

    @property
    def outcomes(self) -> tuple[tuple[str, int], ...]:
        """How many changes came to what, by outcome."""
        counted: dict[str, int] = defaultdict(int)
        for change in self.changes:
            counted[change.outcome] += 1
        return tuple(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class MonthReport:
    """All that a report tells of a month; every page and sheet is made from this one value.

    `usage` is the month by tenant and product, `months` are consecutive ones up to it, `movers` compare it
    with the month before, and `compared` is that month, None where nothing of it is stored.
    """

    diagnosis: Diagnosis
    plan: Plan
    made_at: datetime
    version: str
    usage: tuple[UsageLine, ...] = ()
    firewalls: tuple[FirewallState, ...] = ()
    months: tuple[tuple[Period, MonthSums | None], ...] = ()
    trends: tuple[ProductTrend, ...] = ()
    movers: tuple[Mover, ...] = ()
    compared: Period | None = None
    run: PeriodRun | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        """The month."""
        return self.diagnosis.period

    @property
    def for_people(self) -> tuple[Discrepancy, ...]:
        """What needs a person, in order of money."""
        return tuple(item for item in self.diagnosis.items if item.needs_person)

    @property
    def to_know(self) -> tuple[Discrepancy, ...]:
        """What is only worth knowing."""
        return tuple(item for item in self.diagnosis.items if not item.needs_person)

    @property
    def unassigned(self) -> tuple[FirewallState, ...]:
        """The firewalls that Sophos bills and that are nobody's."""
        return tuple(each for each in self.firewalls if each.unassigned)

    def tenant(self, tenant_id: str | None) -> str:
        """Return what people call a tenant, its id where it has no name, and nothing for nobody."""
        return "" if tenant_id is None else self.names.get(tenant_id) or tenant_id


def stakes(diagnosis: Diagnosis) -> tuple[Stake, ...]:
    """Return what is at stake in each class, in the order in which the diagnosis has them."""
    found: dict[str, list[Discrepancy]] = defaultdict(list)
    for item in diagnosis.items:
        found[item.code].append(item)
    return tuple(
        Stake(
            code=code,
            direction=direction_of(code),
            items=len(items),
            people=sum(item.needs_person for item in items),
            money=totals(item.money for item in items),
            unknown=sum(item.money is None for item in items),
        )
        for code, items in found.items()
    )


def at_stake(diagnosis: Diagnosis) -> Mapping[Direction, tuple[Money, ...]]:
    """Return the money at stake in each direction that has any, by currency."""
    directions: tuple[Direction, ...] = ("under", "over", "either")
    sums = {
        direction: totals(item.money for item in diagnosis.items if direction_of(item.code) == direction)
        for direction in directions
    }
    return {direction: money for direction, money in sums.items() if money}


def classes_by_key(diagnosis: Diagnosis) -> Mapping[Key, tuple[str, ...]]:
    """Return what is the matter with each key, by class, in the order of the diagnosis."""
    found: dict[Key, dict[str, None]] = defaultdict(dict)
    for item in diagnosis.items:
        if item.key is not None:
            found[item.key][item.code] = None
    return {key: tuple(codes) for key, codes in found.items()}


def differing_first(diagnosis: Diagnosis) -> tuple[tuple[KeyNumbers, tuple[str, ...]], ...]:
    """Return the numbers of every key with its classes: those first that have any."""
    classes = classes_by_key(diagnosis)
    listed = [(numbers, classes.get(numbers.key, ())) for numbers in diagnosis.numbers]
    return tuple(sorted(listed, key=lambda each: not each[1]))


def is_checked(classes: tuple[str, ...]) -> bool:
    """Whether a key of these classes was compared with ConnectWise."""
    return NOT_CHECKED not in classes
