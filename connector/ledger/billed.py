"""Which usage of a month was billed: what `source`, live counts and restatements are judged by."""

from dataclasses import dataclass
from datetime import date

from connector.errors import CommandFault
from connector.ledger.standing import BILLING, STANDING, back
from connector.ledger.store import Ledger
from connector.ledger.stored_rows import StoredRows, stored_rows
from connector.model import Period

_WHOLE = (
    f"{STANDING} AND runs.period = ? AND runs.source = ? AND runs.usage IS NOT NULL "
    "AND json_extract(plans.options, '$.tenant') IS NULL "
    "AND json_extract(plans.options, '$.product') IS NULL "
    "AND json_extract(plans.options, '$.only') IS NULL"
)


@dataclass(frozen=True, slots=True)
class BilledMonth:
    """The usage that a month was billed from; `usage` is its number in the ledger."""

    usage: int
    rows: StoredRows


def applied_sources(ledger: Ledger, period: Period) -> tuple[str, ...]:
    """Return the source of each run that wrote a month to ConnectWise, the newest run first.

    A run that was taken back has not written it, nor has one that only took lines over.
    """
    found = ledger.query(
        f"SELECT source FROM runs WHERE {BILLING} AND period = ? AND source IS NOT NULL "  # noqa: S608
        "ORDER BY id DESC",
        back(ledger),
        str(period),
    )
    return tuple(row["source"] for row in found)


def billed_month(
    ledger: Ledger, period: Period, source: str, today: date, *, passed: bool = False
) -> BilledMonth | None:
    """Return what a month was billed from, or None while it is still being billed.

    It counts as billed from the day after a run over all tenants had nothing left to do, or nothing but what
    people decide where the month has `passed`; what a later run with --restate began to carry counts from
    then on. A run that was taken back counts for neither. Raises CommandFault where those rows were pruned:
    beside none of them, everything would look as if it had come since.
    """
    undone = back(ledger)
    ended = "IN (0, 3)" if passed else "= 0"
    billed = ledger.query(
        "SELECT runs.id, coalesce(runs.planned_from, runs.usage) AS usage "  # noqa: S608
        "FROM runs JOIN plans USING (digest) "
        f"WHERE {_WHOLE} AND runs.exit_code {ended} "
        "AND coalesce(runs.today, substr(runs.started_at, 1, 10)) < ? "
        "ORDER BY runs.id DESC LIMIT 1",
        undone,
        str(period),
        source,
        str(today),
    )
    if not billed:
        return None
    restated = ledger.query(
        "SELECT runs.usage FROM runs JOIN plans USING (digest) "  # noqa: S608
        f"WHERE {_WHOLE} AND json_extract(plans.options, '$.restate') = 1 AND runs.id > ? "
        "ORDER BY runs.id DESC LIMIT 1",
        undone,
        str(period),
        source,
        billed[0]["id"],
    )
    usage = (restated or billed)[0]["usage"]
    (kept,) = ledger.query("SELECT pruned_at FROM usage WHERE id = ?", usage)
    if kept["pruned_at"] is not None:
        raise CommandFault(
            f"The usage that {period} was billed from was pruned on {kept['pruned_at'][:10]}, so nothing "
            "can tell what has changed since.",
            "Look into a backup from before that day: --state DIR names another folder.",
        )
    return BilledMonth(usage, stored_rows(ledger, usage))


def usage_read(ledger: Ledger, run: int) -> int | None:
    """Return the number of the usage that a run has read."""
    found = ledger.tuples("SELECT usage FROM runs WHERE id = ?", run)
    return found[0][0] if found else None


def record_planned_from(ledger: Ledger, run: int, billed: BilledMonth) -> None:
    """Write down that a run was made from what was billed, and not from what it read."""
    with ledger.transaction() as db:
        db.execute("UPDATE runs SET planned_from = ? WHERE id = ?", (billed.usage, run))
