"""The ConnectWise half of a world: what people do on its screens, and how it is set up."""

import itertools
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypedDict, TypeVar, Unpack

from .connectwise_records import (
    Addition,
    Additions,
    Agreement,
    BillingCycle,
    Company,
    Item,
    PeriodType,
    Tables,
    Trace,
    Write,
)
from .rate_limits import COME_AGAIN
from .timeline import Timeline

if TYPE_CHECKING:
    from .tickets import Ticket

RIGHTS = frozenset(
    {
        "companies",
        "agreements",
        "additions.read",
        "additions.write",
        "catalog.read",
        "catalog.write",
        "reports",
        "tickets",
    }
)
"""Everything the API member's role can be allowed to do (section 1.4)."""

Record = TypeVar("Record")


class AgreementOptions(TypedDict, total=False):
    """The optional words of `World.add_agreement`: the fields of an agreement."""

    start: date
    end: date | None
    bill_start: date | None
    cancelled: bool
    cancelled_on: date | None
    status: str | None
    prorate: bool
    invoiced_through: date | None
    type_id: int
    parent_id: int | None
    currency: str
    period_type: PeriodType
    billing_cycle: BillingCycle


class ItemOptions(TypedDict, total=False):
    """The optional words of `World.add_item`: the fields of a catalog item."""

    product_class: str | None
    inactive: bool
    price: Decimal
    cost: Decimal
    taxable: bool
    unit_id: int
    subcategory_id: int
    type_id: int
    customer_description: str
    vendor_sku: str | None
    serialized: bool


class AdditionOptions(TypedDict, total=False):
    """The optional words of `World.add_addition`: the fields of an addition."""

    less_included: Decimal
    unit_price: Decimal
    unit_cost: Decimal
    bill_customer: str
    effective: date | None
    cancelled: date | None
    serial_number: str | None
    invoice_description: str | None


class ConnectWiseSide(Timeline):
    """Companies, agreements, additions and the catalog, and the switches of what is not documented."""

    def __init__(self, seed: int, today: date, clock: Callable[[], float]) -> None:
        super().__init__(seed, today, clock)
        self.company_login = "examplemsp"
        self.public_key = f"demo-public-{seed}"
        self.private_key = f"demo-private-{seed}"
        self.connectwise_client_id = "0d3c8f52-5f6e-4e0f-9c7b-2f64a1f5f0aa"
        self.api_member = "connectorapi"
        """Who is named in `made_by` and `updatedBy` of everything written over the API."""
        self.codebase = "v2025_1/"
        self.is_cloud = False
        self.rights: set[str] = set(RIGHTS)
        """What the API member may do; take one out and its routes answer 403."""
        self.additions_hidden: set[int] = set()
        """Agreements whose additions answer 403, though the others' can be read."""
        self.bad_keys_answer: Literal[401, 404] = 401
        self.missing_client_id_answer: Literal[400, 401] = 400
        self.oversize_pages_refused = False
        """Page sizes above the maximum: 400, instead of the maximum."""
        self.shuffle_unordered = False
        """Lists without `orderBy` come in another order each time (section 2)."""
        self.unknown_paths_refused = True
        """A PATCH of a property that does not exist: 400, instead of 200 without effect."""
        self.addition_status_shown = True
        """`additionStatus` is absent in older releases (section 6.1)."""
        self.inactive_items_refused = True
        self.ended_agreements_refused = False
        self.report_available = True
        """Whether the report AgreementAdditions exists at all."""
        self.connectwise_limits = False
        """Switches the request limits of section 5.2 on."""
        self.connectwise_retry_after: int | None = COME_AGAIN
        """The seconds that a 429 of those limits names; None leaves `Retry-After` out."""
        self.refused_conditions: set[str] = set()
        """Fields that this server will not filter by, e.g. `product/id`."""
        self.tables = Tables()
        self.companies: dict[int, Company] = {}
        self.agreements: dict[int, Agreement] = {}
        self.items: dict[int, Item] = {}
        self.additions = Additions()
        self.boards: dict[str, tuple[str, ...]] = {
            "Help Desk": ("New (not responded)", "In Progress", "Closed"),
            "Billing": ("New", "Waiting", ">Closed"),
        }
        """The service boards, the one that is taken by itself first, and the statuses of each."""
        self.tickets: dict[int, Ticket] = {}
        self.history: list[Write] = []
        """Every change that came over the API and was committed, in order."""
        self._ids = {
            kind: itertools.count(first)
            for kind, first in (
                ("company", 251),
                ("agreement", 101),
                ("item", 41),
                ("addition", 9001),
                ("ticket", 70_001),
                ("note", 80_001),
            )
        }

    def new_id(self, kind: str) -> int:
        """Return the next record id of that kind."""
        return next(self._ids[kind])

    def trace(self, member: str = "mbarker") -> Trace:
        """Say that this member made a record now."""
        now = self.stamp()
        return Trace(member, now, member, now)

    def touch(
        self, record: "Company | Agreement | Item | Addition | Ticket", member: str = "mbarker"
    ) -> None:
        """Say that this member changed a record now."""
        record.trace.updated_by, record.trace.updated_at = member, self.stamp()

    def add_company(self, identifier: str, name: str) -> Company:
        """Add a company of type Client, status Active."""
        with self.lock:
            company = Company(self.new_id("company"), identifier, name, self.trace())
            self.companies[company.id] = company
            return company

    def add_agreement(self, company_id: int, name: str, **options: Unpack[AgreementOptions]) -> Agreement:
        """Add an agreement, running since 2025 unless told otherwise."""
        with self.lock:
            options.setdefault("start", date(2025, 1, 1))
            agreement = Agreement(self.new_id("agreement"), company_id, name, self.trace(), **options)
            self.agreements[agreement.id] = agreement
            return agreement

    def add_item(self, identifier: str, description: str, **options: Unpack[ItemOptions]) -> Item:
        """Add a catalog item, of class Agreement unless told otherwise."""
        with self.lock:
            options.setdefault("customer_description", description)
            item = Item(self.new_id("item"), identifier, description, trace=self.trace(), **options)
            self.items[item.id] = item
            return item

    def add_addition(
        self,
        agreement_id: int,
        item_id: int,
        quantity: Decimal | int,
        *,
        made_by: str = "mbarker",
        **options: Unpack[AdditionOptions],
    ) -> Addition:
        """Add an addition as a person would on the screen: nothing is checked or recorded as a write."""
        with self.lock:
            item = self.items[item_id]
            options.setdefault("unit_price", item.price)
            options.setdefault("unit_cost", item.cost)
            options.setdefault("invoice_description", item.customer_description)
            options.setdefault("effective", self.agreements[agreement_id].start)
            addition_id, trace = self.new_id("addition"), self.trace(made_by)
            addition = Addition(addition_id, agreement_id, item_id, trace, Decimal(quantity), **options)
            addition.sequence_number = Decimal(len(self.additions.of(agreement_id)) + 1)
            self.additions[addition.id] = addition
            return addition

    def live_additions(self, agreement_id: int | None = None, item_id: int | None = None) -> list[Addition]:
        """Return the additions that bill today, of an agreement or item if asked, by id."""
        among = self.additions.by_id() if agreement_id is None else self.additions.of(agreement_id)
        live = (addition for addition in among if addition.live_on(self.today))
        return sorted((a for a in live if item_id in (None, a.item_id)), key=lambda addition: addition.id)

    def rename_item(
        self, item_id: int, identifier: str | None = None, description: str | None = None
    ) -> Item:
        """Give a catalog item another identifier or text; its id stays."""
        item = self.items[item_id]
        item.identifier, item.description = identifier or item.identifier, description or item.description
        self.touch(item)
        return item

    def rename_company(
        self, company_id: int, identifier: str | None = None, name: str | None = None
    ) -> Company:
        """Give a company another identifier or name; its id stays."""
        company = self.companies[company_id]
        company.identifier, company.name = identifier or company.identifier, name or company.name
        self.touch(company)
        return company

    def rename_agreement(self, agreement_id: int, name: str) -> Agreement:
        """Give an agreement another name; its id stays."""
        agreement = self.agreements[agreement_id]
        agreement.name = name
        self.touch(agreement)
        return agreement

    def merge_company(self, company_id: int, into: int | None = None) -> None:
        """Merge a company: sets `deletedFlag`, touching neither status nor lastUpdated (section 10).

        Its agreements move only where `into` says to which company.
        """
        with self.lock:
            self.companies[company_id].deleted = True
            for agreement in self.agreements.values():
                if into is not None and agreement.company_id == company_id:
                    agreement.company_id = into

    def ticket_about(self, text: str) -> "Ticket":
        """Return the open ticket whose summary holds a text."""
        return _only(t for t in self.tickets.values() if text in t.summary and not t.closed)

    def record_write(self, write: Write) -> None:
        """Note a committed change that came over the API."""
        self.history.append(write)

    def company_named(self, identifier: str) -> Company:
        """Return the company with this identifier."""
        return _only(c for c in self.companies.values() if c.identifier == identifier)

    def item_named(self, identifier: str) -> Item:
        """Return the catalog item with this identifier."""
        return _only(i for i in self.items.values() if i.identifier == identifier)

    def agreement_named(self, company_identifier: str, name: str = "Managed Security") -> Agreement:
        """Return the agreement of that name that is active today."""
        company = self.company_named(company_identifier)
        return _only(
            agreement
            for agreement in self.agreements.values()
            if agreement.company_id == company.id
            and agreement.name == name
            and agreement.status_on(self.today) == "Active"
        )


def _only(found: Iterable[Record]) -> Record:
    """Return the one record found; a test that meant another world should stop right here."""
    (record,) = found
    return record
