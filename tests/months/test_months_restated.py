"""A month that Sophos changes after it was billed: reported with its money, carried only when asked."""

from datetime import date

import pytest
from months.calling import Result, Run
from months.importing import imports, row
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.simulator import Fault, Simulator


@pytest.fixture
def alder(msp: Msp, run: Run) -> Customer:
    """Alder and Birch were billed for October, and a day has passed."""
    made = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.customer("Birch", {"CIXA-MSP": 7})
    assert run("sync").exit_code == 0
    msp.world.advance(date(2026, 10, 29))
    return made


def told(result: Result) -> list[tuple[str, str, str]]:
    return [(it["code"], it["product_code"], it["quantity"]) for it in result.json["unresolved"]]


def test_what_changed_after_billing_is_reported_and_not_carried(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 14)
    done = run("sync")
    assert (done.exit_code, done.writes) == (3, [])
    assert told(done) == [("RESTATED", "CIXA-MSP", "2")]
    (found,) = done.json["unresolved"]
    assert found["tenant_id"] == alder.tenant
    assert "12 of 2026-10 were billed, and it is 14 now" in found["message"]
    assert "+2.8 USD at cost, +4 USD at list price" in found["message"]
    assert found["next"].endswith("connector sync 2026-10 --restate")
    assert alder.bills == {ENDPOINT: 12}


def test_a_price_that_changed_after_billing_waits_where_a_rule_makes_the_bill_of_it(
    msp: Msp, run: Run
) -> None:
    msp.mappings["defaults"] = {"pricing": {"price": {"markup": "25%"}}}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    assert run("sync").exit_code == 0
    msp.world.advance(date(2026, 10, 29))
    alder.uses("CIXA-MSP", 12, wire={"unitPrice": "1.60"})

    done = run("sync")

    assert (done.exit_code, done.writes, told(done)) == (3, [], [("RESTATED", "CIXA-MSP", "0")])
    assert (
        "12 of 2026-10 have other prices than were billed; +2.4 USD at cost"
        in (done.json["unresolved"][0]["message"])
    )
    assert run("sync", "--restate").exit_code == 0
    assert alder.line().unit_price == 2
    assert run("sync").writes == []


def test_a_price_that_changed_where_no_rule_uses_it_is_no_restatement(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 12, wire={"unitPrice": "1.60"})
    assert (run("sync").exit_code, told(run("sync"))) == (0, [])


def test_it_takes_no_row_out_of_what_is_billed(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 14)
    planned = run("plan")
    assert planned.exit_code == 3
    assert planned.json["coverage"] == {"rows": 2, "billed": 2, "off": 0, "unresolved": 0}


def test_restate_carries_it_and_from_then_on_that_is_what_was_billed(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 14)
    assert run("plan", "--restate").changes == [("update", "12", "14")]
    assert run("sync", "--restate").exit_code == 0
    assert alder.bills == {ENDPOINT: 14}
    again = run("sync")
    assert (again.exit_code, again.writes, told(again)) == (0, [], [])
    msp.world.advance(date(2026, 10, 30))
    assert run("sync").exit_code == 0
    alder.uses("CIXA-MSP", 13)
    assert told(run("sync")) == [("RESTATED", "CIXA-MSP", "-1")]


def test_a_restatement_that_leaves_something_to_decide_is_not_taken_back(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 14)
    alder.uses("NDR-MSP", 1)
    assert told(run("sync")) == [("RESTATED", "CIXA-MSP", "2"), ("RESTATED", "NDR-MSP", "1")]
    assert run("sync", "--restate").unresolved == ["UNMAPPED_PRODUCT"]
    msp.world.advance(date(2026, 10, 30))
    later = run("sync")
    assert (later.writes, later.unresolved) == ([], ["UNMAPPED_PRODUCT"])
    assert alder.bills == {ENDPOINT: 14}


def test_a_restatement_that_was_cut_short_is_finished_by_the_next_run(
    msp: Msp, run: Run, alder: Customer, simulator: Simulator
) -> None:
    alder.uses("CIXA-MSP", 14)
    alder.uses("CEMA-MSP", 3)
    simulator.faults.add(Fault("409", vendor="connectwise", method="PATCH"))
    assert run("sync", "--restate").exit_code == 6
    msp.world.advance(date(2026, 10, 30))
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 14, EMAIL: 3}


def test_a_stored_plan_carries_what_it_was_made_to_carry(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 14)
    held_back, restated = run("plan").json["digest"], run("plan", "--restate").json["digest"]
    assert run("apply", held_back).writes == []
    assert run("apply", restated).outcomes == [("update", "done")]
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 14}


def test_tenants_and_products_that_come_or_go_are_restated_too(msp: Msp, run: Run, alder: Customer) -> None:
    alder.stops("CIXA-MSP")
    alder.uses("CEMA-MSP", 3)
    msp.customer("Cedar", {"CIXA-MSP": 5})
    done = run("sync")
    assert sorted(told(done)) == [
        ("RESTATED", "CEMA-MSP", "3"),
        ("RESTATED", "CIXA-MSP", "-12"),
        ("RESTATED", "CIXA-MSP", "5"),
    ]
    assert done.writes == []


def test_a_plan_for_one_tenant_tells_of_that_tenant(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 14)
    birch = list(msp.world.tenants)[1]
    assert told(run("plan", "--tenant", birch)) == []
    assert told(run("plan", "--tenant", alder.tenant)) == [("RESTATED", "CIXA-MSP", "2")]


def test_half_a_restatement_is_refused(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 14)
    for half in (("--tenant", alder.tenant), ("--product", "CIXA-MSP")):
        assert run("sync", "--restate", *half).exit_code == 2
    assert alder.bills == {ENDPOINT: 12}


def test_a_changed_map_still_holds_for_what_was_billed(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 14)
    msp.maps("CIXA-MSP", item="SOPHOS-OTHER")
    done = run("sync")
    assert done.held == []
    assert alder.bills == {ENDPOINT: 0, "SOPHOS-OTHER": 12}


def test_what_is_off_is_not_restated(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps("CPHISH-MSP", sync=False)
    alder.uses("CPHISH-MSP", 4)
    assert run("sync").exit_code == 0


def test_what_changed_while_it_was_off_is_restated_once_it_is_on_again(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 15)
    msp.maps("CIXA-MSP", sync=False)
    assert run("sync").exit_code == 0
    msp.world.advance(date(2026, 10, 30))
    msp.maps("CIXA-MSP", item=ENDPOINT)

    assert told(run("sync")) == [("RESTATED", "CIXA-MSP", "3")]
    assert alder.bills == {ENDPOINT: 12}
    assert run("sync", "--restate").exit_code == 0
    assert alder.bills == {ENDPOINT: 15}


def test_an_unplaced_firewall_that_appears_is_restated_as_nobodys(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.firewall("X1C7SPARE04", "DEMO-XGS107-MSP")
    (found,) = run("sync").json["unresolved"]
    assert (found["code"], found["tenant_id"], found["quantity"]) == ("RESTATED", None, "1")


def test_other_words_and_prices_are_no_restatement(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 12, description="Endpoint - 1000+ USERS", wire={"unitPrice": "1.10"})
    assert run("sync").exit_code == 0


def test_a_month_is_still_being_billed_on_the_day_itself(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    assert run("sync").exit_code == 0
    alder.uses("CIXA-MSP", 14)
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 14}


@pytest.mark.parametrize("options", [("--tenant",), ()])
def test_a_month_that_was_never_done_is_still_being_billed(
    msp: Msp, run: Run, options: tuple[str, ...]
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    if not options:
        alder.uses("NDR-MSP", 1)
    run("sync", *options, *([alder.tenant] if options else []))
    msp.world.advance(date(2026, 10, 29))
    alder.uses("CIXA-MSP", 14)
    assert run("sync").unresolved == ([] if options else ["UNMAPPED_PRODUCT"])
    assert alder.bills == {ENDPOINT: 14}


def test_a_file_that_is_replaced_after_billing_is_a_restatement(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    imports(run, [row(alder.tenant, "CIXA-MSP", 12)])
    assert run("sync", "--source", "file").exit_code == 0
    msp.world.advance(date(2026, 10, 29))
    imports(run, [row(alder.tenant, "CIXA-MSP", 10)])
    done = run("sync", "--source", "file")
    assert (told(done), done.writes) == ([("RESTATED", "CIXA-MSP", "-2")], [])
    assert done.json["unresolved"][0]["next"].endswith("connector sync 2026-10 --source file --restate")
    assert run("sync", "--source", "file", "--restate").exit_code == 0
    assert alder.bills == {ENDPOINT: 10}


def test_live_counts_move_every_day(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    licence = msp.world.license(alder.tenant, "CIXA-MSP", 12)
    assert run("sync", "--source", "live").exit_code == 0
    msp.world.advance(date(2026, 10, 29))
    licence.count = 14
    assert run("sync", "--source", "live").exit_code == 0
    assert alder.bills == {ENDPOINT: 14}


def test_the_words_set_it_apart_and_every_command_keeps_its_options(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 140)
    told = run.text("plan").stdout
    assert "Changed since the month was billed:\n  ! RESTATED  128  Alder Ltd" in told
    assert "billed to nobody" not in told
    held = run.text("plan", "--restate").stdout
    assert "connector sync 2026-10 --restate --force LARGE_INCREASE" in held


def test_an_older_month_is_not_to_be_carried_over_the_newer_one(msp: Msp, run: Run, alder: Customer) -> None:
    msp.next_month()
    assert run("sync").exit_code == 0
    msp.period = "2026-10"
    alder.uses("CIXA-MSP", 14)

    (found,) = run("plan", "2026-10").json["unresolved"]

    assert "--restate" not in found["next"]
    assert found["next"].endswith("connector usage compare 2026-10 2026-11")
