"""The last run that changed something in a month, as it is on record."""

import json
from decimal import Decimal

from connector.ledger.store import Ledger
from connector.model import Key, Period
from connector.planning.month_report import MadeChange, PeriodRun

_RUNS = "FROM runs WHERE period = ? AND applied = 1 AND finished_at IS NOT NULL"


# Whether a run tried to make any of its changes; others were held, or it ended before them.
_TRIED = "EXISTS (SELECT 1 FROM changes WHERE run = runs.id AND outcome NOT IN ('held', 'not_tried'))"
_HAD = "EXISTS (SELECT 1 FROM changes WHERE run = runs.id)"


def period_run(ledger: Ledger, period: Period) -> PeriodRun | None:
    """Return the newest run of a month that made changes, else that had any; None where none ever had.

    Later ones that held all of theirs are counted, and do not hide what was changed.
    """
    found = ledger.query(
        f"SELECT * {_RUNS} AND {_HAD} ORDER BY {_TRIED} DESC, id DESC LIMIT 1",
        str(period),
    )
    if not found:
        return None
    run = found[0]
    (later,) = ledger.query(
        f"SELECT count(*) AS many, coalesce(sum({_HAD}), 0) AS held {_RUNS} AND id > ?",
        str(period),
        run["id"],
    )
    plans = ledger.query("SELECT document FROM plans WHERE digest = ?", run["digest"])
    planned = json.loads(plans[0]["document"])["changes"] if plans else []
    named = {(said["agreement_id"], said["item_id"]): said for said in planned}
    changes = []
    for row in ledger.query("SELECT * FROM changes WHERE run = ? ORDER BY number", run["id"]):
        said = named.get((row["agreement_id"], row["item_id"]), {})
        changes.append(
            MadeChange(
                kind=row["kind"],
                key=Key(row["agreement_id"], row["item_id"]),
                addition_id=row["addition_id"],
                before=None if row["before"] is None else Decimal(row["before"]),
                after=Decimal(row["after"]),
                outcome=row["outcome"],
                message=row["message"] or "",
                because=row["because"],
                item=said.get("item", ""),
                company=said.get("company", ""),
                agreement=said.get("agreement", ""),
            )
        )
    return PeriodRun(
        number=run["id"],
        kind=run["kind"],
        finished=run["finished_at"],
        who=run["who"],
        exit_code=run["exit_code"],
        changes=tuple(changes),
        later=later["many"] - later["held"],
        later_held=later["held"],
    )
