"""Consumption files as imported: each state of a month's import is a snapshot that never changes."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from connector.ledger.recall import usage_row_of
from connector.ledger.records import put_rows
from connector.ledger.store import Ledger
from connector.model import Period, UsageRow
from connector.planning.change import plain_or_none

SOURCE = "file"


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row that could not be imported: `number` counts as a spreadsheet does, `received` is JSON by header.

    `quantity` is None where it cannot be read, `product_code` where it is not known.
    """

    number: int
    code: str
    reason: str
    tenant: str
    product_code: str | None
    quantity: Decimal | None
    received: str = "{}"


@dataclass(frozen=True, slots=True)
class Import:
    """The newest state of a month's import; `numbers` are the rows of the file that `rows` came from.

    `origin` is the SHA-256 of the file that it began with, `file` that file's name.
    """

    id: int
    period: Period
    file: str
    origin: str
    imported_at: str
    rows: tuple[UsageRow, ...]
    failed: tuple[FailedRow, ...]
    numbers: tuple[int, ...] = field(default=(), repr=False)


def newest_import(ledger: Ledger, period: Period) -> Import | None:
    """Return a month's import as it stands, or None where no file of it was imported."""
    found = ledger.query(
        "SELECT * FROM usage WHERE period = ? AND source = ? AND pruned_at IS NULL ORDER BY id DESC LIMIT 1",
        str(period),
        SOURCE,
    )
    if not found:
        return None
    usage = found[0]
    rows = ledger.query("SELECT * FROM usage_rows WHERE usage = ? ORDER BY number", usage["id"])
    failed = ledger.query("SELECT * FROM failed_rows WHERE usage = ? ORDER BY number", usage["id"])
    return Import(
        usage["id"],
        period,
        usage["file"] or "",
        usage["origin"] or "",
        usage["fetched_at"],
        tuple(usage_row_of(row) for row in rows),
        tuple(
            FailedRow(
                row["number"],
                row["code"],
                row["reason"],
                row["tenant"],
                row["product_code"],
                Decimal(row["quantity"]) if row["quantity"] is not None else None,
                row["received"],
            )
            for row in failed
        ),
        tuple(row["number"] for row in rows),
    )


def imported_periods(ledger: Ledger) -> tuple[Period, ...]:
    """Return the months that a file was imported for, the newest first."""
    found = ledger.query(
        "SELECT DISTINCT period FROM usage WHERE source = ? AND pruned_at IS NULL ORDER BY period DESC",
        SOURCE,
    )
    return tuple(Period.parse(row["period"]) for row in found)


def bind_run(ledger: Ledger, run: int, imported: Import) -> None:
    """Write down that a run works with an import, as record_usage does for a month of Sophos."""
    with ledger.transaction() as db:
        db.execute(
            "UPDATE runs SET period = ?, source = ?, usage = ? WHERE id = ?",
            (str(imported.period), SOURCE, imported.id, run),
        )


def record_import(
    ledger: Ledger,
    period: Period,
    *,
    file: str,
    origin: str,
    rows: Iterable[tuple[int, UsageRow]],
    failed: Iterable[FailedRow],
) -> None:
    """Store a new state of a month's import, which is the newest from now on; rows come with their number."""
    numbered, left = list(rows), list(failed)
    before = ledger.query(
        "SELECT max(id) AS id FROM usage WHERE period = ? AND source = ?", str(period), SOURCE
    )
    # With what came before: a month that goes back to an earlier file gets a snapshot of its own.
    said = [before[0]["id"], origin, [(number, row.received) for number, row in numbered]]
    digest = hashlib.sha256(json.dumps([*said, [(each.number, each.reason) for each in left]]).encode())
    with ledger.transaction() as db:
        cursor = db.execute(
            "INSERT INTO usage (period, source, hash, rows, fetched_at, file, origin) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (str(period), SOURCE, digest.hexdigest(), len(numbered), ledger.stamp(), file, origin),
        )
        usage = cursor.lastrowid
        put_rows(db, int(cursor.lastrowid or 0), numbered)
        db.conn.executemany(
            "INSERT INTO failed_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    usage,
                    each.number,
                    each.code,
                    each.reason,
                    each.tenant,
                    each.product_code,
                    plain_or_none(each.quantity),
                    each.received,
                )
                for each in left
            ),
        )
        # What Sophos itself calls a product stays: a distributor's words never replace it.
        db.conn.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?) ON CONFLICT (code) DO UPDATE SET "
            "first_period = min(first_period, excluded.first_period), "
            "last_period = max(last_period, excluded.last_period)",
            {
                row.product_code: (row.product_code, row.description, row.group, str(period), str(period))
                for _, row in numbered
            }.values(),
        )
