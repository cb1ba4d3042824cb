"""What shadow runs found, for the next one to compare with."""

import json
from collections.abc import Mapping
from typing import Any

from connector.ledger.store import Ledger


def newest_shadow(ledger: Ledger) -> tuple[int, Mapping[str, Any]] | None:
    """Return the number of the last shadow run that came to a result, and its document."""
    found = ledger.query("SELECT run, document FROM shadow_runs ORDER BY run DESC LIMIT 1")
    return (found[0]["run"], json.loads(found[0]["document"])) if found else None


def record_shadow(ledger: Ledger, run: int, document: str) -> None:
    """Keep what a shadow run found."""
    with ledger.transaction() as db:
        db.execute("INSERT INTO shadow_runs VALUES (?, ?)", (run, document))
