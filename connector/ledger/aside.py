"""A ledger to read from only: where there is none yet, or an older one, its folder stays as it is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlite_utils import Database

from connector.ledger.schema import KNOWN_STEPS, migrations
from connector.ledger.store import Ledger, utc_now
from connector.ledger.telling import FILE_NAME


@contextmanager
def ledger_aside(folder: Path, *, now: Callable[[], datetime] = utc_now) -> Iterator[Ledger]:
    """Open the ledger of a folder, or a copy of an older one, which is brought up to date elsewhere.

    Raises StateFault as a ledger does.
    """
    path = folder / FILE_NAME
    if path.exists() and not _older(path):
        with Ledger(folder, now=now) as ledger:
            yield ledger
        return
    with TemporaryDirectory(prefix="connector-", ignore_cleanup_errors=True) as elsewhere:
        if path.exists():
            with _read_only(path) as source, closing(sqlite3.connect(Path(elsewhere) / FILE_NAME)) as copy:
                source.backup(copy)
        with Ledger(Path(elsewhere), now=now) as ledger:
            yield ledger


def _older(path: Path) -> bool:
    """Whether an earlier version wrote a file; one that cannot be read is left to the ledger's own words."""
    try:
        with _read_only(path) as connection:
            db = Database(connection, execute_plugins=False)
            newer = any(step.name not in KNOWN_STEPS for step in migrations.applied(db))
            return not newer and bool(migrations.pending(db))
    except sqlite3.DatabaseError:
        return False


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
        yield connection
