"""Lines that people made, ended, doubled or deleted (rules 13 to 15)."""

from datetime import date

import pytest
from months.calling import Run
from months.msp import ENDPOINT, Msp


def test_a_line_that_people_made_waits_for_adoption(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    theirs = alder.has(ENDPOINT, 12)

    done = run("sync")

    assert (done.exit_code, done.held, done.writes) == (3, ["NEEDS_ADOPTION"], [])
    assert done.outcomes == [("adopt", "held")]
    assert done.json["outcomes"][0]["addition_id"] == theirs.id
    assert alder.bills == {ENDPOINT: 12}


@pytest.mark.parametrize("released", [["--adopt"], ["--force", "NEEDS_ADOPTION"], ["--force", "all"]])
def test_adoption_sets_the_quantity_and_the_mark_and_nothing_else(
    msp: Msp, run: Run, released: list[str]
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    theirs = alder.has(ENDPOINT, 12)

    done = run("sync", *released)

    assert (done.exit_code, done.outcomes) == (0, [("adopt", "done")])
    assert alder.line() is theirs
    assert theirs.serial_number
    ((method, operations),) = done.bodies
    assert method == "PATCH"
    assert sorted(operations, key=lambda operation: str(operation["path"])) == [
        {"op": "replace", "path": "quantity", "value": 14},
        {"op": "replace", "path": "serialNumber", "value": theirs.serial_number},
    ]
    assert run("sync").writes == []
    assert run("sync", "--state", "another").writes == []


def test_a_serial_number_that_people_wrote_stays(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12, serial_number="PO 4711")

    done = run("sync", "--adopt")

    assert done.bodies == [("PATCH", [{"op": "replace", "path": "quantity", "value": 14}])]
    assert alder.line().serial_number == "PO 4711"
    alder.uses("CIXA-MSP", 15)
    assert run("sync").outcomes == [("update", "done")]


def test_without_mark_adoption_sets_only_the_quantity(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"mark": False, "adopt": "auto"}
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)

    done = run("sync")

    assert done.bodies == [("PATCH", [{"op": "replace", "path": "quantity", "value": 14}])]
    assert run("sync").outcomes == []


def test_with_auto_a_line_is_adopted_without_asking(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"adopt": "auto"}
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)

    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 14}


def test_a_line_of_the_right_quantity_is_adopted_too(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"adopt": "auto"}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    theirs = alder.has(ENDPOINT, 12)

    done = run("sync")

    assert done.outcomes == [("adopt", "done")]
    assert [operation["path"] for _, body in done.bodies for operation in body] == ["serialNumber"]
    msp.next_month()
    alder.uses("CIXA-MSP", 0)
    assert run("sync").outcomes == [("zero", "done")]
    assert theirs.quantity == 0


def test_with_never_a_line_is_left_to_people(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"adopt": "never"}
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)

    done = run("sync")

    assert (done.exit_code, done.writes, len(done.unresolved)) == (3, [], 1)
    assert alder.bills == {ENDPOINT: 12}


def test_people_who_end_their_line_get_ours(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12, cancelled=date(2026, 9, 30))

    assert run("sync").outcomes == [("create", "done")]
    assert alder.bills == {ENDPOINT: 14}


def test_several_lines_and_none_of_them_ours_are_left_alone(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 14}), msp.customer("Birch", {"CIXA-MSP": 7})
    alder.has(ENDPOINT, 12)
    alder.has(ENDPOINT, 2)

    done = run("sync", "--adopt", "--force", "all")

    assert (done.exit_code, done.unresolved) == (3, ["DUPLICATE_ADDITIONS"])
    assert [line.quantity for line in alder.lines()] == [12, 2]
    assert birch.bills == {ENDPOINT: 7}


def test_several_lines_of_ours_are_left_alone(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    run("sync")
    copy = alder.has(ENDPOINT, 14, serial_number=alder.line().serial_number)
    alder.uses("CIXA-MSP", 15)

    done = run("sync")
    assert (done.exit_code, done.unresolved, done.writes) == (3, ["DUPLICATE_ADDITIONS"], [])

    copy.cancelled = date(2026, 10, 27)
    assert run("sync").exit_code in {0, 3}
    assert alder.bills == {ENDPOINT: 15}


def test_a_line_ended_by_hand_stays_ended_until_recreated(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    run("sync")
    ended = alder.line()
    ended.cancelled = date(2026, 10, 20)

    done = run("sync")
    assert (done.exit_code, done.unresolved, done.writes) == (3, ["ENDED_BY_HAND"], [])
    assert run("sync", "--force", "all").writes == []

    assert run("sync", "--recreate").outcomes == [("create", "done")]
    assert alder.bills == {ENDPOINT: 14}
    assert ended.cancelled == date(2026, 10, 20)
    assert (run("sync").exit_code, run("sync").writes) == (0, [])


def test_the_ending_of_a_line_is_remembered_by_its_mark(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    run("sync")
    alder.line().cancelled = date(2026, 10, 20)

    assert run("sync", "--state", "another").unresolved == ["ENDED_BY_HAND"]


def test_a_line_that_is_gone_is_created_again_and_said_so(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    run("sync")
    gone = alder.line().id
    del msp.world.additions[gone]

    planned = run("plan").json["changes"]
    assert [(it["kind"], str(gone) in it["because"]) for it in planned] == [("create", True)]
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 14}
    assert run("sync").writes == []
