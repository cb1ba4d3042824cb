"""When the nightly job bills which month, decided from the calendar and from what is billed (no clock).

A night is a date in the schedule's time zone. Nothing counts nights: what is due follows from what is not
billed yet, so a missed night is made up by the next one, and a second one finds nothing to do.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from connector.model import Period, Schedule
from connector.planning.sources import API, LIVE, Source

_FARTHEST = 13
"""A month that lies further back is nothing that a job makes up by itself."""


@dataclass(frozen=True, slots=True)
class Due:
    """One month to bill tonight, and from what; `since` is the first night on which it was due.

    `overdue` says that one which is still not billed has to be told. Live counts wait for an earlier month,
    which could not be billed after them.
    """

    period: Period
    source: Source
    since: date
    overdue: bool = False
    waits_for: Period | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of earlier months.

    `applied` is the newest month that a run over all tenants wrote to ConnectWise from an invoice,
    `finished` says that the newest such run left nothing of it to do. `billed` are the months of which one
    left nothing but what people decide, newest first.
    """

    applied: Period | None = None
    finished: bool = False
    billed: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Night:
    """What one night has to do: the months to bill, oldest first, and those to look at once more."""

    day: date
    due: tuple[Due, ...] = ()
    look_again: tuple[Period, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether no month is due."""
        return not self.due


def plan_night(schedule: Schedule, day: date, history: History) -> Night:
    """Return what is due on a night."""
    due = [
        Due(period, API, first_night(schedule, period), overdue=day >= alert_night(schedule, period))
        for period in _to_bill(schedule, day, history)
    ]
    if schedule.mode == "daily" and not _invoiced(Period.of(day), history):
        earlier = (each.period for each in due if each.period < Period.of(day))
        due.append(Due(Period.of(day), LIVE, day, waits_for=max(earlier, default=None)))
    asked = {each.period for each in due if each.source == API}
    again = tuple(period for period in history.billed[:2] if period not in asked)
    return Night(day, tuple(due), again)


def newest_open(schedule: Schedule, day: date) -> Period:
    """Return the newest month that may be billed from its invoice on a day."""
    this = Period.of(day)
    months = (this, this.previous, this.previous.previous)
    return next(period for period in months if first_night(schedule, period) <= day)


def first_night(schedule: Schedule, period: Period) -> date:
    """Return the first night on which a month's invoice is asked for.

    With `monthly` that is the chosen day, of the month itself where Sophos may have published it by then,
    else of the next one.
    """
    opens = day_of(period, schedule.opens)
    if schedule.mode != "monthly":
        return opens
    chosen = day_of(period, schedule.day)
    return chosen if chosen >= opens else day_of(next_month(period), schedule.day)


def alert_night(schedule: Schedule, period: Period) -> date:
    """Return the night from which on a month that is not published is told of."""
    return max(day_of(next_month(period), schedule.alert), first_night(schedule, period))


def day_of(period: Period, day: int) -> date:
    """Return a day of a month, its last one where the month is shorter."""
    return date(period.year, period.month, min(day, calendar.monthrange(period.year, period.month)[1]))


def next_month(period: Period) -> Period:
    """Return the month after."""
    return Period.of(day_of(period, 31) + timedelta(days=1))


def nights(schedule: Schedule, first: date, count: int, history: History) -> Iterable[tuple[Night, str]]:
    """Yield what each of the next nights would do if every month is published and billed on its first one."""
    for day in (first + timedelta(days=number) for number in range(count)):
        night = plan_night(schedule, day, history)
        yield night, told(night)
        invoiced = [each.period for each in night.due if each.source == API]
        if invoiced:
            billed = (*reversed(invoiced), *history.billed)
            history = History(invoiced[-1], finished=True, billed=tuple(dict.fromkeys(billed)))


def told(night: Night) -> str:
    """Say in one line what a night does."""
    doing = []
    for each in night.due:
        if each.waits_for is not None:
            doing.append(f"wait with live counts of {each.period} until {each.waits_for} is billed")
        elif each.source == LIVE:
            doing.append(f"bill live counts of {each.period}, without firewalls")
        else:
            doing.append(f"bill {each.period} if Sophos has published it")
    if not doing:
        doing.append("nothing to bill")
    if night.look_again:
        months = " and ".join(str(period) for period in night.look_again)
        doing.append(f"look whether {months} {'was' if len(night.look_again) == 1 else 'were'} restated")
    return "; ".join(doing)


def _to_bill(schedule: Schedule, day: date, history: History) -> list[Period]:
    """Return the months that are open and not billed, oldest first; before the first one, only the newest."""
    newest = newest_open(schedule, day)
    if history.applied is None:
        return [newest]
    period = next_month(history.applied) if history.finished else history.applied
    found: list[Period] = []
    while period <= newest:
        found.append(period)
        period = next_month(period)
    return found[-_FARTHEST:]


def _invoiced(period: Period, history: History) -> bool:
    """Whether live counts of a month come too late, because an invoice has billed it."""
    return history.applied is not None and history.applied >= period
