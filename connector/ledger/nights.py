"""What the ledger knows of earlier months, as the nightly job asks it."""

from connector.ledger.standing import STANDING, back
from connector.ledger.store import Ledger
from connector.model import Period
from connector.planning.schedule import History
from connector.planning.sources import LIVE

_INVOICED = f"{STANDING} AND runs.period IS NOT NULL AND runs.source != '{LIVE}'"
_WHOLE = (
    f"{_INVOICED} AND runs.exit_code = 0 AND runs.usage IS NOT NULL "
    "AND json_extract(plans.options, '$.tenant') IS NULL "
    "AND json_extract(plans.options, '$.product') IS NULL "
    "AND json_extract(plans.options, '$.only') IS NULL"
)


def night_history(ledger: Ledger) -> History:
    """Return which months an invoice has billed, and whether anything was left of the newest.

    A run that was taken back has billed nothing.
    """
    undone = back(ledger)
    applied = ledger.query(f"SELECT max(period) AS period FROM runs WHERE {_INVOICED}", undone)[0]["period"]  # noqa: S608
    if applied is None:
        return History()
    billed = ledger.query(
        f"SELECT DISTINCT runs.period FROM runs JOIN plans USING (digest) WHERE {_WHOLE} "  # noqa: S608
        "ORDER BY runs.period DESC",
        undone,
    )
    months = tuple(Period.parse(row["period"]) for row in billed)
    newest = Period.parse(applied)
    return History(newest, finished=newest in months, billed=months)
