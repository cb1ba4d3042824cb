"""What runs did and said, kept for thirteen months; and when the job last went well."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connector.ledger.store import Ledger
from connector.reports.log_line import LogLine

KEPT = timedelta(days=397)
"""Thirteen months, however long they are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a run's journal; ids are there where they are known."""

    at: datetime
    level: str
    event: str
    message: str
    tenant_id: str | None
    agreement_id: int | None
    item_id: int | None
    addition_id: int | None


def record_lines(ledger: Ledger, run: int, lines: Iterable[tuple[datetime, LogLine]]) -> None:
    """Write down what a run said, in one transaction."""
    with ledger.transaction() as db:
        db.conn.executemany(
            "INSERT INTO journal (run, at, level, event, message, tenant_id, agreement_id, item_id, "
            "addition_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    run,
                    _text(at),
                    line.level,
                    line.event,
                    _storable(line.message),
                    None if line.tenant is None else _storable(line.tenant),
                    line.agreement,
                    line.item,
                    line.addition,
                )
                for at, line in lines
            ),
        )


def forget_old_lines(ledger: Ledger, now: datetime) -> None:
    """Let go of what is older than thirteen months."""
    with ledger.transaction() as db:
        db.execute("DELETE FROM journal WHERE at < ?", (_text(now - KEPT),))


def journal_of(ledger: Ledger, run: int) -> tuple[Entry, ...]:
    """Return what a run did and said, in order; nothing where that is too long ago."""
    return tuple(
        Entry(
            at=datetime.fromisoformat(row["at"]),
            level=row["level"],
            event=row["event"],
            message=row["message"],
            tenant_id=row["tenant_id"],
            agreement_id=row["agreement_id"],
            item_id=row["item_id"],
            addition_id=row["addition_id"],
        )
        for row in ledger.query("SELECT * FROM journal WHERE run = ? ORDER BY id", run)
    )


def last_success(ledger: Ledger) -> datetime | None:
    """Return when billing last ended with nothing left to do, or a night with nothing due; None for never."""
    found = ledger.query(
        "SELECT max(ended) AS ended FROM ("
        "SELECT max(finished_at) AS ended FROM runs "
        "WHERE exit_code = 0 AND kind IN ('apply', 'sync', 'nightly', 'approve') "
        "UNION ALL SELECT max(ended_at) FROM nights WHERE exit_code = 0)"
    )[0]["ended"]
    return datetime.fromisoformat(found).astimezone(UTC) if found else None


def _storable(text: str) -> str:
    """Return text that SQLite takes: a vendor may send half a character."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
