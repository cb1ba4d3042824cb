"""A world of any size, all mapped and in order: for rehearsals and for measuring."""

import random
from datetime import date
from decimal import Decimal
from typing import Literal

from .connectwise_records import Agreement
from .mapping_text import ProductDecision, TenantDecision
from .sophos_records import SophosProduct, Tenant
from .world import World

LAST_MONTH, THIS_MONTH = (2026, 9), (2026, 10)
FIREWALL = "DEMO-XGS107-XSP-MSP"

_PRODUCTS: tuple[tuple[str, str, Literal["User", "Server", "Device"], str], ...] = (
    ("CIXA-MSP", "Sophos Endpoint - User", "User", "2.10"),
    ("SVRCLOUDADV-MSP", "Sophos Endpoint - Server", "Server", "5.25"),
    ("CIXAMTR-ADV-MSP", "Sophos MDR Complete - User", "User", "7.00"),
    ("SVRCIXAMTR-ADV-MSP", "Sophos MDR Complete - Server", "Server", "14.00"),
    ("CIXAMTR-STD-MSP", "Sophos MDR Essentials - User", "User", "4.20"),
    ("SVRCIXAMTR-STD-MSP", "Sophos MDR Essentials - Server", "Server", "8.40"),
    ("CEMA-MSP", "Sophos Email Advanced - User", "User", "1.75"),
    ("CEMA-PE-ADDON-MSP", "Sophos Email Portal Encryption - User", "User", "0.35"),
    ("CDE-MSP", "Sophos Device Encryption - User", "User", "0.70"),
    ("CMA-MSP", "Sophos Mobile Advanced - User", "User", "1.40"),
    ("NDR-MSP", "Sophos Network Detection and Response", "Server", "21.00"),
    (FIREWALL, "XGS 107 Xstream Protection", "Device", "42.00"),
)
_FIRST = (
    "Amber", "Bright", "Cobalt", "Delta", "Ember", "Falcon", "Granite", "Harbour",
    "Indigo", "Keystone", "Lakeside", "Meadow", "Nordic", "Orchard", "Pioneer", "Quarry",
)  # fmt: skip
_SECOND = (
    "Architects", "Bakery", "Clinic", "Dental", "Engineering", "Foods", "Garage", "Holdings",
    "Insurance", "Joinery", "Kennels", "Legal", "Motors", "Optics", "Pharmacy", "Schools",
)  # fmt: skip


def generated_world(tenants: int, seed: int = 0, *, lines: int | None = None) -> World:
    """Build a world of that many tenants on 28 October 2026, the same for the same seed.

    With `lines`, from 2 to 11, each tenant uses exactly so many products, firewalls included.
    """
    world = World(seed, date(2026, 10, 28))
    chance = random.Random(seed)  # noqa: S311  repeatable data, not a secret
    for code, name, group, price in _PRODUCTS:
        unit_price = Decimal(price)
        world.add_product(
            SophosProduct(
                code,
                name,
                group,
                f"DEMO-{code}",
                unit_price,
                (unit_price / Decimal("0.7")).quantize(unit_price),
            )
        )
        item = world.add_item(
            f"SOPHOS-{code.removesuffix('-MSP')}", name, price=(unit_price * 2), cost=unit_price
        )
        world.decisions.products[code] = ProductDecision(name, item.identifier)
    desktop = world.add_item("MANAGED-DESKTOP", "Managed desktop", price=Decimal(45), cost=Decimal(12))
    codes = [product[0] for product in _PRODUCTS[:-1]]
    for number in range(1, tenants + 1):
        tenant, agreement = _add_customer(world, chance, number)
        with_firewall = number % 5 < 2  # as many as by chance
        of_the_tenant = chance.randint(6, 9) if lines is None else lines - with_firewall
        chosen = chance.sample(codes, of_the_tenant)
        tenant.products = tuple(sorted(chosen, key=codes.index))
        for code in tenant.products:
            _use_both_months(world, chance, tenant, code)
        if with_firewall if lines is not None else chance.random() < 0.4:
            _add_firewall(world, tenant, number)
        if number % 2:
            world.add_addition(agreement.id, desktop.id, chance.randint(1, 60))
    return world


def _add_customer(world: World, chance: random.Random, number: int) -> tuple[Tenant, Agreement]:
    """Add a tenant, its company and agreement, and map them."""
    name = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {number}"
    tenant = world.add_tenant(name)
    company = world.add_company(f"{name.replace(' ', '')}", name)
    agreement = world.add_agreement(
        company.id, "Managed Security", bill_start=date(2025, 1, 1), invoiced_through=date(2026, 8, 31)
    )
    world.decisions.tenants[tenant.id] = TenantDecision(name, company.identifier, "Managed Security")
    return tenant, agreement


def _use_both_months(world: World, chance: random.Random, tenant: Tenant, code: str) -> None:
    """Add last month's row and this month's, which differs by a tenth at most."""
    before = chance.randint(1, 120)
    world.use(LAST_MONTH, tenant.id, code, before)
    world.use(THIS_MONTH, tenant.id, code, max(1, before + chance.randint(-before // 10, before // 10)))


def _add_firewall(world: World, tenant: Tenant, number: int) -> None:
    """Add a firewall assigned to the tenant, billed by serial number in both months."""
    serial = f"X1GEN{number:05}DEMO01"
    world.add_firewall(serial, "XGS 107", FIREWALL, tenant=tenant.id, billing_tenant=tenant.id)
    for period in (LAST_MONTH, THIS_MONTH):
        world.use(period, None, FIREWALL, 1, serial=serial)
