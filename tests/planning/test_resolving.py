"""Whose a row is, what bills it, and what cannot be placed (contract rules 3 to 8)."""

from decimal import Decimal

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    BIRCH_AGREEMENT,
    BIRCH_ENDPOINT,
    EMAIL,
    ENDPOINT,
    STRANGER,
    TODAY,
    Month,
    told,
    warned,
)

from connector.model import Agreement, CatalogItem, Company, Firewall, Key, ProductEntry, TenantEntry
from connector.planning.directory import Name

SERIAL = "X1A7ALDER01"


def firewall(tenant_id: str | None = None, billing_tenant_id: str | None = None) -> Firewall:
    return Firewall(SERIAL, "XGS 107", tenant_id, billing_tenant_id)


# Rule 3 and 4: sums, and whose a row is ----------------------------------------------------------


def test_rows_of_one_tenant_and_product_are_summed_exactly() -> None:
    change = Month().uses(ALDER, "CIXA-MSP", "0.1").uses(ALDER, "CIXA-MSP", "0.2").change()
    assert change.after == Decimal("0.3")
    assert [part.quantity for part in change.parts] == [Decimal("0.3")]


def test_an_account_id_decides_even_where_sophos_no_longer_lists_the_tenant() -> None:
    plan = Month().uses(STRANGER, "CIXA-MSP", 3, external_id=ALDER).plan()
    assert told(plan) == [("UNMAPPED_TENANT", "CIXA-MSP")]


def test_an_external_id_decides_only_where_it_is_a_known_tenant() -> None:
    month = Month().uses(None, "CIXA-MSP", 3, external_id=ALDER)
    month.uses(None, "CIXA-MSP", 2, external_id=STRANGER, serial="S9")
    plan = month.plan()
    assert [change.after for change in plan.changes] == [3]
    assert told(plan) == [("FIREWALL_UNASSIGNED", "S9")]


def test_the_map_places_a_firewall_before_sophos_does() -> None:
    month = Month(mapped_firewalls={SERIAL: ALDER}, firewalls=[firewall(billing_tenant_id=BIRCH)])
    change = month.uses(None, "CIXA-MSP", 1, serial=SERIAL).change()
    assert change.key == ALDER_ENDPOINT
    assert change.parts[0].serials == (SERIAL,)


def test_the_tenant_that_pays_the_licence_comes_before_the_one_that_holds_the_firewall() -> None:
    month = Month(firewalls=[firewall(billing_tenant_id=ALDER, tenant_id=BIRCH)])
    assert month.uses(None, "CIXA-MSP", 1, serial=SERIAL).change().key == ALDER_ENDPOINT


def test_the_tenant_that_holds_a_firewall_pays_where_no_licence_is_assigned() -> None:
    month = Month(firewalls=[firewall(tenant_id=BIRCH)])
    assert month.uses(None, "CIXA-MSP", 1, serial=SERIAL).change().key == BIRCH_ENDPOINT


@pytest.mark.parametrize(
    "firewalls", [[], [firewall()], [firewall(tenant_id=ALDER), firewall(tenant_id=BIRCH)]]
)
def test_a_firewall_that_nobody_or_several_own_is_billed_to_nobody(firewalls: list[Firewall]) -> None:
    plan = Month(firewalls=firewalls).uses(None, "CIXA-MSP", 1, serial=SERIAL).plan()
    assert not plan.changes
    assert told(plan) == [("FIREWALL_UNASSIGNED", SERIAL)]


def test_a_row_with_neither_account_nor_serial_is_billed_to_nobody() -> None:
    plan = Month().uses(None, "CIXA-MSP", 1).plan()
    assert told(plan) == [("FIREWALL_UNASSIGNED", "CIXA-MSP")]
    assert "neither account nor serial" in plan.unresolved[0].message


def test_the_serial_of_a_firewall_is_kept_even_where_the_row_names_its_account() -> None:
    change = (
        Month().uses(ALDER, "CIXA-MSP", 1, serial=SERIAL).uses(ALDER, "CIXA-MSP", 1, serial="S2").change()
    )
    assert change.parts[0].serials == ("S2", SERIAL)


@pytest.mark.parametrize(("group", "serial"), [("Device", SERIAL), ("", SERIAL), ("User", None)])
def test_an_account_number_is_not_shown_as_a_serial(group: str, serial: str | None) -> None:
    plan = Month().uses(ALDER, "NDR-MSP", 1, serial=SERIAL, group=group).plan()
    assert plan.unresolved[0].serial == serial


# Rule 5: on, off and unmapped --------------------------------------------------------------------


def test_a_tenant_that_is_off_is_off_for_every_product_mapped_or_not() -> None:
    month = Month().maps(ALDER, sync=False).uses(ALDER, "CIXA-MSP", 1).uses(ALDER, "NDR-MSP", 1)
    plan = month.plan()
    assert (plan.changes, plan.unresolved, plan.coverage.off) == ((), (), 2)


@pytest.mark.parametrize("tenant_id", [ALDER, STRANGER])
def test_a_product_that_is_off_is_off_even_for_a_tenant_without_an_entry(tenant_id: str) -> None:
    plan = Month().uses(tenant_id, "CPHISH-MSP", 4).plan()
    assert (plan.changes, plan.unresolved, plan.coverage.off, plan.exit_code) == ((), (), 1, 0)


def test_a_product_without_an_item_is_off() -> None:
    month = Month()
    month.products["CDE-MSP"] = ProductEntry("Encryption")
    assert month.uses(ALDER, "CDE-MSP", 4).plan().coverage.off == 1


def test_a_product_without_an_entry_is_never_written() -> None:
    plan = Month().uses(ALDER, "NDR-MSP", 2).plan()
    assert not plan.changes
    assert told(plan) == [("UNMAPPED_PRODUCT", "NDR-MSP")]
    assert plan.exit_code == 3


def test_a_row_without_any_product_code_is_shown_as_such() -> None:
    plan = Month().uses(ALDER, "", 2).plan()
    assert "without productCode and sku" in plan.unresolved[0].message


def test_an_unmapped_tenant_is_reported_before_an_unmapped_product() -> None:
    assert told(Month().uses(STRANGER, "NDR-MSP", 2).plan()) == [("UNMAPPED_TENANT", "NDR-MSP")]


def test_an_exception_turns_a_product_off_for_one_tenant_only() -> None:
    month = Month().excepts(ALDER, "CIXA-MSP", sync=False)
    plan = month.uses(ALDER, "CIXA-MSP", 1).uses(BIRCH, "CIXA-MSP", 2).plan()
    assert [change.key for change in plan.changes] == [BIRCH_ENDPOINT]
    assert plan.coverage.off == 1


def test_an_exception_with_an_item_turns_on_what_is_off_elsewhere() -> None:
    month = Month().excepts(ALDER, "CPHISH-MSP", item="SOPHOS-EMAIL")
    assert month.uses(ALDER, "CPHISH-MSP", 4).change().key == Key(ALDER_AGREEMENT, EMAIL)


def test_an_exception_with_sync_true_takes_the_item_from_products() -> None:
    month = Month().excepts(ALDER, "CPHISH-MSP", sync=True)
    month.products["CPHISH-MSP"] = ProductEntry("Phish Threat", EMAIL, sync=False)
    assert month.uses(ALDER, "CPHISH-MSP", 4).change().key == Key(ALDER_AGREEMENT, EMAIL)


def test_an_exception_with_sync_true_and_no_item_anywhere_bills_nothing() -> None:
    plan = Month().excepts(ALDER, "CPHISH-MSP", sync=True).uses(ALDER, "CPHISH-MSP", 4).plan()
    assert told(plan) == [("UNMAPPED_PRODUCT", "CPHISH-MSP")]


def test_an_exception_with_only_an_agreement_leaves_the_product_off() -> None:
    month = Month().excepts(ALDER, "CPHISH-MSP", agreement=ALDER_AGREEMENT)
    assert month.uses(ALDER, "CPHISH-MSP", 4).plan().coverage.off == 1


def test_an_exception_can_send_one_product_to_another_agreement() -> None:
    month = Month().excepts(ALDER, "CIXA-MSP", agreement="Hardware")
    month.agreements.append(Agreement(119, "Hardware", 1))
    assert month.uses(ALDER, "CIXA-MSP", 1).change().key == Key(119, ENDPOINT)


@pytest.mark.parametrize("entry", [TenantEntry("Alder"), TenantEntry("Alder", "AlderDental")])
def test_a_tenant_entry_without_company_or_agreement_is_not_mapped_yet(entry: TenantEntry) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.tenants[ALDER] = entry
    assert told(month.plan()) == [("UNMAPPED_TENANT", "CIXA-MSP")]


# Rule 6: several feeds of one key ----------------------------------------------------------------


def test_several_product_codes_can_feed_one_item() -> None:
    month = Month()
    month.products["CDE-MSP"] = ProductEntry("Encryption", "SOPHOS-ENDPOINT")
    change = month.uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "CDE-MSP", 3).change()
    assert (change.after, change.because) == (15, "3 CDE-MSP + 12 CIXA-MSP")


def test_several_tenants_can_feed_one_agreement() -> None:
    month = Month().maps(BIRCH, company="AlderDental")
    change = month.uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 3).change()
    assert change.after == 15
    assert change.because == "12 CIXA-MSP for Alder (alder-id) + 3 CIXA-MSP for Birch (birch-id)"


# Rule 7: companies and agreements ----------------------------------------------------------------


def test_names_are_compared_as_connectwise_does_without_case_and_outer_blanks() -> None:
    month = Month().maps(ALDER, company=" alderdental", agreement="MANAGED SECURITY ")
    assert month.uses(ALDER, "CIXA-MSP", 1).change().key == ALDER_ENDPOINT


@pytest.mark.parametrize(
    ("company", "companies"),
    [
        ("Nobody", []),
        (77, []),
        ("Merged", [Company(3, "Merged", deleted=True)]),
        (3, [Company(3, "Merged", deleted=True)]),
    ],
)
def test_an_unknown_or_deleted_company_bills_nothing(company: str | int, companies: list[Company]) -> None:
    month = Month().maps(ALDER, company=company).uses(ALDER, "CIXA-MSP", 1)
    month.companies += companies
    assert told(month.plan()) == [("COMPANY_NOT_FOUND", "CIXA-MSP")]


def test_a_deleted_company_of_the_same_identifier_is_none() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.companies.append(Company(3, "AlderDental", deleted=True))
    assert month.change().key == ALDER_ENDPOINT


def test_two_companies_of_one_identifier_are_told_apart_by_a_person() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.companies.append(Company(3, "ALDERDENTAL"))
    assert told(month.plan()) == [("COMPANY_AMBIGUOUS", "CIXA-MSP")]


def test_two_active_agreements_of_one_name_are_told_apart_by_a_person() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.agreements.append(Agreement(119, "managed security", 1))
    plan = month.plan()
    assert told(plan) == [("AGREEMENT_AMBIGUOUS", "CIXA-MSP")]
    assert "118, 119" in plan.unresolved[0].message


def test_one_active_agreement_among_several_of_that_name_is_it() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.agreements.append(Agreement(117, "Managed Security", 1, status="Expired"))
    assert month.change().key == ALDER_ENDPOINT


@pytest.mark.parametrize("agreement", ["No such name", BIRCH_AGREEMENT, 7777])
def test_an_agreement_of_another_company_is_never_taken(agreement: str | int) -> None:
    month = Month().maps(ALDER, agreement=agreement).uses(ALDER, "CIXA-MSP", 1)
    assert told(month.plan()) == [("AGREEMENT_NOT_FOUND", "CIXA-MSP")]


@pytest.mark.parametrize(
    "agreement",
    [
        Agreement(ALDER_AGREEMENT, "Managed Security", 1, status="Cancelled"),
        Agreement(ALDER_AGREEMENT, "Managed Security", 1, cancelled=True),
        Agreement(ALDER_AGREEMENT, "Managed Security", 1, end=TODAY.replace(day=27)),
        Agreement(ALDER_AGREEMENT, "Managed Security", 1, status="SomethingNew"),
        Agreement(ALDER_AGREEMENT, "Managed Security", 1, status="", start=TODAY.replace(day=29)),
    ],
)
@pytest.mark.parametrize("reference", ["Managed Security", ALDER_AGREEMENT])
def test_an_agreement_that_does_not_bill_takes_no_usage(agreement: Agreement, reference: str | int) -> None:
    month = Month().maps(ALDER, agreement=reference).uses(ALDER, "CIXA-MSP", 1)
    month.agreements[0] = agreement
    assert told(month.plan()) == [("AGREEMENT_INACTIVE", "CIXA-MSP")]


def test_an_agreement_bills_through_its_last_day() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.agreements[0] = Agreement(ALDER_AGREEMENT, "Managed Security", 1, status="", start=TODAY, end=TODAY)
    assert month.change().key == ALDER_ENDPOINT


# Rule 8: items -----------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ["NO-SUCH-ITEM", 999])
def test_an_unknown_item_bills_nothing(item: str | int) -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.products["CIXA-MSP"] = ProductEntry("Endpoint", item)
    assert told(month.plan()) == [("ITEM_NOT_FOUND", "CIXA-MSP")]


def test_a_bundle_cannot_be_billed_on_an_agreement() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.items[0] = CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT", product_class="Bundle")
    assert told(month.plan()) == [("ITEM_IS_BUNDLE", "CIXA-MSP")]


def test_an_inactive_item_stops_only_what_would_have_to_be_created() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 5).uses(BIRCH, "CIXA-MSP", 1)
    month.items[0] = CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT", inactive=True)
    month.manages(ALDER_ENDPOINT, 4, {(ALDER, "CIXA-MSP"): 4})
    plan = month.plan()
    assert [(change.kind, change.key) for change in plan.changes] == [("update", ALDER_ENDPOINT)]
    assert told(plan) == [("ITEM_INACTIVE", "CIXA-MSP")]


# Rule 9: what text once meant --------------------------------------------------------------------

ITEM = Name("item", 0, "sophos-endpoint")
COMPANY = Name("company", 0, "alderdental")
AGREEMENT = Name("agreement", 1, "managed security")


def test_the_ids_of_all_names_are_learned() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.plan()
    assert {ITEM: ENDPOINT, COMPANY: 1, AGREEMENT: ALDER_AGREEMENT}.items() <= month.learned.items()


def test_a_renamed_item_goes_on_under_its_id_with_a_warning() -> None:
    month = Month(remembered={ITEM: ENDPOINT}).uses(ALDER, "CIXA-MSP", 1)
    month.items[0] = CatalogItem(ENDPOINT, "SOPHOS-ENDPOINT-2")
    plan = month.plan()
    assert [change.key for change in plan.changes] == [ALDER_ENDPOINT]
    assert warned(plan) == ["ITEM_RENAMED"]
    assert "SOPHOS-ENDPOINT-2" in plan.warnings[0].message


def test_a_renamed_company_and_agreement_go_on_under_their_ids_with_warnings() -> None:
    month = Month(remembered={COMPANY: 1, AGREEMENT: ALDER_AGREEMENT}).uses(ALDER, "CIXA-MSP", 1)
    month.companies[0] = Company(1, "AlderGroup")
    month.agreements[0] = Agreement(ALDER_AGREEMENT, "Security 2027", 1)
    plan = month.plan()
    assert [change.key for change in plan.changes] == [ALDER_ENDPOINT]
    assert warned(plan) == ["AGREEMENT_RENAMED", "COMPANY_RENAMED"]


def test_a_text_that_now_means_another_item_is_never_followed() -> None:
    month = Month(remembered={ITEM: 40}).uses(ALDER, "CIXA-MSP", 1)
    assert told(month.plan()) == [("ITEM_CHANGED", "CIXA-MSP")]


def test_a_text_that_now_means_another_company_is_never_followed() -> None:
    month = Month(remembered={COMPANY: 9}).uses(ALDER, "CIXA-MSP", 1)
    assert told(month.plan()) == [("COMPANY_CHANGED", "CIXA-MSP")]


def test_a_text_that_now_means_another_agreement_is_never_followed() -> None:
    month = Month(remembered={AGREEMENT: 117}).uses(ALDER, "CIXA-MSP", 1)
    month.agreements.append(Agreement(117, "Managed Security", 1, status="Expired"))
    assert told(month.plan()) == [("AGREEMENT_CHANGED", "CIXA-MSP")]


@pytest.mark.parametrize("remembered", [{ITEM: ENDPOINT}, {AGREEMENT: ALDER_AGREEMENT}])
def test_a_text_that_now_means_several_keeps_meaning_what_it_meant(remembered: dict[Name, int]) -> None:
    month = Month(remembered=remembered).uses(ALDER, "CIXA-MSP", 1)
    if ITEM in remembered:
        month.items.append(CatalogItem(40, "Sophos-Endpoint"))
    else:
        month.agreements.append(Agreement(119, "Managed Security", 1))
    plan = month.plan()
    assert [change.key for change in plan.changes] == [ALDER_ENDPOINT]
    assert len(plan.warnings) == 1


def test_two_items_of_one_identifier_are_told_apart_by_a_person() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    month.items.append(CatalogItem(40, "Sophos-Endpoint"))
    assert told(month.plan()) == [("ITEM_AMBIGUOUS", "CIXA-MSP")]


def test_a_remembered_record_that_is_gone_is_not_found() -> None:
    month = Month(remembered={ITEM: ENDPOINT, AGREEMENT: ALDER_AGREEMENT}).uses(ALDER, "CIXA-MSP", 1)
    month.items.pop(0)
    assert told(month.plan()) == [("ITEM_NOT_FOUND", "CIXA-MSP")]
    month.agreements.pop(0)
    assert told(month.plan()) == [("AGREEMENT_NOT_FOUND", "CIXA-MSP")]


def test_a_remembered_agreement_that_went_to_another_company_is_not_followed() -> None:
    month = Month(remembered={AGREEMENT: ALDER_AGREEMENT}).uses(ALDER, "CIXA-MSP", 1)
    month.agreements[0] = Agreement(ALDER_AGREEMENT, "Managed Security", 2)
    month.maps(BIRCH, agreement=BIRCH_AGREEMENT)
    assert told(month.plan()) == [("AGREEMENT_NOT_FOUND", "CIXA-MSP")]


def test_sophos_renaming_a_product_changes_nothing_at_all() -> None:
    before = Month().uses(ALDER, "CIXA-MSP", 1, description="Endpoint - 50-99 USERS").plan()
    after = Month().uses(ALDER, "CIXA-MSP", 1, description="XDR - 100-249 USERS").plan()
    assert before == after


def test_what_begins_with_a_dash_is_no_option_of_the_command_that_mends_it() -> None:
    month = Month().uses("-all", "CIXA-MSP", 1).uses(None, "XGS-MSP", 1, serial="-X1")
    tenant, firewall = (entry.next_step for entry in month.plan().unresolved)
    assert 'connector tenants map -- "-all"' in tenant
    assert firewall.endswith('connector firewalls assign -- "-X1" TENANT')
