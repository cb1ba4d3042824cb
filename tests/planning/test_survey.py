"""A month seen product by product, tenant by tenant and firewall by firewall."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, ENDPOINT, STRANGER, Month

from connector.errors import CommandFault
from connector.model import (
    CatalogItem,
    Company,
    Firewall,
    ProductEntry,
    ProductException,
    Tenant,
    TenantEntry,
    UsageRow,
)
from connector.planning.directory import Name
from connector.planning.prices import Money, cost_of, unit_prices
from connector.planning.states import FirewallState, ProductState, TenantState
from connector.planning.survey import Survey

SERIAL = "X1A7ALDER01"
TENANTS = (Tenant(ALDER, "Alder Dental", "usage", "active"), Tenant(BIRCH, "Birch Legal", "usage"))


def row(code: str, quantity: int, tenant: str | None = ALDER, **said: object) -> UsageRow:
    received = {
        "unitPrice": "2.10",
        "unitPriceCurrency": "usd",
        "unitMsrp": "3.00",
        "unitMsrpCurrency": "USD",
    }
    return UsageRow(
        code,
        Decimal(quantity),
        account_id=tenant,
        serial=str(said.pop("serial")) if "serial" in said else None,
        description=str(said.pop("description", "")),
        group=str(said.pop("group", "")),
        received=json.dumps(received | said),
    )


def survey(
    month: Month,
    *rows: UsageRow,
    tenants: tuple[Tenant, ...] = TENANTS,
    called: dict[str, tuple[str, str]] | None = None,
) -> Survey:
    placer = month.placer()
    return Survey(rows, tenants, tuple(month.firewalls), placer, called or {})


def product(seen: Survey, code: str) -> ProductState:
    return next(each for each in seen.products() if each.code == code)


def tenant(seen: Survey, tenant_id: str) -> TenantState:
    return next(each for each in seen.tenant_states() if each.id == tenant_id)


def firewall(seen: Survey, serial: str = SERIAL) -> FirewallState:
    return next(each for each in seen.firewall_states() if each.firewall.serial == serial)


# Money -------------------------------------------------------------------------------------------


def test_rows_cost_quantity_times_unit_price_one_sum_for_each_currency() -> None:
    rows = [row("A", 3), row("A", 2, unitPrice="1.005"), row("A", 1, unitPrice="7", unitPriceCurrency="EUR")]
    assert cost_of(rows) == (Money(Decimal("8.310"), "USD"), Money(Decimal(7), "EUR"))


def test_the_net_price_of_an_order_line_is_not_what_a_row_costs() -> None:
    assert cost_of([row("A", 2, netPrice="132.30")]) == (Money(Decimal("4.20"), "USD"),)


@pytest.mark.parametrize("price", [None, "", "free", "NaN", "Infinity", "-1", "1e30", True, [1], "1,5"])
def test_a_price_that_is_none_is_not_guessed(price: object) -> None:
    one = row("A", 2, unitPrice=price)
    assert unit_prices(one).cost is None
    assert unit_prices(one).list_price == Money(Decimal("3.00"), "USD")
    assert cost_of([one]) == ()


def test_a_price_without_a_currency_is_kept_apart() -> None:
    assert cost_of([row("A", 2, unitPriceCurrency=None), row("A", 1)]) == (
        Money(Decimal("4.20"), ""),
        Money(Decimal("2.10"), "USD"),
    )


# Products ----------------------------------------------------------------------------------------


def test_a_product_shows_who_uses_it_how_much_and_what_bills_it() -> None:
    seen = product(
        survey(
            Month(),
            row("CIXA-MSP", 12, description="Sophos Endpoint - 50-99 USERS", group="User"),
            row("CIXA-MSP", 3),
            row("CIXA-MSP", 5, BIRCH),
        ),
        "CIXA-MSP",
    )
    assert (seen.state, seen.tenants, seen.quantity) == ("on", 2, Decimal(20))
    assert (seen.item, seen.item_id, seen.identifier) == ("SOPHOS-ENDPOINT", ENDPOINT, "SOPHOS-ENDPOINT")
    assert (seen.name, seen.group) == ("Sophos Endpoint - 50-99 USERS", "User")
    assert seen.cost == (Money(Decimal("42.00"), "USD"),)


def test_products_are_listed_by_what_they_cost() -> None:
    seen = survey(Month(), row("CEMA-MSP", 1), row("CIXA-MSP", 12), row("NDR-MSP", 2, unitPrice="21"))
    assert [each.code for each in seen.products()] == ["NDR-MSP", "CIXA-MSP", "CEMA-MSP", "CPHISH-MSP"]


def test_every_code_that_usage_ever_had_or_the_map_names_is_listed() -> None:
    month = Month()
    month.tenants[ALDER] = TenantEntry(
        "Alder", "AlderDental", "Managed Security", products={"CDE-MSP": ProductException(sync=False)}
    )
    seen = survey(month, row("NDR-MSP", 1), called={"OLD-MSP": ("Old product", "User")})
    assert {each.code: each.state for each in seen.products()} == {
        "CIXA-MSP": "on",
        "CEMA-MSP": "on",
        "CPHISH-MSP": "off",
        "CDE-MSP": "new",
        "NDR-MSP": "new",
        "OLD-MSP": "new",
    }
    assert product(seen, "OLD-MSP").name == "Old product"


def test_a_product_whose_item_is_not_there_is_a_fault_unless_it_is_off() -> None:
    month = Month()
    month.products["CIXA-MSP"] = ProductEntry("Endpoint", "GONE")
    month.products["CEMA-MSP"] = ProductEntry("Email", "GONE", sync=False)
    seen = survey(month)
    assert product(seen, "CIXA-MSP").state == "fault"
    assert "is not in ConnectWise's catalog" in product(seen, "CIXA-MSP").notes[0]
    assert product(seen, "CEMA-MSP").state == "off"
    assert product(seen, "CIXA-MSP").item_id is None


def test_a_rename_on_either_side_is_a_note_and_no_new_product() -> None:
    month = Month()
    month.items[0] = CatalogItem(ENDPOINT, "EDR-USER", inactive=True)
    month.remembered[Name("item", 0, "sophos-endpoint")] = ENDPOINT
    seen = product(survey(month, row("CIXA-MSP", 1, description="Sophos EDR")), "CIXA-MSP")
    assert seen.state == "on"
    assert seen.notes == (
        "Sophos calls it: Sophos EDR",
        "renamed in ConnectWise: SOPHOS-ENDPOINT is EDR-USER now",
        "EDR-USER is inactive: no new addition can be made of it",
    )


# Tenants -----------------------------------------------------------------------------------------


def test_a_mapped_tenant_is_on_with_its_company_and_agreement() -> None:
    seen = tenant(survey(Month(), row("CIXA-MSP", 12)), ALDER)
    assert (seen.state, seen.company_id, seen.agreement_id, seen.quantity) == ("on", 1, 118, Decimal(12))
    assert (seen.name, seen.billing_type, seen.status, seen.note) == ("Alder Dental", "usage", "active", "")
    assert seen.label == f"Alder Dental ({ALDER[:8]})"


def test_a_tenant_without_an_entry_or_without_an_agreement_is_new() -> None:
    month = Month()
    month.tenants = {BIRCH: TenantEntry("Birch", "BirchLegal")}
    seen = survey(month)
    assert (tenant(seen, ALDER).state, tenant(seen, BIRCH).state) == ("new", "new")
    assert tenant(seen, BIRCH).company_id == 2


def test_a_tenant_that_is_off_stays_off_whatever_its_entry_says() -> None:
    month = Month()
    month.tenants[ALDER] = replace(month.tenants[ALDER], sync=False, agreement="Gone")
    seen = tenant(survey(month), ALDER)
    assert (seen.state, seen.note) == ("off", "")


@pytest.mark.parametrize("lost", ["company", "agreement"])
def test_a_tenant_whose_company_or_agreement_is_not_found_is_a_fault(lost: str) -> None:
    month = Month()
    entry = month.tenants[ALDER]
    month.tenants[ALDER] = (
        replace(entry, company="Gone") if lost == "company" else replace(entry, agreement="X")
    )
    seen = tenant(survey(month), ALDER)
    assert seen.state == "fault"
    assert f"correct `{lost}` of the tenant" in seen.note


def test_a_deleted_company_is_a_fault() -> None:
    month = Month()
    month.companies[0] = Company(1, "AlderDental", deleted=True)
    assert tenant(survey(month), ALDER).state == "fault"


def test_tenants_that_only_usage_or_the_map_knows_are_listed() -> None:
    seen = survey(Month(), row("CIXA-MSP", 3, STRANGER), row("NDR-MSP", 1, None), tenants=())
    assert {each.id: (each.name, each.status) for each in seen.tenant_states()} == {
        ALDER: ("Alder", "not in Sophos"),
        BIRCH: ("Birch", "not in Sophos"),
        STRANGER: ("", "not in Sophos"),
    }


def test_a_tenant_is_found_by_its_id_or_by_a_name_that_only_it_has() -> None:
    seen = survey(Month())
    assert seen.tenant(f" {ALDER} ").id == ALDER
    assert seen.tenant("birch legal").id == BIRCH


def test_a_name_that_two_tenants_have_is_never_chosen() -> None:
    seen = survey(Month(), tenants=(Tenant(ALDER, "Hazel"), Tenant(BIRCH, "hazel")))
    with pytest.raises(CommandFault, match=r"2 tenants are called 'Hazel': .*alder-id") as fault:
        seen.tenant("Hazel")
    assert "Give the id" in fault.value.next_step


@pytest.mark.parametrize(("text", "hint"), [("legal", "near: Birch Legal"), ("Zebra", "'Zebra'.")])
def test_a_name_that_nobody_has_names_what_is_near(text: str, hint: str) -> None:
    with pytest.raises(CommandFault, match="No tenant has") as fault:
        survey(Month()).tenant(text)
    assert hint in fault.value.message


# Firewalls ---------------------------------------------------------------------------------------


def with_firewall(**owner: str) -> Month:
    month = Month()
    month.firewalls = [Firewall(SERIAL, "XGS 107", owner.get("tenant"), owner.get("billing"))]
    return month


def test_a_firewall_shows_whom_it_counts_for_and_where_it_is_billed() -> None:
    month = with_firewall(billing=ALDER)
    seen = firewall(survey(month, row("CIXA-MSP", 1, None, serial=SERIAL)))
    assert (seen.tenant_id, seen.key, seen.codes) == (ALDER, ALDER_ENDPOINT, ("CIXA-MSP",))
    assert (seen.quantity, seen.note, seen.unassigned) == (Decimal(1), "", False)


def test_unassigned_firewalls_come_first_the_dearest_of_them_before_the_others() -> None:
    month = with_firewall(billing=ALDER)
    month.firewalls += [Firewall("X2"), Firewall("X3")]
    seen = survey(
        month,
        row("FW", 1, None, serial=SERIAL),
        row("FW", 1, None, serial="X2"),
        row("FW", 1, None, serial="X3", unitPrice="42"),
    )
    assert [each.firewall.serial for each in seen.firewall_states()] == ["X3", "X2", SERIAL]
    assert firewall(seen, "X3").unassigned
    assert "assign its monthly licence" in firewall(seen, "X3").note
    assert firewall(seen, "X3").cost == (Money(Decimal(42), "USD"),)


def test_a_row_that_nobody_can_place_is_listed_even_without_a_serial() -> None:
    seen = survey(Month(), row("FW", 1, None), row("FW", 2, None, serial="UNKNOWN"))
    assert {each.firewall.serial: each.unassigned for each in seen.firewall_states()} == {
        "": True,
        "UNKNOWN": True,
    }


def test_a_firewall_without_usage_is_not_unassigned() -> None:
    seen = firewall(survey(with_firewall()))
    assert (seen.unassigned, seen.note, seen.key) == (False, "no usage this month", None)


def test_a_firewall_that_mappings_place_is_listed_though_sophos_lists_it_not() -> None:
    month = Month(mapped_firewalls={SERIAL: BIRCH})
    assert firewall(survey(month)).tenant_id == BIRCH


def test_a_firewall_says_why_it_is_not_billed() -> None:
    month = with_firewall(tenant=ALDER)
    assert firewall(survey(month, row("CPHISH-MSP", 1, None, serial=SERIAL))).note == "off"
    assert "has no entry" in firewall(survey(month, row("NEW", 1, None, serial=SERIAL))).note


def test_two_firewall_records_of_one_serial_are_shown_once() -> None:
    month = with_firewall(tenant=ALDER)
    month.firewalls.append(Firewall(SERIAL, "XGS 107", BIRCH))
    seen = survey(month, row("FW", 1, None, serial=SERIAL))
    assert [each.tenant_id for each in seen.firewall_states()] == [None]
