"""Runs of the past with their changes, read from the ledger; and which run an undo takes back."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connector.ledger.records import date_of, parts_of
from connector.ledger.standing import MADE
from connector.ledger.store import Ledger
from connector.model import Key, Period
from connector.planning.change import prices_moved, released
from connector.planning.undo.past import PastChange, PastRun, RunHistory

# An `apply` is asked for by its digest alone: what it was for stands with its plan.
_RUNS = (
    "SELECT runs.*, iif(runs.kind = 'apply', coalesce(plans.options, runs.options), runs.options) AS said, "
    "coalesce(runs.source, iif(runs.kind = 'undo', plans.source, NULL)) AS told_source "
    "FROM runs LEFT JOIN plans USING (digest) "
)
_CHANGES = (
    "SELECT changes.*, json_extract(runs.options, '$.undo') AS undoes FROM changes "
    "JOIN runs ON runs.id = changes.run "
)


LARGEST_NUMBER = 2**63 - 1
"""The largest number that SQLite knows."""


def past_runs(ledger: Ledger, limit: int | None = None) -> tuple[PastRun, ...]:
    """Return runs, the newest first; all of them where there is no limit."""
    found = ledger.query(f"{_RUNS} ORDER BY runs.id DESC LIMIT ?", -1 if limit is None else limit)
    return _runs(ledger, found)


def past_run(ledger: Ledger, number: int) -> PastRun | None:
    """Return one run, or None where there is none of that number."""
    if abs(number) > LARGEST_NUMBER:
        return None
    found = _runs(ledger, ledger.query(f"{_RUNS} WHERE runs.id = ?", number))
    return found[0] if found else None


def count_runs(ledger: Ledger) -> int:
    """Return how many runs are on record."""
    return int(ledger.query("SELECT count(*) AS runs FROM runs")[0]["runs"])


def changes_of_run(ledger: Ledger, number: int) -> tuple[PastChange, ...]:
    """Return the changes of a run as they were planned and what became of them, in their order."""
    plans = ledger.query("SELECT document FROM plans JOIN runs USING (digest) WHERE runs.id = ?", number)
    planned = json.loads(plans[0]["document"])["changes"] if plans else ()
    rows = ledger.query(f"{_CHANGES} WHERE changes.run = ? ORDER BY changes.number", number)
    return tuple(_change(row, planned) for row in rows)


def histories(ledger: Ledger, number: int) -> dict[int, tuple[PastChange, ...]]:
    """Return all that was ever made of each addition that a run changed, the oldest first."""
    rows = ledger.query(
        f"{_CHANGES} WHERE {MADE} AND changes.addition_id IN "  # noqa: S608  (our words)
        "(SELECT addition_id FROM changes WHERE run = ?) ORDER BY changes.id",
        number,
    )
    found: dict[int, list[PastChange]] = defaultdict(list)
    for row in rows:
        found[row["addition_id"]].append(_change(row, ()))
    return {addition_id: tuple(changes) for addition_id, changes in found.items()}


def run_history(ledger: Ledger, number: int) -> RunHistory | None:
    """Return all that is on record of a run, or None where there is none of that number."""
    run = past_run(ledger, number)
    if run is None:
        return None
    planned = ledger.query(
        "SELECT plans.run, document FROM plans JOIN runs USING (digest) WHERE runs.id = ?", number
    )
    usage = ledger.query(
        "SELECT id AS snapshot, period, source, rows, fetched_at, file, pruned_at FROM usage WHERE id = ?",
        run.usage if run.planned_from is None else run.planned_from,
    )
    undone = ledger.query(
        "SELECT DISTINCT runs.id FROM runs JOIN changes ON changes.run = runs.id "
        "WHERE json_extract(runs.options, '$.undo') = ? AND changes.outcome = 'done' ORDER BY runs.id",
        number,
    )
    return RunHistory(
        run=run,
        changes=changes_of_run(ledger, number),
        plan=json.loads(planned[0]["document"]) if planned else {},
        planned_by=planned[0]["run"] if planned else None,
        usage=usage[0] if usage else None,
        undone_by=tuple(row["id"] for row in undone),
    )


def record_undoing(ledger: Ledger, run: int, undone: PastRun, period: Period, *, dry_run: bool) -> None:
    """Write down which run an undo takes back, and for which month.

    It reads no usage and names no source: so the month does not count as billed by it.
    """
    with ledger.transaction() as db:
        db.execute(
            "UPDATE runs SET period = ?, options = json_set(options, '$.undo', ?, '$.dry_run', json(?)) "
            "WHERE id = ?",
            (str(period), undone.number, "true" if dry_run else "false", run),
        )


def _runs(ledger: Ledger, rows: Sequence[Mapping[str, Any]]) -> tuple[PastRun, ...]:
    outcomes: dict[int, dict[str, int]] = defaultdict(dict)
    if rows:
        first, last = min(row["id"] for row in rows), max(row["id"] for row in rows)
        counted = ledger.query(
            "SELECT run, outcome, count(*) AS changes FROM changes WHERE run BETWEEN ? AND ? "
            "GROUP BY run, outcome ORDER BY run, outcome",
            first,
            last,
        )
        for row in counted:
            outcomes[row["run"]][row["outcome"]] = row["changes"]
    return tuple(
        PastRun(
            number=row["id"],
            kind=row["kind"],
            period=row["period"],
            source=row["told_source"],
            started=datetime.fromisoformat(row["started_at"]),
            finished=datetime.fromisoformat(row["finished_at"]) if row["finished_at"] else None,
            who=row["who"],
            version=row["version"],
            exit_code=row["exit_code"],
            error=row["error"],
            applied=bool(row["applied"]),
            digest=row["digest"],
            usage=row["usage"],
            planned_from=row["planned_from"],
            map=row["map"],
            today=row["today"],
            options=json.loads(row["said"]),
            outcomes=outcomes.get(row["id"], {}),
        )
        for row in rows
    )


def _change(row: Mapping[str, Any], planned: Sequence[Mapping[str, Any]]) -> PastChange:
    """Return a change; what people call its item, company and agreement stands in its plan."""
    key, writes = Key(row["agreement_id"], row["item_id"]), json.loads(row["writes"])
    names = planned[row["number"]] if row["number"] < len(planned) else {}
    if (names.get("agreement_id"), names.get("item_id")) != key:
        names = {}
    price, cost = prices_moved(writes)
    return PastChange(
        id=row["id"],
        run=row["run"],
        kind=row["kind"],
        key=key,
        addition_id=row["addition_id"],
        before=None if row["before"] is None else Decimal(row["before"]),
        after=Decimal(row["after"]),
        outcome=row["outcome"],
        because=row["because"],
        parts=parts_of(row["parts"]),
        was=parts_of(row["was"]),
        effective=date_of(row["effective"]),
        mark=row["mark"],
        held=row["held"],
        unit_price=price,
        unit_cost=cost,
        release=released(writes),
        undoes=row["undoes"],
        message=row["message"],
        request_id=row["request_id"],
        sent=row["sent_at"],
        answered=row["answered_at"],
        item=names.get("item", ""),
        company=names.get("company", ""),
        agreement=names.get("agreement", ""),
    )
