"""Live counts as they come in, tenant by tenant, so that a day's counting can be gone on with."""

import json
from datetime import date
from decimal import Decimal

from connector.ledger.store import Ledger
from connector.planning.change import plain_or_none

Counts = tuple[tuple[str, str, Decimal | None], ...]
"""Product code, name and count of each monthly licence; None where it was not counted."""


def counted_on(ledger: Ledger, day: date) -> dict[str, Counts]:
    """Return what was counted on a day, by tenant; who was refused is not among it."""
    rows = ledger.query(
        "SELECT tenant_id, licences FROM live_counts WHERE day = ? AND outcome = 'counted'", str(day)
    )
    return {row["tenant_id"]: _counts_of(row["licences"]) for row in rows}


def record_count(ledger: Ledger, day: date, tenant_id: str, counts: Counts | None) -> None:
    """Write down what one tenant's licences count, or, with None, that they may not be seen."""
    listed = [[code, name, plain_or_none(count)] for code, name, count in counts or ()]
    with ledger.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO live_counts VALUES (?, ?, ?, ?, ?)",
            (
                str(day),
                tenant_id,
                "refused" if counts is None else "counted",
                json.dumps(listed),
                ledger.stamp(),
            ),
        )


def _counts_of(text: str) -> Counts:
    return tuple(
        (code, name, None if count is None else Decimal(count)) for code, name, count in json.loads(text)
    )
