"""What the nightly job may not do alone waits, and goes when a person says so and why."""

from datetime import date
from decimal import Decimal

import pytest
from months.calling import Result, Run
from months.importing import imports, row
from months.msp import ENDPOINT, Customer, Msp

from connector.ledger import Ledger
from connector.ledger.approvals import approvals_of


@pytest.fixture
def birch(msp: Msp) -> Customer:
    """Birch used 7 endpoints in October, and uses 8 in November."""
    return msp.customer("Birch", {"CIXA-MSP": 7})


@pytest.fixture
def alder(msp: Msp, run: Run, birch: Customer) -> Customer:
    """Alder and Birch were billed for October; in November Alder uses 20, and not 12 as before."""
    made = msp.customer("Alder", {"CIXA-MSP": 12})
    assert run("nightly").exit_code == 0
    msp.next_month()
    msp.mappings["unattended"] = {"increase": {"share": 0.20, "units": 10}, "create": False}
    made.uses("CIXA-MSP", 20)
    birch.uses("CIXA-MSP", 8)
    return made


def digest(night: Result) -> str:
    return str(night.json["steps"][0]["run"]["digest"])


def outcomes(night: Result) -> dict[str, str]:
    return {it["after"]: it["outcome"] for it in night.json["steps"][0]["run"]["outcomes"]}


def test_what_is_within_the_limits_goes_and_the_rest_waits(
    run: Run, alder: Customer, birch: Customer
) -> None:
    night = run("nightly")
    assert night.exit_code == 3
    assert outcomes(night) == {"20": "held", "8": "done"}
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 8})
    told = run.text("nightly").stdout
    assert "NEEDS_APPROVAL" in told
    assert "let them go: connector approve " in told


def test_an_approval_makes_exactly_that_change_and_stays_on_record(run: Run, alder: Customer) -> None:
    shown = digest(run("nightly"))
    done = run("approve", shown, "--why", "new branch in Cork")
    assert (done.exit_code, alder.bills) == (0, {ENDPOINT: 20})
    assert done.json["schema"] == "connector.run/1"
    with Ledger(run.state) as ledger:
        (approval,) = approvals_of(ledger, done.json["run"])
    assert (approval.digest, approval.why) == (shown, "new branch in Cork")
    assert "@" in approval.who
    assert run("nightly").json["steps"][0]["run"] is None


def test_the_month_counts_as_billed_after_it(msp: Msp, run: Run, alder: Customer) -> None:
    run("approve", digest(run("nightly")))
    msp.world.advance(date(2026, 11, 29))
    alder.uses("CIXA-MSP", 21)
    told = run("nightly")
    assert [each["code"] for each in told.json["steps"][0]["restated"]] == ["RESTATED"]


def test_only_what_is_named_goes(msp: Msp, run: Run, alder: Customer) -> None:
    fir = msp.customer("Fir", {"CIXA-MSP": 3})
    shown = digest(run("nightly"))
    key = f"{fir.agreement.id}/{msp.item(ENDPOINT).id}"
    done = run("approve", shown, "--only", key)
    assert (done.exit_code, fir.bills, alder.bills) == (3, {ENDPOINT: 3}, {ENDPOINT: 12})


def test_a_change_that_moved_is_refused_and_nothing_is_written(run: Run, alder: Customer) -> None:
    shown = digest(run("nightly"))
    alder.uses("CIXA-MSP", 25)
    refused = run("approve", shown)
    assert (refused.exit_code, refused.writes) == (4, [])
    assert refused.json["error"]["code"] == "PLAN_MOVED"
    assert alder.bills == {ENDPOINT: 12}


def test_an_approval_is_for_this_month_alone(msp: Msp, run: Run, alder: Customer) -> None:
    run("approve", digest(run("nightly")))
    alder.line().quantity = Decimal(12)
    msp.next_month()
    night = run("nightly")
    assert outcomes(night) == {"20": "held"}


def test_what_was_approved_and_failed_goes_by_itself_the_next_night(
    msp: Msp, run: Run, alder: Customer
) -> None:
    shown = digest(run("nightly"))
    alder.agreement.cancelled = True
    assert run("approve", shown).exit_code == 4
    alder.agreement.cancelled = False
    assert run("nightly").exit_code == 0
    assert alder.bills == {ENDPOINT: 20}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("approve", "000000000000"), "There is no plan"),
        (("approve", "{shown}", "--only", "1/1"), "--only 1/1: no change of that key waits"),
    ],
)
def test_what_cannot_be_approved_is_the_command_lines_fault(
    run: Run, alder: Customer, arguments: tuple[str, ...], says: str
) -> None:
    shown = digest(run("nightly"))
    refused = run(*(each.format(shown=shown) for each in arguments))
    assert (refused.exit_code, refused.writes) == (2, [])
    assert says in refused.json["error"]["message"]


def test_a_plan_in_which_nothing_waits_has_nothing_to_approve(run: Run, alder: Customer) -> None:
    planned = run("plan")
    assert run("approve", planned.json["digest"]).exit_code == 2


def test_a_person_who_runs_sync_is_there_and_needs_no_approval(run: Run, alder: Customer) -> None:
    run("nightly")
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 20}


def test_an_approval_is_void_once_its_change_was_taken_back(run: Run, alder: Customer) -> None:
    shown = digest(run("nightly"))
    approved = run("approve", shown)
    assert run("runs", "undo", str(approved.json["run"])).exit_code == 0
    assert alder.bills == {ENDPOINT: 12}

    again = run("nightly")
    assert (outcomes(again), alder.bills) == ({"20": "held"}, {ENDPOINT: 12})
    assert run("approve", digest(again)).exit_code == 0
    assert alder.bills == {ENDPOINT: 20}


def test_an_approval_is_good_again_once_the_undo_is_taken_back_itself(run: Run, alder: Customer) -> None:
    approved = run("approve", digest(run("nightly")))
    undone = run("runs", "undo", str(approved.json["run"]))
    assert run("runs", "undo", str(undone.json["run"])).exit_code == 0
    assert alder.bills == {ENDPOINT: 20}
    assert run("nightly").exit_code == 0


def test_a_line_that_begins_on_the_day_it_is_made_can_be_approved_on_the_next(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.mappings["defaults"] = {"effective": "today"}
    fir = msp.customer("Fir", {"CIXA-MSP": 3})
    shown = digest(run("nightly"))
    msp.world.advance(date(2026, 11, 29))
    key = f"{fir.agreement.id}/{msp.item(ENDPOINT).id}"
    assert run("approve", shown, "--only", key).exit_code == 3
    assert fir.line().effective == date(2026, 11, 29)


def test_an_approval_needs_no_credentials_that_its_plan_did_without(
    msp: Msp, run: Run, birch: Customer
) -> None:
    imports(run, [row(birch.tenant, "CIXA-MSP", 7)])
    without = {"SOPHOS_CLIENT_ID": None, "SOPHOS_CLIENT_SECRET": None}
    made = run("plan", "--source", "file", **without)
    said = run("approve", made.json["digest"], **without)
    assert (said.exit_code, said.json["error"]["code"]) == (2, "COMMAND")
    assert "waits for an approval" in said.json["error"]["message"]
