"""What the simulated ConnectWise PSA holds: companies, agreements, additions, catalog items.

Field names and meanings: reference/connectwise-api.md, sections 6 and 7. Change an attribute and the
next answer shows it.
"""

from collections import UserDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

BillCustomer = Literal["Billable", "DoNotBill", "NoCharge"]
PeriodType = Literal["Current", "Future", "Both", "Undefined"]
BillingCycle = Literal["Monthly", "Quarterly", "Annual"]


@dataclass(slots=True)
class Trace:
    """Who made a record and who touched it last, and when (`_info`)."""

    made_by: str
    made_at: str
    updated_by: str
    updated_at: str


@dataclass(slots=True)
class Company:
    """A customer of the MSP (section 7.3)."""

    id: int
    identifier: str
    name: str
    trace: Trace
    status_id: int = 1
    type_ids: tuple[int, ...] = (1,)
    deleted: bool = False
    custom_fields: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Agreement:
    """A company's billing contract (section 7.1)."""

    id: int
    company_id: int
    name: str
    trace: Trace
    start: date
    end: date | None = None
    bill_start: date | None = None
    cancelled: bool = False
    cancelled_on: date | None = None
    status: str | None = None
    """Overrides the status that the dates give."""
    prorate: bool = False
    invoiced_through: date | None = None
    """Last day already invoiced; new lines may not start by then unless prorated (section 5.1)."""
    type_id: int = 1
    parent_id: int | None = None
    currency: str = "USD"
    period_type: PeriodType = "Current"
    billing_cycle: BillingCycle = "Monthly"

    def status_on(self, today: date) -> str:
        """Derive Active, Cancelled, Expired or Inactive as live samples show (section 7.1)."""
        if self.status is not None:
            return self.status
        if self.cancelled:
            return "Cancelled"
        if self.end is not None and self.end < today:
            return "Expired"
        return "Inactive" if self.start > today else "Active"


@dataclass(slots=True)
class Item:
    """A catalog item (section 7.2)."""

    id: int
    identifier: str
    description: str
    customer_description: str
    trace: Trace
    product_class: str | None = "Agreement"
    inactive: bool = False
    price: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    taxable: bool = True
    unit_id: int = 1
    subcategory_id: int = 1
    type_id: int = 1
    vendor_sku: str | None = None
    manufacturer_part_number: str | None = None
    integration_xref: str | None = None
    notes: str | None = None
    serialized: bool = False


@dataclass(slots=True)
class Addition:
    """One product line of an agreement (section 6.1). It stays on its agreement for life."""

    id: int
    agreement_id: int
    item_id: int
    trace: Trace
    quantity: Decimal | None = Decimal(1)
    less_included: Decimal | None = Decimal(0)
    unit_price: Decimal | None = Decimal(0)
    unit_cost: Decimal | None = Decimal(0)
    bill_customer: str | None = "Billable"
    effective: date | None = None
    cancelled: date | None = None
    taxable: bool | None = True
    serial_number: str | None = None
    invoice_description: str | None = None
    purchase_item: bool | None = False
    special_order: bool | None = False
    sequence_number: Decimal | None = None
    prorate_cost: Decimal | None = Decimal(0)
    prorate_price: Decimal | None = Decimal(0)
    prorate_current_period: bool | None = False
    custom_fields: list[dict[str, Any]] | None = None

    @property
    def made_by(self) -> str:
        """Who made the line: a person, or the API member."""
        return self.trace.made_by

    def live_on(self, today: date) -> bool:
        """Return whether the line still bills: dates decide, not the status text (section 6.1)."""
        return self.cancelled is None or self.cancelled > today

    def status_on(self, today: date) -> str:
        """Derive the line's status text from its dates."""
        if not self.live_on(today):
            return "Cancelled"
        return "Inactive" if self.effective is not None and self.effective > today else "Active"


class Additions(UserDict[int, Addition]):
    """All additions by id, those of one agreement at hand: thousands of agreements are read in turn."""

    def __init__(self) -> None:
        self._by_agreement: dict[int, dict[int, Addition]] = {}
        self._in_order: list[Addition] | None = []
        self.moved = 0
        """Grows whenever an addition comes or goes, or is written to over the API."""
        super().__init__()

    def __setitem__(self, key: int, addition: Addition) -> None:
        if key in self.data:
            del self[key]
        self.moved += 1
        self.data[key] = addition
        self._by_agreement.setdefault(addition.agreement_id, {})[key] = addition
        if self._in_order is not None and (not self._in_order or self._in_order[-1].id < addition.id):
            self._in_order.append(addition)
        else:
            self._in_order = None

    def __delitem__(self, key: int) -> None:
        self.moved += 1
        self._in_order = None
        del self._by_agreement[self.data[key].agreement_id][key]
        del self.data[key]

    def by_id(self) -> Sequence[Addition]:
        """Return all additions in order of their ids; new ones have higher ids, so few calls sort."""
        if self._in_order is None:
            self._in_order = sorted(self.data.values(), key=lambda addition: addition.id)
        return self._in_order

    def of(self, agreement_id: int) -> list[Addition]:
        """Return the additions of one agreement."""
        return list(self._by_agreement.get(agreement_id, {}).values())


@dataclass(frozen=True, slots=True)
class Write:
    """One committed change: copies of the record before (None: created) and after (None: deleted)."""

    method: str
    agreement_id: int | None
    addition_id: int | None
    before: Addition | Item | None
    after: Addition | Item | None
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """A row of a setup table: statuses, types, categories, units."""

    id: int
    name: str
    more: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """The setup tables a fresh ConnectWise comes with (sections 7.4 and 8)."""

    company_statuses: tuple[Lookup, ...] = (
        Lookup(1, "Active", (("defaultFlag", True), ("inactiveFlag", False))),
        Lookup(2, "Inactive", (("defaultFlag", False), ("inactiveFlag", True))),
        Lookup(5, "Not-Active", (("defaultFlag", False), ("inactiveFlag", True))),
    )
    company_types: tuple[Lookup, ...] = (
        Lookup(1, "Client", (("defaultFlag", True), ("vendorFlag", False))),
        Lookup(2, "Prospect", (("defaultFlag", False), ("vendorFlag", False))),
        Lookup(3, "Vendor", (("defaultFlag", False), ("vendorFlag", True))),
    )
    agreement_types: tuple[Lookup, ...] = (
        # A trailing blank, as on a live system (section 10).
        Lookup(
            1, "Managed Services ", (("defaultFlag", True), ("inactiveFlag", False), ("prorateFlag", False))
        ),
        Lookup(2, "Block Time", (("defaultFlag", False), ("inactiveFlag", False), ("prorateFlag", False))),
    )
    categories: tuple[Lookup, ...] = (
        Lookup(1, "Security", (("inactiveFlag", False), ("integrationXref", "SEC"))),
        Lookup(2, "Services", (("inactiveFlag", False),)),
    )
    subcategories: tuple[Lookup, ...] = (
        Lookup(1, "Sophos", (("inactiveFlag", False), ("category", 1))),
        Lookup(2, "Managed Desktop", (("inactiveFlag", False), ("category", 2))),
    )
    product_types: tuple[Lookup, ...] = (
        Lookup(1, "Subscription", (("inactiveFlag", False), ("typeXref", "Service"), ("defaultFlag", True))),
        Lookup(
            2, "Hardware", (("inactiveFlag", False), ("typeXref", "InventoryPart"), ("defaultFlag", False))
        ),
    )
    units: tuple[Lookup, ...] = (
        Lookup(1, "Each", (("inactiveFlag", False), ("defaultFlag", True))),
        Lookup(2, "Hour", (("inactiveFlag", False), ("defaultFlag", False))),
    )
    billing_cycles: tuple[Lookup, ...] = (Lookup(2, "Monthly"), Lookup(3, "Quarterly"))


def named(table: tuple[Lookup, ...], row_id: int) -> Lookup | None:
    """Return the row of a setup table, if it is there."""
    return next((row for row in table if row.id == row_id), None)
