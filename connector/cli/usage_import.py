"""`usage import`: a distributor's consumption file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
    who_runs,
)
from connector.cli.listing import period_of
from connector.cli.terminal import answer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from connector.reports.usage_import import ImportReport
    from connector.runs.usage_outcome import UsageImport

PERSON, REFUSED = 3, 4

FileIn = Annotated[str, typer.Argument(metavar="FILE", help="A CSV or XLSX file, or one of failed rows.")]
MonthOption = Annotated[
    str | None,
    typer.Option("--period", metavar="YYYY-MM", help="The month; else that of the dates in the file."),
]
SheetName = Annotated[
    str | None,
    typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook; else the one with usage."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would become of each row.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Take this file in place of what was imported for its month.")
]
FailedOut = Annotated[
    str | None,
    typer.Option("--failed", metavar="FILE", help="Where failed rows go; else FILE's name and -failed.csv."),
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("import")(import_file)


def import_file(
    ctx: typer.Context,
    file: FileIn,
    period: MonthOption = None,
    sheet: SheetName = None,
    dry_run: DryRun = False,
    replace: Replace = False,
    failed: FailedOut = None,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Import a distributor's consumption file of one month, for plan and sync --source file.

    Rows that fail go to a file of the same columns and the reason: mend them there and import that file;
    only what failed is taken from it.
    """
    from connector.ledger import Ledger
    from connector.mappings.file import read_mappings_file
    from connector.runs.usage_file import failed_path, read_usage_file, write_failed_file
    from connector.runs.usage_import import Asked, read_import, store_import

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    month = period_of(period)
    mapped = read_mappings_file(called.mappings_path, create=True).mappings
    path = called.folder / file
    data = read_usage_file(path)
    asked = Asked(sheet=sheet, period=month, afresh=replace)
    with _alone(called, dry_run=dry_run), Ledger(called.state_folder) as ledger:
        made = read_import(data, path.name, mapped, ledger, asked)
        refused = made.replaces and not replace and (dry_run or not _may_replace(called, made))
        if made.replaces and not refused and not replace:
            made = read_import(data, path.name, mapped, ledger, Asked(sheet, month, afresh=True))
        storing = not (dry_run or refused or made.unchanged)
        out = None
        if made.failed and not (dry_run or refused):
            content = _failed_content(made)
            out = failed_path(path, called.folder / failed if failed is not None else None, content)
            write_failed_file(out, content)
        if storing:
            store_import(made, ledger)
    report = _report(made, dry_run=dry_run, refused=refused, stored=storing, failed_file=out)
    _show(called, report)
    raise typer.Exit(report.exit_code)


def _alone(called: Invocation, *, dry_run: bool) -> "AbstractContextManager[None]":
    """Take the lock of the state folder, as runs do; what stores nothing needs none."""
    import os
    from contextlib import nullcontext
    from datetime import UTC, datetime

    from connector.runs.lock import one_run_at_a_time

    if dry_run:
        return nullcontext()
    return one_run_at_a_time(
        called.state_folder, who=who_runs(), pid=os.getpid(), command=called.command, now=datetime.now(UTC)
    )


def _may_replace(called: Invocation, made: "UsageImport") -> bool:
    """Show a person what differs and ask; nobody there is a no."""
    from connector.cli.asking import can_ask, confirm
    from connector.cli.terminal import tell
    from connector.reports.usage_import import import_text

    if called.json or not can_ask():
        return False
    tell(import_text(_report(made, dry_run=False, refused=True, stored=False, failed_file=None)))
    return confirm(f"Replace what was imported for {made.period}?")


def _failed_content(made: "UsageImport") -> bytes:
    from connector.reports.usage_import import failed_sheet
    from connector.runs.usage_outcome import failed_cells, reason_cell

    rows = [made.failed[number] for number in sorted(made.failed)]
    return failed_sheet(made.labels, ((failed_cells(each), reason_cell(made, each)) for each in rows))


def _report(
    made: "UsageImport", *, dry_run: bool, refused: bool, stored: bool, failed_file: Path | None
) -> "ImportReport":
    from connector.reports.usage_import import DifferentLine, FailedLine, ImportReport
    from connector.runs.usage_outcome import STATES

    advice = {each.number: each for each in made.taken}
    failed = []
    for number in sorted(made.failed):
        row, taken = made.failed[number], advice.get(number)
        failed.append(
            FailedLine(
                number,
                row.code,
                row.reason,
                taken.next_step if taken is not None else "",
                row.tenant,
                row.product_code,
                row.quantity,
                [(each.tenant_id, each.name, each.reason) for each in taken.candidates] if taken else [],
            )
        )
    notes = []
    if made.unassigned:
        rows = "1 row names" if made.unassigned == 1 else f"{made.unassigned} rows name"
        notes.append(f"{rows} a known firewall or no customer: a plan goes by the serial number.")
    return ImportReport(
        period=str(made.period),
        file=made.file,
        sheet=made.sheet,
        counts={state: made.count(state) for state in STATES},
        failed=failed,
        differences=[
            DifferentLine(
                each.who, each.product_code, (each.rows_before, each.rows_now), (each.before, each.now)
            )
            for each in made.differences
        ],
        earlier=made.before.file if made.before is not None else "",
        stored=stored,
        unchanged=made.unchanged,
        refused=refused,
        dry_run=dry_run,
        notes=notes,
        failed_file=str(failed_file) if failed_file is not None else None,
        exit_code=REFUSED if refused else PERSON if made.failed else 0,
    )


def _show(called: Invocation, report: "ImportReport") -> None:
    from connector.reports.document import json_text
    from connector.reports.usage_import import import_document, import_text

    answer(json_text(import_document(report)) if called.json else import_text(report))
