"""A world with one of everything that can be wrong between usage, the ledger and ConnectWise, and no more.

October 2026 has been billed and Sophos has corrected it once since; in the first days of November people are
at work in ConnectWise and in the map. What is right there is as telling as what is wrong.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from .connectwise_records import Addition, Agreement
from .discrepancies_cast import (
    BRANCHES,
    CUSTOMERS,
    EMAIL,
    ENCRYPTION,
    ENDPOINT,
    ITEMS,
    MDR,
    MDR_SERVER,
    MOBILE,
    NDR,
    NEW_MOBILE,
    PHISH,
    PRODUCTS,
    SERVER,
    SPARE,
    VIRTUAL,
    XGS,
)
from .mapping_text import Exceptional, ProductDecision, TenantDecision
from .rehearsal import Act, Where
from .sophos_records import SophosProduct
from .world import World

SEPTEMBER, OCTOBER = (2026, 9), (2026, 10)
INVOICED, CORRECTED, AT_WORK = date(2026, 10, 1), date(2026, 10, 30), date(2026, 11, 2)


@dataclass(frozen=True, slots=True)
class _Customer:
    """A customer on both sides."""

    tenant_id: str
    agreement: Agreement


def discrepancies_world(seed: int = 0) -> World:
    """Build the world on 28 September 2026; its acts lead up to 3 November, when it has all of its faults."""
    world = World(seed, date(2026, 9, 28))
    _Story(world).begin()
    return world


class _Story:
    """Tells what happens to the customers of one world, and notes what is wrong from then on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.customers: dict[str, _Customer] = {}
        self.item_ids: dict[str, int] = {}
        """What `products:` bills each code as."""

    def begin(self) -> None:
        """Set both sides up, and arrange for all that happens later."""
        self.add_products()
        for name, uses in CUSTOMERS.items():
            self.customers[name] = self.add_customer(name, uses)
        for name, (branch, quantity) in BRANCHES.items():
            tenant = self.world.add_tenant(branch)
            agreement = self.customers[name].agreement
            self.map_tenant(tenant.id, branch, agreement)
            self.use(tenant.id, ENDPOINT, quantity)
            self.customers[branch] = _Customer(tenant.id, agreement)
        self.add_firewalls()
        self.decide()
        self.world.on(INVOICED, self.september_is_invoiced)
        self.world.on(CORRECTED, self.sophos_corrects_october)
        self.world.on(AT_WORK, self.people_work_in_connectwise)
        self.world.on(AT_WORK, self.people_edit_the_map)
        self.world.acts += [
            Act(date(2026, 9, 28), ("sync",)),
            Act(date(2026, 10, 28), ("sync",)),
            # The corrected month has usage that nobody has placed yet.
            Act(CORRECTED, ("sync", "2026-10", "--restate"), exit_code=3),
            Act(date(2026, 11, 3)),
        ]

    def add_products(self) -> None:
        """Fill Sophos's price list and the catalog, and say what is billed as what."""
        for identifier, description, price, cost in ITEMS:
            self.world.add_item(identifier, description, price=Decimal(price), cost=Decimal(cost))
        for code, name, group, unit_price, item in PRODUCTS:
            paid = Decimal(unit_price)
            listed = (paid / Decimal("0.7")).quantize(paid)
            self.world.add_product(SophosProduct(code, name, group, f"DEMO-{code}", paid, listed))
            if item is not None:
                self.world.decisions.products[code] = ProductDecision(name, item)
                self.item_ids[code] = self.world.item_named(item).id
        self.world.decisions.products[PHISH] = ProductDecision(
            "Sophos Phish Threat - User", sync=False, note="comes free with e-mail protection"
        )

    def add_customer(self, name: str, uses: dict[str, int]) -> _Customer:
        """Add a tenant with its usage of both months, its company and agreement, and map it."""
        tenant = self.world.add_tenant(name, products=tuple(uses))
        company = self.world.add_company(name.replace(" ", ""), name)
        agreement = self.world.add_agreement(
            company.id,
            "Managed Security",
            bill_start=date(2025, 1, 1),
            invoiced_through=date(2026, 8, 31),
            currency="EUR" if name == "Spruce Energie" else "USD",
        )
        self.map_tenant(tenant.id, name, agreement)
        for code, quantity in uses.items():
            self.use(tenant.id, code, quantity)
        return _Customer(tenant.id, agreement)

    def map_tenant(self, tenant_id: str, name: str, agreement: Agreement) -> None:
        """Send a tenant's usage to an agreement."""
        company = self.world.companies[agreement.company_id]
        self.world.decisions.tenants[tenant_id] = TenantDecision(name, company.identifier, agreement.name)

    def use(self, tenant_id: str, code: str, quantity: int) -> None:
        """Use so much in October, and a tenth less in September."""
        self.world.use(SEPTEMBER, tenant_id, code, quantity - quantity // 10)
        self.world.use(OCTOBER, tenant_id, code, quantity)

    def add_firewalls(self) -> None:
        """Add a firewall that Sophos places, and one that only the map does."""
        alder, dogwood = self.customers["Alder Dental"], self.customers["Dogwood Clinics"]
        serial, virtual = "X1A7DEMOALDER01", "C01DEMOVIRT0003"
        self.world.add_firewall(
            serial, "XGS 107", XGS, tenant=alder.tenant_id, billing_tenant=alder.tenant_id
        )
        self.world.add_firewall(virtual, "SF SW/Virtual", VIRTUAL, virtual=True, billing_tenant_sent=False)
        self.world.decisions.firewalls[virtual] = dogwood.tenant_id
        for period in (SEPTEMBER, OCTOBER):
            self.world.use(period, None, XGS, 1, serial=serial)
            self.world.use(period, None, VIRTUAL, 1, serial=virtual)

    def decide(self) -> None:
        """Say what is off, and what else stands on agreements that the connector must leave alone."""
        tenants = self.world.decisions.tenants
        zelkova, dogwood = self.customers["Zelkova Schools"], self.customers["Dogwood Clinics"]
        tenants[zelkova.tenant_id].sync = False
        tenants[zelkova.tenant_id].note = "pays a fixed price"
        tenants[dogwood.tenant_id].products[ENCRYPTION] = Exceptional(sync=False)
        tenants[self.customers["Poplar Care"].tenant_id].products[MDR_SERVER] = Exceptional(sync=False)
        desktop = self.world.item_named("MANAGED-DESKTOP")
        self.world.add_addition(self.customers["Birch Legal"].agreement.id, desktop.id, 45)

    # What happens later ----------------------------------------------------------------------------

    def september_is_invoiced(self) -> None:
        """Send September's invoices out, as every month."""
        for agreement in self.world.agreements.values():
            agreement.invoiced_through = date(2026, 9, 30)

    def sophos_corrects_october(self) -> None:
        """Add to the month what was missing: a product, a tenant, a firewall, and a code by its new name."""
        wrong = self.world.wrong
        larch = self.customers["Larch Accounting"].tenant_id
        self.world.use(OCTOBER, larch, NDR, 1)
        wrong["UNMAPPED_PRODUCT"] = Where(tenants=(larch,), product_codes=(NDR,))

        maple = self.world.add_tenant("Maple Motors", products=(ENDPOINT,))
        company = self.world.add_company("MapleMotors", "Maple Motors")
        self.world.add_agreement(company.id, "Managed Security", invoiced_through=date(2026, 9, 30))
        self.world.use(OCTOBER, maple.id, ENDPOINT, 5)
        wrong["UNMAPPED_TENANT"] = Where(tenants=(maple.id,), product_codes=(ENDPOINT,))

        self.world.add_firewall(SPARE, "XGS 107", XGS)
        self.world.use(OCTOBER, None, XGS, 1, serial=SPARE)
        wrong["FIREWALL_UNASSIGNED"] = Where(serial=SPARE, product_codes=(XGS,))

        moved = tuple(self.customers[name] for name in ("Nutmeg Foods", "Olive Travel"))
        for each in moved:
            (row,) = self.world.rows(OCTOBER, each.tenant_id, MOBILE)
            self.world.stop_using(OCTOBER, each.tenant_id, MOBILE)
            self.world.use(OCTOBER, each.tenant_id, NEW_MOBILE, row.quantity)
        mobile = self.item_ids[MOBILE]
        wrong["SUSPECTED_SUCCESSOR"] = Where(
            tenants=tuple(each.tenant_id for each in moved),
            product_codes=(MOBILE, NEW_MOBILE),
            item_id=mobile,
            additions=tuple(line.id for line in self.world.live_additions(item_id=mobile)),
        )

    def people_work_in_connectwise(self) -> None:
        """Edit, end, double, delete and invoice lines, each where it is wrong; and include what is right."""
        world, wrong = self.world, self.world.wrong
        self.line("Elm Foundry").less_included = Decimal(5)  # included is not unbilled: this is right

        edited = self.note("HAND_EDITED", "Kapok Studios", ENDPOINT)
        edited.quantity = Decimal(10)
        world.touch(edited)

        ended = self.note("ENDED_BY_HAND", "Juniper Trust", ENDPOINT)
        ended.cancelled = date(2026, 10, 31)
        world.touch(ended)

        line = self.line("Willow Weddings")
        copy = world.add_addition(line.agreement_id, line.item_id, 14, serial_number=line.serial_number)
        wrong["DUPLICATE_ADDITIONS"] = self.where("Willow Weddings", ENDPOINT, line.id, copy.id)

        del world.additions[self.line("Hazel Property", EMAIL).id]
        wrong["NO_ADDITION"] = self.where("Hazel Property", EMAIL)

        self.note("PRICE_ZERO", "Upas Botanics", ENDPOINT).unit_price = Decimal(0)
        self.note("MARGIN_NEGATIVE", "Tamarisk Spa", ENDPOINT).unit_price = Decimal("1.90")
        self.note("CURRENCY_MISMATCH", "Spruce Energie", ENDPOINT)

        self.note("AGREEMENT_INACTIVE", "Quince Events", ENDPOINT)
        quince = self.customers["Quince Events"].agreement
        quince.cancelled, quince.cancelled_on = True, date(2026, 10, 31)

        self.note("NOT_CHECKED", "Yew Solicitors", ENDPOINT)
        world.additions_hidden.add(self.customers["Yew Solicitors"].agreement.id)

        renamed = world.rename_item(self.item_ids[SERVER], "SOPHOS-SERVER-PROTECTION")
        wrong["RENAMED"] = Where(item_id=renamed.id)

        rowan = self.customers["Rowan Builders"].tenant_id
        (row,) = world.rows(OCTOBER, rowan, ENDPOINT)
        row.quantity = row.actual = 23  # Sophos corrects a row that is billed already
        self.note("RESTATED", "Rowan Builders", ENDPOINT)

    def people_edit_the_map(self) -> None:
        """Turn usage off and on again, and bill a product as another one than before."""
        tenants = self.world.decisions.tenants
        fir = tenants[self.customers["Fir Bakery"].tenant_id]
        fir.products[ENCRYPTION] = Exceptional(item="SOPHOS-ENDPOINT")
        self.note("ORPHAN_ADDITION", "Fir Bakery", ENCRYPTION)
        self.note("UNDER_BILLED", "Fir Bakery", ENDPOINT, ENCRYPTION)

        tenants[self.customers["Gorse Media, London"].tenant_id].sync = False
        self.note("OVER_BILLED", "Gorse Media", ENDPOINT)

        ivy = tenants[self.customers["Ivy Logistics"].tenant_id]
        ivy.products[EMAIL] = Exceptional(sync=False)
        self.note("OFF_STILL_BILLING", "Ivy Logistics", EMAIL)

        # What the servers add to the bundle comes too late: the agreement is invoiced ahead, and it is out.
        poplar = self.customers["Poplar Care"]
        del tenants[poplar.tenant_id].products[MDR_SERVER]
        poplar.agreement.invoiced_through = date(2026, 11, 30)
        self.note("PERIOD_CLOSED", "Poplar Care", MDR, MDR_SERVER)

    # Where it is -------------------------------------------------------------------------------------

    def line(self, name: str, code: str = ENDPOINT) -> Addition:
        """Return the one live line that bills a customer's product."""
        agreement = self.customers[name].agreement
        (line,) = self.world.live_additions(agreement.id, self.item_ids[code])
        return line

    def where(self, name: str, code: str, *additions: int) -> Where:
        """Say where a customer's product is billed."""
        agreement = self.customers[name].agreement
        sharing = (each.tenant_id for each in self.customers.values() if each.agreement is agreement)
        return Where(
            tenants=tuple(sharing),
            product_codes=(code,),
            agreement_id=agreement.id,
            item_id=self.item_ids[code],
            additions=additions,
        )

    def note(self, wrong: str, name: str, code: str, *more: str) -> Addition:
        """Write down that something is wrong with the line of a customer's product, and return it."""
        line = self.line(name, code)
        self.world.wrong[wrong] = replace(self.where(name, code, line.id), product_codes=(code, *more))
        return line
