"""Whether the job is well: judged from what the ledger knows, with nobody asked (no clock, no network)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from connector.model import Period, Schedule
from connector.planning.schedule import (
    History,
    Night,
    first_night,
    newest_open,
    next_month,
    plan_night,
)

SILENT_AFTER = timedelta(hours=36)
"""A nightly job that has not been heard of for so long has stopped."""

WARN_BEFORE = timedelta(days=30)
OK, TO_DECIDE, NOT_PUBLISHED = 0, 3, 8


@dataclass(frozen=True, slots=True)
class LastRun:
    """One run of the past, as a check shows it; times are UTC."""

    number: int
    kind: str
    period: Period | None
    started: datetime
    exit_code: int | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger and the settings know.

    `held` and `unresolved` count what the newest plan over all tenants left to a person. `last_night` is
    when the nightly job ran last, `expires` the day on which Sophos's credentials end, None where nobody
    has said. `running` says that a run is at work this moment.
    """

    history: History
    last: LastRun | None = None
    last_success: LastRun | None = None
    last_night: datetime | None = None
    held: int = 0
    unresolved: int = 0
    expires: date | None = None
    running: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """What a check tells; with no `problems` the job is well."""

    known: Known
    tonight: Night
    next_due: date
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or 3 where a person has to look."""
        return TO_DECIDE if self.problems else OK


def health(schedule: Schedule, day: date, now: datetime, known: Known) -> Health:
    """Judge the job on a day of the schedule's time zone; `now` is UTC."""
    tonight = plan_night(schedule, day, known.history)
    return Health(
        known, tonight, _next_due(schedule, day, known.history), tuple(_problems(schedule, day, now, known))
    )


def _next_due(schedule: Schedule, day: date, history: History) -> date:
    """Return the night on which a month is due next, today if one is due already."""
    if schedule.mode == "daily" or not plan_night(schedule, day, history).idle:
        return day
    newest = history.applied or newest_open(schedule, day)
    return first_night(schedule, next_month(newest))


def _problems(schedule: Schedule, day: date, now: datetime, known: Known) -> Iterator[str]:
    yield from _of_the_last_run(known)
    if known.last_night is not None and now - known.last_night > SILENT_AFTER:
        yield f"the nightly job has not run since {known.last_night:%Y-%m-%d %H:%M} UTC"
    if known.held:
        changes = "1 change is" if known.held == 1 else f"{known.held} changes are"
        yield f"{changes} held until a person decides"
    if known.unresolved:
        entries = "1 entry" if known.unresolved == 1 else f"{known.unresolved} entries"
        yield f"{entries} of usage unresolved"
    for due in plan_night(schedule, day, known.history).due:
        if due.overdue and due.period != known.history.applied:
            yield f"{due.period} is not billed, and was due from {due.since} on"
    if known.expires is not None and known.expires - WARN_BEFORE <= day:
        ended = "expired" if known.expires < day else "expire"
        yield f"the Sophos credentials {ended} on {known.expires}"


def _of_the_last_run(known: Known) -> Iterator[str]:
    last = known.last
    if last is None:
        yield "no run is on record"
    elif last.exit_code is None:
        if last.error is not None or not known.running:
            yield _broke_off(last)
    elif last.exit_code not in {OK, TO_DECIDE, NOT_PUBLISHED}:  # a month that is overdue is told below
        yield f"run {last.number} ({last.kind}) ended with exit code {last.exit_code}{_why(last)}"


def _broke_off(last: LastRun) -> str:
    return f"run {last.number} ({last.kind}) broke off{_why(last)}"


def _why(last: LastRun) -> str:
    return f" ({last.error})" if last.error else ""
