"""The report of all additions spares requests and is never believed where anything would be written."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from months.calling import Result, Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.simulator import Fault, Simulator, World

REPORT = "/system/reports/AgreementAdditions"
ADDITIONS = "/additions"
Edit = Callable[[Any], Any]


def forget(run: Run) -> None:
    """Forget all that was found out about the report, as time would."""
    with closing(sqlite3.connect(run.state / "connector.db")) as db, db:
        db.execute("DELETE FROM vendor_facts")


def ages(run: Run, days: int) -> None:
    """Let all that was found out be that much older."""
    with closing(sqlite3.connect(run.state / "connector.db")) as db, db:
        db.execute(
            "UPDATE vendor_facts SET learned_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', learned_at, ?)",
            (f"-{days} days",),
        )


def asked(result: Result, path: str) -> list[str]:
    """Return the paths of the requests that were made, of those that hold this text."""
    return [it.path for it in result.requests if path.casefold() in it.path.casefold()]


def read_of(result: Result, *customers: Customer) -> list[bool]:
    """Say of each customer whether its agreement's own lines were read."""
    return [bool(asked(result, f"/agreements/{each.agreement.id}/additions")) for each in customers]


def lies(simulator: Simulator, edit: Edit) -> None:
    """Let every page of the report be edited; its columns, asked for alone, stay."""
    path = rf"{REPORT}\?"
    simulator.faults.add(Fault("body", vendor="connectwise", path=path, times=None, edit=edit))


def rows(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Edit:
    """Return an edit that changes each row, or leaves it out."""

    def edit(payload: Any) -> Any:
        names = [name for column in payload["column_definitions"] for name in column]
        kept = [change(dict(zip(names, row, strict=True))) for row in payload["row_values"]]
        return payload | {"row_values": [[row[name] for name in names] for row in kept if row is not None]}

    return edit


def columns(change: Callable[[list[Any]], list[Any]], values: Callable[[list[Any]], list[Any]]) -> Edit:
    return lambda payload: {
        "column_definitions": change(payload["column_definitions"]),
        "row_values": [values(row) for row in payload["row_values"]],
    }


def _typed(definitions: list[Any]) -> list[Any]:
    return [{name: details | {"type": "Text"}} for one in definitions for name, details in one.items()]


LIES: dict[str, Edit] = {
    "old quantities": rows(lambda row: row | {"Total_Quantity": Decimal(1)}),
    "every line twice": lambda payload: (
        payload | {"row_values": [it for it in payload["row_values"] for _ in "12"]}
    ),
    "the first three lines": lambda payload: payload | {"row_values": payload["row_values"][:3]},
    "no line": lambda payload: payload | {"row_values": []},
    "another order of columns": columns(lambda names: names[::-1], lambda row: row[::-1]),
    "another order of values": columns(lambda names: names, lambda row: row[::-1]),
    "other types": columns(_typed, lambda row: row),
    "a column more": columns(lambda names: [*names, {"New": {"type": "Text"}}], lambda row: [*row, "x"]),
    "a column less": columns(lambda names: names[:-1], lambda row: row[:-1]),
    "a value less": columns(lambda names: names, lambda row: row[:-1]),
    "other ids of items": rows(lambda row: row | {"Product_RecId": row["Product_RecId"] + 5000}),
    "other ids of agreements": rows(lambda row: row | {"AGR_RecID": row["AGR_RecID"] + 5000}),
    "the next agreement": rows(lambda row: row | {"AGR_RecID": row["AGR_RecID"] + 1}),
    "no cancelled line": rows(lambda row: None if row["Cancelled_Date"] else row),
    "no end dates": rows(lambda row: row | {"Cancelled_Date": None}),
    "everything ended": rows(lambda row: row | {"Cancelled_Date": "2026-01-31T00:00:00Z"}),
    "quantities of nonsense": rows(lambda row: row | {"Total_Quantity": "many"}),
    "ids of nonsense": rows(lambda row: row | {"Addition_RecId": True}),
    "no serial numbers": rows(lambda row: row | {"Serial_Number": None}),
    "our mark everywhere": rows(lambda row: row | {"Serial_Number": "sophos-sync:1:1"}),
    "other prices": rows(lambda row: row | {"Unit_Price": Decimal("0.01")}),
    "first days a day off": rows(lambda row: row | {"Effective_Date": "2026-09-30T00:00:00Z"}),
    "a list": lambda payload: payload["row_values"],
    "an error": lambda _: {"code": "X", "message": "no"},
    "rows of text": lambda payload: payload | {"row_values": "none"},
}


UNSEEN = {"no end dates"}
"""What hides that somebody ended a line, until its agreement has its turn: no line is written for it."""


@pytest.fixture
def november(msp: Msp, run: Run) -> dict[str, Customer]:
    """Bill October, and come to a November in which every kind of thing happens, and to most nothing."""
    msp.mappings["defaults"] = {"adopt": "auto"}
    msp.mappings["guards"] = {"removals": 1, "decrease": 1}
    names = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper")
    found = {name: msp.customer(name, {"CIXA-MSP": 12}) for name in names}
    assert run("sync").exit_code == 0
    msp.next_month()
    found["Alder"].uses("CIXA-MSP", 15)
    found["Birch"].stops("CIXA-MSP")
    found["Birch"].uses("CEMA-MSP", 4)
    found["Cedar"].line().cancelled = date(2026, 10, 31)
    found["Dogwood"].has(ENDPOINT, 3)
    found["Elm"].has("BACKUP", 3, less_included=Decimal(1))
    found["Fir"].has(EMAIL, 5, cancelled=date(2026, 3, 31))
    del msp.world.additions[found["Gorse"].line().id]
    return found


def without_the_report(run: Run, world: World) -> Result:
    """Plan as if there were no report, and forget that."""
    world.report_available = False
    planned = run("plan")
    world.report_available = True
    assert not asked(planned, f"{REPORT}?")
    forget(run)
    return planned


def told(result: Result) -> Any:
    """Return what a plan says, but for what was found out about the report."""
    plan = dict(result.json)
    plan["warnings"] = [each for each in plan["warnings"] if each["code"] != "REPORT_DISAGREES"]
    return plan


def bills(customers: dict[str, Customer]) -> dict[str, list[tuple[int, Any]]]:
    """Return each customer's live lines."""
    return {
        name: sorted(
            (line.item_id, line.quantity) for line in each.msp.world.live_additions(each.agreement.id)
        )
        for name, each in customers.items()
    }


def test_a_quiet_night_reads_the_report_and_a_single_agreement(msp: Msp, run: Run) -> None:
    msp.customers(12)
    assert run("sync").exit_code == 0

    nights = [run("sync") for _ in range(12)]

    assert [(night.exit_code, night.writes) for night in nights] == [(0, [])] * 12
    assert [len(asked(night, "/columns")) for night in nights] == [1] + [0] * 11
    assert [len(asked(night, REPORT)) - len(asked(night, "/columns")) for night in nights] == [1] * 12
    read = [path for night in nights for path in asked(night, ADDITIONS)]
    assert len(read) == len(set(read)) == 12, "each agreement has its turn"


def test_the_plan_is_the_same_with_the_report_and_without_it(
    msp: Msp, run: Run, november: dict[str, Customer]
) -> None:
    plain = without_the_report(run, msp.world)

    planned = run("plan")

    assert planned.json == plain.json
    assert planned.exit_code == plain.exit_code
    assert asked(planned, REPORT)
    quiet = [november[name] for name in ("Elm", "Fir", "Hazel", "Ivy", "Juniper")]
    assert sum(read_of(planned, *quiet)) == 1
    busy = [november[name] for name in ("Alder", "Birch", "Cedar", "Dogwood", "Gorse")]
    assert all(read_of(planned, *busy))


@pytest.mark.parametrize("lie", LIES)
def test_whatever_the_report_says_the_month_is_billed_as_without_it(
    msp: Msp, run: Run, simulator: Simulator, november: dict[str, Customer], lie: str
) -> None:
    plain = without_the_report(run, msp.world)
    lies(simulator, LIES[lie])

    planned = run("plan")

    assert asked(planned, REPORT)
    assert told(planned) == told(plain)
    assert planned.exit_code == plain.exit_code
    synced = run("sync")
    assert synced.exit_code == planned.exit_code
    after = bills(november)
    assert after["Alder"] == [(msp.item(ENDPOINT).id, 15)]
    assert all(
        len({item for item, _ in lines}) == len(lines) for name, lines in after.items() if name != "Dogwood"
    )
    forget(run)
    again = run("sync")
    assert again.writes == []
    assert bills(november) == after
    if lie not in UNSEEN:
        assert again.exit_code == synced.exit_code


@pytest.mark.parametrize(
    "fault",
    [
        Fault("500", vendor="connectwise", path=REPORT, times=None),
        Fault("502-html", vendor="connectwise", path=REPORT, times=None),
        Fault("429", vendor="connectwise", path=REPORT, times=None, retry_after=0),
        Fault("403", vendor="connectwise", path=REPORT, times=None),
        Fault("cut-before", vendor="connectwise", path=REPORT, times=None),
        Fault("html-200", vendor="connectwise", path=REPORT, times=None),
        Fault("wrong-shape", vendor="connectwise", path=REPORT, times=None),
        Fault("truncated-json", vendor="connectwise", path=REPORT, times=None),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_report_that_fails_is_no_fault_of_the_run(
    msp: Msp, run: Run, simulator: Simulator, november: dict[str, Customer], fault: Fault
) -> None:
    plain = without_the_report(run, msp.world)
    simulator.faults.add(fault)

    planned = run("plan", "--verbose")

    assert planned.json == plain.json
    assert planned.exit_code == plain.exit_code
    assert all(read_of(planned, *november.values()))


def test_lines_that_are_hidden_from_us_end_the_run_as_without_the_report(msp: Msp, run: Run) -> None:
    customers = msp.customers(8)
    assert run("sync").exit_code == 0
    msp.customer("Idle")
    (idle,) = (
        each
        for each in msp.world.agreements.values()
        if each.company_id == msp.world.company_named("Idle").id
    )

    for hidden in (customers[3].agreement.id, idle.id):
        msp.world.additions_hidden = {hidden}
        done = run("sync")
        assert (done.exit_code, done.writes) == (5, [])


def test_a_line_that_the_report_shows_as_it_was_before_our_write_is_read_itself(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    alder, *_ = msp.customers(8)
    assert run("sync").exit_code == 0
    alder.uses("CIXA-MSP", 20)
    assert run("sync").exit_code == 0
    alder.uses("CIXA-MSP", 10)
    behind = alder.line().id
    lies(
        simulator, rows(lambda row: row | ({"Total_Quantity": 10} if row["Addition_RecId"] == behind else {}))
    )

    done = run("sync")

    assert alder.bills == {ENDPOINT: 10}
    assert "REPORT_DISAGREES" in done.warnings
    assert done.exit_code == 0


def test_the_line_of_a_customer_who_left_is_zeroed_although_the_report_shows_it_as_ended(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    leaves = msp.customers(8)[5]
    assert run("sync").exit_code == 0
    leaves.stops("CIXA-MSP")
    ended = leaves.line().id
    lies(
        simulator,
        rows(
            lambda row: (
                row | ({"Cancelled_Date": "2026-01-31T00:00:00Z"} if row["Addition_RecId"] == ended else {})
            )
        ),
    )

    done = run("sync", "--force", "TENANT_VANISHED")

    assert leaves.bills == {ENDPOINT: 0}
    assert "REPORT_DISAGREES" in done.warnings
    assert done.exit_code == 0


def test_a_line_that_somebody_changed_behind_the_reports_back_is_found_in_its_turn(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    customers = msp.customers(8)
    assert run("sync").exit_code == 0
    line = customers[5].line()
    line.quantity = Decimal(11)
    lies(
        simulator,
        rows(lambda row: row | ({"Total_Quantity": 10} if row["Addition_RecId"] == line.id else {})),
    )

    nights = [run("sync") for _ in customers]

    assert customers[5].bills == {ENDPOINT: 10}
    assert [("REPORT_DISAGREES" in night.warnings) for night in nights].count(True) == 1
    assert {night.exit_code for night in nights} == {0}


def test_a_report_that_was_wrong_is_told_of_and_left_alone_for_a_week(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    customers = msp.customers(8)
    assert run("sync").exit_code == 0
    lies(simulator, LIES["old quantities"])

    first, second = run("sync"), run("sync")

    (warning,) = [it for it in first.json["warnings"] if it["code"] == "REPORT_DISAGREES"]
    for words in ("quantity 1, not 10", "7 more lines", "a moment ago", "Nothing was written", "7 days"):
        assert words in warning["message"]
    assert all(read_of(first, *customers))
    assert "REPORT_DISAGREES" not in second.warnings
    assert not asked(second, REPORT)
    assert all(read_of(second, *customers))
    simulator.faults.clear()
    ages(run, 8)
    assert asked(run("sync"), REPORT)


def test_a_role_without_the_right_is_not_asked_again_for_a_week(msp: Msp, run: Run) -> None:
    msp.customers(8)
    assert run("sync").exit_code == 0
    msp.world.rights.remove("reports")

    asked_once = [len(asked(run("sync"), REPORT)) for _ in range(3)]
    msp.world.rights.add("reports")
    ages(run, 6)
    not_yet = run("sync")
    ages(run, 2)

    assert asked_once == [1, 0, 0]
    assert not asked(not_yet, REPORT)
    assert len(asked(run("sync"), REPORT)) == 2


def test_a_few_agreements_are_read_themselves(msp: Msp, run: Run) -> None:
    msp.customers(2)
    assert run("sync").exit_code == 0

    assert not asked(run("sync"), REPORT)


def test_a_report_longer_than_what_it_spares_is_given_up_and_remembered(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    customers = msp.customers(5)
    assert run("sync").exit_code == 0
    stranger = msp.world.add_company("Stranger", "Stranger")
    theirs = msp.world.add_agreement(stranger.id, "Other")
    for _ in range(4500):
        msp.world.add_addition(theirs.id, msp.item("BACKUP").id, 1)

    first, second = run("sync"), run("sync")

    assert len(asked(first, REPORT)) == 1 + 4
    assert all(read_of(first, *customers))
    assert not asked(second, REPORT)
    assert (second.exit_code, second.writes) == (0, [])


def test_a_month_that_was_killed_is_settled_by_what_its_agreement_shows(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    customers = msp.customers(8)
    assert run("sync").exit_code == 0
    run.settings["CONNECTOR_TIMEOUT"] = "0.3"
    customers[2].uses("CEMA-MSP", 4)
    simulator.faults.add(
        Fault("error-after", vendor="connectwise", method="POST"),
        Fault("500", vendor="connectwise", path=f"/{customers[2].agreement.id}/additions", after=3, times=1),
    )
    run("sync")
    simulator.faults.clear()
    lies(simulator, rows(lambda row: row if row["Product_RecId"] != msp.item(EMAIL).id else None))

    done = run("sync")

    assert done.exit_code == 0
    assert done.writes == []
    assert customers[2].bills == {ENDPOINT: 10, EMAIL: 4}


def test_the_doctor_says_whether_the_report_can_be_used_and_what_that_takes(msp: Msp, run: Run) -> None:
    msp.customers(3)

    def report() -> dict[str, str]:
        result = run("doctor")
        assert result.exit_code == 0
        (check,) = [each for each in result.json["checks"] if each["name"] == "ConnectWise report"]
        return {name: str(check[name]) for name in ("status", "message", "next")}

    assert report()["status"] == "ok"
    msp.world.rights.remove("reports")
    lacking = report()
    assert lacking["status"] == "skipped"
    assert "each agreement is read instead" in lacking["message"]
    assert '"System > API Reports: Inquire ALL"' in lacking["next"]
