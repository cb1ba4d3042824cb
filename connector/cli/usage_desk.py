"""What the `usage` commands share: months to look at, and three ways to hand out a table."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.invocation import Invocation
from connector.cli.listing import show_list
from connector.cli.terminal import Terminal, tell

if TYPE_CHECKING:
    from connector.reports.table import Column
    from connector.reports.usage import Origin
    from connector.runs.usage_months import UsageMonth, UsageMonths

Xlsx = Annotated[str | None, typer.Option("--xlsx", metavar="FILE", help="Write an Excel workbook instead.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it is there.")]


def shown_terminal(called: Invocation) -> Terminal:
    """Return the terminal of a command."""
    return Terminal(verbose=called.common.verbose)


@contextmanager
def opened(called: Invocation) -> "Iterator[UsageMonths]":
    """Open the ledger and the map; settings and Sophos are looked at only for a month that is not stored."""
    from connector.cli.setup import make_setup
    from connector.ledger import Ledger
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings
    from connector.runs.usage_months import UsageMonths

    terminal = shown_terminal(called)
    mappings = read_mappings_file(called.mappings_path, create=True).mappings
    with Ledger(called.state_folder) as ledger, terminal.shown():
        yield UsageMonths(
            ledger=ledger,
            mappings=mappings,
            today=called.today(),
            sophos=lambda: make_setup(called, Mappings(), terminal).sophos(),
            story=terminal,
        )


def origin_of(month: "UsageMonth") -> "Origin":
    """Return where a month's rows are from."""
    from connector.reports.usage import Origin

    kept = month.snapshot
    if kept is None:
        return Origin(month.period, month.source)
    return Origin(month.period, month.source, kept.number, kept.file, kept.fetched_at)


def offer(
    called: Invocation,
    document: Mapping[str, Any],
    columns: "Sequence[Column]",
    rows: Sequence[Sequence[str]],
    *,
    as_csv: bool,
    xlsx: str | None,
    overwrite: bool,
    sheet: str = "Usage",
) -> None:
    """Print a table the way it was asked for, or write it as a workbook; raises CommandFault."""
    if xlsx is not None:
        _write(called, xlsx, columns, rows, overwrite=overwrite, sheet=sheet)
    if xlsx is None or as_csv or called.json:
        show_list(called, document, columns, rows, as_csv=as_csv)


def _write(
    called: Invocation,
    name: str,
    columns: "Sequence[Column]",
    rows: Sequence[Sequence[str]],
    *,
    overwrite: bool,
    sheet: str,
) -> None:
    from connector.errors import CommandFault
    from connector.reports.escape import printable
    from connector.reports.workbook import Sheet, workbook_bytes
    from connector.runs.sheet_file import write_sheet_file

    path = called.folder / name
    if path.suffix.lower() != ".xlsx":
        raise CommandFault(
            f"{path} does not end in .xlsx, so no spreadsheet would open it.", "Name a file that does."
        )
    data = workbook_bytes([Sheet(sheet, columns, rows)], made=datetime.now(UTC))
    write_sheet_file(path, data, overwrite=overwrite)
    tell(f"{printable(str(path))} holds {len(rows)} rows.")
