"""Quick looks into the ledger, read-only and never a failure: words to complete, a plan's source."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from connector.ledger.telling import FILE_NAME

Kind = Literal["codes", "tenants", "firewalls", "items"]

_WORDS: dict[Kind, str] = {
    "codes": "SELECT code AS word, name AS about FROM products ORDER BY code",
    "tenants": "SELECT id AS word, name AS about FROM tenants ORDER BY name, id",
    "firewalls": "SELECT serial AS word, model AS about FROM firewalls ORDER BY serial",
    "items": "SELECT identifier AS word, description AS about FROM items ORDER BY identifier",
}


def source_of_plan(folder: Path, digest: str) -> str | None:
    """Return what a stored plan was made from, before anything is opened that the answer decides on."""
    path = folder / FILE_NAME
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as db:
            found = db.execute("SELECT source FROM plans WHERE digest = ?", (digest,)).fetchone()
    except (sqlite3.Error, ValueError, OSError):
        return None
    return str(found[0]) if found else None


def remembered(folder: Path, kind: Kind) -> list[tuple[str, str]]:
    """Return words and what each means; none where there is no ledger, or no newer one than we know."""
    path = folder / FILE_NAME
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as db:
            return [(str(word), str(about)) for word, about in db.execute(_WORDS[kind])]
    except (sqlite3.Error, ValueError, OSError):
        return []
