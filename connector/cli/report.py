"""`report`: a month as a page to look at, as a workbook, or as CSV files."""

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from connector.cli.diagnose import Against, SourceName, examined
from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)
from connector.cli.plan import PeriodText
from connector.cli.terminal import answer
from connector.reports.escape import printable

if TYPE_CHECKING:
    from connector.planning.month_report import MonthReport

Html = Annotated[str | None, typer.Option("--html", metavar="FILE", help="Write one page, to look at.")]
Xlsx = Annotated[str | None, typer.Option("--xlsx", metavar="FILE", help="Write an Excel workbook.")]
Csv = Annotated[str | None, typer.Option("--csv", metavar="DIR", help="Write five CSV files into a folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")]
_SHEETS = ("Plan", "Discrepancies", "Coverage", "Firewalls", "Usage")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    ctx: typer.Context,
    period: PeriodText = None,
    html: Html = None,
    xlsx: Xlsx = None,
    csv: Csv = None,
    overwrite: Overwrite = False,
    source: SourceName = "api",
    against: Against = None,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Write the month as a page, a workbook or CSV.

    What was checked, what is at stake, what moved, what to do. Exits as `diagnose` does: 3 where something
    needs a person, else 0.
    """
    from datetime import UTC, datetime

    from connector.ledger import Ledger
    from connector.reports.document import json_text
    from connector.runs.report import month_report
    from connector.runs.sheet_file import write_sheet_file

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    wanted = _files(called, html, xlsx, csv)
    _check_free(wanted, overwrite=overwrite)
    examination = examined(called, period, source, against)
    with Ledger(called.state_folder) as ledger:
        made = month_report(examination, ledger, datetime.now(UTC))
    for path, data in _contents(made, wanted):
        _make(path.parent)
        write_sheet_file(path, data, overwrite=overwrite)
    exit_code = made.diagnosis.exit_code
    if called.json:
        document = {
            "schema": "connector.report/1",
            "period": str(made.period),
            "files": [str(path) for path in wanted],
            "exit_code": exit_code,
        }
        answer(json_text(document))
    else:
        answer(_told(made, wanted))
    raise typer.Exit(exit_code)


def _files(called: Invocation, html: str | None, xlsx: str | None, csv: str | None) -> dict[Path, str]:
    """Return every file to write and what it will hold, by name; raises CommandFault."""
    from connector.errors import CommandFault

    wanted: dict[Path, str] = {}
    for named, kind, endings in ((html, "html", (".html", ".htm")), (xlsx, "xlsx", (".xlsx",))):
        if named is None:
            continue
        path = called.folder / named
        if path.suffix.lower() not in endings:
            raise CommandFault(
                f"{path} does not end in {endings[0]}, so no program would open it as what it is.",
                "Name a file that does.",
            )
        wanted[path] = kind
    if csv is not None:
        folder = called.folder / csv
        wanted |= {folder / f"{name.lower()}.csv": name for name in _SHEETS}
    if not wanted:
        raise CommandFault(
            "A report is written to a file, and none is named.",
            "Give --html FILE, --xlsx FILE or --csv DIR, or several of them.",
        )
    return wanted


def _check_free(wanted: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse before anything is read what could not be written afterwards; raises CommandFault."""
    from connector.errors import CommandFault

    for path in wanted:
        nearest = next((each for each in (path, *path.parents) if _kind(each) is not None), None)
        if nearest == path and _kind(path) == "folder":
            raise CommandFault(f"{path} is a folder.", "Name a file.")
        if nearest == path and not overwrite:
            raise CommandFault(
                f"{path} is there already; it was left as it is, and nothing was read.",
                "Name another file, or replace it with --overwrite.",
            )
        if nearest is not None and nearest != path and _kind(nearest) == "file":
            raise CommandFault(f"{nearest} is no folder, so no file can be in it.", "Name another one.")


def _kind(path: Path) -> Literal["file", "folder"] | None:
    """Return what is there, None where nothing is; raises CommandFault for what no file can be called."""
    from connector.errors import CommandFault

    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandFault(f"{path} cannot be a file's name here: {reason}.", "Name another file.") from None
    return "folder" if stat.S_ISDIR(mode) else "file"


def _make(folder: Path) -> None:
    """Make the folder of a file where it is missing; raises CommandFault."""
    from connector.errors import CommandFault

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFault(
            f"{folder} could not be made: {error.strerror or error}.",
            "Name a folder that you may write to.",
        ) from error


def _contents(made: "MonthReport", wanted: dict[Path, str]) -> list[tuple[Path, bytes]]:
    """Return what each file holds; all of it is made before the first one is written."""
    from connector.reports.month_sheets import month_sheets
    from connector.reports.sheet import csv_text
    from connector.reports.workbook import workbook_bytes

    sheets = {sheet.name: sheet for sheet in month_sheets(made)}
    found = []
    for path, kind in wanted.items():
        if kind == "html":
            from connector.reports.page import page_html

            data = page_html(made).encode()
        elif kind == "xlsx":
            data = workbook_bytes(list(sheets.values()), made=made.made_at)
        else:
            sheet = sheets[kind]
            # The mark in front tells Excel that it is UTF-8.
            data = csv_text([column.title for column in sheet.columns], sheet.rows).encode("utf-8-sig")
        found.append((path, data))
    return found


def _told(made: "MonthReport", wanted: Iterable[Path]) -> str:
    """Return what a person reads when it is done: the coverage, the files, and what waits for them."""
    from connector.reports.diagnosis import headline

    told = [f"{headline(made.diagnosis)}."]
    told += [f"  {printable(str(path))}" for path in wanted]
    many = len(made.for_people)
    needs = "thing needs" if many == 1 else "things need"
    told.append(f"{many} {needs} a person; the report says which." if many else "Nothing needs a person.")
    return "\n".join(told)
