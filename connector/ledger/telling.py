"""The database's own errors, in words for the person who owns the state folder."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.errors import StateFault

FILE_NAME = "connector.db"


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with the file at `path` into a StateFault with its remedy."""
    try:
        yield
    except OSError as error:
        raise StateFault(
            f"The state folder {path.parent} cannot be used: {error.strerror or error}.",
            "Give the connector a folder it may write to: --state DIR or CONNECTOR_STATE.",
        ) from error
    except sqlite3.DatabaseError as error:
        damaged = not isinstance(error, sqlite3.OperationalError)
        remedy = (
            "Put a backup back, or move the file away and run: connector state rebuild. Additions are found "
            "again by their mark in ConnectWise."
            if damaged
            else "Make room on the disk, or give the connector a folder it may write to: --state DIR."
        )
        raise StateFault(f"The ledger {path} cannot be used: {error}.", remedy) from error
