"""What mappings.yaml decides, and what its names mean over time (rules 5 to 9)."""

from datetime import date
from decimal import Decimal

import pytest
from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Msp


def test_a_tenant_that_is_off_is_not_billed(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "UNKNOWN": 3})
    alder.entry["sync"] = False

    done = run("plan")

    assert (done.exit_code, done.changes) == (0, [])
    assert done.json["coverage"] == {"rows": 2, "billed": 0, "off": 2, "unresolved": 0}


def test_a_product_that_is_off_is_off_for_strangers_too(msp: Msp, run: Run) -> None:
    msp.maps("CPHISH-MSP", sync=False)
    msp.maps("FREE-MSP")  # an entry without an item
    msp.customer("Alder", {"CPHISH-MSP": 12})
    msp.customer("Stranger", {"CPHISH-MSP": 3, "FREE-MSP": 2}, mapped=False)

    done = run("plan")
    assert (done.exit_code, done.json["coverage"]["off"]) == (0, 3)


def test_an_exception_turns_a_product_off_for_one_tenant(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    alder.entry["products"] = {"CIXA-MSP": {"sync": False}}

    assert run("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({}, {ENDPOINT: 7})


def test_an_exception_bills_another_item_on_another_agreement(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    special = msp.world.add_agreement(alder.company.id, "Special")
    msp.item("ALDER-EDR")
    alder.entry["products"] = {"CIXA-MSP": {"item": "ALDER-EDR"}, "CEMA-MSP": {"agreement": "Special"}}

    assert run("sync").exit_code == 0
    assert alder.bills == {"ALDER-EDR": 12}
    (line,) = msp.world.live_additions(special.id)
    assert (line.item_id, line.quantity) == (msp.item(EMAIL).id, Decimal(5))


@pytest.mark.parametrize("said", [{"item": EMAIL}, {"sync": True}])
def test_an_exception_turns_on_what_is_off_elsewhere(msp: Msp, run: Run, said: dict[str, object]) -> None:
    msp.maps("CPHISH-MSP", item=EMAIL, sync=False)
    alder, birch = msp.customer("Alder", {"CPHISH-MSP": 12}), msp.customer("Birch", {"CPHISH-MSP": 7})
    alder.entry["products"] = {"CPHISH-MSP": said}

    assert run("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({EMAIL: 12}, {})


def test_an_exception_that_names_no_item_needs_one_from_products(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"NEW-MSP": 12})
    alder.entry["products"] = {"NEW-MSP": {"sync": True}}

    assert run("plan").unresolved == ["UNMAPPED_PRODUCT"]


def test_new_tenants_and_products_are_reported_and_never_billed(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    stranger = msp.customer("Stranger", {"CIXA-MSP": 3}, mapped=False)
    before = msp.text()

    done = run("sync")

    assert done.exit_code == 3
    told = {
        (it["code"], it["tenant_id"], it["product_code"], it["quantity"]) for it in done.json["unresolved"]
    }
    assert told == {
        ("UNMAPPED_PRODUCT", alder.tenant, "NDR-MSP", "2"),
        ("UNMAPPED_TENANT", stranger.tenant, "CIXA-MSP", "3"),
    }
    assert (alder.bills, stranger.bills) == ({ENDPOINT: 12}, {})
    assert (run.folder / "mappings.yaml").read_text(encoding="utf-8") == before


def test_several_codes_and_tenants_may_feed_one_line(msp: Msp, run: Run) -> None:
    msp.maps("SVR-MSP", item=ENDPOINT)
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "SVR-MSP": 3})
    branch = msp.customer("AlderBranch", {"CIXA-MSP": 5})
    branch.entry |= {"company": alder.company.id, "agreement": alder.agreement.id}

    planned = run("plan").json["changes"][0]
    run("sync")

    assert alder.bills == {ENDPOINT: 20}
    assert {(it["tenant_id"], it["product_code"], it["quantity"]) for it in planned["from"]} == {
        (alder.tenant, "CIXA-MSP", "12"),
        (alder.tenant, "SVR-MSP", "3"),
        (branch.tenant, "CIXA-MSP", "5"),
    }


def test_one_active_agreement_among_several_of_its_name_is_it(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.world.add_agreement(alder.company.id, "Managed Security", end=date(2025, 12, 31))

    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_two_active_agreements_of_one_name_are_ambiguous(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.world.add_agreement(alder.company.id, "Managed Security")

    done = run("sync")
    assert (done.exit_code, done.unresolved, done.writes) == (3, ["AGREEMENT_AMBIGUOUS"], [])

    alder.entry["agreement"] = alder.agreement.id
    assert run("sync").exit_code == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("cancelled", True), ("end", date(2026, 9, 30)), ("start", date(2027, 1, 1)), ("status", "Inactive")],
)
@pytest.mark.parametrize("by_id", [False, True])
def test_an_agreement_that_does_not_run_is_inactive(
    msp: Msp, run: Run, field: str, value: object, by_id: bool
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    setattr(alder.agreement, field, value)
    if by_id:
        alder.entry["agreement"] = alder.agreement.id

    done = run("sync")
    assert (done.exit_code, done.unresolved, done.writes) == (3, ["AGREEMENT_INACTIVE"], [])


def test_an_agreement_of_another_company_is_not_found(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch")
    alder.entry["agreement"] = birch.agreement.id
    assert run("plan").unresolved == ["AGREEMENT_NOT_FOUND"]

    alder.entry["agreement"] = "No Such Agreement"
    assert run("plan").unresolved == ["AGREEMENT_NOT_FOUND"]


def test_a_company_that_is_unknown_or_merged_is_not_found(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    alder.entry["company"] = "Nobody"
    msp.world.merge_company(birch.company.id)

    done = run("sync")
    assert (done.unresolved, done.writes) == (["COMPANY_NOT_FOUND"] * 2, [])


def test_an_item_may_be_named_by_id_and_must_exist(msp: Msp, run: Run) -> None:
    msp.maps("A-MSP", item=msp.item("BY-ID").id)
    msp.maps("B-MSP", item=999_999)
    msp.mappings["products"]["C-MSP"] = {"item": "NO-SUCH-ITEM"}
    alder = msp.customer("Alder", {"A-MSP": 1, "B-MSP": 2, "C-MSP": 3})

    done = run("sync")

    assert done.unresolved == ["ITEM_NOT_FOUND"] * 2
    assert alder.bills == {"BY-ID": 1}


def test_text_of_digits_is_an_identifier_and_not_an_id(msp: Msp, run: Run) -> None:
    item = msp.item("4711")
    msp.maps("A-MSP", item="4711")
    alder = msp.customer("Alder", {"A-MSP": 1})

    run("sync")
    assert (alder.line("4711").item_id, item.id == 4711) == (item.id, False)


def test_a_bundle_cannot_be_billed(msp: Msp, run: Run) -> None:
    msp.item(ENDPOINT).product_class = "Bundle"
    msp.customer("Alder", {"CIXA-MSP": 12})

    done = run("sync")
    assert (done.exit_code, done.unresolved, done.writes) == (3, ["ITEM_IS_BUNDLE"], [])


def test_an_inactive_item_can_be_changed_but_not_created(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    alder.uses("CIXA-MSP", 13)
    msp.item(ENDPOINT).inactive = True

    done = run("sync")

    assert (done.exit_code, done.unresolved) == (3, ["ITEM_INACTIVE"])
    assert (alder.bills, birch.bills) == ({ENDPOINT: 13}, {})


def test_what_connectwise_renames_goes_on_by_its_id(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.world.rename_item(msp.item(ENDPOINT).id, identifier="SOPHOS-EP-2027")
    msp.world.rename_company(alder.company.id, identifier="AlderGroup")
    msp.world.rename_agreement(alder.agreement.id, "Security Plus")
    alder.uses("CIXA-MSP", 14)

    done = run("sync")

    assert (done.exit_code, done.outcomes) == (0, [("update", "done")])
    told = " ".join(warning["message"] for warning in done.json["warnings"])
    assert all(name in told for name in ("SOPHOS-EP-2027", "AlderGroup", "Security Plus"))
    assert alder.bills == {"SOPHOS-EP-2027": 14}


def test_an_item_text_that_now_finds_another_item_is_unresolved(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.world.rename_item(msp.item(ENDPOINT).id, identifier="OLD")
    msp.item(ENDPOINT)  # a new item of the old name

    done = run("sync")

    assert (done.exit_code, done.writes) == (3, [])
    assert "ITEM_CHANGED" in done.unresolved
    assert alder.bills == {"OLD": 12}


def test_a_company_or_agreement_text_that_now_finds_another_is_unresolved(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    msp.world.rename_company(alder.company.id, identifier="AlderOld")
    other = msp.world.add_company("Alder", "Another Alder")
    msp.world.add_agreement(other.id, "Managed Security")
    msp.world.rename_agreement(birch.agreement.id, "Old")
    msp.world.add_agreement(birch.company.id, "Managed Security")

    done = run("sync")

    assert (done.exit_code, done.writes) == (3, [])
    assert set(done.unresolved) == {"COMPANY_CHANGED", "AGREEMENT_CHANGED"}
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 7})


def test_a_text_that_finds_several_goes_on_with_the_remembered_one(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.world.add_agreement(alder.company.id, "Managed Security")
    msp.world.add_item(ENDPOINT, "A second item of that name")
    alder.uses("CIXA-MSP", 13)

    done = run("sync")

    assert (done.exit_code, done.outcomes) == (0, [("update", "done")])
    assert len(done.json["warnings"]) == 2
