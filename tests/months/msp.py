"""Builds an MSP's month in business words: customers, what they use, and where it is billed."""

import calendar
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Unpack

import yaml

from connector.simulator import Addition, Agreement, Company, Item, World
from connector.simulator.connectwise_state import AdditionOptions, AgreementOptions
from connector.simulator.sophos_records import RowOptions
from connector.simulator.sophos_state import FirewallOptions

Quantity = int | Decimal
ENDPOINT, EMAIL = "SOPHOS-ENDPOINT", "SOPHOS-EMAIL"


@dataclass
class Customer:
    """One customer on both sides: a tenant of Sophos, and a company with an agreement."""

    msp: "Msp"
    tenant: str
    company: Company
    agreement: Agreement
    entry: dict[str, Any]
    """The tenant's entry in mappings.yaml; edit it, and the next run reads it so."""

    def uses(self, code: str, quantity: Quantity, **options: Unpack[RowOptions]) -> None:
        """Use so much this month, instead of what was said before."""
        self.stops(code)
        self.adds(code, quantity, **options)

    def adds(self, code: str, quantity: Quantity, **options: Unpack[RowOptions]) -> None:
        """Add one more row of usage."""
        if not isinstance(quantity, int):
            options["wire"] = {"billableQuantity": quantity} | dict(options.get("wire", {}))
            quantity = 1
        self.msp.world.use(self.msp.period, self.tenant, code, quantity, **options)

    def stops(self, code: str | None = None) -> None:
        """Have no row of this product, or of any, this month."""
        self.msp.world.stop_using(self.msp.period, self.tenant, code)

    def has(self, item: str, quantity: Quantity, **options: Unpack[AdditionOptions]) -> Addition:
        """Have a line that a person made on the screen."""
        made = self.msp.item(item)
        return self.msp.world.add_addition(self.agreement.id, made.id, quantity, **options)

    def lines(self, item: str = ENDPOINT) -> list[Addition]:
        """Return the live lines of an item."""
        return self.msp.world.live_additions(self.agreement.id, self.msp.item(item).id)

    def line(self, item: str = ENDPOINT) -> Addition:
        """Return the one live line of an item."""
        (line,) = self.lines(item)
        return line

    @property
    def bills(self) -> dict[str, Quantity | None]:
        """What is billed, by item; no item may be billed on two live lines."""
        live = self.msp.world.live_additions(self.agreement.id)
        doubled = [item for item, count in Counter(line.item_id for line in live).items() if count > 1]
        assert not doubled, f"items {doubled} are billed twice"
        return {self.msp.world.items[line.item_id].identifier: line.quantity for line in live}


@dataclass
class Msp:
    """A world, the month it is in, and the mappings.yaml that bills it."""

    world: World
    period: str = "2026-10"
    mappings: dict[str, Any] = field(default_factory=lambda: {"version": 1, "products": {}, "tenants": {}})

    def maps(self, code: str, item: str | int | None = None, **said: Any) -> None:
        """Say in mappings.yaml what a product is billed as; ConnectWise has the item from then on."""
        if isinstance(item, str):
            self.item(item)
        self.mappings["products"][code] = ({} if item is None else {"item": item}) | said

    def item(self, identifier: str) -> Item:
        """Return a catalog item, made if it is new."""
        known = [item for item in self.world.items.values() if item.identifier == identifier]
        return known[0] if known else self.world.add_item(identifier, identifier.title())

    def customer(
        self,
        name: str,
        uses: Mapping[str, Quantity] | None = None,
        *,
        mapped: bool = True,
        **agreement: Unpack[AgreementOptions],
    ) -> Customer:
        """Win a customer with a company and an agreement, and map it."""
        tenant = self.world.add_tenant(f"{name} Ltd")
        company = self.world.add_company(name, f"{name} Limited")
        made = self.world.add_agreement(company.id, "Managed Security", **agreement)
        entry = {"name": name, "company": name, "agreement": made.name}
        if mapped:
            self.mappings["tenants"][tenant.id] = entry
        customer = Customer(self, tenant.id, company, made, entry)
        for code, quantity in (uses or {}).items():
            customer.uses(code, quantity)
        return customer

    def customers(self, count: int, code: str = "CIXA-MSP", quantity: int = 10) -> list[Customer]:
        """Win many customers alike."""
        return [self.customer(f"Customer{number:02}", {code: quantity}) for number in range(count)]

    def firewall(self, serial: str, code: str, **options: Unpack[FirewallOptions]) -> None:
        """Register a firewall whose monthly licence is used this month, by its serial number alone."""
        self.world.add_firewall(serial, "XGS 107", code, **options)
        self.world.use(self.period, None, code, 1, serial=serial)

    def next_month(self) -> None:
        """Let a month pass in which everybody uses what they used before."""
        year, month = (int(part) for part in self.period.split("-"))
        rows = list(self.world.rows(self.period))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        self.period = f"{year}-{month:02}"
        for row in rows:
            options: RowOptions = {"wire": row.wire, "external_id": row.external_id}
            if row.account_id is None:
                options |= {"serial": row.serial_or_account}
            self.world.use(self.period, row.account_id, row.product.code, row.quantity, **options)
        self.world.advance(date(year, month, min(28, calendar.monthrange(year, month)[1])))

    def text(self) -> str:
        """Return mappings.yaml."""
        return yaml.safe_dump(self.mappings, sort_keys=False)
