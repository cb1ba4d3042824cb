"""Builds a month of a small MSP from values, for tests of the pure core."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from connector.model import (
    Addition,
    Agreement,
    CatalogItem,
    Company,
    Defaults,
    Firewall,
    GuardLimits,
    Key,
    Mappings,
    Period,
    ProductEntry,
    ProductException,
    TenantEntry,
    Unattended,
    UsageRow,
)
from connector.planning.change import Change, KnownAddition, Plan, mark_of
from connector.planning.directory import Directory, Name
from connector.planning.findings import Options, Part
from connector.planning.plan import Inputs, make_plan
from connector.planning.pricing import Worths
from connector.planning.resolve import Placer, resolve
from connector.planning.tenant_finder import TenantFinder
from connector.planning.uncounted import Uncounted

OCTOBER = Period(2026, 10)
TODAY = date(2026, 10, 28)
ALDER, BIRCH, STRANGER = "alder-id", "birch-id", "stranger-id"
ENDPOINT, EMAIL = 48, 49
ALDER_AGREEMENT, BIRCH_AGREEMENT = 118, 204
ALDER_ENDPOINT = Key(ALDER_AGREEMENT, ENDPOINT)
BIRCH_ENDPOINT = Key(BIRCH_AGREEMENT, ENDPOINT)
NOBODY: Mapping[tuple[str, str], object] = {}


@dataclass
class Month:
    """Two mapped tenants, Alder and Birch; CIXA-MSP and CEMA-MSP are mapped, CPHISH-MSP is off."""

    products: dict[str, ProductEntry] = field(
        default_factory=lambda: {
            "CIXA-MSP": ProductEntry("Endpoint", "SOPHOS-ENDPOINT"),
            "CEMA-MSP": ProductEntry("Email", "SOPHOS-EMAIL"),
            "CPHISH-MSP": ProductEntry("Phish Threat", sync=False),
        }
    )
    tenants: dict[str, TenantEntry] = field(
        default_factory=lambda: {
            ALDER: TenantEntry("Alder", "AlderDental", "Managed Security"),
            BIRCH: TenantEntry("Birch", "BirchLegal", "Managed Security"),
        }
    )
    mapped_firewalls: dict[str, str] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    guards: GuardLimits = field(default_factory=GuardLimits)
    companies: list[Company] = field(
        default_factory=lambda: [Company(1, "AlderDental"), Company(2, "BirchLegal")]
    )
    agreements: list[Agreement] = field(
        default_factory=lambda: [
            Agreement(ALDER_AGREEMENT, "Managed Security", 1),
            Agreement(BIRCH_AGREEMENT, "Managed Security", 2),
        ]
    )
    items: list[CatalogItem] = field(
        default_factory=lambda: [CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT"), CatalogItem(EMAIL, "SOPHOS-EMAIL")]
    )
    rows: list[UsageRow] = field(default_factory=list)
    firewalls: list[Firewall] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    known: dict[int, KnownAddition] = field(default_factory=dict)
    remembered: dict[Name, int] = field(default_factory=dict)
    newest_applied: Period | None = None
    source: str = "sophos-api"
    applied_source: str | None = None
    uncounted: Uncounted = field(default_factory=Uncounted)
    unattended: Unattended = field(default_factory=Unattended)
    approved: frozenset[str] = frozenset()
    today: date = TODAY
    learned: dict[Name, int] = field(default_factory=dict)

    def uses(self, tenant_id: str | None, code: str, quantity: object, **said: Any) -> "Month":
        """Add a row of usage."""
        self.rows.append(UsageRow(code, Decimal(str(quantity)), tenant_id, **said))
        return self

    def bills(self, key: Key, quantity: object, *, addition_id: int = 9001, **said: Any) -> "Month":
        """Add a line that people made."""
        self.additions.append(Addition(addition_id, *key, Decimal(str(quantity)), **said))
        return self

    def manages(
        self,
        key: Key,
        quantity: object,
        fed: Mapping[tuple[str, str], object] = NOBODY,
        *,
        addition_id: int = 9001,
        serials: tuple[str, ...] = (),
        ended: date | None = None,
        **said: Any,
    ) -> "Month":
        """Add a line of ours that the ledger knows, and who fed it when it was last written."""
        self.bills(key, quantity, addition_id=addition_id, serial_number=mark_of(key), **said)
        parts = tuple(Part(*pair, Decimal(str(part)), serials) for pair, part in fed.items())
        self.known[addition_id] = KnownAddition(addition_id, key, Decimal(str(quantity)), parts, ended)
        return self

    def lose_state(self) -> "Month":
        """Forget all that the ledger knew."""
        self.known.clear()
        self.remembered.clear()
        return self

    def maps(self, tenant_id: str, **said: Any) -> "Month":
        """Change what the map says of a tenant."""
        self.tenants[tenant_id] = replace(self.tenants.get(tenant_id, TenantEntry()), **said)
        return self

    def excepts(self, tenant_id: str, code: str, **said: Any) -> "Month":
        """Give a tenant an exception."""
        entry = self.tenants[tenant_id]
        return self.maps(tenant_id, products={**entry.products, code: ProductException(**said)})

    def placer(self) -> Placer:
        """Return the map beside ConnectWise's records."""
        mappings = Mappings(
            self.defaults,
            self.guards,
            self.products,
            self.tenants,
            self.mapped_firewalls,
            unattended=self.unattended,
        )
        directory = Directory(
            companies=self.companies,
            agreements=self.agreements,
            items=self.items,
            remembered=self.remembered,
            today=self.today,
        )
        return Placer(mappings, directory)

    def plan(self, **options: Any) -> Plan:
        """Plan October."""
        placer = self.placer()
        directory = placer.directory
        known_tenants = {ALDER, BIRCH, *self.tenants}
        finder = TenantFinder(known_tenants, self.mapped_firewalls, self.firewalls)
        names = {tenant_id: entry.name for tenant_id, entry in self.tenants.items()}
        wanted = placer.agreement_ids() | {each.key.agreement_id for each in self.known.values()}
        there = wanted & directory.agreements.keys()
        worth = Worths()
        plan = make_plan(
            Inputs(
                period=OCTOBER,
                source=self.source,
                today=self.today,
                resolved=resolve(self.rows, finder, placer, names, also=worth.add),
                placer=placer,
                additions={
                    agreement: tuple(each for each in self.additions if each.agreement_id == agreement)
                    for agreement in there
                },
                known=self.known,
                options=Options(**options),
                names=names,
                newest_applied=self.newest_applied,
                applied_source=self.applied_source,
                uncounted=self.uncounted,
                approved=self.approved,
                worth=worth.by_pair(),
            )
        )
        self.learned = directory.learned
        return plan

    def change(self, **options: Any) -> Change:
        """Plan October and return its only change."""
        (change,) = self.plan(**options).changes
        return change


def told(plan: Plan) -> list[tuple[str, str | None]]:
    """Return code and serial, or code and product, of what is unresolved."""
    return [(entry.code, entry.serial or entry.product_code) for entry in plan.unresolved]


def warned(plan: Plan) -> list[str]:
    """Return the codes of the warnings."""
    return [warning.code for warning in plan.warnings]
