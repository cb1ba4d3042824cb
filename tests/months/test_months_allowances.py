"""Bundles, commitments and units of another size, through the command line."""

from decimal import Decimal
from typing import Any

import pytest
import yaml
from months.calling import Run
from months.msp import ENDPOINT, Msp

VANISHED = "TENANT_VANISHED"


def said_of(run: Run, code: str) -> Any:
    """Return what mappings.yaml says of a product code."""
    return yaml.safe_load((run.folder / "mappings.yaml").read_text("utf-8"))["products"][code]


@pytest.mark.parametrize(
    ("rounding", "after", "because"),
    [
        ({}, 3, "7 CIXA-MSP / 3, rounded up = 3"),
        ({"round": "down"}, 2, "7 CIXA-MSP / 3, rounded down = 2"),
    ],
)
def test_three_units_of_sophos_are_billed_as_one(
    msp: Msp, run: Run, rounding: dict[str, str], after: int, because: str
) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, per=3, **rounding)
    alder = msp.customer("Alder", {"CIXA-MSP": 7})

    (change,) = run("plan").json["changes"]
    assert change["because"] == because
    assert [part["quantity"] for part in change["from"]] == ["7"]
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: after}
    assert run("sync").writes == []


def test_three_units_more_next_month_are_one_unit_more(msp: Msp, run: Run) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, per=3)
    alder = msp.customer("Alder", {"CIXA-MSP": 6})
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 9)

    assert run("plan").changes == [("update", "2", "3")]
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 3}


def test_usage_that_rounds_to_nothing_is_zeroed_for_what_it_is(msp: Msp, run: Run) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, per=3, round="down")
    alder = msp.customer("Alder", {"CIXA-MSP": 3})
    run("sync")
    alder.uses("CIXA-MSP", 2)

    done = run("sync")
    assert done.json["outcomes"][0]["because"] == "2 CIXA-MSP / 3, rounded down = 0"
    assert (done.exit_code, alder.bills) == (0, {ENDPOINT: 0})


def test_a_bundle_bills_each_user_once_and_every_tenant_of_the_agreement(msp: Msp, run: Run) -> None:
    for code in ("CIXA-MSP", "CDE-MSP"):
        msp.maps(code, item=ENDPOINT, aggregate="max")
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CDE-MSP": 15})
    branch = msp.customer("Branch", {"CIXA-MSP": 4, "CDE-MSP": 1})
    branch.entry["company"] = "Alder"

    assert run("sync").exit_code == 0
    assert (alder.bills, branch.bills) == ({ENDPOINT: 19}, {})


def test_a_commitment_bills_when_usage_falls_below_it(msp: Msp, run: Run) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, minimum=10)
    alder, birch, cedar = (msp.customer(name, {"CIXA-MSP": 12}) for name in ("Alder", "Birch", "Cedar"))
    birch.entry["products"] = {"CIXA-MSP": {"minimum": 5}}
    run("sync")
    for customer in (alder, birch):
        customer.uses("CIXA-MSP", 4)

    done = run("sync")
    assert [it["because"] for it in done.json["outcomes"]] == [
        "minimum 10 CIXA-MSP (4 used); was 12",
        "minimum 5 CIXA-MSP (4 used); was 12",
    ]
    assert [each.bills for each in (alder, birch, cedar)] == [{ENDPOINT: 10}, {ENDPOINT: 5}, {ENDPOINT: 12}]


def test_a_commitment_without_a_row_is_not_billed_by_guess(msp: Msp, run: Run) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, minimum=10)
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 3})
    never = msp.customer("Never", {"CEMA-MSP": 3})
    run("sync")
    alder.stops("CIXA-MSP")

    done = run("sync")
    assert (done.exit_code, done.warnings) == (0, ["MINIMUM_WITHOUT_USAGE"])
    assert (alder.bills[ENDPOINT], ENDPOINT in never.bills) == (0, False)


def test_a_tenant_that_vanishes_is_held_although_only_its_commitment_billed(msp: Msp, run: Run) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, minimum=10)
    alder = msp.customer("Alder", {"CIXA-MSP": 0})
    msp.customer("Birch", {"CIXA-MSP": 20})
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 10}
    msp.next_month()
    alder.stops()

    done = run("sync")
    assert (done.exit_code, done.held, done.writes) == (3, [VANISHED], [])
    assert alder.bills == {ENDPOINT: 10}
    assert run("sync", "--force", VANISHED).exit_code == 0
    assert alder.bills == {ENDPOINT: 0}


def test_codes_of_one_item_that_add_up_differently_are_a_fault_of_the_file(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run.mappings_text = (
        "version: 1\nproducts:\n"
        "  CIXA-MSP: {item: SOPHOS-ENDPOINT, aggregate: max}\n"
        "  CDE-MSP: {item: SOPHOS-ENDPOINT}\n"
    )

    done = run("plan")
    assert (done.exit_code, list(done.requests)) == (2, [])
    (fault,) = done.json["error"]["faults"]
    assert (fault["line"], fault["column"]) == (4, 3)
    assert '"CIXA-MSP" in line 3 has max' in fault["message"]


def test_codes_that_meet_on_one_item_only_in_connectwise_leave_its_line_as_it_is(msp: Msp, run: Run) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, aggregate="max")
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.maps("CDE-MSP", item=msp.item(ENDPOINT).id)
    alder.uses("CDE-MSP", 15)

    done = run("sync")
    assert (done.exit_code, done.unresolved, done.writes) == (3, ["AGGREGATE_DIFFERS"] * 2, [])
    assert alder.bills == {ENDPOINT: 12}

    msp.maps("CDE-MSP", item=msp.item(ENDPOINT).id, aggregate="max")
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 15}


def test_units_that_connectwise_includes_are_shown_and_left_alone(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    line = alder.line()
    line.less_included = Decimal(5)
    alder.uses("CIXA-MSP", 43)

    assert "43, of which 5 included" in run.text("plan").stdout
    done = run("sync")
    assert done.bodies == [("PATCH", [{"op": "replace", "path": "quantity", "value": 43}])]
    assert (line.quantity, line.less_included) == (Decimal(43), Decimal(5))
    alder.uses("CIXA-MSP", 3)
    assert "3, of which 3 included" in run.text("plan").stdout


def test_without_included_units_nothing_is_said_of_them(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    alder.uses("CIXA-MSP", 43)

    assert "included" not in run.text("plan").stdout
    assert run("plan").json["changes"][0]["less_included"] == "0"


def test_mapping_a_code_onto_a_bundle_makes_it_add_up_like_the_others(msp: Msp, run: Run) -> None:
    msp.maps("CIXA-MSP", item=ENDPOINT, aggregate="max")
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CDE-MSP": 15})
    run.prepare()
    run.map_kept = True

    assert run("products", "map", "CDE-MSP", ENDPOINT).exit_code == 0
    assert said_of(run, "CDE-MSP")["aggregate"] == "max"
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 15}

    msp.item("SOPHOS-ENCRYPTION")
    assert run("products", "map", "CDE-MSP", "SOPHOS-ENCRYPTION").exit_code == 0
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-ENCRYPTION": 15}
    assert run("products", "map", "CDE-MSP", "SOPHOS-EMAIL").exit_code == 0
    assert "aggregate" not in said_of(run, "CDE-MSP")
