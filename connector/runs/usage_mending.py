"""Failed rows of an import, mended: they settle just those rows, and nothing counts twice."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from connector.consumption import Consumption, FileFault, FileRow
from connector.ledger import Ledger
from connector.ledger.imports import Import, newest_import
from connector.model import Mappings, Period
from connector.runs.usage_names import Names
from connector.runs.usage_outcome import SINCE, TOKEN, FileMoved, Taken, UsageImport
from connector.runs.usage_rows import Rater, rated_totals

_REASON = re.compile(r"row (\d{1,9}): .*\(import (\d{4}-\d{2})/([0-9a-f]{8})\)", re.DOTALL)


def read_mended(
    consumption: Consumption, file: str, period: Period | None, mappings: Mappings, ledger: Ledger
) -> UsageImport:
    """Settle the failed rows of an import with the lines that people mended; the others stay as they are.

    Raises FileFault where the reasons are not as they were written, FileMoved where the import is not in
    force.
    """
    named = [_named(row) for row in consumption.rows]
    before = _mended_import(named, period, ledger)
    _check_numbers(named)
    names = Names(mappings, ledger)
    open_rows = {each.number: each for each in before.failed}
    rows = dict(zip(before.numbers, before.rows, strict=True))
    rater = Rater(mappings, names, before.period, mended=True)
    taken: list[Taken] = []
    totals: list[FileRow] = []
    for row, (number, _, _) in zip(consumption.rows, named, strict=True):
        row.number = number
        if number not in open_rows:
            taken.append(Taken(number, "before"))
        elif row.total:
            totals.append(row)
        else:
            taken.append(rater.taken(row))
    rows |= {each.number: each.usage for each in taken if each.usage is not None}
    failed = {number: each for number, each in open_rows.items() if number not in rows}
    failed |= {each.number: each.failed for each in taken if each.failed is not None}
    sums = {each.number: each for each in before.failed if SINCE in json.loads(each.received)}
    quantities: dict[int, Decimal | None] = {number: row.quantity for number, row in rows.items()}
    quantities |= {number: each.quantity for number, each in failed.items() if number not in sums}
    added = rated_totals(totals, quantities, sums)
    for row in totals:
        failed.pop(row.number, None)
    failed |= {each.number: each.failed for each in added if each.failed is not None}
    taken = sorted([*taken, *added], key=lambda each: each.number)
    return UsageImport(
        period=before.period,
        file=file,
        sheet=consumption.sheet,
        origin=before.origin,
        mended=True,
        taken=taken,
        rows=rows,
        failed=failed,
        labels=[label for label in consumption.columns.labels if label.casefold() != "reason"],
        before=before,
        unchanged=rows.keys() == set(before.numbers) and failed == open_rows,
    )


def _mended_import(named: Iterable[tuple[int, Period, str]], period: Period | None, ledger: Ledger) -> Import:
    """Return the import that the reasons name, which must be the one in force."""
    meant = {(month, token) for _, month, token in named}
    if len(meant) > 1:
        raise FileFault(
            "The reasons name more than one import.", "Import the failed rows of each import alone."
        )
    month, token = next(iter(meant))
    if period is not None and period != month:
        raise FileFault(f"These are failed rows of {month}, not of {period}.", "Leave --period out.")
    before = newest_import(ledger, month)
    if before is None or before.origin[:TOKEN] != token:
        since = "no file is imported" if before is None else f"{before.file} is in force"
        raise FileMoved(
            f"These failed rows belong to another import of {month}: {since}. Nothing was imported.",
            "Mend the failed rows that the newest import wrote, or import the whole file again.",
        )
    return before


def _named(row: FileRow) -> tuple[int, Period, str]:
    """Return the row, the month and the import that a reason names."""
    found = _REASON.fullmatch(row.text("reason"))
    if found is None:
        raise FileFault(
            f"Row {row.number} has no reason that says which row it mends.",
            "Leave the column reason as it was written; import new rows in a file without that column.",
        )
    try:
        return int(found[1]), Period.parse(found[2]), found[3]
    except ValueError as error:
        raise FileFault(f"Row {row.number}: {error}.", "Leave the column reason as it was written.") from None


def _check_numbers(named: Iterable[tuple[int, Period, str]]) -> None:
    counts = Counter(number for number, _, _ in named)
    twice = [number for number, count in counts.items() if count > 1]
    if twice:
        raise FileFault(
            f"Row {twice[0]} is there {counts[twice[0]]} times.", "Keep one line of each failed row."
        )
