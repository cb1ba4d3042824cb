"""A month as it arrives, page by page: kept aside until it is whole, and stored only where it is news.

While its rows are those of the snapshot that was read last, nothing is written at all. From the first
difference on, each page goes into `arriving_rows` in a transaction of its own. Only `whole` makes a
snapshot of them, so a run that fails or is killed leaves nothing but rows there, which the next one takes
out before it begins.
"""

import hashlib
from collections.abc import Iterator, Sequence

from sqlite_utils import Database

from connector.ledger.store import Ledger
from connector.ledger.stored_rows import StoredRows
from connector.model import Period, UsageRow
from connector.planning.change import plain

_COLUMNS = "account_id, external_id, serial, product_code, quantity, received"
_BATCH = 1000


class Arrival:
    """Takes one month of one source in. One run at a time may do so: hold the state folder's lock."""

    def __init__(self, ledger: Ledger, run: int, period: Period, source: str) -> None:
        """Begin; what an earlier run left half taken in is gone."""
        self._ledger = ledger
        self._run = run
        self._of = (str(period), source)
        self._taken = 0
        self._hash = hashlib.sha256()
        self._products: dict[str, tuple[str, str]] = {}
        self._last, self._last_rows = self._read_last()
        self._same = self._last is not None
        """Whether every row until now is that of the snapshot that was read last."""
        if ledger.tuples("SELECT 1 FROM arriving_rows LIMIT 1"):
            with ledger.transaction() as db:
                db.execute("DELETE FROM arriving_rows")

    def take(self, rows: Sequence[UsageRow]) -> None:
        """Take the next rows in; what is not the same as before is on the disk when this returns."""
        for row in rows:
            self._hash.update(row.received.encode())
            self._hash.update(b"\n")
            self._products[row.product_code] = (row.description, row.group)
        for first in range(0, len(rows), _BATCH):
            self._take([_values(row) for row in rows[first : first + _BATCH]])

    def whole(self) -> StoredRows:
        """Make what has arrived the month that the run works with, and return its rows as stored.

        The same month is stored once, also where another was read between.
        """
        if self._same and self._taken != self._last_rows:
            self._part(())
        with self._ledger.transaction() as db:
            usage = self._last if self._same else self._stored(db)
            db.execute(
                "UPDATE runs SET period = ?, source = ?, usage = ? WHERE id = ?",
                (*self._of, usage, self._run),
            )
            self._record_products(db)
            if not self._same:
                db.execute("DELETE FROM arriving_rows")
        assert usage is not None  # noqa: S101  # the same as what, else
        return StoredRows(self._ledger, usage, self._taken)

    def _read_last(self) -> tuple[int | None, int]:
        """Return the snapshot of the month that was read last, and its length."""
        found = self._ledger.tuples(
            "SELECT usage.id, usage.rows FROM usage LEFT JOIN runs ON runs.usage = usage.id "
            "WHERE usage.period = ? AND usage.source = ? AND usage.pruned_at IS NULL GROUP BY usage.id "
            "ORDER BY max(runs.id) DESC, usage.id DESC LIMIT 1",
            *self._of,
        )
        return found[0] if found else (None, 0)

    def _take(self, arrived: list[tuple[str | None, ...]]) -> None:
        if self._same and arrived == self._stored_beside(len(arrived)):
            self._taken += len(arrived)
        else:
            self._part(arrived)

    def _stored_beside(self, count: int) -> list[tuple[str | None, ...]]:
        """Return the rows of the last snapshot in the place of those that arrive."""
        return self._ledger.tuples(
            f"SELECT {_COLUMNS} FROM usage_rows "  # noqa: S608
            "WHERE usage = ? AND number >= ? AND number < ? ORDER BY number",
            self._last,
            self._taken,
            self._taken + count,
        )

    def _part(self, arrived: Sequence[tuple[str | None, ...]]) -> None:
        """Keep rows aside, after those that were the same until now."""
        with self._ledger.transaction() as db:
            if self._same:
                db.execute(
                    f"INSERT INTO arriving_rows (number, {_COLUMNS}) SELECT number, {_COLUMNS} "  # noqa: S608
                    "FROM usage_rows WHERE usage = ? AND number < ?",
                    (self._last, self._taken),
                )
            db.conn.executemany(
                f"INSERT INTO arriving_rows (number, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                ((number, *values) for number, values in enumerate(arrived, self._taken)),
            )
        self._same = False
        self._taken += len(arrived)

    def _stored(self, db: Database) -> int:
        """Return the snapshot that says what has arrived; a new one where there is none."""
        digest = self._hash.hexdigest()
        found = self._named(db, digest)
        if found is not None and _reads_otherwise(db, found):
            # The same answer, which an earlier version of the connector understood otherwise.
            digest = hashlib.sha256(f"{digest} {_understood(db)}".encode()).hexdigest()
            found = self._named(db, digest)
        if found is not None:
            return found
        cursor = db.execute(
            "INSERT INTO usage (period, source, hash, rows, fetched_at) VALUES (?, ?, ?, ?, ?)",
            (*self._of, digest, self._taken, self._ledger.stamp()),
        )
        usage = int(cursor.lastrowid or 0)
        db.execute(
            f"INSERT INTO usage_rows (usage, number, {_COLUMNS}) SELECT ?, number, {_COLUMNS} "  # noqa: S608
            "FROM arriving_rows ORDER BY number",
            (usage,),
        )
        return usage

    def _named(self, db: Database, digest: str) -> int | None:
        found = db.execute(
            "SELECT id FROM usage WHERE period = ? AND source = ? AND hash = ?", (*self._of, digest)
        ).fetchone()
        return None if found is None else int(found[0])

    def _record_products(self, db: Database) -> None:
        """Remember what products are called; the newest month that has one decides."""
        period, _ = self._of
        db.conn.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?) ON CONFLICT (code) DO UPDATE SET "
            "first_period = min(first_period, excluded.first_period), "
            "name = iif(excluded.last_period >= last_period, excluded.name, name), "
            "product_group = iif(excluded.last_period >= last_period, excluded.product_group, "
            "product_group), last_period = max(last_period, excluded.last_period)",
            ((code, *called, period, period) for code, called in self._products.items()),
        )


def take_in(ledger: Ledger, run: int, period: Period, source: str, rows: Sequence[UsageRow]) -> StoredRows:
    """Store a month that is all there already as what a run works with, and return its rows as stored."""
    arrival = Arrival(ledger, run, period, source)
    arrival.take(rows)
    return arrival.whole()


def _values(row: UsageRow) -> tuple[str | None, ...]:
    """Return a row as its columns hold it, in their order."""
    return (
        row.account_id,
        row.external_id,
        row.serial,
        row.product_code,
        plain(row.quantity),
        row.received,
    )


def _reads_otherwise(db: Database, usage: int) -> bool:
    """Whether a snapshot of the same text has other columns than what has arrived."""
    found = db.execute(
        "SELECT 1 FROM arriving_rows AS new JOIN usage_rows AS old "
        "ON old.usage = ? AND old.number = new.number "
        "WHERE new.account_id IS NOT old.account_id OR new.external_id IS NOT old.external_id "
        "OR new.serial IS NOT old.serial OR new.product_code != old.product_code "
        "OR new.quantity != old.quantity LIMIT 1",
        (usage,),
    )
    return found.fetchone() is not None


def _understood(db: Database) -> str:
    """Return a hash of the columns that were made of what has arrived."""
    digest = hashlib.sha256()
    rows: Iterator[tuple[str | None, ...]] = db.execute(
        "SELECT account_id, external_id, serial, product_code, quantity FROM arriving_rows ORDER BY number"
    )
    for row in rows:
        digest.update(f"{row}\n".encode())
    return digest.hexdigest()
