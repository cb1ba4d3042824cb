"""Puts a month into the ledger as an imported consumption file leaves it there."""

from collections.abc import Iterable
from decimal import Decimal

from months.calling import Run

from connector.ledger import Ledger
from connector.ledger.billed import applied_sources
from connector.ledger.imports import FailedRow, record_import
from connector.ledger.months import snapshot_rows, snapshots
from connector.model import Period, UsageRow

OCTOBER = "2026-10"


def imports(
    run: Run, rows: Iterable[UsageRow], failed: Iterable[FailedRow] = (), period: str = OCTOBER
) -> None:
    """Import rows of a file for a month."""
    with Ledger(run.state) as ledger:
        record_import(
            ledger,
            Period.parse(period),
            file="october.csv",
            origin="0" * 64,
            rows=list(enumerate(rows, start=2)),
            failed=failed,
        )


def row(tenant: str, code: str, quantity: int) -> UsageRow:
    """Return a row of a file whose customer was found."""
    return UsageRow(code, Decimal(quantity), tenant, received=f'{{"accountId":"{tenant}","n":{quantity}}}')


def broken(code: str | None, quantity: int | None = 3, why: str = "UNMAPPED_TENANT") -> FailedRow:
    """Return a row of a file that could not be imported."""
    return FailedRow(
        9,
        why,
        "no tenant is called so",
        "Unknown & Co",
        code,
        None if quantity is None else Decimal(quantity),
    )


def stored_rows(run: Run) -> tuple[UsageRow, ...]:
    """Return the rows of the month that Sophos was read for last."""
    with Ledger(run.state) as ledger:
        newest = next(each for each in snapshots(ledger) if each.source == "sophos-api")
        return snapshot_rows(ledger, newest.number)


def applied(run: Run, period: str = OCTOBER) -> tuple[str, ...]:
    """Return what a month was billed from, the last run first."""
    with Ledger(run.state) as ledger:
        return applied_sources(ledger, Period.parse(period))
