"""What people let go of what the nightly job may not do alone: who, when and why."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from connector.ledger.standing import undone_changes
from connector.ledger.store import Ledger
from connector.model import Period
from connector.planning.unattended import fingerprint


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
    """Return the fingerprints of every write that was let go, and was not taken back since."""
    taken_back = _taken_back(ledger)
    return frozenset(
        row["fingerprint"]
        for row in ledger.query("SELECT fingerprint, run FROM approvals")
        if row["run"] > taken_back.get(row["fingerprint"], 0)
    )


def approvals_of(ledger: Ledger, run: int) -> tuple[Approval, ...]:
    """Return what a run let go."""
    rows = ledger.query("SELECT * FROM approvals WHERE run = ? ORDER BY fingerprint", run)
    return tuple(Approval(**row) for row in rows)


def _taken_back(ledger: Ledger) -> dict[str, int]:
    """Return the newest run that made each write which an undo has taken back."""
    rows = ledger.query(
        "SELECT changes.run, runs.period, changes.writes FROM changes JOIN runs ON runs.id = changes.run "
        "WHERE changes.id IN (SELECT value FROM json_each(?)) ORDER BY changes.run",
        json.dumps(sorted(undone_changes(ledger))),
    )
    return {
        fingerprint(Period.parse(row["period"]), json.loads(row["writes"]), dated=dated): row["run"]
        for row in rows
        for dated in (True, False)
    }
