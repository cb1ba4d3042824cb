"""Whether the job is well, as a check at three in the morning has to know it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connector.model import Period, Schedule
from connector.planning.health import Health, Known, LastRun, health
from connector.planning.schedule import History
from connector.reports.health import health_document, health_text

SEPTEMBER, OCTOBER = Period(2026, 9), Period(2026, 10)
NOW = datetime(2026, 11, 3, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 3)
GOOD = LastRun(31, "nightly", OCTOBER, NOW - timedelta(days=1), 0)
WELL = Known(
    History(OCTOBER, finished=True, billed=(OCTOBER, SEPTEMBER)),
    last=GOOD,
    last_success=GOOD,
    last_night=NOW - timedelta(hours=24),
)


def judged(known: Known, day: date = DAY, schedule: Schedule | None = None) -> Health:
    return health(schedule or Schedule(), day, NOW, known)


def test_a_billed_month_and_a_run_last_night_are_well() -> None:
    found = judged(WELL)
    assert found.problems == ()
    assert found.exit_code == 0
    assert found.next_due == date(2026, 11, 26)
    assert health_text(found).splitlines()[0] == "OK: all is well"


@pytest.mark.parametrize(
    ("known", "problem"),
    [
        (replace(WELL, last=None), "no run is on record"),
        (replace(WELL, last=replace(GOOD, exit_code=None)), "run 31 (nightly) broke off"),
        (
            replace(WELL, last=replace(GOOD, exit_code=None, error="KILLED")),
            "run 31 (nightly) broke off (KILLED)",
        ),
        (
            replace(WELL, last=replace(GOOD, exit_code=5, error="UNREACHABLE")),
            "run 31 (nightly) ended with exit code 5 (UNREACHABLE)",
        ),
        (replace(WELL, last=replace(GOOD, exit_code=4)), "run 31 (nightly) ended with exit code 4"),
        (
            replace(WELL, last_night=NOW - timedelta(hours=37)),
            "the nightly job has not run since 2026-11-01 14:00 UTC",
        ),
        (replace(WELL, held=1), "1 change is held until a person decides"),
        (replace(WELL, held=2), "2 changes are held until a person decides"),
        (replace(WELL, unresolved=1), "1 entry of usage unresolved"),
        (replace(WELL, unresolved=3), "3 entries of usage unresolved"),
        (replace(WELL, expires=date(2026, 12, 3)), "the Sophos credentials expire on 2026-12-03"),
        (replace(WELL, expires=date(2026, 11, 2)), "the Sophos credentials expired on 2026-11-02"),
    ],
)
def test_each_problem_is_named_and_wants_a_person(known: Known, problem: str) -> None:
    found = judged(known)
    assert found.problems == (problem,)
    assert found.exit_code == 3
    assert health_text(found).startswith(f"PROBLEM: {problem}\n")


def test_a_run_that_left_something_to_a_person_is_no_problem_beside_what_it_left() -> None:
    assert judged(replace(WELL, last=replace(GOOD, exit_code=3))).problems == ()


def test_a_run_that_is_at_work_is_no_problem() -> None:
    working = replace(WELL, last=replace(GOOD, exit_code=None), running=True)
    assert judged(working).problems == ()
    killed = replace(working, last=replace(GOOD, exit_code=None, error="KILLED"))
    assert judged(killed).problems == ("run 31 (nightly) broke off (KILLED)",)


def test_a_month_that_is_not_published_yet_is_no_problem_until_it_is_overdue() -> None:
    asked = replace(
        WELL,
        last=replace(GOOD, exit_code=8, error="NOT_PUBLISHED"),
        history=History(SEPTEMBER, finished=True, billed=(SEPTEMBER,)),
    )
    assert judged(asked, date(2026, 11, 4)).problems == ()
    assert judged(asked, date(2026, 11, 5)).problems == (
        "2026-10 is not billed, and was due from 2026-10-26 on",
    )


def test_credentials_that_last_longer_than_a_month_are_no_problem() -> None:
    assert judged(replace(WELL, expires=date(2026, 12, 4))).problems == ()


def test_a_month_that_was_never_billed_is_a_problem_once_it_is_overdue() -> None:
    waiting = replace(WELL, history=History(SEPTEMBER, finished=True, billed=(SEPTEMBER,)))
    assert judged(waiting, date(2026, 11, 4)).problems == ()
    assert judged(waiting, date(2026, 11, 5)).problems == (
        "2026-10 is not billed, and was due from 2026-10-26 on",
    )


def test_a_month_that_is_billed_but_for_what_waits_is_not_told_as_missing() -> None:
    waiting = replace(WELL, history=History(OCTOBER, finished=False, billed=(SEPTEMBER,)))
    assert judged(waiting, date(2026, 11, 12)).problems == ()


def test_what_is_due_today_is_due_today() -> None:
    waiting = replace(WELL, history=History(SEPTEMBER, finished=True, billed=(SEPTEMBER,)))
    assert judged(waiting).next_due == DAY
    assert judged(WELL, schedule=Schedule("daily")).next_due == DAY


def test_the_document_holds_every_fact_and_no_guess() -> None:
    document = health_document(judged(replace(WELL, last_success=None, last_night=None)))
    assert document["schema"] == "connector.status/1"
    assert document["last_run"]["period"] == "2026-10"
    assert document["last_success"] is None
    assert document["credentials_expire"] is None
    assert document["next_due"] == "2026-11-26"
    text = health_text(judged(replace(WELL, last_success=None, last_night=None)))
    assert "last night    never" in text
    assert "last success  none" in text
