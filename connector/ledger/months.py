"""The months of usage that are stored: every snapshot of each source, and their rows."""

from connector.ledger.recall import usage_row_of
from connector.ledger.store import Ledger
from connector.model import Period, UsageRow
from connector.planning.snapshots import Snapshot, ranked
from connector.planning.sources import FILE


def snapshots(ledger: Ledger) -> tuple[Snapshot, ...]:
    """Return every snapshot that has its rows, in the order of `every_snapshot`."""
    return tuple(each for each in every_snapshot(ledger) if each.pruned_at is None)


def every_snapshot(ledger: Ledger) -> tuple[Snapshot, ...]:
    """Return every snapshot, the newest month first, and what was found last first within it.

    Of one that was pruned only those rows are left that explain a line of today.
    """
    found = ledger.query(
        "SELECT usage.id, usage.period, usage.source, usage.file, usage.rows, usage.fetched_at, "
        "usage.pruned_at, "
        "(SELECT count(*) FROM failed_rows WHERE failed_rows.usage = usage.id) AS failed, "
        "max(runs.id) AS last_run, coalesce(max(runs.started_at), '') AS last_start, "
        "(SELECT group_concat(id) FROM runs WHERE applied = 1 AND coalesce(planned_from, usage) = usage.id) "
        "AS applied "
        "FROM usage LEFT JOIN runs ON runs.usage = usage.id GROUP BY usage.id"
    )
    return ranked(
        Snapshot(
            number=row["id"],
            period=Period.parse(row["period"]),
            source=row["source"],
            rows=row["rows"],
            fetched_at=row["fetched_at"],
            # A run on a file reads what is stored: that does not make the file newer.
            read_at=max(row["fetched_at"], row["last_start"] if row["source"] != FILE else ""),
            file=row["file"],
            failed=row["failed"],
            applied=tuple(sorted(int(run) for run in (row["applied"] or "").split(",") if run)),
            last_run=row["last_run"] or 0,
            pruned_at=row["pruned_at"],
        )
        for row in found
    )


def snapshot_rows(ledger: Ledger, number: int) -> tuple[UsageRow, ...]:
    """Return the rows of a snapshot, in their order."""
    found = ledger.query("SELECT * FROM usage_rows WHERE usage = ? ORDER BY number", number)
    return tuple(usage_row_of(row) for row in found)


def pruned_on(ledger: Ledger, period: Period) -> str | None:
    """Return the day on which the usage of a month was pruned, None where any of it is here or never was."""
    (found,) = ledger.query(
        "SELECT max(pruned_at) AS pruned, sum(pruned_at IS NULL) AS here FROM usage WHERE period = ?",
        str(period),
    )
    return None if found["here"] or found["pruned"] is None else str(found["pruned"])[:10]
