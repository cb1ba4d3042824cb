"""The nouns of both vendors and of mappings.yaml, as frozen values.

Quantities are exact decimals, dates are calendar dates without a zone, ids are what the vendor says.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol, Self, runtime_checkable

Absent = Literal["zero", "end", "keep"]
Effective = Literal["period_start", "next_invoice", "today"]
Adopt = Literal["ask", "auto", "never"]
CostRule = Literal["leave", "sophos"]
PriceKind = Literal["leave", "msrp", "markup", "discount", "fixed"]
Rounding = Literal["up", "down"]
Aggregate = Literal["sum", "max"]
ScheduleMode = Literal["invoice", "monthly", "daily"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A billing month, written `2026-10`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `YYYY-MM`; raises ValueError for anything else."""
        match = re.fullmatch(r"(2\d{3})-(0[1-9]|1[0-2])", text, re.ASCII)
        if match is None:
            raise ValueError(f"{text!r} is no month written YYYY-MM")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """Return the month that `day` lies in."""
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        """The 1st of the month."""
        return date(self.year, self.month, 1)

    @property
    def previous(self) -> "Period":
        """The month before."""
        return Period(self.year - 1, 12) if self.month == 1 else Period(self.year, self.month - 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


# Sophos ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One row of Sophos's billing usage: what is to be billed, and what may tell for whom.

    `received` is the row as it came, as JSON text, less the contact person's data.
    """

    product_code: str
    quantity: Decimal
    account_id: str | None = None
    external_id: str | None = None
    serial: str | None = None
    description: str = ""
    group: str = ""
    received: str = "{}"


class UsageRows(Protocol):
    """The rows of a month, the same on every pass; each pass may read them anew."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[UsageRow]: ...


UsageLine = tuple[str | None, str | None, str | None, str, Decimal, int]
"""Account id, external id, serial and product code of rows that are alike in these, their quantities added
up, and how many they are: all that sums are made of."""


@runtime_checkable
class UsageLines(Protocol):
    """Rows that can be added up without making each of them."""

    def lines(self) -> Iterable[UsageLine]:
        """Return every row in just one line, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class UsagePage:
    """The next rows of a month: `read` counts all that have come, `expected` how many there are, if told."""

    rows: Sequence[UsageRow]
    read: int
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer in Sophos Central; its name is not unique."""

    id: str
    name: str
    billing_type: str = "usage"
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence of a firewall; `type` is Sophos's word, `usage` for a monthly one."""

    product_code: str
    name: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Firewall:
    """A firewall licence record; `billing_tenant_id` is whom its monthly licence is assigned to.

    `owner` is the kind of account that holds it: tenant, partner or another word of Sophos.
    """

    serial: str
    model: str = ""
    tenant_id: str | None = None
    billing_tenant_id: str | None = None
    last_seen: str | None = None
    owner: str = ""
    licences: tuple[Licence, ...] = ()


# ConnectWise -------------------------------------------------------------------------------------


Reference = str | int
"""How mappings.yaml names a record of ConnectWise: text is its name there, a whole number its id."""


class Key(NamedTuple):
    """What makes two additions the same: the agreement and the catalog item (contract rule 6)."""

    agreement_id: int
    item_id: int


@dataclass(frozen=True, slots=True)
class Company:
    """A customer in ConnectWise; merged ones stay in its lists as deleted."""

    id: int
    identifier: str
    name: str = ""
    deleted: bool = False
    status: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A company's billing contract; `status` is ConnectWise's own word, or empty; `type` its type's name.

    `currency` is the code of ISO 4217, empty where ConnectWise names none. It is `whole` where it has no
    decimals, as yen have none. `ahead` says that its invoices are for the time to come, `cycle` how often
    there is one, in ConnectWise's own word.
    """

    id: int
    name: str
    company_id: int
    company: str = ""
    status: str = "Active"
    cancelled: bool = False
    start: date | None = None
    end: date | None = None
    bill_start: date | None = None
    next_invoice: date | None = None
    type: str = ""
    currency: str = ""
    whole: bool = False
    ahead: bool = False
    cycle: str = ""


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """A product of ConnectWise's catalog that an addition sells, at `price` unless it says another."""

    id: int
    identifier: str
    description: str = ""
    product_class: str = ""
    inactive: bool = False
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A row of a set-up table of ConnectWise: a subcategory, product type or unit of measure."""

    id: int
    name: str
    inactive: bool = False


@dataclass(frozen=True, slots=True)
class CatalogRecord:
    """A catalog item as people see it in ConnectWise: texts, class, and money for one unit."""

    id: int
    identifier: str
    description: str = ""
    customer_description: str = ""
    subcategory: str = ""
    category: str = ""
    type: str = ""
    unit: str = ""
    product_class: str = ""
    price: Decimal | None = None
    cost: Decimal | None = None
    taxable: bool = False
    inactive: bool = False


@dataclass(frozen=True, slots=True)
class Addition:
    """One product line on an agreement, with its quantity; `serial_number` may hold our mark."""

    id: int
    agreement_id: int
    item_id: int
    quantity: Decimal
    cancelled: date | None = None
    effective: date | None = None
    serial_number: str = ""
    bill_customer: str = "Billable"
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None
    less_included: Decimal = Decimal(0)

    @property
    def key(self) -> Key:
        """The agreement and item it bills."""
        return Key(self.agreement_id, self.item_id)

    def live(self, today: date) -> bool:
        """Whether it bills: no end date, or one after today (contract rule 10)."""
        return self.cancelled is None or self.cancelled > today


@dataclass(frozen=True, slots=True)
class NewAddition:
    """All that a POST of an addition says (contract rule 12); prices only where a rule owns them."""

    agreement_id: int
    item_id: int
    quantity: Decimal
    effective: date
    serial_number: str = ""
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AdditionPatch:
    """The fields that a PATCH of an addition names; None leaves a field out (contract rule 20)."""

    quantity: Decimal | None = None
    cancelled: date | None = None
    serial_number: str | None = None
    unit_price: Decimal | None = None
    unit_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewItem:
    """All that a POST of a catalog item says; references are names (text) or ids (whole numbers)."""

    identifier: str
    description: str
    customer_description: str
    subcategory: Reference
    type: Reference
    unit: Reference | None = None
    product_class: str = "Agreement"
    price: Decimal | None = None
    cost: Decimal | None = None
    taxable: bool = False


@dataclass(frozen=True, slots=True)
class ItemPatch:
    """The fields that a PATCH of a catalog item names; None leaves a field out."""

    description: str | None = None
    customer_description: str | None = None
    subcategory: Reference | None = None
    type: Reference | None = None
    unit: Reference | None = None
    product_class: str | None = None
    price: Decimal | None = None
    cost: Decimal | None = None
    taxable: bool | None = None
    inactive: bool | None = None


# mappings.yaml -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PriceRule:
    """How a unit's price comes about; `value` is the share of a markup or discount, or the fixed amount."""

    kind: PriceKind = "leave"
    value: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Pricing:
    """What one place of mappings.yaml says of prices; None means "as elsewhere".

    `rates` are what one unit of a currency (first key) is worth in another (second key).
    """

    cost: CostRule | None = None
    price: PriceRule | None = None
    round: Decimal | None = None
    rates: Mapping[str, Mapping[str, Decimal]] | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """How changes are made where no person has said otherwise."""

    absent: Absent = "zero"
    effective: Effective = "period_start"
    adopt: Adopt = "ask"
    mark: bool = True
    pricing: Pricing = field(default_factory=Pricing)


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Shares between 0 and 1, factors, units and money beyond which a person has to look."""

    removals: Decimal = Decimal("0.30")
    decrease: Decimal = Decimal("0.50")
    at_least: int = 10
    increase_factor: Decimal = Decimal(10)
    increase_units: Decimal = Decimal(50)
    money: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProductEntry:
    """What `products:` says of one product code; without an item it is off.

    `per` Sophos units are one unit of the item; None counts them one to one, fractions and all.
    `minimum` is in units of the item.
    """

    name: str = ""
    item: Reference | None = None
    sync: bool = True
    per: int | None = None
    rounding: Rounding = "up"
    aggregate: Aggregate = "sum"
    minimum: Decimal | None = None
    pricing: Pricing = field(default_factory=Pricing)

    @property
    def on(self) -> bool:
        """Whether its usage is billed (contract section 2)."""
        return self.sync and self.item is not None


@dataclass(frozen=True, slots=True)
class ProductException:
    """What one tenant's entry says of one product code; None means "as elsewhere"."""

    item: Reference | None = None
    agreement: Reference | None = None
    sync: bool | None = None
    minimum: Decimal | None = None
    pricing: Pricing = field(default_factory=Pricing)


@dataclass(frozen=True, slots=True)
class TenantEntry:
    """What `tenants:` says of one tenant."""

    name: str = ""
    company: Reference | None = None
    agreement: Reference | None = None
    sync: bool = True
    products: Mapping[str, ProductException] = field(default_factory=dict)
    pricing: Pricing = field(default_factory=Pricing)


ImportColumn = Literal[
    "customer", "tenant_id", "start", "end", "product", "quantity", "serial", "sku", "code", "group", "msrp",
    "price", "currency", "msrp_currency", "reason",
]  # fmt: skip
IMPORT_COLUMNS: tuple[ImportColumn, ...] = (
    "customer", "tenant_id", "start", "end", "product", "quantity", "serial", "sku", "code", "group", "msrp",
    "price", "currency",
)  # fmt: skip
"""The columns of a consumption file that `import:` may name."""


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What `import:` says of a distributor's consumption file; descriptions and names in any case."""

    columns: Mapping[ImportColumn, str] = field(default_factory=dict)
    product_codes: Mapping[str, str] = field(default_factory=dict)
    tenants: Mapping[str, str] = field(default_factory=dict)
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal["point", "comma"] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When `connector nightly` bills; days of the month, where one that a month lacks is its last.

    `opens` is the first night on which Sophos may have published a month, `alert` the day of the next month
    on which one that is still missing is told, `day` the chosen one of `monthly`. `timezone` is a name of
    the IANA database, empty for that of the machine.
    """

    mode: ScheduleMode = "invoice"
    timezone: str = ""
    opens: int = 26
    alert: int = 5
    day: int = 1


@dataclass(frozen=True, slots=True)
class Allowance:
    """How far a quantity may move without a person: by this share and by so many units, None for any."""

    share: Decimal | None = None
    units: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Unattended:
    """Which changes `connector nightly` makes without a person; an allowance of None forbids the kind.

    A line that is set to zero or ended is a decrease by all it has.
    """

    increase: Allowance | None = field(default_factory=Allowance)
    decrease: Allowance | None = field(default_factory=Allowance)
    create: bool = True
    adopt: bool = True
    price: bool = True


@dataclass(frozen=True, slots=True)
class TicketRules:
    """Where tickets are opened: for which company, on which board, and the status that closes one there."""

    company: str
    board: str = ""
    closed: str = "Closed"


@dataclass(frozen=True, slots=True)
class NotifyRules:
    """What people are told of beside what needs them, and where tickets go; None for none."""

    success: bool = False
    ticket: TicketRules | None = None


@dataclass(frozen=True, slots=True)
class Mappings:
    """All of mappings.yaml; tenant ids and serials in the form that we compare."""

    defaults: Defaults = field(default_factory=Defaults)
    guards: GuardLimits = field(default_factory=GuardLimits)
    products: Mapping[str, ProductEntry] = field(default_factory=dict)
    tenants: Mapping[str, TenantEntry] = field(default_factory=dict)
    firewalls: Mapping[str, str] = field(default_factory=dict)
    imports: ImportRules = field(default_factory=ImportRules)
    schedule: Schedule = field(default_factory=Schedule)
    unattended: Unattended = field(default_factory=Unattended)
    notify: NotifyRules = field(default_factory=NotifyRules)


_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)


def tenant_id_of(text: str) -> str:
    """Return a Sophos account id as we compare it: trimmed, no `urn:uuid:`, a UUID in lower case."""
    text = text.strip().removeprefix("urn:uuid:")
    return text.lower() if _UUID.fullmatch(text) else text


def serial_of(text: str) -> str:
    """Return a serial number in the one form we compare: trimmed, upper case (contract rule 4)."""
    return text.strip().upper()
