"""Imports a consumption file: reads it, sets it beside what its month holds, and stores it when told to."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from connector.consumption import Consumption, FileFault, read_consumption
from connector.ledger import Ledger
from connector.ledger.imports import FailedRow, Import, newest_import, record_import
from connector.model import Mappings, Period, UsageRow
from connector.runs.usage_mending import read_mended
from connector.runs.usage_names import Names
from connector.runs.usage_outcome import SINCE, Difference, Taken, UsageImport
from connector.runs.usage_rows import Rater, quantities_of, rated_totals


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person said beside the file; `afresh` takes it as it is, whatever was imported before."""

    sheet: str | None = None
    period: Period | None = None
    afresh: bool = False


def read_import(data: bytes, file: str, mappings: Mappings, ledger: Ledger, asked: Asked) -> UsageImport:
    """Compare a file with the map and the ledger; stores nothing. Raises FileFault and FileMoved."""
    consumption = read_consumption(data, mappings.imports, asked.sheet)
    if not consumption.rows:
        raise FileFault("The file has no rows below its header.", "Export the month's consumption again.")
    if consumption.mended:
        return read_mended(consumption, file, asked.period, mappings, ledger)
    month = _month(consumption, asked.period)
    before = newest_import(ledger, month)
    origin = sha256(data).hexdigest()
    rater = Rater(mappings, Names(mappings, ledger), month)
    taken = [rater.taken(row) for row in consumption.rows if not row.total]
    taken += rated_totals(consumption.rows, quantities_of(taken), {})
    taken.sort(key=lambda each: each.number)
    made = UsageImport(
        period=month,
        file=file,
        sheet=consumption.sheet,
        origin=origin,
        mended=False,
        taken=taken,
        rows={each.number: each.usage for each in taken if each.usage is not None},
        failed={each.number: each.failed for each in taken if each.failed is not None},
        labels=list(consumption.columns.labels),
        before=before,
    )
    if before is not None:
        _compare(made, before, afresh=asked.afresh)
    return made


def store_import(made: UsageImport, ledger: Ledger) -> None:
    """Store what was read; it is in force from now on."""
    record_import(
        ledger,
        made.period,
        file=made.before.file if made.mended and made.before is not None else made.file,
        origin=made.origin,
        rows=sorted(made.rows.items()),
        failed=[made.failed[number] for number in sorted(made.failed)],
    )


def _month(consumption: Consumption, period: Period | None) -> Period:
    if period is not None:
        return period
    months = consumption.months()
    if len(months) == 1:
        return next(iter(months))
    if not months:
        raise FileFault(
            "No row of the file has a start date that can be read.", "Name the month: --period YYYY-MM."
        )
    listed = ", ".join(f"{month} ({count} rows)" for month, count in months.items())
    raise FileFault(
        f"The file holds more than one month: {listed}.",
        "Name the one to import: --period YYYY-MM; the rows of the others fail.",
    )


def _compare(made: UsageImport, before: Import, *, afresh: bool) -> None:
    """Set a file beside what its month holds already, and keep the lines that people have mended."""
    again = before.origin == made.origin
    if again and not afresh:
        stored = dict(zip(before.numbers, before.rows, strict=True))
        mended = {number: row for number, row in stored.items() if json.loads(row.received).get("mended")}
        open_rows = {each.number for each in before.failed} | stored.keys() - mended.keys()
        settled = made.failed.keys() - open_rows
        made.rows |= mended
        for number in settled:  # mended lines, and totals that add up since
            made.failed.pop(number, None)
        if mended:  # what a total lacks is known better from the mended lines
            made.failed |= {each.number: each for each in before.failed if SINCE in json.loads(each.received)}
        made.taken = [
            Taken(each.number, "before") if each.number in mended or each.number in settled else each
            for each in made.taken
        ]
    old, new = Counter(map(_identity, before.rows)), Counter(map(_identity, made.rows.values()))
    same_failed = Counter(map(_failure, before.failed)) == Counter(map(_failure, made.failed.values()))
    if old == new and same_failed:
        made.unchanged = True
        made.origin = before.origin
        made.failed = {each.number: each for each in before.failed}
        return
    gains = again and not old - new and made.failed.keys() <= {each.number for each in before.failed}
    if not gains:
        made.replaces = True
        made.differences = _differences(before.rows, made.rows.values())


def _differences(before: Iterable[UsageRow], now: Iterable[UsageRow]) -> list[Difference]:
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for at, rows in enumerate((before, now)):
        for row in rows:
            entry = sums.setdefault((_who(row), row.product_code), [Decimal(0)] * 4)
            entry[at] += 1
            entry[at + 2] += row.quantity
    return sorted(
        Difference(who, code, int(counts[0]), int(counts[1]), counts[2], counts[3])
        for (who, code), counts in sums.items()
        if counts[0] != counts[1] or counts[2] != counts[3]
    )


def _who(row: UsageRow) -> str:
    return row.account_id or row.serial or ""


def _identity(row: UsageRow) -> tuple[str | None, str | None, str, Decimal, str]:
    said = json.loads(row.received)
    said.pop("mended", None)
    return row.account_id, row.serial, row.product_code, row.quantity, json.dumps(said, sort_keys=True)


def _failure(failed: FailedRow) -> tuple[str, str, str, str | None, Decimal | None]:
    return failed.code, failed.reason, failed.tenant, failed.product_code, failed.quantity
