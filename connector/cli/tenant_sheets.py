"""`tenants export` and `tenants import`: the tenant map as a sheet, for people who work in Excel."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.desk import at_desk
from connector.cli.edits import DryRun, carry_out
from connector.cli.invocation import Common, Json, MappingsPath, StateFolder, Verbose, invocation
from connector.cli.terminal import answer, tell

if TYPE_CHECKING:
    from connector.cli.desk import Desk

SheetOut = Annotated[str, typer.Argument(metavar="FILE", help="The CSV file to make; - prints it.")]
SheetIn = Annotated[str, typer.Argument(metavar="FILE", help="A CSV file as export makes it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it is there.")]

_COUNTS = {
    "mapped": "mapped",
    "moved": "moved to another company or agreement",
    "on": "turned on",
    "off": "turned off",
    "named": "named anew",
    "as_before": "as before",
}


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("import")(import_sheet)
    group.command("export")(export_sheet)


def export_sheet(
    ctx: typer.Context,
    file: SheetOut,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Write the tenant map as CSV: tenant id, name, company, agreement, sync; new tenants to be filled in."""
    from connector.errors import CommandFault
    from connector.mappings.tenant_sheet import sheet_of
    from connector.planning.references import shell_word
    from connector.reports.document import json_text
    from connector.reports.escape import lines, printable
    from connector.runs.sheet_file import write_sheet_file
    from connector.runs.tenant_import import rows_of

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    path = called.folder / file
    if path.absolute() == called.mappings_path.absolute():
        raise CommandFault("That is mappings.yaml itself; it was left as it is.", "Name another file.")
    with at_desk(called, create=True) as desk:
        rows = rows_of(desk.file.mappings, _names(desk))
    data = sheet_of(rows)
    if file != "-":
        write_sheet_file(path, data, overwrite=overwrite)
    text = lines(data.decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n"))
    if called.json:
        document = {
            "schema": "connector.sheet/1",
            "path": None if file == "-" else str(path),
            "rows": len(rows),
        }
        answer(json_text(document | ({"text": text} if file == "-" else {})))
    elif file == "-":
        answer(text)
    else:
        tell(f"{printable(str(path))} holds {len(rows)} tenants. Fill it in, save it as CSV UTF-8, and run:")
        tell(f"  connector tenants import {shell_word(file, 'FILE')} --dry-run")


def import_sheet(
    ctx: typer.Context,
    file: SheetIn,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Make the tenant map what a CSV file says; all of it, or nothing where any row is at fault.

    Tenants that are not in the sheet stay as they are. A tenant without a company stays unmapped, unless
    sync is false: then it is decided that it is not billed.
    """
    from connector.mappings.tenant_sheet import SheetFault, read_sheet
    from connector.runs.customers import read_customers
    from connector.runs.sheet_file import read_sheet_file
    from connector.runs.tenant_import import import_rows

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    path = Path(called.folder / file)
    rows = read_sheet(read_sheet_file(path), file)
    with at_desk(called, create=True) as desk:
        names = _names(desk)
        customers = read_customers(desk.connectwise, desk.ledger, desk.setup.today, desk.terminal)
    made = import_rows(rows, desk.file.mappings, names, customers)
    if made.flaws:
        raise SheetFault(file, made.flaws)
    counted = ", ".join(f"{made.counts[key]} {word}" for key, word in _COUNTS.items() if made.counts[key])
    notes = [*made.notes, f"{made.counts['rows']} rows: {counted or 'nothing to do'}."]
    carry_out(called, desk.file, made.edits, dry_run=dry_run, notes=notes, more={"counts": made.counts})


def _names(desk: "Desk") -> dict[str, str]:
    """Return the tenants that Sophos lists, with their names."""
    desk.terminal.stage("Reading Sophos")
    return {each.id: each.name for each in desk.sophos.tenants()}
