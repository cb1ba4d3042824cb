"""What the ledger knows of how the job is doing."""

import json
from datetime import UTC, date, datetime
from typing import Any

from connector.ledger.nights import night_history
from connector.ledger.store import Ledger
from connector.model import Period
from connector.planning.health import Known, LastRun
from connector.planning.unattended import NEEDS_APPROVAL

_BILLING = "runs.kind IN ('apply', 'sync', 'nightly', 'approve')"

Document = dict[str, Any]


def known_health(ledger: Ledger, expires: date | None) -> Known:
    """Return what a check of the job goes by; `expires` is when Sophos's credentials end, if anybody said."""
    held, unresolved = _left_over(ledger)
    return Known(
        history=night_history(ledger),
        last=_last(ledger, "1"),
        last_success=_last(ledger, "runs.exit_code = 0"),
        last_night=_last_night(ledger),
        held=held,
        unresolved=unresolved,
        expires=expires,
    )


def _last(ledger: Ledger, which: str) -> LastRun | None:
    found = ledger.query(
        f"SELECT * FROM runs WHERE {_BILLING} AND {which} ORDER BY id DESC LIMIT 1"  # noqa: S608
    )
    return _run(found[0]) if found else None


def _run(row: dict[str, Any]) -> LastRun:
    return LastRun(
        number=row["id"],
        kind=row["kind"],
        period=Period.parse(row["period"]) if row["period"] else None,
        started=datetime.fromisoformat(row["started_at"]),
        exit_code=row["exit_code"],
        error=row["error"],
    )


def _left_over(ledger: Ledger) -> tuple[int, int]:
    """Return how many changes and entries the newest plan over all tenants leaves to a person.

    One that a person only looked at counts where it is newer and of no older month; whoever looks needs
    no approval, so what waited for one before still does.
    """
    billed = _whole_plan(ledger, _BILLING)
    planned = _whole_plan(ledger, "runs.kind = 'plan'")
    if planned is None or (
        billed is not None and (planned["id"] < billed["id"] or planned["period"] < billed["period"])
    ):
        planned = billed
    if planned is None:
        return 0, 0
    document: Document = json.loads(planned["document"])
    held = {_key(change) for change in document["changes"] if change["held"] is not None}
    if billed is not None and billed["period"] == planned["period"]:
        still = {_key(change) for change in document["changes"]}
        waiting = (
            each for each in json.loads(billed["document"])["changes"] if each["held"] == NEEDS_APPROVAL
        )
        held |= {_key(change) for change in waiting} & still
    return len(held), len(document["unresolved"])


def _whole_plan(ledger: Ledger, which: str) -> dict[str, Any] | None:
    found = ledger.query(
        "SELECT runs.id, plans.period, document FROM runs JOIN plans USING (digest) "  # noqa: S608
        f"WHERE {which} AND runs.finished_at IS NOT NULL "
        "AND json_extract(plans.options, '$.tenant') IS NULL "
        "AND json_extract(plans.options, '$.product') IS NULL "
        "AND json_extract(plans.options, '$.only') IS NULL "
        "ORDER BY runs.id DESC LIMIT 1"
    )
    return found[0] if found else None


def _key(change: Document) -> tuple[object, ...]:
    return tuple(change[name] for name in ("kind", "agreement_id", "item_id", "addition_id", "after"))


def record_night(ledger: Ledger, day: date, exit_code: int) -> None:
    """Write down that the nightly job has been here, also where it had nothing to do."""
    with ledger.transaction() as db:
        db.execute("INSERT OR REPLACE INTO nights VALUES (?, ?, ?)", (str(day), ledger.stamp(), exit_code))


def _last_night(ledger: Ledger) -> datetime | None:
    found = ledger.query("SELECT max(ended_at) AS ended FROM nights")[0]["ended"]
    return datetime.fromisoformat(found).astimezone(UTC) if found else None
