"""What counts as a month's usage, and whose it is (rules 1 to 4)."""

from decimal import Decimal
from typing import Any

import pytest
from months.calling import Run
from months.msp import ENDPOINT, Msp

from connector.simulator import LEFT_OUT, Fault, Simulator

XGS = "XGS107-MSP"


def test_every_row_of_every_page_is_billed(msp: Msp, run: Run) -> None:
    msp.world.largest_billing_page = 2
    customers = msp.customers(5)

    assert run("sync").json["outcomes"][4]["outcome"] == "done"
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 5


@pytest.mark.parametrize(
    "fault",
    [
        Fault("wrong-items", path="/billing/usage"),
        Fault("row-missing", path="/billing/usage"),
        Fault("row-twice", path="/billing/usage"),
        Fault("repeated-nextKey", path="pageFromKey"),
        Fault("500", path="pageFromKey", times=None),
        Fault("html-200", path="pageFromKey", times=None),
        Fault("truncated-json", path="pageFromKey", times=None),
        Fault("cut-body", path="pageFromKey", times=None),
        Fault("wrong-shape", path="pageFromKey", times=None),
        Fault("403", path="pageFromKey", times=None),
    ],
    ids=lambda fault: fault.kind,
)
def test_usage_that_does_not_add_up_ends_the_run(
    msp: Msp, run: Run, simulator: Simulator, fault: Fault
) -> None:
    msp.world.largest_billing_page = 3
    msp.customers(5)
    simulator.faults.add(fault)

    ended = run("sync")

    assert (ended.exit_code, ended.writes) == (5, [])
    assert ended.json["schema"] == "connector.error/1"
    assert "Sophos" in ended.json["error"]["message"]


def test_pages_that_go_round_in_circles_end_the_run_without_any_count(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    msp.world.largest_billing_page = 2
    msp.customers(5)

    keys: list[str] = []

    def circle(body: dict[str, Any]) -> dict[str, Any]:
        keys.append(str(body["pages"].get("nextKey")))
        return {"items": body["items"], "pages": {"size": 2, "nextKey": keys[0]}}

    simulator.faults.add(Fault("body", path="/billing/usage", times=None, edit=circle))

    assert (run("sync").exit_code, simulator.writes) == (5, ())


def test_a_month_that_shrinks_between_two_pages_ends_the_run(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    msp.world.largest_billing_page = 3
    customers = msp.customers(5)

    def shrink(_vendor: str, _method: str, path: str, _number: int) -> None:
        if "/billing/usage" in path:
            customers[4].stops()

    simulator.after_commit = shrink
    assert (run("sync").exit_code, simulator.writes) == (5, ())


def test_a_passing_failure_of_sophos_is_ridden_out(msp: Msp, run: Run, simulator: Simulator) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    simulator.faults.add(Fault("503", vendor="sophos", path="/billing"), Fault("429", vendor="sophos"))
    simulator.faults.add(Fault("401-expired-token", vendor="sophos", path="/billing"))

    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_a_month_that_is_not_published_is_never_no_usage(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")

    ended = run("sync", "2026-11")

    assert (ended.exit_code, ended.json["error"]["code"]) == (8, "NOT_PUBLISHED")
    assert alder.bills == {ENDPOINT: 12}


def test_a_published_month_without_rows_is_refused(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.world.publish("2026-11")

    ended = run("sync", "2026-11")

    assert (ended.exit_code, ended.guards, ended.writes) == (4, ["empty_month"], [])
    assert "--force empty_month" in ended.json["guards"][0]["message"]
    assert alder.bills == {ENDPOINT: 12}


def test_the_product_is_the_code_or_the_sku_where_that_is_empty(msp: Msp, run: Run) -> None:
    msp.maps("SKU-ONLY", item="SOPHOS-SKU")
    alder = msp.customer("Alder")
    alder.adds("NOT-THIS", 7, wire={"productCode": "", "sku": "SKU-ONLY"})
    alder.adds("NOT-THIS", 1, wire={"productCode": LEFT_OUT, "sku": "SKU-ONLY"})
    alder.adds("CIXA-MSP", 12, wire={"sku": "SKU-ONLY"})

    assert run("sync").exit_code == 0
    assert alder.bills == {"SOPHOS-SKU": 8, ENDPOINT: 12}


def test_the_billable_quantity_counts_not_the_actual_one(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    alder.uses("CIXA-MSP", 12, actual=99)

    run("sync")
    assert alder.bills == {ENDPOINT: 12}


def test_rows_of_one_tenant_and_product_are_summed_exactly(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    for quantity in ("0.1", "0.2", "10", "-2"):
        alder.adds("CIXA-MSP", Decimal(quantity))

    done = run("sync")

    assert done.json["outcomes"][0]["after"] == "8.3"
    assert alder.bills == {ENDPOINT: Decimal("8.3")}
    assert run("sync").writes == []


def test_a_row_may_name_its_tenant_by_the_external_id(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    msp.world.use(msp.period, None, "CIXA-MSP", 6, external_id=alder.tenant.upper())

    run("sync")
    assert alder.bills == {ENDPOINT: 6}


def test_an_external_id_that_is_no_tenant_decides_nothing(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 1})
    other = msp.world.fresh_uuid()
    msp.world.use(msp.period, None, "CIXA-MSP", 6, external_id=other, customer="Alder Ltd")

    done = run("sync")
    assert (done.exit_code, done.unresolved) == (3, ["FIREWALL_UNASSIGNED"])


def test_a_firewall_is_billed_to_whom_its_licence_is_assigned(msp: Msp, run: Run) -> None:
    msp.maps(XGS, item="SOPHOS-XGS")
    alder, birch = msp.customer("Alder"), msp.customer("Birch")
    msp.firewall("X1A", XGS, tenant=alder.tenant, billing_tenant=birch.tenant)
    msp.firewall("X1B", XGS, tenant=alder.tenant)

    assert run("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({"SOPHOS-XGS": 1}, {"SOPHOS-XGS": 1})


def test_the_firewalls_of_mappings_come_before_what_sophos_says(msp: Msp, run: Run) -> None:
    msp.maps(XGS, item="SOPHOS-XGS")
    alder, birch = msp.customer("Alder"), msp.customer("Birch")
    msp.firewall("X1A", XGS, tenant=alder.tenant, billing_tenant=alder.tenant)
    msp.mappings["firewalls"] = {" x1a ": birch.tenant}

    assert run("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({}, {"SOPHOS-XGS": 1})


def test_serials_compare_trimmed_and_in_any_case(msp: Msp, run: Run) -> None:
    msp.maps(XGS, item="SOPHOS-XGS")
    alder = msp.customer("Alder")
    msp.world.add_firewall("X1A7DEMO", "XGS 107", XGS, tenant=alder.tenant)
    msp.world.use(msp.period, None, XGS, 1, serial=" x1a7demo ")

    run("sync")
    assert alder.bills == {"SOPHOS-XGS": 1}


def test_a_firewall_that_nobody_can_place_is_billed_to_nobody(msp: Msp, run: Run) -> None:
    msp.maps(XGS, item="SOPHOS-XGS")
    msp.customer("Alder", {"CIXA-MSP": 1})
    msp.firewall("X1SPARE", XGS)
    msp.world.rows(msp.period)[-1].customer = "Alder Ltd"

    done = run("sync")

    assert (done.exit_code, done.outcomes) == (3, [("create", "done")])
    (entry,) = done.json["unresolved"]
    assert (entry["code"], entry["serial"], entry["tenant_id"]) == ("FIREWALL_UNASSIGNED", "X1SPARE", None)
    assert (entry["product_code"], entry["quantity"]) == (XGS, "1")
