"""What people let go of what the nightly job may not do alone: who, when and why."""

from collections.abc import Iterable
from dataclasses import dataclass

from connector.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Approval:
    """One write that a person let go, out of a plan that was shown."""

    fingerprint: str
    digest: str
    run: int
    who: str
    why: str
    at: str


def record_approvals(ledger: Ledger, run: int, digest: str, fingerprints: Iterable[str], why: str) -> None:
    """Write down that the person who began this run lets these writes go."""
    with ledger.transaction() as db:
        who = db.execute("SELECT who FROM runs WHERE id = ?", (run,)).fetchone()[0]
        db.conn.executemany(
            "INSERT OR REPLACE INTO approvals VALUES (?, ?, ?, ?, ?, ?)",
            ((each, digest, run, who, why, ledger.stamp()) for each in fingerprints),
        )


def approved_writes(ledger: Ledger) -> frozenset[str]:
    """Return the fingerprints of every write that was ever let go."""
    return frozenset(row["fingerprint"] for row in ledger.query("SELECT fingerprint FROM approvals"))


def approvals_of(ledger: Ledger, run: int) -> tuple[Approval, ...]:
    """Return what a run let go."""
    rows = ledger.query("SELECT * FROM approvals WHERE run = ? ORDER BY fingerprint", run)
    return tuple(Approval(**row) for row in rows)
