"""A POST that nobody saw answered: what was made of it is found out, or a person is told (rule 21)."""

from datetime import date
from decimal import Decimal
from threading import Lock

import pytest
from figures import note
from months.calling import Result, Run
from months.msp import ENDPOINT, Customer, Msp

from connector.simulator import Addition, Fault, Simulator
from connector.simulator.faults import Kind

SAYS_ONE_LINE: tuple[int, list[tuple[str, object]]] = (0, [])


@pytest.fixture
def alder(msp: Msp, run: Run, quick: None, mark: bool) -> Customer:
    """A customer to bill for the first time, by a connector that waits 0.3 s for an answer."""
    msp.mappings["defaults"] = {"mark": mark}
    run.settings["CONNECTOR_TIMEOUT"] = "0.3"
    return msp.customer("Alder", {"CIXA-MSP": 12})


class Person:
    """Somebody who makes the very same line on the screen, at the moment of our POST."""

    def __init__(self, simulator: Simulator, alder: Customer, *, first: bool) -> None:
        self.alder = alder
        self.made: Addition | None = None
        self.lock = Lock()
        if first:
            simulator.before_request = self.hurry
        else:
            simulator.after_commit = self.hurry

    def hurry(self, _vendor: str, method: str, path: str, _number: int) -> None:
        """Make the line, once."""
        with self.lock:
            if self.made is None and method == "POST" and path.endswith("/additions"):
                self.made = self.alder.has(ENDPOINT, 12, effective=date(2026, 10, 1))

    @property
    def line(self) -> Addition:
        """The line that was made."""
        assert self.made is not None
        return self.made


def goes_wrong(run: Run, kind: Kind) -> Result:
    """Run once, with one fault at the POST."""
    run.simulator.faults.add(Fault(kind, vendor="connectwise", method="POST", path="/additions", delay=0.6))
    done = run("sync")
    run.simulator.before_request = run.simulator.after_commit = None
    note("fault suite", runs=1, faults_injected=run.simulator.faults.injected[kind])
    assert run.simulator.faults.injected[kind] == 1
    assert len(done.writes) == 1
    return done


def exit_and_writes(done: Result) -> tuple[int, list[tuple[str, object]]]:
    """Return how a run ended and what it wrote."""
    note("fault suite", runs=1)
    return done.exit_code, done.bodies


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("kind", ["timeout-after", "cut-after", "error-after"])
def test_a_line_that_is_there_after_a_time_out_is_ours_and_done(
    run: Run, alder: Customer, kind: Kind
) -> None:
    done = goes_wrong(run, kind)

    assert (done.exit_code, done.outcomes) == (0, [("create", "done")])
    assert alder.bills == {ENDPOINT: 12}
    assert exit_and_writes(run("sync")) == SAYS_ONE_LINE
    alder.uses("CIXA-MSP", 13)
    assert run("sync").outcomes == [("update", "done")]


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("kind", ["timeout-before", "cut-before", "503"])
def test_a_line_that_is_not_there_after_a_time_out_is_made_by_the_next_run(
    run: Run, alder: Customer, kind: Kind
) -> None:
    done = goes_wrong(run, kind)

    assert (done.exit_code, done.outcomes) == (6, [("create", "unclear")])
    assert alder.bills == {}
    assert run("sync").outcomes == [("create", "done")]
    assert alder.bills == {ENDPOINT: 12}
    assert exit_and_writes(run("sync")) == SAYS_ONE_LINE


@pytest.mark.parametrize("mark", [True, False])
def test_the_time_out_of_a_run_whose_next_look_fails_as_well_is_settled_by_the_next_run(
    run: Run, alder: Customer
) -> None:
    look = Fault("503", vendor="connectwise", method="GET", path="/additions", after=2, times=None)
    run.simulator.faults.add(look)
    done = goes_wrong(run, "timeout-after")
    assert (done.exit_code, done.outcomes) == (6, [("create", "unclear")])

    run.simulator.faults.clear()
    assert exit_and_writes(run("sync")) == SAYS_ONE_LINE
    assert alder.bills == {ENDPOINT: 12}


@pytest.mark.parametrize("mark", [True])
@pytest.mark.parametrize("first", [True, False])
def test_of_two_lines_the_marked_one_is_ours_and_the_person_hears_of_theirs(
    run: Run, alder: Customer, first: bool
) -> None:
    person = Person(run.simulator, alder, first=first)
    done = goes_wrong(run, "timeout-after")

    assert (done.exit_code, done.outcomes) == (0, [("create", "done")])
    (ours,) = (line for line in alder.lines() if line.id != person.line.id)
    again = run("sync")
    assert (again.exit_code, again.writes, again.warnings) == (0, [], ["OTHER_LINES"])
    assert f"{person.line.id}" in again.json["warnings"][0]["message"]

    alder.uses("CIXA-MSP", 13)
    assert run("sync").outcomes == [("update", "done")]
    assert ours.quantity == Decimal(13)
    assert (person.line.quantity, person.line.serial_number) == (Decimal(12), None)


@pytest.mark.parametrize("mark", [False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("ours_goes", [True, False])
def test_of_two_lines_without_a_mark_a_person_chooses_and_the_other_bills(
    run: Run, alder: Customer, first: bool, ours_goes: bool
) -> None:
    person = Person(run.simulator, alder, first=first)
    done = goes_wrong(run, "timeout-after")
    assert (done.exit_code, done.outcomes) == (6, [("create", "unclear")])

    again = run("sync")
    assert (again.exit_code, again.writes, again.unresolved) == (3, [], ["DUPLICATE_ADDITIONS"])
    assert len(alder.lines()) == 2

    goes = next(line for line in alder.lines() if (line.id == person.line.id) != ours_goes)
    del alder.msp.world.additions[goes.id]

    assert exit_and_writes(run("sync")) == SAYS_ONE_LINE
    assert alder.bills == {ENDPOINT: 12}
    alder.uses("CIXA-MSP", 13)
    assert run("sync").outcomes == [("update", "done")]


@pytest.mark.parametrize("mark", [False])
@pytest.mark.parametrize("ours_ends", [True, False])
def test_of_two_lines_without_a_mark_one_that_a_person_ends_leaves_the_other_to_be_adopted(
    run: Run, alder: Customer, ours_ends: bool
) -> None:
    person = Person(run.simulator, alder, first=False)
    goes_wrong(run, "timeout-after")
    ends = next(line for line in alder.lines() if (line.id == person.line.id) != ours_ends)
    ends.cancelled = date(2026, 10, 1)

    done = run("sync")

    assert (done.exit_code, done.writes, done.held) == (3, [], ["NEEDS_ADOPTION"])
    assert run("sync", "--adopt").exit_code == 0
    assert exit_and_writes(run("sync")) == SAYS_ONE_LINE
    assert alder.bills == {ENDPOINT: 12}


@pytest.mark.parametrize("mark", [True])
def test_a_person_s_line_is_not_taken_for_the_marked_one_that_never_came(run: Run, alder: Customer) -> None:
    person = Person(run.simulator, alder, first=True)
    done = goes_wrong(run, "timeout-before")
    assert (done.exit_code, done.outcomes) == (6, [("create", "unclear")])

    again = run("sync")

    assert (again.exit_code, again.writes, again.held) == (3, [], ["NEEDS_ADOPTION"])
    assert [line.id for line in alder.lines()] == [person.line.id]


@pytest.mark.parametrize("mark", [False])
def test_without_a_mark_the_one_line_that_is_as_asked_bills_and_no_second_is_made(
    run: Run, alder: Customer
) -> None:
    person = Person(run.simulator, alder, first=True)
    goes_wrong(run, "timeout-before")

    assert exit_and_writes(run("sync")) == SAYS_ONE_LINE
    assert [line.id for line in alder.lines()] == [person.line.id]
