"""Where usage, what was last written and what ConnectWise bills differ: the nouns of a diagnosis.

A class says in which direction a bill is wrong; money is how much is at stake and is never below zero.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connector.model import Key, Period
from connector.planning.findings import Part
from connector.planning.prices import Money, totals

NOT_CHECKED = "NOT_CHECKED"

CLASSES = (
    "UNDER_BILLED",
    "NO_ADDITION",
    "OVER_BILLED",
    "ORPHAN_ADDITION",
    "DUPLICATE_ADDITIONS",
    "OFF_STILL_BILLING",
    "ENDED_BY_HAND",
    "HAND_EDITED",
    "UNMAPPED_PRODUCT",
    "UNMAPPED_TENANT",
    "SUSPECTED_SUCCESSOR",
    "FIREWALL_UNASSIGNED",
    "PERIOD_CLOSED",
    "AGREEMENT_INACTIVE",
    "RESTATED",
    "CURRENCY_MISMATCH",
    "MARGIN_NEGATIVE",
    "PRICE_ZERO",
    "RENAMED",
    NOT_CHECKED,
)
"""The classes that a diagnosis has of its own; what else a plan cannot place keeps the plan's own code."""

Side = Literal["usage", "written", "connectwise", "distributor"]


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that is wrong or worth knowing, with its evidence and the one command to type next.

    `code` is its class. `usage`, `written` and `connectwise` are quantities: what should be billed, what we
    wrote last, what the line has; `billed` is what ConnectWise bills of that (less what is included);
    None means that there is none. `distributor` is what another file says, where one was given. `advice`
    is what a person does before `next`, empty where the command is all. `company`, `agreement`, `item` and
    `tenant` are for people.
    """

    code: str
    message: str
    next: str
    advice: str = ""
    evidence: tuple[str, ...] = ()
    tenant_id: str | None = None
    product_code: str | None = None
    serial: str | None = None
    key: Key | None = None
    addition_id: int | None = None
    usage: Decimal | None = None
    written: Decimal | None = None
    connectwise: Decimal | None = None
    billed: Decimal | None = None
    distributor: Decimal | None = None
    money: Money | None = None
    needs_person: bool = True
    tenant: str = ""
    company: str = ""
    agreement: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class KeyNumbers:
    """The numbers of one key side by side, whether they agree or not.

    `written` and `connectwise` are sums where several lines of ours, or several live lines, are there.
    """

    key: Key
    usage: Decimal | None
    written: Decimal | None
    connectwise: Decimal | None
    billed: Decimal | None
    distributor: Decimal | None = None
    addition_ids: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()
    company: str = ""
    agreement: str = ""
    item: str = ""
    unit_price: Money | None = None


@dataclass(frozen=True, slots=True)
class MoneyChecked:
    """What usage costs in one currency, and how much of that was checked."""

    amount: Decimal
    currency: str
    checked: Decimal


@dataclass(frozen=True, slots=True)
class Checked:
    """How much of a month was checked: compared with ConnectWise, or deliberately off (the headline)."""

    tenants: int
    tenants_checked: int
    rows: int
    rows_checked: int
    money: tuple[MoneyChecked, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether there was something to check, and all of it was."""
        return self.rows > 0 and self.rows == self.rows_checked and self.tenants == self.tenants_checked


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A month, checked: its coverage, what is wrong in order of money, and all numbers side by side."""

    period: Period
    source: str
    coverage: Checked
    items: tuple[Discrepancy, ...]
    numbers: tuple[KeyNumbers, ...] = ()

    @property
    def exit_code(self) -> int:
        """3 where an item needs a person, or nothing was checked; else 0."""
        return 3 if any(item.needs_person for item in self.items) or not self.coverage.rows_checked else 0

    def at_stake(self, code: str) -> tuple[Money, ...]:
        """Return the money at stake in one class, by currency."""
        return totals(item.money for item in self.items if item.code == code)
