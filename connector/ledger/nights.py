"""What the ledger knows of earlier months, as the nightly job asks it."""

from connector.ledger.standing import STANDING, back
from connector.ledger.store import Ledger
from connector.model import Period
from connector.planning.schedule import History
from connector.planning.sources import LIVE

_INVOICED = f"{STANDING} AND runs.period IS NOT NULL AND runs.source != '{LIVE}'"
_WHOLE = (
    f"{_INVOICED} AND runs.usage IS NOT NULL "
    "AND json_extract(plans.options, '$.tenant') IS NULL "
    "AND json_extract(plans.options, '$.product') IS NULL "
    "AND json_extract(plans.options, '$.only') IS NULL"
)
_DONE, _TO_DECIDE = 0, 3


def night_history(ledger: Ledger) -> History:
    """Return which months an invoice has billed to all tenants, and whether anything was left of the newest.

    A run that was taken back has billed nothing. A run of an older month leaves the newest one to be billed
    once more, because both are billed by the same lines.
    """
    undone = back(ledger)
    runs = ledger.query(
        "SELECT runs.id, runs.period, runs.exit_code FROM runs JOIN plans USING (digest) "  # noqa: S608
        f"WHERE {_WHOLE} ORDER BY runs.period DESC, runs.id DESC",
        undone,
    )
    if not runs:
        return History()
    newest = runs[0]
    overwritten = ledger.query(
        f"SELECT 1 FROM runs WHERE {_INVOICED} AND runs.period < ? AND runs.id > ? LIMIT 1",  # noqa: S608
        undone,
        newest["period"],
        newest["id"],
    )
    billed = dict.fromkeys(row["period"] for row in runs if row["exit_code"] in {_DONE, _TO_DECIDE})
    return History(
        Period.parse(newest["period"]),
        finished=newest["exit_code"] == _DONE and not overwritten,
        billed=tuple(Period.parse(period) for period in billed),
    )
