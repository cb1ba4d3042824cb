"""Looks after the ledger's file: is it whole, does it say what it should, and a copy of it."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path

from connector.errors import CommandFault, StateFault
from connector.ledger.telling import FILE_NAME, told

# Each finds rows that must not be; the first column names the row.
_RULES = {
    "a change has an outcome that does not exist": (
        "SELECT id FROM changes WHERE outcome NOT IN "
        "('planned', 'sending', 'done', 'failed', 'unclear', 'held', 'not_tried')"
    ),
    "a change was sent, and nobody wrote down when": (
        "SELECT id FROM changes WHERE outcome IN ('sending', 'unclear') AND sent_at IS NULL"
    ),
    "a change is done, and its addition is not on record": (
        # A line that was given back to people is theirs, and so not on record.
        "SELECT changes.id FROM changes LEFT JOIN additions ON additions.id = changes.addition_id "
        "LEFT JOIN (SELECT addition_id, max(id) AS last FROM changes WHERE outcome = 'done' "
        "AND json_extract(writes, '$[#-1]') = 'release' GROUP BY addition_id) AS released "
        "ON released.addition_id = changes.addition_id WHERE changes.outcome = 'done' "
        "AND additions.id IS NULL AND (released.last IS NULL OR released.last < changes.id)"
    ),
    "a month's rows are not all there": (
        # One that was pruned has but few of them; an older file lacks the column that says so.
        "SELECT usage.id FROM usage WHERE usage.hash NOT LIKE 'pruned %' AND usage.rows != "
        "(SELECT count(*) FROM usage_rows WHERE usage_rows.usage = usage.id)"
    ),
    "an addition is ended and has no end date that can be read": (
        "SELECT id FROM additions WHERE ended IS NOT NULL AND date(ended) IS NULL"
    ),
}
_QUANTITIES = {"usage_rows": ("quantity",), "changes": ("after",), "additions": ("quantity",)}
_DOCUMENTS = {"plans": ("document", "writes"), "changes": ("parts", "was"), "additions": ("parts",)}
_MOST = 20


def check_file(folder: Path) -> tuple[str, ...]:
    """Return what is wrong with the ledger, or nothing; raises StateFault where it cannot be read at all."""
    path = folder / FILE_NAME
    must_exist(path)
    with told(path), closing(sqlite3.connect(path, timeout=10)) as database:
        return tuple(_findings(database))[:_MOST]


def back_up_file(folder: Path, target: Path) -> int:
    """Copy the ledger as it is at one moment, also while a run is writing; return the copy's size in bytes.

    Never overwrites a file, and leaves none behind that is not whole.
    """
    path = folder / FILE_NAME
    must_exist(path)
    if target.exists():
        raise CommandFault(
            f"{target} exists already.", "Name a file that does not: a backup replaces nothing."
        )
    partial = target.with_name(f"{target.name}.part")
    with told(target):
        try:
            partial.touch(mode=0o600)
            with (
                closing(sqlite3.connect(path, timeout=10)) as source,
                closing(sqlite3.connect(partial)) as copy,
            ):
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, complete in itself
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target.stat().st_size


def must_exist(path: Path) -> None:
    """Raise StateFault where there is no ledger."""
    if not path.is_file():
        raise StateFault(
            f"There is no ledger at {path}.",
            "Name the right folder: --state DIR. A first run makes the file.",
        )


def _findings(database: sqlite3.Connection) -> Iterator[str]:
    for (line,) in database.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"the file is damaged: {line}"
    for table, row, *_ in database.execute("PRAGMA foreign_key_check"):
        yield f"{table}, row {row}: refers to something that is not there"
    for what, query in _RULES.items():
        yield from (f"{what} ({name})" for name, *_ in database.execute(query))
    for table, quantities in _QUANTITIES.items():
        yield from _unreadable(database, table, quantities, _is_quantity, "no quantity")
    for table, documents in _DOCUMENTS.items():
        yield from _unreadable(database, table, documents, _is_json, "no JSON")


def _unreadable(
    database: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    readable: Callable[[str], bool],
    what: str,
) -> Iterator[str]:
    for column in columns:
        for (text,) in database.execute(f"SELECT DISTINCT {column} FROM {table}"):  # noqa: S608  (our names)
            if not readable(text):
                yield f"{table}.{column} holds {text[:60]!r}, which is {what}"


def _is_quantity(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
