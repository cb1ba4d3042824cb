"""What of the ledger belongs into a ticket: read as it is, never made and never brought up to date."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from connector.errors import StateFault
from connector.ledger.telling import FILE_NAME, told
from connector.planning.aliases import Sort

Row = dict[str, Any]

_JSON = frozenset({"options", "parts", "was", "writes", "seen", "document"})
_NAMES: tuple[tuple[Sort, str], ...] = (
    ("id", "SELECT id AS text FROM tenants"),
    ("tenant", "SELECT name AS text FROM tenants"),
    ("serial", "SELECT serial AS text FROM firewalls"),
    ("company", "SELECT text FROM names WHERE kind = 'company'"),
    ("agreement", "SELECT text FROM names WHERE kind = 'agreement'"),
    ("company", "SELECT company AS text FROM agreements"),
    ("agreement", "SELECT name AS text FROM agreements"),
    ("serial", "SELECT DISTINCT serial AS text FROM usage_rows"),
    ("id", "SELECT DISTINCT account_id AS text FROM usage_rows"),
    ("id", "SELECT DISTINCT external_id AS text FROM usage_rows"),
    ("tenant", "SELECT DISTINCT tenant AS text FROM failed_rows"),
    ("file", "SELECT DISTINCT file AS text FROM usage"),
    ("id", "SELECT text FROM pruned_names WHERE sort = 'id'"),
    ("serial", "SELECT text FROM pruned_names WHERE sort = 'serial'"),
    ("tenant", "SELECT text FROM pruned_names WHERE sort = 'tenant'"),
)
_KEPT = (
    "SELECT identifier AS text FROM items",
    "SELECT code AS text FROM products",
    "SELECT name AS text FROM products",
)


class Ticket:
    """Reads an open ledger; what an older or damaged file lacks is a fault, and not the end."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        """`faults` says what could not be read."""
        self._database = database
        self._path = path
        self.faults: list[str] = []

    def runs(self, most: int) -> list[Row]:
        """Return the last runs, the newest first, each with its changes and what became of them."""
        runs = self._rows("SELECT * FROM runs ORDER BY id DESC LIMIT ?", most)
        for run in runs:
            run["changes"] = self._rows("SELECT * FROM changes WHERE run = ? ORDER BY number", run["id"])
        return runs

    def plans(self, most: int) -> list[Row]:
        """Return the last plans that were stored, the newest first."""
        found = self._rows("SELECT * FROM plans ORDER BY stored_at DESC, run DESC LIMIT ?", most)
        return [{name: value for name, value in row.items() if name != "writes"} for row in found]

    def snapshots(self) -> list[Row]:
        """Return which months of usage are stored, without their rows."""
        return self._rows("SELECT * FROM usage ORDER BY period DESC, id DESC")

    def maps(self, most: int) -> list[str]:
        """Return mappings.yaml as the last runs used it."""
        found = self._rows(
            "SELECT text FROM maps JOIN runs ON runs.map = maps.hash GROUP BY hash "
            "ORDER BY max(runs.id) DESC LIMIT ?",
            most,
        )
        return [row["text"] for row in found]

    def names(self) -> Iterator[tuple[Sort, str]]:
        """Yield every name, id and serial number that the ledger knows, with what it is of."""
        for sort, query in _NAMES:
            yield from ((sort, row["text"]) for row in self._rows(query) if row["text"])

    def kept(self) -> list[str]:
        """Return what items and products are called."""
        return [row["text"] for query in _KEPT for row in self._rows(query)]

    def _rows(self, query: str, *values: object) -> list[Row]:
        try:
            with told(self._path):
                cursor = self._database.execute(query, values)
                names = [column[0] for column in cursor.description]
                return [
                    {name: _read(name, value) for name, value in zip(names, row, strict=True)}
                    for row in cursor.fetchall()
                ]
        except StateFault as fault:
            if fault.message not in self.faults:
                self.faults.append(fault.message)
            return []


@contextmanager
def ticket_of(folder: Path) -> Iterator[Ticket]:
    """Open the ledger in a folder to read it; raises StateFault where there is none."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise StateFault(f"There is no ledger at {path}.", "Name the right folder: --state DIR.")
    with told(path):
        database = sqlite3.connect(path, timeout=10)
    with closing(database):
        yield Ticket(database, path)


def _read(name: str, value: Any) -> Any:
    """Return a column's value, a JSON text as what it says; bytes never, for JSON has none."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if name in _JSON and isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
