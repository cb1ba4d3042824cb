"""Reads and writes the ledger; every write is one transaction that is on the disk when it returns."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from filelock import FileLock, Timeout
from sqlite_utils import Database

from connector.errors import StateFault
from connector.ledger.records import (
    StoredPlan,
    date_of,
    options_of,
    options_text,
    parts_of,
    parts_of_many,
    parts_text,
    quantity_of,
)
from connector.ledger.schema import KNOWN_STEPS, migrations
from connector.ledger.standing import BILLING, back
from connector.ledger.telling import FILE_NAME, told
from connector.model import Addition, Agreement, Firewall, Key, Period, Tenant
from connector.planning.change import (
    Change,
    Feed,
    KnownAddition,
    OpenChange,
    Plan,
    plain,
    plain_or_none,
    prices_asked,
    released,
)
from connector.planning.directory import Name
from connector.planning.findings import Options

_CHANGE_COLUMNS = (
    "run, digest, number, kind, agreement_id, item_id, addition_id, before, after, effective, mark, held, "
    "because, parts, was, writes, outcome"
)


OPENING_SECONDS = 10.0


def utc_now() -> datetime:
    """Return the time that the ledger writes down when nobody gives it a clock."""
    return datetime.now(UTC)


class NamedItem(Protocol):
    """What is remembered of a catalog item."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def identifier(self) -> str: ...  # noqa: D102
    @property
    def description(self) -> str: ...  # noqa: D102


class Ledger:
    """One `connector.db`, open for reading and writing.

    Every method raises StateFault when the file cannot be read or written; what it meant to write is then
    not written at all.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = utc_now) -> None:
        """Open or create the file in `folder`, and bring an older one up to date."""
        self.path = folder / FILE_NAME
        self._now = now
        with told(self.path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():
                self.path.touch(mode=0o600)
            self._db = Database(sqlite3.connect(self.path, timeout=10, isolation_level=None))
        try:
            with told(self.path):
                if not self._up_to_date():
                    self._bring_up_to_date(folder)
                # FULL: what we wrote down before a request must outlast a power cut after it.
                self._db.execute("PRAGMA synchronous = FULL")
        except BaseException:
            self._db.conn.close()
            raise

    def _up_to_date(self) -> bool:
        self._refuse_newer()
        wal = self._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        return wal and not migrations.pending(self._db)

    def _bring_up_to_date(self, folder: Path) -> None:
        """Set a new or older file up; commands that begin at the same moment do it one after the other."""
        lock = FileLock(folder / "connector.opening", timeout=OPENING_SECONDS, mode=0o600)
        try:
            with lock:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._refuse_newer()
                migrations.apply(self._db)
        except Timeout:
            raise StateFault(
                f"Another command has been setting up {self.path} for {OPENING_SECONDS:g} seconds.",
                "Run the same command again.",
            ) from None

    def check_writable(self) -> None:
        """Write to the file without changing what it says."""
        with self._writing() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute(f"PRAGMA user_version = {int(version)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.conn.close()

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        with told(self.path), self._db.atomic():
            yield self._db

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Write in one transaction; for the modules of this package that hold a group of tables."""
        with self._writing() as db:
            yield db

    def stamp(self) -> str:
        """Return the time as the ledger writes it down."""
        return self._stamp()

    def query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a SELECT."""
        with told(self.path):
            return list(self._db.query(sql, values))

    def tuples(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as they are, for reading many."""
        with told(self.path):
            return self._db.conn.execute(sql, values).fetchall()

    def stream(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a SELECT as they are; it is open until all are read or nobody asks for more."""
        with told(self.path), closing(self._db.conn.execute(sql, values)) as cursor:
            yield from cursor

    def _refuse_newer(self) -> None:
        newer = [step.name for step in migrations.applied(self._db) if step.name not in KNOWN_STEPS]
        if newer:
            raise StateFault(
                f"The ledger {self.path} was written by a newer version of the connector (it knows "
                f"{', '.join(newer)}).",
                "Install that version again, or use another state folder: --state DIR.",
            )

    def _stamp(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="seconds")

    # Runs ----------------------------------------------------------------------------------------

    def begin_run(
        self, kind: str, options: Options, *, who: str, version: str, today: date | None = None
    ) -> int:
        """Record that a run began, and that runs without an end were killed; return its number."""
        with self._writing() as db:
            db.execute(
                "UPDATE runs SET finished_at = ?, error = 'KILLED' WHERE finished_at IS NULL",
                (self._stamp(),),
            )
            db.execute("UPDATE changes SET outcome = 'not_tried' WHERE outcome = 'planned'")
            cursor = db.execute(
                "INSERT INTO runs (kind, options, who, version, started_at, today) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, options_text(options), who, version, self._stamp(), str(today) if today else None),
            )
            return int(cursor.lastrowid or 0)

    def finish_run(self, run: int, exit_code: int, error: str | None = None) -> None:
        """Record how a run ended."""
        with self._writing() as db:
            db.execute(
                "UPDATE runs SET finished_at = ?, exit_code = ?, error = ? WHERE id = ?",
                (self._stamp(), exit_code, error, run),
            )

    def record_map(self, run: int, text: str) -> None:
        """Keep mappings.yaml as a run uses it, once for each different text."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO maps VALUES (?, ?, ?)", (digest, text, self._stamp()))
            db.execute("UPDATE runs SET map = ? WHERE id = ?", (digest, run))

    def newest_applied(self) -> Period | None:
        """Return the newest period that a run has applied (contract rule 18, `period_order`)."""
        found = self.query(f"SELECT max(period) AS period FROM runs WHERE {BILLING}", back(self))  # noqa: S608
        return Period.parse(found[0]["period"]) if found[0]["period"] else None

    # What was read -------------------------------------------------------------------------------

    def record_seen(self, tenants: Iterable[Tenant], firewalls: Iterable[Firewall]) -> None:
        """Remember the tenants and firewalls that Sophos listed."""
        stamp = self._stamp()
        with self._writing() as db:
            db.conn.executemany(
                "INSERT INTO tenants VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = "
                "excluded.name, billing_type = excluded.billing_type, status = excluded.status, "
                "last_seen = excluded.last_seen",
                ((each.id, each.name, each.billing_type, each.status, stamp, stamp) for each in tenants),
            )
            db.conn.executemany(
                "INSERT INTO firewalls VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (serial) DO UPDATE SET "
                "model = excluded.model, tenant_id = excluded.tenant_id, last_seen = excluded.last_seen, "
                "billing_tenant_id = excluded.billing_tenant_id, last_contact = excluded.last_contact",
                (
                    (
                        each.serial,
                        each.model,
                        each.tenant_id,
                        each.billing_tenant_id,
                        each.last_seen,
                        stamp,
                        stamp,
                    )
                    for each in firewalls
                ),
            )

    def record_items(self, items: Iterable[NamedItem]) -> None:
        """Remember what catalog items are called, for completing them on a command line."""
        with self._writing() as db:
            db.conn.executemany(
                "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "identifier = excluded.identifier, description = excluded.description",
                ((each.id, each.identifier, each.description) for each in items),
            )

    def record_agreements(self, agreements: Iterable[Agreement]) -> None:
        """Remember what agreements are called, for those who read the ledger."""
        with self._writing() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO agreements VALUES (?, ?, ?, ?, ?)",
                ((each.id, each.name, each.company_id, each.company, each.currency) for each in agreements),
            )

    # Names ---------------------------------------------------------------------------------------

    def names(self) -> dict[Name, int]:
        """Return what every text of mappings.yaml once meant (contract rule 9)."""
        rows = self.query("SELECT kind, company_id, text, id FROM names")
        return {Name(row["kind"], row["company_id"], row["text"]): row["id"] for row in rows}

    def learn_names(self, learned: Mapping[Name, int]) -> None:
        """Remember what texts mean; what is remembered already stays."""
        if learned:
            with self._writing() as db:
                db.conn.executemany(
                    "INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?, ?)",
                    ((*name, record_id, self._stamp()) for name, record_id in learned.items()),
                )

    # Plans ---------------------------------------------------------------------------------------

    def store_plan(self, run: int, plan: Plan, document: str) -> None:
        """Store a plan under its digest, and name it in its run."""
        writes = json.dumps([list(change.writes) for change in plan.changes])
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO plans VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    plan.digest,
                    str(plan.period),
                    plan.source,
                    options_text(plan.options),
                    document,
                    writes,
                    run,
                    self._stamp(),
                ),
            )
            db.execute("UPDATE runs SET digest = ? WHERE id = ?", (plan.digest, run))

    def plan(self, digest: str) -> StoredPlan | None:
        """Return the plan of that digest, with what is done of it."""
        found = self.query("SELECT * FROM plans WHERE digest = ?", digest)
        if not found:
            return None
        row = found[0]
        done = self.query("SELECT writes FROM changes WHERE digest = ? AND outcome = 'done'", digest)
        return StoredPlan(
            digest=digest,
            period=Period.parse(row["period"]),
            source=row["source"],
            options=options_of(row["options"]),
            document=row["document"],
            writes=tuple(tuple(write) for write in json.loads(row["writes"])),
            done=frozenset(tuple(json.loads(each["writes"])) for each in done),
        )

    # Changes -------------------------------------------------------------------------------------

    def begin_applying(self, run: int, digest: str, changes: Iterable[Change]) -> list[int]:
        """Write every change down before the first request leaves; return their row ids in order."""
        with self._writing() as db:
            db.execute("UPDATE runs SET applied = 1 WHERE id = ?", (run,))
            ids = []
            for number, change in enumerate(changes):
                values = (
                    run,
                    digest,
                    number,
                    change.kind,
                    *change.key,
                    change.addition_id,
                    plain_or_none(change.before),
                    plain(change.after),
                    str(change.effective) if change.effective else None,
                    change.mark,
                    change.held,
                    change.because,
                    parts_text(change.parts),
                    parts_text(change.was),
                    json.dumps(change.writes),
                    "held" if change.held else "planned",
                )
                marks = ", ".join("?" * len(values))
                cursor = db.execute(f"INSERT INTO changes ({_CHANGE_COLUMNS}) VALUES ({marks})", values)  # noqa: S608
                ids.append(int(cursor.lastrowid or 0))
            return ids

    def record_sending(self, change_id: int, seen: Iterable[int]) -> None:
        """Write down that a change's request leaves now (contract rule 21)."""
        with self._writing() as db:
            db.execute(
                "UPDATE changes SET outcome = 'sending', seen = ?, sent_at = ? WHERE id = ?",
                (json.dumps(sorted(seen)), self._stamp(), change_id),
            )

    def record_outcome(
        self, change_id: int, outcome: str, message: str | None = None, request_id: str | None = None
    ) -> None:
        """Write down what became of a change that did not bring an addition to its quantity."""
        with self._writing() as db:
            self._outcome(db, change_id, outcome, message, request_id)

    def record_done(
        self, change_id: int, run: int, addition: Addition, *, closes: Iterable[int] = ()
    ) -> None:
        """Write down, in one transaction, that a change is made and what its addition now is.

        `closes` are earlier lines of the key that a new one replaces; what is on record of them stays so. A
        line that is given back to people is no longer on record; the change that did it is.
        """
        with self._writing() as db:
            self._outcome(db, change_id, "done", None, None)
            row = db.execute(
                "SELECT kind, parts, effective, writes FROM changes WHERE id = ?", (change_id,)
            ).fetchone()
            kind, parts, effective, writes = row
            db.execute("UPDATE changes SET addition_id = ? WHERE id = ?", (addition.id, change_id))
            if released(json.loads(writes)):
                db.execute("DELETE FROM additions WHERE id = ?", (addition.id,))
                return
            if kind == "create":
                db.execute(
                    "UPDATE additions SET closed = 1 WHERE agreement_id = ? AND item_id = ?",
                    tuple(addition.key),
                )
                for earlier in closes:
                    found = db.execute("UPDATE additions SET closed = 1 WHERE id = ?", (earlier,))
                    if not found.rowcount:
                        self._put(db, run, KnownAddition(earlier, addition.key, Decimal(0), closed=True))
            ended = date_of(effective) if kind == "end" else None
            known = KnownAddition(addition.id, addition.key, addition.quantity, parts_of(parts), ended)
            self._put(db, run, known)

    def record_feeds(self, run: int, feeds: Iterable[Feed]) -> None:
        """Remember who feeds the additions that bill what they should already."""
        with self._writing() as db:
            for feed in feeds:
                self._put(db, run, KnownAddition(feed.addition_id, feed.key, feed.quantity, feed.parts))

    def open_changes(self) -> tuple[OpenChange, ...]:
        """Return the changes whose request may have left and whose answer was never seen."""
        rows = self.query("SELECT * FROM changes WHERE outcome IN ('sending', 'unclear') ORDER BY id")
        return tuple(
            OpenChange(
                id=row["id"],
                kind=row["kind"],
                key=Key(row["agreement_id"], row["item_id"]),
                addition_id=row["addition_id"],
                after=Decimal(row["after"]),
                effective=date_of(row["effective"]),
                mark=row["mark"],
                parts=parts_of(row["parts"]),
                seen=frozenset(json.loads(row["seen"])),
                sent_at=datetime.fromisoformat(row["sent_at"]),
                **prices_asked(json.loads(row["writes"])),
                release=released(json.loads(row["writes"])),
            )
            for row in rows
        )

    def known_additions(self) -> dict[int, KnownAddition]:
        """Return every addition that we manage or have managed, by its id."""
        found: dict[int, KnownAddition] = {}
        columns = "id, agreement_id, item_id, quantity, parts, ended, closed"
        batch = None
        while batch is None or batch:
            batch = self.tuples(
                f"SELECT {columns} FROM additions WHERE id > ? ORDER BY id LIMIT 1000",  # noqa: S608
                next(reversed(found), -1),
            )
            fed = parts_of_many(row[4] for row in batch)
            for (number, agreement_id, item_id, quantity, _, ended, closed), parts in zip(
                batch, fed, strict=True
            ):
                found[number] = KnownAddition(
                    number,
                    Key(agreement_id, item_id),
                    quantity_of(quantity),
                    parts,
                    date_of(ended),
                    bool(closed),
                )
        return found

    def _outcome(
        self, db: Database, change_id: int, outcome: str, message: str | None, request_id: str | None
    ) -> None:
        db.execute(
            "UPDATE changes SET outcome = ?, message = ?, request_id = ?, answered_at = ? WHERE id = ?",
            (outcome, message, request_id, self._stamp(), change_id),
        )

    @staticmethod
    def _put(db: Database, run: int, known: KnownAddition) -> None:
        db.execute(
            "INSERT OR REPLACE INTO additions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                known.id,
                *known.key,
                plain(known.quantity),
                parts_text(known.parts),
                str(known.ended) if known.ended else None,
                int(known.closed),
                run,
            ),
        )
