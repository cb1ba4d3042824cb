"""Lines that people or another tool made are taken over in one plan (rule 13, issue 6)."""

import sys
from collections.abc import Iterator

import pytest
from months.calling import Run
from months.importing import imports, row
from months.msp import EMAIL, ENDPOINT, Msp
from months.sitting import Person


def test_lines_are_taken_over_and_nothing_else_is_done(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3, "NEW-MSP": 1})
    theirs = alder.has(ENDPOINT, 12)

    done = run("adopt", "2026-10")

    assert (done.exit_code, done.outcomes) == (0, [("adopt", "done")])
    assert [method for method, _ in done.bodies] == ["PATCH"]
    assert alder.bills == {ENDPOINT: 14}
    assert theirs.serial_number
    assert done.json["undo"] == f"connector runs undo {done.json['run']}"
    assert run("plan").changes == [("create", None, "3")]


def test_at_its_end_it_says_how_to_undo_it(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 14}).has(ENDPOINT, 12)

    done = run.text("adopt")

    assert "12 -> 14" in done.stdout
    assert done.stdout.splitlines()[-1] == "To undo: connector runs undo 1"


def test_a_dry_run_shows_what_each_line_becomes_and_can_be_applied(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3})
    alder.has(ENDPOINT, 12)

    planned = run("adopt", "--dry-run")

    assert (planned.exit_code, planned.writes, planned.changes) == (0, [], [("adopt", "12", "14")])
    assert "12 -> 14" in run.text("adopt", "--dry-run").stdout
    applied = run("apply", planned.json["digest"])
    assert (applied.exit_code, applied.outcomes) == (0, [("adopt", "done")])
    assert alder.bills == {ENDPOINT: 14}


def test_one_tenant_or_product_can_be_taken_over_alone(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3})
    birch = msp.customer("Birch", {"CIXA-MSP": 5})
    for customer in (alder, birch):
        customer.has(ENDPOINT, 1)
    alder.has(EMAIL, 1)

    assert run("adopt", "--tenant", alder.tenant, "--product", "CIXA-MSP").outcomes == [("adopt", "done")]
    assert (alder.bills, birch.bills) == ({ENDPOINT: 14, EMAIL: 1}, {ENDPOINT: 1})
    assert run("adopt", "--tenant", "nobody").exit_code == 2


def test_where_the_map_says_never_a_person_is_told_how_to_change_it(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"adopt": "never"}
    msp.customer("Alder", {"CIXA-MSP": 14}).has(ENDPOINT, 12)

    done = run("adopt")

    assert (done.exit_code, done.unresolved, done.writes) == (3, ["NEEDS_ADOPTION"], [])
    assert "`adopt: ask`" in done.json["unresolved"][0]["next"]
    assert done.json["undo"] is None


def test_several_lines_stay_for_a_person(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)
    alder.has(ENDPOINT, 2)

    done = run("adopt")

    assert (done.exit_code, done.unresolved, done.writes) == (3, ["DUPLICATE_ADDITIONS"], [])


def test_an_increase_beyond_the_guards_is_held_until_it_is_released(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 900})
    alder.has(ENDPOINT, 2)

    held = run("adopt")

    assert (held.exit_code, held.held, held.writes) == (3, ["LARGE_INCREASE"], [])
    assert "connector adopt 2026-10 --force LARGE_INCREASE" in run.text("adopt").stdout
    assert run("adopt", "--force", "LARGE_INCREASE").outcomes == [("adopt", "done")]


def test_a_guard_refuses_the_take_over_of_an_older_month(msp: Msp, run: Run) -> None:
    msp.customer("Birch", {"CIXA-MSP": 5})
    msp.next_month()
    run("sync")
    alder = msp.customer("Alder")
    msp.period = "2026-10"
    alder.uses("CIXA-MSP", 14)
    alder.has(ENDPOINT, 12)

    done = run("adopt", "2026-10")

    assert (done.exit_code, done.guards, done.writes) == (4, ["period_order"], [])
    assert "connector adopt 2026-10 --force period_order" in done.json["guards"][0]["message"]


def test_a_take_over_bills_no_month(msp: Msp, run: Run) -> None:
    """What changes afterwards is billed as usual, and is no restatement."""
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)
    run("adopt", CONNECTOR_TODAY="2026-10-28")
    alder.uses("CIXA-MSP", 15)

    later = run("sync", CONNECTOR_TODAY="2026-10-30")

    assert (later.exit_code, later.outcomes) == (0, [("update", "done")])
    assert alder.bills == {ENDPOINT: 15}


def test_where_there_is_nothing_to_take_over_the_month_is_not_begun(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 14})
    msp.next_month()

    done = run.text("adopt")

    assert (done.exit_code, done.writes) == (0, [])
    assert "There is no line that people made" in done.stdout
    assert run("plan", "2026-10").guards == []


def test_a_take_over_is_no_result_for_all_tenants(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    birch = msp.customer("Birch", {"NEW-MSP": 1})
    run("sync")
    alder.has(EMAIL, 3)
    alder.uses("CEMA-MSP", 3)
    run("adopt")

    listed = {entry["tenant_id"]: entry["last_run"] for entry in run("tenants").json["tenants"]}

    assert listed[birch.tenant]["outcome"] == "unresolved"


def test_lines_from_an_unknown_source_are_refused(msp: Msp, run: Run) -> None:
    assert run("adopt", "--source", "crystal-ball").json["error"]["code"] == "COMMAND"


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_take_over_fixes_neither_the_source_nor_the_order_of_months(
    msp: Msp, run: Run, by_digest: bool
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3})
    alder.has(ENDPOINT, 12)
    msp.next_month()
    adopted = run("apply", run("adopt", "--dry-run").json["digest"]) if by_digest else run("adopt")
    imports(run, [row(alder.tenant, "CIXA-MSP", 14), row(alder.tenant, "CEMA-MSP", 3)], period="2026-11")

    assert adopted.outcomes == [("adopt", "done")]
    assert run("plan", "2026-10").guards == []
    assert run("plan", "2026-11", "--source", "file").guards == []
    assert run("sync", "2026-11").exit_code == 0
    assert run("plan", "2026-10").guards == ["period_order"]
    assert run("plan", "2026-11", "--source", "file").guards == ["source"]


# On a terminal ------------------------------------------------------------------------------------


@pytest.fixture
def person(msp: Msp, run: Run) -> Iterator[Person]:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)
    run.prepare()
    run.map_kept = True
    sitting = Person(run)
    yield sitting
    sitting.end()


QUESTION = "Take this line over? [y/N]: "


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("said", "bills"), [("y\r", 14), ("\r", 12), ("n\r", 12)])
def test_on_a_terminal_a_person_is_asked_once(
    msp: Msp, run: Run, person: Person, said: str, bills: int
) -> None:
    code, shown = person("adopt", (QUESTION, said))

    (line,) = msp.world.live_additions(next(iter(msp.world.agreements)))
    assert code == 0
    assert line.quantity == bills
    assert "12 -> 14" in shown
    assert ("To undo: connector runs undo 1" in shown) is (bills == 14)
    assert shown.rstrip().endswith("Nothing was written.") is (bills == 12)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_with_yes_nobody_is_asked(run: Run, person: Person) -> None:
    code, shown = person("adopt --yes")

    assert code == 0
    assert "Take this line over?" not in shown
    assert "[done]" in shown
