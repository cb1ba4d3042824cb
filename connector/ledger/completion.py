"""Words for a shell to complete, from what the last run read; read-only, and never a failure."""

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


def remembered(folder: Path, kind: Kind) -> list[tuple[str, str]]:
    """Return words and what each means; none where there is no ledger, or no newer one than we know."""
    path = folder / FILE_NAME
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as db:
            return [(str(word), str(about)) for word, about in db.execute(_WORDS[kind])]
    except (sqlite3.Error, ValueError, OSError):
        return []
