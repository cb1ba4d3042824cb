"""An MSP's first real month: nothing is mapped, and commands alone bring it to exit 0."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import pytest
from months.calling import Run
from months.msp import Msp

from connector.simulator import Company, World
from connector.simulator.sophos_records import SophosProduct

PERIOD = "2026-10"
BILLED = {f"CODE{number:02}-MSP": f"SOPHOS-{number:02}" for number in range(1, 17)}
"""Product codes for which ConnectWise has an item already, by the item's identifier."""
MADE = {"CODE17-MSP": "XDR-USER", "CODE18-MSP": "XDR-SERVER"}
"""Product codes whose item is made by command, by the identifier it gets."""
UNBILLED = ("CODE19-MSP", "CODE20-MSP")
FIREWALL = "CODE16-MSP"


@dataclass
class Practice:
    """What a person at this MSP knows, and the program does not."""

    alike: dict[str, Company]
    """Tenants whose company has the same name, less the legal form, and one agreement."""
    several: dict[str, Company]
    """Tenants whose company has the same name and two agreements."""
    otherwise: dict[str, Company]
    """Tenants that ConnectWise knows by another name."""
    ours: str
    """Our own tenant, which nobody is billed for."""


@pytest.fixture
def practice(world: World) -> Practice:
    """Forty tenants, twenty product codes, and a firewall that Sophos cannot place."""
    for number in range(1, 21):
        code = f"CODE{number:02}-MSP"
        group: Literal["User", "Device"] = "Device" if code == FIREWALL else "User"
        world.add_product(
            SophosProduct(
                code, f"Sophos Product {number:02}", group, f"SKU{number:02}", Decimal("1.50"), Decimal(2)
            )
        )
    for item in BILLED.values():
        world.add_item(item, f"Sophos product {item[-2:]}")
    made = Practice({}, {}, {}, "")
    for number in range(40):
        name = f"{_name(number)} Ltd"
        tenant = world.add_tenant(name)
        for offset in range(3):
            code = f"CODE{(number + offset * 7) % 20 + 1:02}-MSP"
            if code != FIREWALL:
                world.use(PERIOD, tenant.id, code, number + offset + 1)
        if number == 39:
            made.ours = tenant.id
        elif number >= 36:
            company = world.add_company(f"CLIENT{number}", f"Trading Company {number}")
            world.add_agreement(company.id, "Managed Security")
            made.otherwise[tenant.id] = company
        else:
            company = world.add_company(f"CLIENT{number}", f"{_name(number).upper()}, Limited")
            world.add_agreement(company.id, "Managed Security")
            if number >= 32:
                world.add_agreement(company.id, "Backup")
            (made.several if number >= 32 else made.alike)[tenant.id] = company
    serial = "X1C7SPARE04"
    world.add_firewall(serial, "XGS 107", FIREWALL)
    world.use(PERIOD, None, FIREWALL, 1, serial=serial)
    return made


def _name(number: int) -> str:
    first = ("Amber", "Bright", "Cobalt", "Delta", "Ember", "Falcon", "Granite", "Harbour")
    return f"{first[number % 8]} {('Architects', 'Bakery', 'Clinic', 'Dental', 'Energy')[number // 8]}"


def test_forty_tenants_and_twenty_codes_are_brought_to_exit_0_by_commands_alone(
    practice: Practice, world: World, msp: Msp, run: Run
) -> None:
    run.map_kept = run.catalog_written = True
    assert not (run.folder / "mappings.yaml").exists()

    # What is there, and what must be decided?
    products = run("products").json["products"]
    assert {each["code"] for each in products if each["state"] == "new"} == {*BILLED, *MADE, *UNBILLED}
    tenants = run("tenants", "--state", "new").json["tenants"]
    assert len(tenants) == 40

    # Products: map to items that are there, add two that are not, and decide not to bill two.
    for code, item in BILLED.items():
        assert run("products", "map", code, item.lower()).exit_code == 0
    for code, identifier in MADE.items():
        made = run(
            "products", "add", code, "--identifier", identifier, "--price", "3.20", "--yes",
            "--subcategory", "Sophos", "--type", "Subscription",
        )  # fmt: skip
        assert made.exit_code == 0, made.json
    for code in UNBILLED:
        assert run("products", "off", code).exit_code == 0

    # Tenants: equal names at one go, the others one by one.
    equal = run("tenants", "map", "--accept-exact")
    assert equal.exit_code == 0
    for tenant in practice.several:
        assert run("tenants", "map", tenant).exit_code == 2  # never chosen without a person
    for tenant, company in (practice.several | practice.otherwise).items():
        assert run("tenants", "map", tenant, company.identifier, "Managed Security").exit_code == 0
    assert run("tenants", "off", practice.ours).exit_code == 0

    # A firewall that Sophos cannot place.
    assert run("plan").unresolved == ["FIREWALL_UNASSIGNED"]
    (spare,) = run("firewalls", "--unassigned").json["firewalls"]
    first = next(iter(practice.alike))
    assert run("firewalls", "assign", spare["serial"], first).exit_code == 0

    assert run("mappings", "check").exit_code == 0
    assert run("doctor").exit_code == 0
    planned = run("plan")
    assert planned.exit_code == 0
    done = run("sync", PERIOD)
    assert (done.exit_code, done.json["unresolved"]) == (0, [])
    assert {outcome for _, outcome in done.outcomes} == {"done"}
    assert run("sync").writes == []
    assert billed(world) == used(world, practice, first)


def billed(world: World) -> dict[tuple[int, str], Decimal]:
    """Return what each company is billed, by item."""
    found: dict[tuple[int, str], Decimal] = {}
    for addition in world.additions.values():
        company_id = world.agreements[addition.agreement_id].company_id
        key = (company_id, world.items[addition.item_id].identifier)
        assert key not in found
        found[key] = Decimal(addition.quantity or 0)
    return found


def used(world: World, practice: Practice, firewall_of: str) -> dict[tuple[int, str], Decimal]:
    """Return what each company used of what is billed, worked out from the world alone."""
    companies = practice.alike | practice.several | practice.otherwise
    items = BILLED | MADE
    found: dict[tuple[int, str], Decimal] = {}
    for row in world.rows(PERIOD):
        tenant = row.account_id or firewall_of
        if tenant in companies and row.product.code in items:
            key = (companies[tenant].id, items[row.product.code])
            found[key] = found.get(key, Decimal(0)) + Decimal(row.quantity)
    return found
