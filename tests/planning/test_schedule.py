"""When the nightly job bills which month: the calendar's rules, without a clock."""

from datetime import date, timedelta

import pytest

from connector.model import Period, Schedule
from connector.planning.schedule import (
    Due,
    History,
    alert_night,
    first_night,
    newest_open,
    nights,
    plan_night,
    told,
)
from connector.planning.sources import API, LIVE

AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = (Period(2026, month) for month in (8, 9, 10, 11))
INVOICE, DAILY = Schedule(), Schedule("daily")


def billed(period: Period) -> History:
    return History(period, finished=True, billed=(period, period.previous, period.previous.previous))


def due(schedule: Schedule, day: date, history: History) -> list[str]:
    return [str(each.period) for each in plan_night(schedule, day, history).due]


def test_with_the_invoice_a_month_is_asked_for_from_the_26th_until_it_is_billed() -> None:
    assert due(INVOICE, date(2026, 10, 25), billed(SEPTEMBER)) == []
    assert due(INVOICE, date(2026, 10, 26), billed(SEPTEMBER)) == ["2026-10"]
    assert due(INVOICE, date(2026, 11, 3), billed(SEPTEMBER)) == ["2026-10"]
    assert due(INVOICE, date(2026, 10, 27), billed(OCTOBER)) == []


def test_a_month_that_left_something_to_do_is_billed_again_each_night() -> None:
    unfinished = History(OCTOBER, finished=False, billed=(SEPTEMBER, AUGUST))
    assert due(INVOICE, date(2026, 11, 12), unfinished) == ["2026-10"]


def test_a_month_that_was_never_finished_comes_before_the_next_one() -> None:
    unfinished = History(OCTOBER, finished=False, billed=(SEPTEMBER,))
    assert due(INVOICE, date(2026, 11, 26), unfinished) == ["2026-10", "2026-11"]


def test_months_missed_in_an_outage_are_made_up_in_their_order() -> None:
    assert due(INVOICE, date(2026, 11, 28), billed(AUGUST)) == ["2026-09", "2026-10", "2026-11"]


def test_before_the_first_month_nothing_older_is_guessed() -> None:
    assert due(INVOICE, date(2026, 11, 2), History()) == ["2026-10"]


def test_a_year_of_silence_is_made_up_and_no_more() -> None:
    long_ago = billed(Period(2020, 1))
    months = due(INVOICE, date(2026, 10, 28), long_ago)
    assert months[0] == "2025-10"
    assert months[-1] == "2026-10"


def test_a_month_that_is_missing_on_the_5th_of_the_next_one_is_overdue() -> None:
    fourth = plan_night(INVOICE, date(2026, 11, 4), billed(SEPTEMBER)).due
    fifth = plan_night(INVOICE, date(2026, 11, 5), billed(SEPTEMBER)).due
    assert fourth == (Due(OCTOBER, API, date(2026, 10, 26)),)
    assert fifth == (Due(OCTOBER, API, date(2026, 10, 26), overdue=True),)


@pytest.mark.parametrize(
    ("day", "month", "first"),
    [
        (28, OCTOBER, date(2026, 10, 28)),
        (15, OCTOBER, date(2026, 11, 15)),  # on the 15th Sophos has published the month before
        (31, Period(2027, 2), date(2027, 2, 28)),
        (31, Period(2028, 2), date(2028, 2, 29)),
        (30, SEPTEMBER, date(2026, 9, 30)),
    ],
)
def test_monthly_bills_from_the_chosen_day_on_and_a_short_month_takes_its_last(
    day: int, month: Period, first: date
) -> None:
    schedule = Schedule("monthly", day=day)
    assert first_night(schedule, month) == first
    assert newest_open(schedule, first) == month
    assert newest_open(schedule, first - timedelta(days=1)) == month.previous


def test_a_chosen_day_after_the_5th_is_not_overdue_before_it_comes() -> None:
    assert alert_night(Schedule("monthly", day=15), OCTOBER) == date(2026, 11, 15)
    assert alert_night(Schedule("monthly", day=28), OCTOBER) == date(2026, 11, 5)


def test_daily_counts_each_night_and_takes_the_invoice_when_it_is_there() -> None:
    quiet = plan_night(DAILY, date(2026, 10, 12), billed(SEPTEMBER))
    assert [(each.period, each.source) for each in quiet.due] == [(OCTOBER, LIVE)]
    window = plan_night(DAILY, date(2026, 10, 27), billed(SEPTEMBER))
    assert [(each.period, each.source) for each in window.due] == [(OCTOBER, API), (OCTOBER, LIVE)]


def test_once_the_invoice_has_billed_a_month_live_counts_of_it_come_too_late() -> None:
    assert plan_night(DAILY, date(2026, 10, 29), billed(OCTOBER)).idle


def test_live_counts_of_a_new_month_wait_until_the_invoice_of_the_last_one_is_billed() -> None:
    """Once they are applied, an older month could not be billed any more."""
    night = plan_night(DAILY, date(2026, 11, 1), billed(SEPTEMBER))
    assert night.due == (
        Due(OCTOBER, API, date(2026, 10, 26)),
        Due(NOVEMBER, LIVE, date(2026, 11, 1), waits_for=OCTOBER),
    )
    assert "wait with live counts of 2026-11 until 2026-10 is billed" in told(night)
    (counted,) = plan_night(DAILY, date(2026, 11, 1), billed(OCTOBER)).due
    assert (counted.source, counted.waits_for) == (LIVE, None)


def test_live_counts_wait_for_every_month_that_is_left_to_do() -> None:
    unfinished = History(SEPTEMBER, finished=False, billed=(AUGUST,))
    *_, counted = plan_night(DAILY, date(2026, 11, 1), unfinished).due
    assert counted.waits_for == OCTOBER


def test_the_last_two_billed_months_are_looked_at_again_each_night() -> None:
    assert plan_night(INVOICE, date(2026, 11, 12), billed(OCTOBER)).look_again == (OCTOBER, SEPTEMBER)
    assert plan_night(INVOICE, date(2026, 11, 12), History()).look_again == ()


def test_a_month_that_is_billed_tonight_is_not_read_twice() -> None:
    again = History(OCTOBER, finished=False, billed=(OCTOBER, SEPTEMBER))
    assert plan_night(INVOICE, date(2026, 11, 12), again).look_again == (SEPTEMBER,)


def test_the_next_nights_are_told_as_they_would_come() -> None:
    said = {
        str(night.day): text for night, text in nights(INVOICE, date(2026, 10, 25), 40, billed(SEPTEMBER))
    }
    assert said["2026-10-25"] == "nothing to bill; look whether 2026-09 and 2026-08 were restated"
    assert said["2026-10-26"].startswith("bill 2026-10 if Sophos has published it; look whether")
    assert said["2026-10-27"] == "nothing to bill; look whether 2026-10 and 2026-09 were restated"
    assert said["2026-11-26"].startswith("bill 2026-11 if")
    assert len(said) == 40


def test_a_night_of_live_counts_says_that_firewalls_are_left_out() -> None:
    night = plan_night(DAILY, date(2026, 10, 12), History(SEPTEMBER, finished=True, billed=(SEPTEMBER,)))
    assert told(night) == (
        "bill live counts of 2026-10, without firewalls; look whether 2026-09 was restated"
    )


def test_the_very_first_night_has_nothing_to_look_at_again() -> None:
    assert (
        told(plan_night(INVOICE, date(2026, 10, 27), History())) == "bill 2026-10 if Sophos has published it"
    )
