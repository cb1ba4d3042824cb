"""The demo's world: a dozen made-up customers in September and October 2026, each with a story.

Every quirk that the checklists of both references ask for happens to one of them.
"""

from datetime import date
from decimal import Decimal

from .connectwise_records import Agreement
from .mapping_text import Exceptional, ProductDecision, TenantDecision
from .sophos_records import Contact, Licence, SophosProduct
from .world import World

SEPTEMBER, OCTOBER = (2026, 9), (2026, 10)

ALDER = "223c98b5-d39e-4c60-afde-892a53de496c"
BIRCH = "1bdf30ea-cce4-4818-ab98-94fe4e9764f2"
CEDAR = "1dca2f02-34c1-4759-a5bc-4f83350aa2fa"
DOGWOOD = "fa3dee11-4057-421c-a580-9e78aa01f619"
ELM = "aed9a6a2-22c5-4840-a1b5-150677a31aa3"
FICHTE = "e54d59d2-e2b9-4f74-a153-92641288e62f"
GORSE = "da0857f9-2f04-4d16-ae76-03781ae0ba6c"
HAZEL_DUBLIN = "5a0f2c7e-6b1d-4c39-8f52-0d9e7a41b6c8"
HAZEL_LONDON = "c3d87b40-91ae-4f06-b7e5-2a6f18d0c593"
IVY = "7e94b1d2-3c58-4a6f-92d0-b85f6e17a3c4"
JUNIPER = "0b6c5f93-a27d-4e81-8c34-f19d02e7b5a6"
KAPOK = "96e1d3a8-54f7-4b20-a9c6-3f7b80d2e415"
LARCH = "48d2a7f6-0e9b-4c13-b5a8-61c4f3097d2e"

XGS, VIRTUAL = "DEMO-XGS107-XSP-MSP", "DEMO-SW2C4-XSP-MSP"

_PRODUCTS = (
    # code, name, group, sku, price, list price
    ("CIXA-MSP", "Sophos Endpoint - User", "User", "DEMO-EPUSR-B3", "2.10", "3.00"),
    ("SVRCLOUDADV-MSP", "Sophos Endpoint - Server", "Server", "DEMO-EPSRV-B1", "5.25", "7.50"),
    ("CIXAMTR-ADV-MSP", "Sophos MDR Complete - User", "User", "DEMO-MDRUSR-B2", "7.00", "10.00"),
    ("SVRCIXAMTR-ADV-MSP", "Sophos MDR Complete - Server", "Server", "DEMO-MDRSRV-B1", "14.00", "20.00"),
    ("CEMA-MSP", "Sophos Email Advanced - User", "User", "DEMO-EMAIL-B1", "1.75", "2.50"),
    ("CPHISH-MSP", "Sophos Phish Threat - User", "User", "DEMO-PHISH-B2", "0.00", "0.00"),
    ("CDE-MSP", "Sophos Device Encryption - User", "User", "DEMO-DENC-B1", "0.70", "1.00"),
    ("NDR-MSP", "Sophos Network Detection and Response", "Server", "DEMO-NDR-B1", "21.00", "30.00"),
    (XGS, "XGS 107 Xstream Protection", "Device", "DEMO-XGS107-XSP", "42.00", "60.00"),
    (
        VIRTUAL,
        "SF SW/Virtual Xstream Protection - UP TO 2 CORES & 4GB RAM",
        "Device",
        "DEMO-SW2C4-XSP",
        "28.00",
        "40.00",
    ),
)
_ITEMS = (
    # identifier, description, price, cost
    ("SOPHOS-ENDPOINT", "Endpoint protection, per user", "4.50", "2.10"),
    ("SOPHOS-SERVER", "Endpoint protection, per server", "11.00", "5.25"),
    ("SOPHOS-MDR", "Managed detection and response, per device", "16.00", "8.40"),
    ("SOPHOS-EMAIL", "E-mail protection, per mailbox", "3.50", "1.75"),
    ("SOPHOS-ENCRYPTION", "Disk encryption, per user", "1.50", "0.70"),
    ("SOPHOS-XGS107", "Firewall XGS 107 with protection", "75.00", "42.00"),
    ("SOPHOS-VFW", "Virtual firewall with protection", "52.00", "28.00"),
    ("IVY-EDR", "Endpoint protection, Ivy Logistics contract", "3.90", "2.10"),
    ("MANAGED-DESKTOP", "Managed desktop", "45.00", "12.00"),
    ("BACKUP-CLOUD", "Cloud backup, per 100 GB", "8.00", "3.00"),
)


def small_world(seed: int = 0) -> World:
    """Build the demo's world on 28 September 2026; the seed changes only ids of answers and credentials."""
    world = World(seed, date(2026, 9, 28))
    for code, name, group, sku, price, list_price in _PRODUCTS:
        world.add_product(SophosProduct(code, name, group, sku, Decimal(price), Decimal(list_price)))  # type: ignore[arg-type]
    _add_tenants(world)
    _add_firewalls(world)
    _add_connectwise(world)
    _add_september(world)
    _add_october(world)
    world.on(date(2026, 10, 1), lambda: _october_begins(world))
    return world


def _add_tenants(world: World) -> None:
    world.add_tenant(
        "Alder Dental Group",
        id=ALDER,
        products=("CIXA-MSP", "SVRCLOUDADV-MSP", "CEMA-MSP", "CDE-MSP"),
        contact=Contact("Ada", "Alder", "it@alder-dental.example"),
    )
    world.add_tenant(
        "Birch & Sons Legal LLP",
        id=BIRCH,
        show_as="Birch Legal (HQ)",
        geography="US",
        region="us03",
        products=("CIXAMTR-ADV-MSP", "SVRCIXAMTR-ADV-MSP", "CPHISH-MSP"),
        contact=Contact(
            "Ben", "Birch", "admin@birchlegal.example", "200 Court Road", "Albany", "US", "12207", "NY"
        ),
    )
    world.add_tenant("Cedar Freight", id=CEDAR, billing_type="trial", geography="US", region="us03")
    world.add_tenant(
        "Dogwood Clinics",
        id=DOGWOOD,
        billing_type="term",
        geography="DE",
        region="eu02",
        managed=False,
        organization_id="b05a6b72-1364-4111-a030-e9afe75f0e53",
    )
    world.add_tenant("Elm Foundry", id=ELM, status="suspended", products=("CIXA-MSP",))
    world.add_tenant(
        "Bäckerei Fichte GmbH",
        id=FICHTE,
        geography="DE",
        region="eu02",
        with_api_host=False,
        products=("CIXA-MSP", "SVRCLOUDADV-MSP", "CDE-MSP"),
    )
    world.add_tenant("Hazel Property", id=HAZEL_DUBLIN, products=("CIXA-MSP", "CEMA-MSP"))
    # Two tenants of one name, this one with a trailing blank: names never decide.
    world.add_tenant("Hazel Property ", id=HAZEL_LONDON, show_as="Hazel Property", products=("CIXA-MSP",))
    world.add_tenant("Ivy Logistics", id=IVY, products=("CIXA-MSP", "NDR-MSP"))
    world.add_tenant("Juniper Schools Trust", id=JUNIPER, products=("CIXA-MSP",))
    world.add_tenant("Kapok Studios", id=KAPOK, products=("CIXA-MSP",))
    world.add_tenant(
        "Larch Accounting",
        id=LARCH,
        products=("CIXA-MSP", "SVRCLOUDADV-MSP"),
        contact=Contact("Lena", "Larch", "lena@larch.example", "5 Ledger Lane", "Cork", "IE", "T12 X0X0"),
    )


def _add_firewalls(world: World) -> None:
    world.add_firewall("X1A7DEMOALDER01", "XGS 107", XGS, tenant=ALDER, billing_tenant=ALDER)
    world.add_firewall("X1B6DEMOBIRCH02", "XGS 107", XGS, tenant=BIRCH)
    # The auxiliary device of Birch's pair shows copies of the primary's subscriptions and is never billed.
    world.add_firewall("X1B6DEMOBIRCH03", "XGS 107", XGS, tenant=BIRCH)
    world.firewalls["X1B6DEMOBIRCH02"].licences[0].count = None
    world.add_firewall(
        "C01DEMOVIRT0003", "SF SW/Virtual", VIRTUAL, virtual=True, billing_tenant_sent=False, last_seen=None
    )
    world.add_firewall("X1C7DEMOSPARE04", "XGS 107", XGS)
    term = Licence(
        "DEM4-AAAA-BBBB-CCC1",
        "D590160975",
        "DEMO-XGS87-STD",
        "XGS 87 Standard Protection",
        type="term",
        end="2027-03-13",
        quantity=1,
    )
    world.add_firewall(
        "X1D4DEMODOGWD04", "XGS 87", XGS, tenant=DOGWOOD, billing_tenant_sent=False, licences=[term]
    )


def _add_connectwise(world: World) -> None:
    for identifier, description, price, cost in _ITEMS:
        world.add_item(identifier, description, price=Decimal(price), cost=Decimal(cost), vendor_sku=None)
    world.add_item("SECURITY-BUNDLE", "Security bundle", product_class="Bundle")
    world.add_item("SOPHOS-LEGACY", "Endpoint protection, old platforms", inactive=True, price=Decimal(6))
    for code, identifier in (
        ("CIXA-MSP", "SOPHOS-ENDPOINT"),
        ("SVRCLOUDADV-MSP", "SOPHOS-SERVER"),
        ("CIXAMTR-ADV-MSP", "SOPHOS-MDR"),
        ("SVRCIXAMTR-ADV-MSP", "SOPHOS-MDR"),
        ("CEMA-MSP", "SOPHOS-EMAIL"),
        ("CDE-MSP", "SOPHOS-ENCRYPTION"),
        (VIRTUAL, "SOPHOS-VFW"),
    ):
        note = "two codes, one line on the invoice" if code == "SVRCIXAMTR-ADV-MSP" else None
        world.decisions.products[code] = ProductDecision(world.products[code].name, identifier, note=note)
    world.decisions.products[XGS] = ProductDecision(
        world.products[XGS].name, world.item_named("SOPHOS-XGS107").id, note="by id: SOPHOS-XGS107"
    )
    world.decisions.products["CPHISH-MSP"] = ProductDecision(
        world.products["CPHISH-MSP"].name, sync=False, note="comes free with e-mail protection"
    )

    alder = _customer(world, ALDER, "AlderDental", "Alder Dental Group")
    birch = _customer(world, BIRCH, "BirchLegal", "Birch & Sons Legal LLP")
    _customer(world, ELM, "ElmFoundry", "Elm Foundry")
    _customer(world, FICHTE, "Fichte", "Bäckerei Fichte GmbH")
    _customer(world, GORSE, "GorseMedia", "Gorse Media")
    hazel = _customer(world, HAZEL_DUBLIN, "HazelProp", "Hazel Property")
    world.decisions.tenants[HAZEL_LONDON] = TenantDecision(
        "Hazel Property, London", "HazelProp", hazel.id, note="by id; shared with Dublin"
    )
    ivy = _customer(world, IVY, "IvyLogistics", "Ivy Logistics")
    ivy.start, ivy.bill_start = date(2026, 9, 10), date(2026, 9, 15)
    world.decisions.tenants[IVY].products["CIXA-MSP"] = Exceptional(item="IVY-EDR")
    _customer(world, JUNIPER, "JuniperSchools", "Juniper Schools Trust")
    world.decisions.tenants[JUNIPER] = TenantDecision(
        "Juniper Schools Trust", "JuniperSchools", "Managed Security", sync=False, note="pays a fixed price"
    )
    larch = _customer(world, LARCH, "LarchAccounting", "Larch Accounting")
    world.add_agreement(larch.company_id, "Managed Security", start=date(2023, 1, 1), end=date(2024, 12, 31))
    world.add_agreement(
        birch.company_id, "Managed Security 2024", start=date(2024, 1, 1), end=date(2024, 12, 31)
    )
    northwind = world.add_company("Northwind", "Northwind Traders")
    break_fix = world.add_agreement(northwind.id, "Break-fix")
    world.decisions.firewalls["C01DEMOVIRT0003"] = IVY

    desktop, backup = world.item_named("MANAGED-DESKTOP"), world.item_named("BACKUP-CLOUD")
    world.add_addition(alder.id, desktop.id, 20)
    world.add_addition(alder.id, backup.id, 3, cancelled=date(2026, 6, 30))
    world.add_addition(birch.id, desktop.id, 45, less_included=Decimal(5))
    world.add_addition(break_fix.id, backup.id, Decimal("0.5"))
    # The one line that a person made for something the connector is to bill: it has to be adopted.
    world.add_addition(larch.id, world.item_named("SOPHOS-ENDPOINT").id, 12)


def _customer(world: World, tenant_id: str, identifier: str, name: str) -> Agreement:
    """Add a company with its agreement, invoiced through August, and map the tenant to it."""
    company = world.add_company(identifier, name)
    agreement = world.add_agreement(
        company.id,
        "Managed Security",
        bill_start=date(2025, 1, 1),
        invoiced_through=date(2026, 8, 31),
    )
    world.decisions.tenants[tenant_id] = TenantDecision(name, identifier, agreement.name)
    return agreement


def _add_september(world: World) -> None:
    world.use(SEPTEMBER, ALDER, "CIXA-MSP", 18)
    world.use(SEPTEMBER, ELM, "CIXA-MSP", 7, actual=9)
    world.use(SEPTEMBER, FICHTE, "CIXA-MSP", 31)
    world.use(SEPTEMBER, FICHTE, "CIXA-MSP", 4)
    world.use(SEPTEMBER, HAZEL_DUBLIN, "CIXA-MSP", 9)
    # This row names its tenant only by the second id.
    world.use(SEPTEMBER, HAZEL_LONDON, "CIXA-MSP", 6, account=False, external_id=HAZEL_LONDON)
    world.use(SEPTEMBER, IVY, "CIXA-MSP", 25)
    world.use(SEPTEMBER, JUNIPER, "CIXA-MSP", 60)
    world.use(SEPTEMBER, KAPOK, "CIXA-MSP", 5)
    world.use(SEPTEMBER, LARCH, "CIXA-MSP", 14)
    # Gorse Media left during September: billed a last time, no longer in the tenants list.
    world.use(SEPTEMBER, GORSE, "CIXA-MSP", 3, customer="Gorse Media (moved)")
    world.use(SEPTEMBER, ALDER, "SVRCLOUDADV-MSP", 2)
    world.use(SEPTEMBER, FICHTE, "SVRCLOUDADV-MSP", 1)
    world.use(SEPTEMBER, LARCH, "SVRCLOUDADV-MSP", 2)
    world.use(SEPTEMBER, BIRCH, "CIXAMTR-ADV-MSP", 42)
    world.use(SEPTEMBER, BIRCH, "SVRCIXAMTR-ADV-MSP", 5)
    # An end date that does not exist, as in Sophos's own example.
    world.use(SEPTEMBER, ALDER, "CEMA-MSP", 16, wire={"billingEndDate": "2026-09-31"})
    world.use(SEPTEMBER, HAZEL_DUBLIN, "CEMA-MSP", 9)
    world.use(SEPTEMBER, BIRCH, "CPHISH-MSP", 42)
    world.use(SEPTEMBER, ALDER, "CDE-MSP", 12)
    world.use(SEPTEMBER, FICHTE, "CDE-MSP", 0)
    world.use(SEPTEMBER, IVY, "NDR-MSP", 1)
    _add_firewall_rows(world, SEPTEMBER)


def _add_october(world: World) -> None:
    # Sophos has renamed the product; the code is the same.
    renamed = {"description": "Sophos Endpoint powered by Intercept X - User MSP Monthly - 100-199 USERS"}
    world.use(OCTOBER, ALDER, "CIXA-MSP", 18, description=renamed["description"])
    world.use(OCTOBER, ELM, "CIXA-MSP", 7, description=renamed["description"])
    world.use(OCTOBER, FICHTE, "CIXA-MSP", 37, description=renamed["description"])
    world.use(OCTOBER, HAZEL_DUBLIN, "CIXA-MSP", 9, description=renamed["description"])
    world.use(OCTOBER, HAZEL_LONDON, "CIXA-MSP", 6, description=renamed["description"])
    world.use(OCTOBER, IVY, "CIXA-MSP", 25, description=renamed["description"])
    world.use(OCTOBER, JUNIPER, "CIXA-MSP", 60, description=renamed["description"])
    world.use(OCTOBER, KAPOK, "CIXA-MSP", 6, description=renamed["description"])
    world.use(OCTOBER, LARCH, "CIXA-MSP", 14, description=renamed["description"])
    world.use(OCTOBER, ALDER, "SVRCLOUDADV-MSP", 2)
    world.use(OCTOBER, FICHTE, "SVRCLOUDADV-MSP", 1)
    world.use(OCTOBER, LARCH, "SVRCLOUDADV-MSP", 2)
    world.use(OCTOBER, BIRCH, "CIXAMTR-ADV-MSP", 38)
    world.use(OCTOBER, BIRCH, "SVRCIXAMTR-ADV-MSP", 5)
    world.use(OCTOBER, ALDER, "CEMA-MSP", 16)
    world.use(OCTOBER, ELM, "CEMA-MSP", 7)
    world.use(OCTOBER, HAZEL_DUBLIN, "CEMA-MSP", 9)
    world.use(OCTOBER, BIRCH, "CPHISH-MSP", 38)
    # Alder has no encryption any more: no row, not a row with 0.
    world.use(OCTOBER, FICHTE, "CDE-MSP", 0)
    world.use(OCTOBER, IVY, "NDR-MSP", 1)
    _add_firewall_rows(world, OCTOBER)


def _add_firewall_rows(world: World, period: tuple[int, int]) -> None:
    """Firewalls are billed by serial number alone."""
    for serial, code, customer in (
        ("X1A7DEMOALDER01", XGS, "Alder Dental Group"),
        ("x1b6demobirch02 ", XGS, None),  # written carelessly: serials compare trimmed, in any case
        ("C01DEMOVIRT0003", VIRTUAL, None),
        ("X1C7DEMOSPARE04", XGS, None),
    ):
        world.use(period, None, code, 1, serial=serial, customer=customer)


def _october_begins(world: World) -> None:
    """Alder's firewall is assigned to Elm, where it stays registered at Alder; Elm is active again."""
    world.firewalls["X1A7DEMOALDER01"].billing_tenant = ELM
    world.tenants[ELM].status = "active"
