"""Usage that stops, moves or cannot be placed any more, and what waits for a person (rules 16 and 17)."""

from datetime import date

import pytest
from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Msp

XGS = "XGS107-MSP"


def stopped(msp: Msp, run: Run, absent: str | None = None) -> None:
    """Bill Alder for endpoints and e-mail; a month later no endpoint is left."""
    if absent is not None:
        msp.mappings["defaults"] = {"absent": absent}
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    assert run("sync").exit_code == 0
    msp.next_month()
    alder.stops("CIXA-MSP")


def test_usage_that_stops_is_set_to_zero(msp: Msp, run: Run) -> None:
    stopped(msp, run)

    assert run("plan").changes == [("zero", "12", "0")]
    done = run("sync")

    assert (done.exit_code, done.outcomes) == (0, [("zero", "done")])
    assert done.bodies == [("PATCH", [{"op": "replace", "path": "quantity", "value": 0}])]
    assert run("sync").outcomes == []


def test_a_row_of_zero_stops_usage_as_well(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.uses("CIXA-MSP", 0)

    assert run("sync").outcomes == [("zero", "done")]
    assert alder.bills == {ENDPOINT: 0}


def test_usage_that_comes_back_raises_the_same_line(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.uses("CIXA-MSP", 0)
    run("sync")
    alder.uses("CIXA-MSP", 5000)

    done = run("sync")
    assert (done.exit_code, done.outcomes) == (0, [("update", "done")])
    assert alder.bills == {ENDPOINT: 5000}


def test_usage_that_stops_may_end_the_line(msp: Msp, run: Run) -> None:
    stopped(msp, run, "end")

    planned = run("plan")
    assert [(it["kind"], it["effective"]) for it in planned.json["changes"]] == [("end", "2026-10-31")]
    done = run("sync")

    assert done.bodies == [
        ("PATCH", [{"op": "replace", "path": "cancelledDate", "value": "2026-10-31T00:00:00Z"}])
    ]
    assert run("sync").outcomes == []


def test_usage_that_comes_back_after_an_end_gets_a_new_line(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"absent": "end"}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    first = alder.line()
    msp.next_month()
    alder.uses("CIXA-MSP", 0)
    assert run("sync").outcomes == [("end", "done")]
    assert first.cancelled == date(2026, 10, 31)
    msp.next_month()
    alder.uses("CIXA-MSP", 3)

    done = run("sync")
    assert (done.exit_code, done.outcomes) == (0, [("create", "done")])
    assert alder.bills == {ENDPOINT: 3}


def test_usage_that_stops_may_be_kept_and_reported(msp: Msp, run: Run) -> None:
    stopped(msp, run, "keep")

    done = run("sync")

    assert (done.exit_code, done.writes) == (0, [])
    assert len(done.json["warnings"]) == 1


def test_usage_sent_to_another_item_leaves_the_old_one_at_zero(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.maps("CIXA-MSP", item="SOPHOS-NEW")

    done = run("sync")

    assert sorted(done.outcomes) == [("create", "done"), ("zero", "done")]
    assert alder.bills == {ENDPOINT: 0, "SOPHOS-NEW": 12}


def test_a_tenant_sent_to_another_agreement_leaves_the_old_one_at_zero(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    new = msp.world.add_agreement(alder.company.id, "Security Plus")
    alder.entry["agreement"] = "Security Plus"

    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 0}
    assert [line.quantity for line in msp.world.live_additions(new.id)] == [12]


@pytest.mark.parametrize("how", ["tenant", "product", "exception", "unmapped tenant", "unmapped product"])
def test_what_is_turned_off_is_left_alone_and_reported(msp: Msp, run: Run, how: str) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.customer("Birch", {"CEMA-MSP": 7})
    run("sync")
    tenants, products = msp.mappings["tenants"], msp.mappings["products"]
    match how:
        case "tenant":
            alder.entry["sync"] = False
        case "product":
            products["CIXA-MSP"]["sync"] = False
        case "exception":
            alder.entry["products"] = {"CIXA-MSP": {"sync": False}}
        case "unmapped tenant":
            del tenants[alder.tenant]
        case _:
            del products["CIXA-MSP"]

    done = run("sync")

    assert (done.exit_code, done.writes) == (3 if "unmapped" in how else 0, [])
    assert "OFF_STILL_BILLING" in done.warnings
    assert alder.bills == {ENDPOINT: 12}


def test_where_one_of_two_tenants_is_off_the_other_is_billed_as_usual(msp: Msp, run: Run) -> None:
    alder, branch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Branch", {"CIXA-MSP": 5})
    branch.entry |= {"company": "Alder"}
    run("sync")
    assert alder.bills == {ENDPOINT: 17}
    branch.entry["sync"] = False

    done = run("sync")

    assert (done.exit_code, done.outcomes) == (0, [("update", "done")])
    assert alder.bills == {ENDPOINT: 12}


def test_a_tenant_without_any_row_is_not_taken_for_one_that_stopped(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    msp.next_month()
    alder.stops()

    done = run("sync")
    assert (done.exit_code, done.held, done.writes) == (3, ["TENANT_VANISHED"], [])
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 7})

    assert run("sync", "--force", "TENANT_VANISHED").outcomes == [("zero", "done")]
    assert run("sync").exit_code == 0


def test_a_vanished_tenant_holds_the_fall_of_a_shared_line(msp: Msp, run: Run) -> None:
    alder, branch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Branch", {"CIXA-MSP": 5})
    branch.entry |= {"company": "Alder"}
    run("sync")
    msp.next_month()
    branch.stops()

    assert run("sync").held == ["TENANT_VANISHED"]
    assert alder.bills == {ENDPOINT: 17}

    alder.uses("CIXA-MSP", 20)  # a rise is no fall
    assert run("sync").outcomes == [("update", "done")]
    assert alder.bills == {ENDPOINT: 20}


def test_a_firewall_that_lost_its_tenant_holds_its_line(msp: Msp, run: Run) -> None:
    msp.maps(XGS, item="SOPHOS-XGS")
    alder = msp.customer("Alder", {"CIXA-MSP": 1})
    msp.firewall("X1A", XGS, tenant=alder.tenant)
    run("sync")
    msp.world.firewalls["X1A"].tenant = None

    done = run("sync")
    assert (done.exit_code, done.held, done.unresolved) == (
        3,
        ["FIREWALL_UNASSIGNED"],
        ["FIREWALL_UNASSIGNED"],
    )
    assert alder.bills == {ENDPOINT: 1, "SOPHOS-XGS": 1}

    run("sync", "--force", "FIREWALL_UNASSIGNED")
    assert alder.bills == {ENDPOINT: 1, "SOPHOS-XGS": 0}


def test_a_firewall_replaced_by_one_that_is_unassigned_holds_its_line(msp: Msp, run: Run) -> None:
    msp.maps(XGS, item="SOPHOS-XGS")
    alder = msp.customer("Alder", {"CIXA-MSP": 1})
    msp.firewall("X1A", XGS, tenant=alder.tenant)
    run("sync")
    msp.next_month()
    msp.world.rows(msp.period, product_code=XGS)[0].serial_or_account = "X1SPARE"

    assert run("sync").held == ["FIREWALL_UNASSIGNED"]
    assert alder.bills == {ENDPOINT: 1, "SOPHOS-XGS": 1}


def test_an_unassigned_firewall_does_not_hold_what_has_nothing_to_do_with_it(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 11)
    msp.firewall("X1SPARE", XGS)

    done = run("sync")
    assert (done.exit_code, done.outcomes) == (3, [("update", "done")])


def test_a_fall_whose_product_is_unresolved_waits(msp: Msp, run: Run) -> None:
    msp.maps("SVR-MSP", item=ENDPOINT)
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "SVR-MSP": 3})
    run("sync")
    del msp.mappings["products"]["SVR-MSP"]

    done = run("sync")

    assert (done.exit_code, done.held, done.writes) == (3, ["UNMAPPED_PRODUCT"], [])
    assert alder.bills == {ENDPOINT: 15}


def test_a_line_whose_agreement_ended_is_left_alone(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.agreement.cancelled = True

    done = run("sync")
    assert (done.exit_code, done.unresolved, done.writes) == (3, ["AGREEMENT_INACTIVE"], [])


def test_a_sum_below_zero_waits(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.uses("CIXA-MSP", -3)

    done = run("sync")
    assert (done.exit_code, done.held, done.writes) == (3, ["NEGATIVE_QUANTITY"], [])
    assert done.json["outcomes"][0]["after"] == "-3"


def test_a_first_sum_below_zero_creates_nothing(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": -3})

    done = run("sync")
    assert (done.exit_code, done.held, done.writes) == (3, ["NEGATIVE_QUANTITY"], [])


def test_a_large_increase_waits(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 10}), msp.customer("Birch", {"CEMA-MSP": 2})
    run("sync")
    alder.uses("CIXA-MSP", 101)  # beyond factor and units
    birch.uses("CEMA-MSP", 50)  # beyond the factor alone

    done = run("sync")
    assert (done.exit_code, done.held) == (3, ["LARGE_INCREASE"])
    assert (alder.bills, birch.bills) == ({ENDPOINT: 10}, {EMAIL: 50})

    assert run("sync", "--force", "LARGE_INCREASE").exit_code == 0
    assert alder.bills == {ENDPOINT: 101}


def test_an_increase_just_within_the_guard_is_made(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 10})
    run("sync")
    alder.uses("CIXA-MSP", 100)

    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 100}


def test_a_line_of_a_merged_company_waits(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    msp.world.merge_company(alder.company.id, into=birch.company.id)

    done = run("sync")

    assert (done.exit_code, done.writes) == (3, [])
    assert (done.unresolved, done.held) == (["COMPANY_NOT_FOUND"], ["COMPANY_NOT_FOUND"])


def test_a_line_whose_item_left_the_catalog_waits(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    del msp.world.items[msp.item(ENDPOINT).id]

    done = run("sync")
    assert (done.exit_code, done.writes, done.unresolved) == (3, [], ["ITEM_NOT_FOUND"])


def test_an_agreement_that_is_gone_is_reported_and_stops_nobody_else(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    del msp.world.agreements[alder.agreement.id]
    birch.uses("CIXA-MSP", 8)

    done = run("sync")

    assert (done.exit_code, done.unresolved) == (3, ["AGREEMENT_NOT_FOUND"])
    assert birch.bills == {ENDPOINT: 8}


def test_adoption_that_grows_too_much_waits_even_when_adoption_is_wanted(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 300})
    alder.has(ENDPOINT, 3)

    assert run("sync", "--adopt").held == ["LARGE_INCREASE"]
    assert run("sync", "--force", "LARGE_INCREASE").held == ["NEEDS_ADOPTION"]
    assert run("sync", "--adopt", "--force", "LARGE_INCREASE").exit_code == 0
    assert alder.bills == {ENDPOINT: 300}
