"""Removes what may go, in steps that each leave the ledger sound, and gives the room back to the disk."""

import json
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from connector.errors import StateFault
from connector.ledger.months import every_snapshot
from connector.ledger.prunable import Prunable, names_only_there
from connector.ledger.store import Ledger
from connector.ledger.telling import FILE_NAME, told
from connector.ledger.totals import month_sums, sums_text

_INCREMENTAL = 2
_PAGES_AT_ONCE = 10_000
_ROOM_FOR_A_COPY = 2.2
"""VACUUM writes the file anew, and once more into the write-ahead log."""


@dataclass(frozen=True, slots=True)
class Given:
    """How large the ledger's file was and is, and why it did not get smaller, where it did not."""

    before: int
    after: int
    note: str = ""


def prune(ledger: Ledger, what: Prunable) -> None:
    """Remove what was found; hold the state folder's lock meanwhile.

    A month is marked as pruned first, with all that outlasts its rows, in one transaction; from then on
    nothing reads it as a whole month. Killed anywhere after that, the next time removes the rest of the rows.
    """
    sums = {
        each.number: sums_text(month_sums(ledger, each))
        for each in every_snapshot(ledger)
        if each.number in what.snapshots and each.in_force
    }
    names = sorted({name for number in what.snapshots for name in names_only_there(ledger, number)})
    with ledger.transaction() as db:
        for number in what.snapshots:
            # Another hash: should Sophos say the same again, that is a snapshot of its own, with its rows.
            db.execute(
                "UPDATE usage SET pruned_at = ?, hash = 'pruned ' || id WHERE id = ?",
                (ledger.stamp(), number),
            )
            db.execute("DELETE FROM failed_rows WHERE usage = ?", (number,))
        db.conn.executemany("INSERT OR IGNORE INTO pruned_sums VALUES (?, ?)", sums.items())
        db.conn.executemany("INSERT OR IGNORE INTO pruned_names VALUES (?, ?)", names)
        for statement, values in (
            ("DELETE FROM plans WHERE digest = ?", what.plans),
            ("DELETE FROM maps WHERE hash = ?", what.maps),
            ("DELETE FROM shadow_runs WHERE run = ?", what.shadows),
            ("DELETE FROM live_counts WHERE day = ?", what.days),
        ):
            db.conn.executemany(statement, ((value,) for value in values))
    for each in every_snapshot(ledger):
        if each.pruned_at is not None:
            with ledger.transaction() as db:
                db.execute(
                    "DELETE FROM usage_rows WHERE usage = ? "
                    "AND number NOT IN (SELECT value FROM json_each(?))",
                    (each.number, json.dumps(what.kept.get(each.number, ()))),
                )


def file_size(folder: Path) -> int:
    """Return what the ledger takes on the disk, with its write-ahead log."""
    names = (FILE_NAME, f"{FILE_NAME}-wal")
    return sum(path.stat().st_size for name in names if (path := folder / name).is_file())


def give_back(folder: Path, before: int) -> Given:
    """Make the file as small as what is in it; where that cannot be, say why: it is sound either way.

    The first time the file is written anew, which takes the room of a copy; from then on its end is cut off.
    """
    path = folder / FILE_NAME
    note = ""
    try:
        with told(path):
            _cut(path)
    except StateFault as fault:
        note = fault.message
    except _NoRoom as lacking:
        note = (
            "The room stays in the file, for what comes next: to give it back to the disk takes "
            f"{lacking.bytes} bytes there for a moment. Make room and run it again."
        )
    return Given(before, file_size(folder), note)


class _NoRoom(Exception):
    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.bytes = needed


def _cut(path: Path) -> None:
    database = sqlite3.connect(path, timeout=10, isolation_level=None)
    try:
        free, size, pages, mode = (
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("freelist_count", "page_size", "page_count", "auto_vacuum")
        )
        if mode != _INCREMENTAL:
            needed = int((pages - free) * size * _ROOM_FOR_A_COPY)
            if shutil.disk_usage(path.parent).free < needed:
                raise _NoRoom(needed)
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
            database.execute("VACUUM")
            free = 0
        for _ in range(0, free, _PAGES_AT_ONCE):
            # As a script: `execute` stops after one page.
            database.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        database.close()
