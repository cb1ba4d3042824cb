"""Stored states of a month: which of them is in force, and what fetching it once more brought."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from connector.model import Period
from connector.planning.sources import FILE
from connector.planning.usage_comparison import Comparison


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a month that was stored; what was read or imported last is in force.

    `read_at` is when it was found so last, `failed` counts the rows of a file that could not be imported.
    `restated` says that the month has other snapshots of this source, `applied` are the runs that wrote it
    to ConnectWise, `last_run` is the last one that used it, or 0. `pruned_at` is when its rows were removed.
    """

    number: int
    period: Period
    source: str
    rows: int
    fetched_at: str
    read_at: str
    file: str | None = None
    failed: int = 0
    applied: tuple[int, ...] = ()
    last_run: int = 0
    in_force: bool = False
    restated: bool = False
    pruned_at: str | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """What Sophos said, and what was in force of that month `before`; `moved` is what differs since then."""

    run: int
    result: Literal["new", "same", "restated"]
    snapshot: Snapshot
    before: Snapshot | None
    moved: Comparison | None


def ranked(found: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """Return snapshots, the newest month first and what was found last first within it, and judge each.

    Sophos may go back to what it said before: the run that found it so decides. A file that is imported
    again has a snapshot of its own.
    """
    listed = sorted(found, key=_newest_last)
    newest = {(each.period, each.source): each.number for each in listed}
    many = Counter((each.period, each.source) for each in listed)
    judged = (
        replace(
            each,
            in_force=newest[each.period, each.source] == each.number,
            restated=many[each.period, each.source] > 1,
        )
        for each in listed
    )
    return tuple(
        sorted(judged, key=lambda each: (each.period, each.read_at, each.in_force, each.number), reverse=True)
    )


def _newest_last(snapshot: Snapshot) -> tuple[object, ...]:
    """Order those of a source by when they were found; within one second by the run, then by number."""
    # A run on a file reads what is stored: it does not make an older import the newest.
    run = 0 if snapshot.source == FILE else snapshot.last_run
    return snapshot.read_at, run, snapshot.number
