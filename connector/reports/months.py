"""What is stored of the months, and what fetching one brought, as tables, text and JSON."""

from collections.abc import Iterable
from typing import Any

from connector.planning.snapshots import Pulled, Snapshot
from connector.reports.survey import money_document
from connector.reports.table import Column
from connector.reports.usage import comparison_lines

Document = dict[str, Any]


def months_document(stored: Iterable[Snapshot]) -> Document:
    """Return what is stored as `connector.months/1`."""
    return {"schema": "connector.months/1", "months": [_snapshot(each) for each in stored]}


def months_table(stored: Iterable[Snapshot]) -> tuple[tuple[Column, ...], list[tuple[str, ...]]]:
    """Return what is stored as a table."""
    columns = (
        Column("Month"),
        Column("Source"),
        Column("Snapshot", right=True),
        Column("Stored"),
        Column("Seen last"),
        Column("Rows", right=True),
        Column("Failed rows", right=True),
        Column("State"),
        Column("Restated"),
        Column("Applied by run"),
        Column("File", cut=True),
    )
    return columns, [
        (
            str(each.period),
            each.source,
            str(each.number),
            each.fetched_at,
            each.read_at,
            str(each.rows),
            str(each.failed),
            _state(each),
            "restated" if each.restated else "",
            ", ".join(str(run) for run in each.applied),
            each.file or "",
        )
        for each in stored
    ]


def _state(snapshot: Snapshot) -> str:
    if snapshot.pruned_at is not None:
        return f"pruned {snapshot.pruned_at[:10]}"
    return "in force" if snapshot.in_force else "replaced"


def _snapshot(snapshot: Snapshot) -> Document:
    return {
        "period": str(snapshot.period),
        "source": snapshot.source,
        "snapshot": snapshot.number,
        "file": snapshot.file,
        "rows": snapshot.rows,
        "failed_rows": snapshot.failed,
        "fetched_at": snapshot.fetched_at,
        "read_at": snapshot.read_at,
        "in_force": snapshot.in_force,
        "pruned_at": snapshot.pruned_at,
        "restated": snapshot.restated,
        "applied_by": list(snapshot.applied),
    }


def pull_document(pulled: Pulled) -> Document:
    """Return what fetching a month brought, as `connector.pull/1`."""
    moved = pulled.moved
    return {
        "schema": "connector.pull/1",
        "run": pulled.run,
        "result": pulled.result,
        **_snapshot(pulled.snapshot),
        "before": _snapshot(pulled.before) if pulled.before is not None else None,
        "differences": len(moved.differences) if moved is not None else 0,
        "cost": money_document(moved.cost) if moved is not None else [],
    }


def pull_text(pulled: Pulled) -> str:
    """Return what fetching a month brought, as people read it."""
    now, before = pulled.snapshot, pulled.before
    if pulled.result == "new" or before is None:
        return f"{now.period}: {now.rows} rows, stored for the first time (snapshot {now.number})."
    if pulled.result == "same" or pulled.moved is None:
        return f"{now.period}: {now.rows} rows, the same as stored {now.fetched_at} (snapshot {now.number})."
    numbers = f"snapshot {now.number}, before {before.number}"
    told = [
        f"{now.period}: {now.rows} rows, restated since {before.read_at} ({numbers}).",
        *(f"  {line}" for line in comparison_lines(pulled.moved)),
        f"See every difference: connector usage compare {before.number} {now.number}",
    ]
    return "\n".join(told)
