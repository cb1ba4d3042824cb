"""The first month and the ones after it: what is billed, and with which requests (rules 10 to 12, 19, 20)."""

from datetime import date
from decimal import Decimal

import pytest
from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Msp


def test_the_first_month_creates_one_line_for_each_product_used(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})

    done = run("sync")

    assert done.exit_code == 0
    assert alder.bills == {ENDPOINT: 12, EMAIL: 5}
    assert done.outcomes == [("create", "done")] * 2


def test_a_new_line_says_exactly_what_the_contract_names(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    done = run("sync")

    assert done.bodies == [
        (
            "POST",
            {
                "product": {"id": msp.item(ENDPOINT).id},
                "quantity": 12,
                "billCustomer": "Billable",
                "effectiveDate": "2026-10-01T00:00:00Z",
                "serialNumber": alder.line().serial_number,
            },
        )
    ]
    assert done.writes[0].path.endswith(f"/finance/agreements/{alder.agreement.id}/additions")


def test_without_mark_a_new_line_has_no_serial_number(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"mark": False}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    assert not run("sync").writes[0].body.get("serialNumber")
    assert not alder.line().serial_number
    assert run("sync").writes == []


def test_a_second_run_of_a_month_writes_nothing(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    assert run("sync").exit_code == 0

    again = run("sync")

    assert (again.exit_code, again.writes, again.outcomes) == (0, [], [])


def test_a_quiet_month_after_the_first_writes_nothing(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    run("sync")
    msp.next_month()

    assert run("sync").writes == []


def test_a_changed_quantity_is_updated_and_nothing_else_is_touched(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40, "CEMA-MSP": 5})
    run("sync")
    line = alder.line()
    line.unit_price, line.less_included, line.invoice_description = Decimal(3), Decimal(2), "as agreed"
    msp.next_month()
    alder.uses("CIXA-MSP", 43)

    done = run("sync")

    assert done.bodies == [("PATCH", [{"op": "replace", "path": "quantity", "value": 43}])]
    assert done.writes[0].path.endswith(f"/additions/{line.id}")
    assert (line.unit_price, line.less_included, line.invoice_description) == (
        Decimal(3),
        Decimal(2),
        "as agreed",
    )
    assert alder.bills == {ENDPOINT: 43, EMAIL: 5}


def test_a_tenant_or_product_that_sophos_renames_changes_nothing(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 12, description="Intercept X, now with a new name", customer="Alder Group")
    msp.world.tenants[alder.tenant].name = "Alder Dental Group plc"

    done = run("sync")

    assert (done.exit_code, done.writes, done.json["warnings"]) == (0, [], [])


def test_a_line_that_a_person_ends_in_the_future_bills_until_then(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.line().cancelled = date(2026, 10, 31)
    alder.uses("CIXA-MSP", 13)

    done = run("sync")
    assert done.outcomes == [("update", "done")]
    assert alder.line().cancelled == date(2026, 10, 31)

    msp.next_month()
    assert run("sync").unresolved == ["ENDED_BY_HAND"]


def test_a_line_known_only_by_its_mark_is_ours(msp: Msp, run: Run) -> None:
    """The copy of the mark is what a lost ledger leaves (rule 10)."""
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.uses("CIXA-MSP", 15)

    done = run("sync", "--state", "another")

    assert done.outcomes == [("update", "done")]
    assert alder.bills == {ENDPOINT: 15}


def test_another_live_line_beside_ours_is_left_alone_and_reported(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    theirs = alder.has(ENDPOINT, 3)
    alder.uses("CIXA-MSP", 14)

    done = run("sync")

    assert done.exit_code == 0
    assert [write.path.rsplit("/", 1)[1] for write in done.writes] != [str(theirs.id)]
    assert sorted(int(line.quantity or 0) for line in alder.lines()) == [3, 14]
    assert f"{theirs.id}" in str(done.json["warnings"])


@pytest.mark.parametrize(("effective", "starts"), [("period_start", "2026-10-01"), ("today", "2026-10-28")])
def test_the_first_day_of_a_new_line_is_as_mapped(msp: Msp, run: Run, effective: str, starts: str) -> None:
    msp.mappings["defaults"] = {"effective": effective}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    assert run("plan").json["changes"][0]["effective"] == starts
    run("sync")
    assert str(alder.line().effective) == starts


def test_a_new_line_may_start_with_the_next_invoice(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"effective": "next_invoice"}
    alder = msp.customer("Alder", {"CIXA-MSP": 12}, invoiced_through=date(2026, 10, 31))

    assert run("sync").exit_code == 0
    assert alder.line().effective == date(2026, 11, 1)


@pytest.mark.parametrize("bound", ["start", "bill_start"])
def test_a_new_line_never_starts_before_its_agreement(msp: Msp, run: Run, bound: str) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    setattr(alder.agreement, bound, date(2026, 10, 10))

    assert run("sync").exit_code == 0
    assert alder.line().effective == date(2026, 10, 10)


def test_nothing_is_created_for_usage_of_zero(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 0})

    done = run("sync")

    assert (done.exit_code, done.writes, alder.bills) == (0, [], {})


def test_the_same_input_gives_the_same_plan_in_whatever_order_it_comes(msp: Msp, run: Run) -> None:
    msp.customers(3)
    msp.customer("Alder", {"CEMA-MSP": 4, "CIXA-MSP": 12})
    first = run("plan").json
    msp.world.usage[2026, 10].reverse()
    msp.mappings["tenants"] = dict(reversed(msp.mappings["tenants"].items()))
    msp.world.shuffle_unordered = True

    assert run("plan", "--state", "another").json == first
