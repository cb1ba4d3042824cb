"""An import of a consumption file as text, as JSON, and its failed rows as a sheet to mend."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.planning.change import plain
from connector.reports.escape import printable
from connector.reports.sheet import guarded, joined

MOST_SHOWN = 20
_REWRITTEN = re.compile(r"[\d\s.,:/eE%-]+|true|false", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FailedLine:
    """A row that failed: why, and what to do about it."""

    row: int
    code: str
    message: str
    next_step: str
    tenant: str
    product_code: str | None
    quantity: Decimal | None
    candidates: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class DifferentLine:
    """What a tenant (or serial number) used of a product before and in the new file."""

    who: str
    product_code: str
    rows: tuple[int, int]
    quantities: tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """All that is told of an import; `counts` are rows by state, `failed` those that stay failed."""

    period: str
    file: str
    sheet: str
    counts: Mapping[str, int]
    failed: Sequence[FailedLine]
    differences: Sequence[DifferentLine]
    earlier: str
    stored: bool
    unchanged: bool
    refused: bool
    dry_run: bool
    notes: Sequence[str]
    failed_file: str | None
    exit_code: int


def import_document(report: ImportReport) -> dict[str, object]:
    """Return an import as `connector.import/1`."""
    return {
        "schema": "connector.import/1",
        "period": report.period,
        "file": report.file,
        "sheet": report.sheet or None,
        "rows": dict(report.counts),
        "failed": [
            {
                "row": each.row,
                "code": each.code,
                "message": each.message,
                "next": each.next_step,
                "tenant": each.tenant,
                "product_code": each.product_code,
                "quantity": plain(each.quantity) if each.quantity is not None else None,
                "candidates": [
                    {"tenant_id": tenant_id, "name": name, "reason": reason}
                    for tenant_id, name, reason in each.candidates
                ],
            }
            for each in report.failed
        ],
        "differences": [
            {
                "tenant_id_or_serial": each.who,
                "product_code": each.product_code,
                "rows_before": each.rows[0],
                "rows": each.rows[1],
                "quantity_before": plain(each.quantities[0]),
                "quantity": plain(each.quantities[1]),
            }
            for each in report.differences
        ],
        "stored": report.stored,
        "unchanged": report.unchanged,
        "refused": report.refused,
        "failed_file": report.failed_file,
        "notes": list(report.notes),
        "exit_code": report.exit_code,
    }


def import_text(report: ImportReport) -> str:
    """Return an import as a person reads it."""
    counts = report.counts
    name = printable(report.file) + (f", sheet {printable(report.sheet)}" if report.sheet else "")
    lines = [f"{name}: usage of {report.period}", ""]
    lines += [f"  {counts[state]:>6}  {words}" for state, words in _WORDS.items() if counts.get(state)]
    for each in report.failed[:MOST_SHOWN]:
        lines += ["", f"  ! row {each.row}  {each.code}: {printable(each.message)}"]
        if each.next_step:
            lines.append(f"    {printable(each.next_step)}")
    if len(report.failed) > MOST_SHOWN:
        lines += ["", f"  and {len(report.failed) - MOST_SHOWN} more rows that failed"]
    if report.refused:
        lines += ["", *_difference_lines(report)]
    lines += ["", *(printable(note) for note in report.notes), _outcome(report)]
    return "\n".join(lines)


def failed_sheet(labels: Sequence[str], rows: Iterable[tuple[Mapping[str, str], str]]) -> bytes:
    """Return failed rows as CSV to be mended: the columns of their file, and the reason of each.

    No cell runs in a spreadsheet, and none is rewritten by it; numbers and dates stay what they are.
    """
    listed = list(rows)
    others = dict.fromkeys(label for cells, _ in listed for label in cells if label not in labels)
    columns = [*labels, *others]
    body = (
        [*(_cell(cells.get(label, "")) for label in columns), guarded(reason)] for cells, reason in listed
    )
    return joined([[*(guarded(label) for label in columns), "reason"], *body]).encode("utf-8-sig")


_WORDS = {
    "ready": "ready",
    "off": "off: decided in mappings.yaml, not billed",
    "failed": "failed",
    "before": "imported before, not counted again",
}
_PLAIN = re.compile(r"-?\d{1,9}(?:[.,]\d{1,12})?|\d{4}-\d{2}-\d{2}", re.ASCII)
_LEADING_ZERO = re.compile(r"0\d")


def _cell(text: str) -> str:
    """Return a cell that a spreadsheet leaves as it is: figures that are no plain numbers are text."""
    text = printable(text)
    if _PLAIN.fullmatch(text) and not _LEADING_ZERO.match(text):
        return text
    return f"'{text}" if _REWRITTEN.fullmatch(text) else guarded(text)


def _difference_lines(report: ImportReport) -> list[str]:
    lines = [f"{report.period} was imported already, from {printable(report.earlier)}. This file differs:"]
    for each in report.differences[:MOST_SHOWN]:
        before, now = (plain(quantity) for quantity in each.quantities)
        rows = f"  ({each.rows[0]} rows -> {each.rows[1]})" if each.rows[0] != each.rows[1] else ""
        lines.append(
            f"  {printable(each.who) or '-'}  {printable(each.product_code)}  {before} -> {now}{rows}"
        )
    if len(report.differences) > MOST_SHOWN:
        lines.append(f"  and {len(report.differences) - MOST_SHOWN} more")
    if not report.differences:
        lines.append("  in what its rows say beside tenant, product and quantity, or in the rows that fail")
    return lines


def _outcome(report: ImportReport) -> str:
    if report.unchanged:
        return f"All of this was imported already, from {printable(report.earlier)}; nothing was changed."
    if report.refused:
        return "Nothing was stored. To replace what was imported: the same command with --replace"
    if report.dry_run:
        return "Nothing was stored. To import it: the same command without --dry-run"
    if report.failed_file is not None:
        return (
            f"Stored. The failed rows are in {printable(report.failed_file)}: mend them there and import it; "
            "or mend mappings.yaml and import the same file again."
        )
    return "Stored."
