"""The connector, as a process that dies at a chosen moment of its work on the ledger.

Run as `python dying.py COMMAND ...` with DIE_AT naming a moment and DIE_LOG a file for the moments seen.
A moment is a number: every statement that the ledger sends to SQLite is one moment before and one after.
Dying is SIGKILL: nothing is flushed, closed or told, as in a power cut.
"""

import functools
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from connector.__main__ import main


class Moments:
    """Counts the moments, notes them, and dies at the chosen one."""

    def __init__(self, die_at: int, log: Path) -> None:
        self.die_at = die_at
        self.log = log
        self.count = 0

    def pass_one(self, when: str, statement: str) -> None:
        """Note one moment, or die at it."""
        self.count += 1
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{self.count} {when} {' '.join(statement.split())[:40]}\n")
        if self.count == self.die_at:
            os.abort() if os.name == "nt" else os.kill(os.getpid(), 9)


class Mortal(sqlite3.Connection):
    """A connection to the ledger whose statements are moments."""

    moments: Moments

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement between two moments."""
        self.moments.pass_one("before", sql)
        done = super().execute(sql, *parameters)
        self.moments.pass_one("after", sql)
        return done

    def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement many times between two moments."""
        self.moments.pass_one("before", sql)
        done = super().executemany(sql, *parameters)
        self.moments.pass_one("after", sql)
        return done


if __name__ == "__main__":
    Mortal.moments = Moments(int(os.environ["DIE_AT"]), Path(os.environ["DIE_LOG"]))
    sqlite3.connect = functools.partial(sqlite3.connect, factory=Mortal)  # type: ignore[assignment]
    sys.argv[0] = "connector"
    main()
