"""Guards stop the whole run, say their figures, and can be released (rule 18)."""

import pytest
from months.calling import Result, Run
from months.msp import ENDPOINT, Msp


def refused(result: Result, guard: str) -> str:
    """Make sure that nothing was written, and return what the guard says."""
    assert (result.exit_code, result.writes, result.guards) == (4, [], [guard])
    message: str = result.json["guards"][0]["message"]
    assert f"--force {guard}" in message
    return message


def test_a_run_that_would_remove_too_many_lines_is_refused(msp: Msp, run: Run) -> None:
    customers = msp.customers(10)
    run("sync")
    for customer in customers[:4]:
        customer.uses("CIXA-MSP", 0)
    customers[9].uses("CIXA-MSP", 11)

    said = refused(run("sync"), "removals")

    assert "4" in said
    assert "10" in said
    assert {customer.bills[ENDPOINT] for customer in customers} == {10}
    assert run("plan").exit_code == 4
    assert run("sync", "--force", "removals").exit_code == 0
    assert [customer.bills[ENDPOINT] for customer in customers] == [0] * 4 + [10] * 5 + [11]


def test_removals_within_the_share_pass(msp: Msp, run: Run) -> None:
    customers = msp.customers(10)
    run("sync")
    for customer in customers[:3]:
        customer.uses("CIXA-MSP", 0)

    assert run("sync").exit_code == 0


def test_a_run_that_would_bill_far_less_is_refused(msp: Msp, run: Run) -> None:
    customers = msp.customers(10)
    run("sync")
    for customer in customers:
        customer.uses("CIXA-MSP", 4)

    said = refused(run("sync"), "decrease")

    assert "100" in said
    assert "40" in said
    assert run("sync", "--force", "removals").exit_code == 4
    assert run("sync", "--force", "decrease").exit_code == 0


def test_small_partners_are_not_guarded_by_shares(msp: Msp, run: Run) -> None:
    customers = msp.customers(9)
    run("sync")
    for customer in customers:
        customer.uses("CIXA-MSP", 0)

    assert run("sync").exit_code == 0


def test_guards_are_set_in_mappings(msp: Msp, run: Run) -> None:
    msp.mappings["guards"] = {"at_least": 2, "removals": 0.5, "decrease": 1}
    customers = msp.customers(3)
    run("sync")
    for customer in customers[:2]:
        customer.uses("CIXA-MSP", 0)

    refused(run("sync"), "removals")


def test_an_older_period_than_the_newest_applied_is_refused(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 15)
    run("sync")

    said = refused(run("sync", "2026-10"), "period_order")

    assert "2026-11" in said
    assert alder.bills == {ENDPOINT: 15}
    assert run("sync", "2026-10", "--force", "period_order").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_an_empty_month_can_be_forced_and_still_holds_vanished_tenants(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.world.publish("2026-11")

    done = run("sync", "2026-11", "--force", "empty_month")
    assert (done.exit_code, done.held) == (3, ["TENANT_VANISHED"])

    run("sync", "2026-11", "--force", "all")
    assert alder.bills == {ENDPOINT: 0}


def test_a_guard_that_is_called_nothing_of_the_kind_is_a_mistake(msp: Msp, run: Run) -> None:
    ended = run("sync", "--force", "removal")

    assert (ended.exit_code, ended.requests) == (2, ())
    assert "removals" in ended.json["error"]["message"] + ended.json["error"]["next"]


@pytest.mark.parametrize(
    "force", [["--force", "removals", "decrease"], ["--force", "removals", "--force", "decrease"]]
)
def test_several_guards_are_released_together(msp: Msp, run: Run, force: list[str]) -> None:
    customers = msp.customers(10)
    run("sync")
    for customer in customers:
        customer.uses("CIXA-MSP", 0)

    assert sorted(run("sync").guards) == ["decrease", "removals"]
    assert run("sync", *force).exit_code == 0
    assert {customer.bills[ENDPOINT] for customer in customers} == {0}
