"""Sophos gives a product a new code: nothing is zeroed until a person has said what the new one is."""

import pytest
from months.calling import Result, Run
from months.msp import ENDPOINT, Customer, Msp

HELD = "SUSPECTED_SUCCESSOR"
COMMAND = "connector products map XDR-MSP SOPHOS-ENDPOINT"


@pytest.fixture
def recoded(msp: Msp, run: Run) -> list[Customer]:
    """Four customers billed by CIXA-MSP; a month later three of them use XDR-MSP instead."""
    customers = [
        msp.customer(name, {"CIXA-MSP": quantity, "CEMA-MSP": 1})
        for name, quantity in {"Alder": 12, "Birch": 7, "Cedar": 30, "Elm": 5}.items()
    ]
    assert run("sync").exit_code == 0
    msp.next_month()
    for customer, quantity in zip(customers[:3], (12, 8, 29), strict=True):
        customer.stops("CIXA-MSP")
        customer.uses("XDR-MSP", quantity)
    return customers


def billed(customers: list[Customer]) -> list[object]:
    return [customer.bills[ENDPOINT] for customer in customers]


def warning(done: Result) -> str:
    (message,) = (each["message"] for each in done.json["warnings"] if each["code"] == HELD)
    return str(message)


def test_a_plan_holds_every_line_and_prints_the_one_command(run: Run, recoded: list[Customer]) -> None:
    planned = run("plan")

    assert (planned.exit_code, planned.held) == (3, [HELD] * 3)
    assert planned.changes == [("zero", "12", "0"), ("zero", "7", "0"), ("zero", "30", "0")]
    assert planned.unresolved == ["UNMAPPED_PRODUCT"] * 3
    assert "CIXA-MSP has vanished from 3 tenants" in warning(planned)
    assert "49 before, 49 now" in warning(planned)
    assert "nothing is zeroed there meanwhile" in warning(planned)
    assert warning(planned).endswith(COMMAND)
    shown = run.text("plan").stdout
    assert COMMAND in shown
    assert shown.count(f"! {HELD}") == 3


def test_sync_writes_nothing_there_this_month_and_the_next_ones(
    msp: Msp, run: Run, recoded: list[Customer]
) -> None:
    for _ in range(3):
        done = run("sync")
        assert (done.exit_code, done.held, done.writes) == (3, [HELD] * 3, [])
        msp.next_month()
    recoded[2].uses("XDR-MSP", 45)  # they grow while nobody decides
    recoded[3].uses("CIXA-MSP", 6)

    done = run("sync")

    assert (done.held, done.outcomes.count(("update", "done"))) == ([HELD] * 3, 1)
    assert billed(recoded) == [12, 7, 30, 6]


def test_one_tenants_plan_holds_its_line_too(run: Run, recoded: list[Customer]) -> None:
    alone = run("sync", "--tenant", recoded[0].tenant)
    assert (alone.exit_code, alone.held, alone.writes) == (3, [HELD], [])
    product = run("sync", "--product", "CIXA-MSP")
    assert (product.held, product.writes) == ([HELD] * 3, [])


def test_after_mapping_the_new_code_the_same_additions_go_on(
    msp: Msp, run: Run, recoded: list[Customer]
) -> None:
    run("sync")
    lines = [customer.line().id for customer in recoded]
    msp.maps("XDR-MSP", item=ENDPOINT)

    done = run("sync")

    assert (done.exit_code, done.held) == (0, [])
    assert sorted(done.outcomes) == [("update", "done")] * 2
    assert {method for method, _ in done.bodies} == {"PATCH"}
    assert billed(recoded) == [12, 8, 29, 5]
    assert [customer.line().id for customer in recoded] == lines
    again = run("sync")
    assert (again.exit_code, again.writes, again.warnings) == (0, [], [])


def test_a_person_may_release_the_lines(run: Run, recoded: list[Customer]) -> None:
    done = run("sync", "--force", HELD)

    assert done.outcomes == [("zero", "done")] * 3
    assert billed(recoded) == [0, 0, 0, 5]
    assert "--force has released" in warning(done)
    again = run("sync")
    assert (again.exit_code, again.writes, again.warnings) == (3, [], [])


def test_with_the_new_code_decided_not_to_be_billed_the_old_one_is_zeroed(
    msp: Msp, run: Run, recoded: list[Customer]
) -> None:
    msp.maps("XDR-MSP", sync=False)

    done = run("sync")

    assert (done.exit_code, done.outcomes) == (0, [("zero", "done")] * 3)
    assert billed(recoded) == [0, 0, 0, 5]


def test_a_single_tenant_that_changes_its_product_is_no_suspicion(
    msp: Msp, run: Run, recoded: list[Customer]
) -> None:
    for customer, quantity in zip(recoded[1:3], (7, 30), strict=True):
        customer.stops("XDR-MSP")
        customer.uses("CIXA-MSP", quantity)

    done = run("sync")

    assert (done.exit_code, done.outcomes, done.warnings) == (3, [("zero", "done")], [])
    assert billed(recoded) == [0, 7, 30, 5]


def test_lines_found_by_their_mark_after_the_state_was_lost_are_held_too(
    run: Run, recoded: list[Customer]
) -> None:
    done = run("sync", "--state", "another")

    assert (done.exit_code, done.held, done.writes) == (3, [HELD] * 3, [])
    assert "49 before, 49 now" in warning(done)


def test_doctor_tells_the_suspicion_and_the_command(run: Run, recoded: list[Customer]) -> None:
    found = run("doctor")

    (check,) = (each for each in found.json["checks"] if each["name"] == "Products")
    assert (found.exit_code, check["status"]) == (0, "warning")
    assert "CIXA-MSP has vanished from 3 tenants" in check["message"]
    assert check["next"].endswith(COMMAND)
    assert COMMAND in run.text("doctor").stdout


def test_doctor_finds_nothing_once_it_is_decided(msp: Msp, run: Run, recoded: list[Customer]) -> None:
    msp.maps("XDR-MSP", item=ENDPOINT)
    checks = {each["name"]: each["status"] for each in run("doctor").json["checks"]}
    assert checks["Products"] == "ok"


def test_doctor_leaves_it_out_while_sophos_cannot_be_read(run: Run, recoded: list[Customer]) -> None:
    found = run("doctor", SOPHOS_CLIENT_SECRET="another-secret")
    checks = {each["name"]: each["status"] for each in found.json["checks"]}
    assert checks["Products"] == "skipped"


def test_an_unassigned_firewall_is_found_by_its_serial_for_doctor_as_for_the_plan(msp: Msp, run: Run) -> None:
    msp.maps("XGS-MSP", item="SOPHOS-XGS")
    customers = [msp.customer(name, {"CEMA-MSP": 1}) for name in ("Alder", "Birch")]
    for number, customer in enumerate(customers):
        msp.firewall(f"X1A7000{number}", "XGS-MSP", billing_tenant=customer.tenant)
    assert run("sync").exit_code == 0
    msp.next_month()
    msp.world.stop_using(msp.period, None, "XGS-MSP")
    for number in range(2):
        msp.world.use(msp.period, None, "XGS2-MSP", 1, serial=f"X1A7000{number}")

    assert run("plan").held == [HELD] * 2
    (check,) = (each for each in run("doctor").json["checks"] if each["name"] == "Products")
    assert check["next"].endswith("connector products map XGS2-MSP SOPHOS-XGS")
