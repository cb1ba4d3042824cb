"""What of the ledger may go: usage of old months, and what nobody can ask for any more. Only looks.

What a run, a plan or an explanation of a kept month goes by stays, however old it is: every run, change and
addition, what people let go, the names that were learned, each plan that was applied or let go. Of usage that
goes, those rows stay that feed a line as it was written last, and those that tell of a firewall.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.ledger.months import every_snapshot
from connector.ledger.nights import night_history
from connector.ledger.records import parts_of
from connector.ledger.store import Ledger
from connector.model import Period

LEAST = 2
"""So many months a nightly job looks at once more."""

_STILL_OPEN = 2
"""In the newest months people compare what Sophos says now with what it said before."""

_WHOLE = (
    "runs.finished_at IS NOT NULL AND json_extract(plans.options, '$.tenant') IS NULL "
    "AND json_extract(plans.options, '$.product') IS NULL AND json_extract(plans.options, '$.only') IS NULL"
)

# Most rows have an account's number in place of a serial number: a firewall's is on record, or is nobody's.
_OF_FIREWALLS = "(serial IN (SELECT serial FROM firewalls) OR (account_id IS NULL AND serial IS NOT NULL))"

# A firewall was first billed by a code in its first row, and last in the month whose newest run names it.
_FIRST_ROWS = (
    "SELECT usage, number FROM (SELECT usage_rows.usage, number, row_number() OVER "  # noqa: S608  (our words)
    "(PARTITION BY serial, product_code ORDER BY period, usage_rows.usage, number) AS nth "
    "FROM usage_rows JOIN usage ON usage.id = usage_rows.usage "
    f"WHERE {_OF_FIREWALLS} AND usage.id IN (SELECT value FROM json_each(?))) WHERE nth = 1"
)
_LAST_ROWS = (
    "WITH months AS (SELECT period, usage, max(id) AS run FROM runs "  # noqa: S608  (our words)
    "WHERE usage IS NOT NULL AND source <> 'live' GROUP BY period) "
    "SELECT usage, number FROM (SELECT usage_rows.usage, number, rank() OVER "
    "(PARTITION BY serial ORDER BY months.period DESC) AS nth "
    "FROM months JOIN usage_rows ON usage_rows.usage = months.usage "
    f"WHERE {_OF_FIREWALLS} AND months.usage IN (SELECT value FROM json_each(?))) WHERE nth = 1"
)


@dataclass(frozen=True, slots=True)
class Prunable:
    """What pruning removes; `first` is the oldest month that is kept, None where there are no older ones.

    `months` lose their usage as a whole. `snapshots` are all states of months that lose their rows, `kept`
    the rows that stay, by snapshot, also of those that were pruned before; `rows` counts those that go.
    """

    first: Period | None
    months: tuple[Period, ...]
    snapshots: tuple[int, ...]
    kept: Mapping[int, tuple[int, ...]]
    rows: int
    plans: tuple[str, ...]
    maps: tuple[str, ...]
    shadows: tuple[int, ...]
    days: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.snapshots or self.rows or self.plans or self.maps or self.shadows or self.days)


def find_prunable(ledger: Ledger, keep: int, this_month: Period) -> Prunable:
    """Return what goes where the newest `keep` months with usage are kept, counted from this month back.

    The month before them stays as well: the oldest of them is compared with it. So do the two newest months
    that were billed, whatever was stored since, because the nightly job looks at them once more.
    """
    whole = [each for each in every_snapshot(ledger) if each.pruned_at is None]
    stored = sorted({each.period for each in whole if each.period <= this_month}, reverse=True)
    first = stored[keep - 1] if len(stored) > keep else None
    if first is not None:
        first = min((first, *night_history(ledger).billed[:LEAST]))
    old = [each for each in whole if first is not None and each.period < first]
    before: dict[str, Period] = {}
    for each in old:
        before[each.source] = max(each.period, before.get(each.source, each.period))
    going = [each for each in old if before[each.source] != each.period]
    oldest = max(before.values(), default=first)
    open_months = set(stored[:_STILL_OPEN])
    newest: dict[tuple[Period, str], int] = {}
    for each in whole:
        month = each.period, each.source
        newest[month] = max(each.number, newest.get(month, 0))
    used = _applied_snapshots(ledger)
    gone = {each.number for each in going}
    superseded = [
        each.number
        for each in whole
        if each.number not in gone | used
        and not each.in_force
        and each.period <= this_month
        and each.period not in open_months
        and newest[each.period, each.source] != each.number
    ]
    snapshots = tuple(sorted([*gone, *superseded]))
    pruned = [each.number for each in every_snapshot(ledger) if each.pruned_at is not None]
    candidates = sorted([*snapshots, *pruned])
    kept = _rows_to_keep(ledger, candidates)
    left = {each.period for each in whole if each.number not in gone}
    return Prunable(
        first=first,
        months=tuple(sorted({each.period for each in going} - left)),
        snapshots=snapshots,
        kept=kept,
        rows=_count_rows(ledger, candidates) - sum(map(len, kept.values())),
        plans=_plans(ledger, oldest),
        maps=_maps(ledger, oldest),
        shadows=_shadows(ledger, oldest),
        days=_days(ledger),
    )


def _applied_snapshots(ledger: Ledger) -> set[int]:
    """Return the states of months that a run has written to ConnectWise, or found written."""
    found = ledger.query("SELECT usage, planned_from FROM runs WHERE applied = 1")
    return {number for row in found for number in row.values() if number is not None}


# Rows --------------------------------------------------------------------------------------------


def _rows_to_keep(ledger: Ledger, snapshots: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the rows that stay of snapshots which go."""
    listed = json.dumps(sorted(snapshots))
    kept: dict[int, set[int]] = defaultdict(set)
    for query in (_FIRST_ROWS, _LAST_ROWS):
        for row in ledger.query(query, listed):
            kept[row["usage"]].add(row["number"])
    for number, wanted in _wanted(ledger, listed).items():
        for row in ledger.query(
            "SELECT number, account_id, external_id, serial, product_code FROM usage_rows WHERE usage = ?",
            number,
        ):
            names = (row["account_id"], row["external_id"], row["serial"])
            if any((name, code) in wanted for name in names for code in (row["product_code"], None)):
                kept[number].add(row["number"])
    return {number: tuple(sorted(rows)) for number, rows in sorted(kept.items())}


def _wanted(ledger: Ledger, listed: str) -> dict[int, set[tuple[str, str | None]]]:
    """Return by snapshot whose rows of which code feed a line as it is, or left one; None is any code."""
    wanted: dict[int, set[tuple[str, str | None]]] = defaultdict(set)
    of_run = "coalesce(runs.planned_from, runs.usage)"
    for row in ledger.query(
        f"SELECT parts, {of_run} AS snapshot FROM additions JOIN runs ON runs.id = additions.run "  # noqa: S608
        f"WHERE {of_run} IN (SELECT value FROM json_each(?))",
        listed,
    ):
        for part in parts_of(row["parts"]):
            wanted[row["snapshot"]].add((part.tenant_id, part.product_code))
            wanted[row["snapshot"]] |= {(serial, part.product_code) for serial in part.serials}
    for row in ledger.query(
        f"SELECT parts, was, {of_run} AS snapshot FROM changes JOIN runs ON runs.id = changes.run "  # noqa: S608
        f"WHERE outcome = 'done' AND parts != was AND {of_run} IN (SELECT value FROM json_each(?))",
        listed,
    ):
        left = {serial for part in parts_of(row["was"]) for serial in part.serials}
        left -= {serial for part in parts_of(row["parts"]) for serial in part.serials}
        if left:
            wanted[row["snapshot"]] |= {(serial, None) for serial in left}
    return wanted


def _count_rows(ledger: Ledger, snapshots: Collection[int]) -> int:
    (found,) = ledger.query(
        "SELECT count(*) AS many FROM usage_rows WHERE usage IN (SELECT value FROM json_each(?))",
        json.dumps(list(snapshots)),
    )
    return int(found["many"])


# All else ----------------------------------------------------------------------------------------


def _plans(ledger: Ledger, oldest: Period | None) -> tuple[str, ...]:
    """Return the plans of older months that nobody applied or let go, and that are no kind's newest."""
    found = ledger.query(
        "SELECT digest FROM plans WHERE period < ? AND digest NOT IN ("  # noqa: S608  (our words)
        "SELECT digest FROM runs WHERE digest IS NOT NULL AND (applied = 1 OR id >= ?) "
        "UNION SELECT digest FROM changes UNION SELECT digest FROM approvals "
        f"UNION SELECT digest FROM runs WHERE id IN (SELECT max(runs.id) FROM runs JOIN plans USING (digest) "
        f"WHERE {_WHOLE} GROUP BY runs.kind)) ORDER BY digest",
        str(oldest or ""),
        _since(ledger, oldest),
    )
    return tuple(row["digest"] for row in found)


def _maps(ledger: Ledger, oldest: Period | None) -> tuple[str, ...]:
    """Return the maps that only runs of older months used which made no line what it is or was in between."""
    if oldest is None:
        return ()
    found = ledger.query(
        "SELECT hash FROM maps WHERE hash NOT IN (SELECT map FROM runs WHERE map IS NOT NULL "
        "AND (period IS NULL OR period >= ? OR id >= ? OR id IN (SELECT run FROM additions) "
        "OR id IN (SELECT run FROM changes WHERE id IN (SELECT max(changes.id) FROM changes "
        "JOIN runs ON runs.id = changes.run WHERE outcome = 'done' AND runs.period < ? "
        "GROUP BY addition_id)) "
        "OR id = (SELECT max(runs.id) FROM runs JOIN maps ON maps.hash = runs.map WHERE applied = 1))) "
        "ORDER BY hash",
        str(oldest),
        _since(ledger, oldest),
        str(oldest),
    )
    return tuple(row["hash"] for row in found)


def _since(ledger: Ledger, oldest: Period | None) -> int:
    """Return the first run of a month that is kept: what runs did from then on is no old month's."""
    (found,) = ledger.query("SELECT min(id) AS run FROM runs WHERE period >= ?", str(oldest or ""))
    return int(found["run"] or 0)


def _shadows(ledger: Ledger, oldest: Period | None) -> tuple[int, ...]:
    """Return the shadow runs of older months: the next one is compared with one of its own month."""
    found = ledger.query(
        "SELECT run FROM shadow_runs JOIN runs ON runs.id = run WHERE runs.period < ? ORDER BY run",
        str(oldest or ""),
    )
    return tuple(row["run"] for row in found)


def _days(ledger: Ledger) -> tuple[str, ...]:
    """Return the days of live counts but for the newest, which alone can be gone on with."""
    found = ledger.query(
        "SELECT DISTINCT day FROM live_counts WHERE day < (SELECT max(day) FROM live_counts) ORDER BY day"
    )
    return tuple(row["day"] for row in found)


def names_only_there(ledger: Ledger, number: int) -> Iterator[tuple[str, str]]:
    """Yield each id, serial number and customer that a snapshot names, with its sort."""
    queries: tuple[tuple[str, str], ...] = (
        ("id", "SELECT DISTINCT account_id AS text FROM usage_rows WHERE usage = ?"),
        ("id", "SELECT DISTINCT external_id AS text FROM usage_rows WHERE usage = ?"),
        ("serial", "SELECT DISTINCT serial AS text FROM usage_rows WHERE usage = ?"),
        ("tenant", "SELECT DISTINCT tenant AS text FROM failed_rows WHERE usage = ?"),
    )
    for sort, query in queries:
        found: list[dict[str, Any]] = ledger.query(query, number)
        yield from ((sort, row["text"]) for row in found if row["text"])
