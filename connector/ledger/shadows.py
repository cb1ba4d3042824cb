"""What shadow runs found, for the next one to compare with."""

import json
from collections.abc import Mapping
from typing import Any

from connector.ledger.store import Ledger
from connector.model import Period


def newest_shadow(ledger: Ledger, period: Period, source: str) -> tuple[int, Mapping[str, Any]] | None:
    """Return the number and document of the last shadow run of a month and source that came to a result."""
    found = ledger.query(
        "SELECT run, document FROM shadow_runs JOIN runs ON runs.id = run "
        "WHERE runs.period = ? AND runs.source = ? ORDER BY run DESC LIMIT 1",
        str(period),
        source,
    )
    return (found[0]["run"], json.loads(found[0]["document"])) if found else None


def record_shadow(ledger: Ledger, run: int, document: str) -> None:
    """Keep what a shadow run found."""
    with ledger.transaction() as db:
        db.execute("INSERT INTO shadow_runs VALUES (?, ?)", (run, document))
