"""`shadow`: what the connector would bill beside what another tool bills, with nothing written."""

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)
from connector.cli.listing import AsCsv, period_of, show_list
from connector.cli.plan import PeriodText, SourceName
from connector.cli.setup import make_setup
from connector.cli.terminal import Terminal, answer, tell
from connector.cli.usage_desk import Overwrite, Xlsx

if TYPE_CHECKING:
    from connector.model import Period
    from connector.planning.shadow import Shadow, Trend
    from connector.planning.sources import Source


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("shadow")(shadow)


def shadow(
    ctx: typer.Context,
    period: PeriodText = None,
    source: SourceName = "api",
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Compare what we would bill with the lines that are there.

    Writes nothing to ConnectWise. For MSPs that still run Sophos's own sync or another tool beside it. Each
    run says what is new.
    """
    from connector.reports.document import json_text
    from connector.reports.shadow import SHADOW_COLUMNS, shadow_document, shadow_rows, shadow_text

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    month, chosen = period_of(period), _source(source)
    target = _target(called, xlsx)
    run, found, moved = _compared(called, month, chosen)
    rows = shadow_rows(found.lines, moved)
    if target is not None:
        from connector.reports.escape import printable
        from connector.reports.workbook import Sheet, workbook_bytes
        from connector.runs.sheet_file import write_sheet_file

        data = workbook_bytes([Sheet("Shadow", SHADOW_COLUMNS, rows)], made=datetime.now(UTC))
        write_sheet_file(target, data, overwrite=overwrite)
        tell(f"{printable(str(target))} holds {len(rows)} line{'' if len(rows) == 1 else 's'}.")
    if called.json:
        answer(json_text(shadow_document(found, moved, run)))
    elif as_csv:
        show_list(called, {}, SHADOW_COLUMNS, rows, as_csv=True)
    elif target is None:
        answer(shadow_text(found, moved, _width()))
    raise typer.Exit(found.exit_code)


def _compared(called: Invocation, month: "Period | None", source: "Source") -> "tuple[int, Shadow, Trend]":
    """Run it under the lock, and write down how it ended."""
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings
    from connector.planning.findings import Options
    from connector.planning.sources import FILE
    from connector.runs.session import begun
    from connector.runs.shadow import Shadowing

    terminal = Terminal(verbose=called.common.verbose)
    setup = make_setup(called, Mappings(), terminal, sophos=source != FILE)
    file = read_mappings_file(called.mappings_path)
    setup = replace(setup, mappings=file.mappings, map_text=file.data.decode("utf-8-sig"))
    with begun(setup, "shadow", Options(), source) as pipeline, terminal.shown():
        shadowing = Shadowing(
            sophos=lambda: pipeline.sophos,
            connectwise=pipeline.connectwise,
            ledger=pipeline.ledger,
            mappings=pipeline.mappings,
            today=pipeline.today,
            run=pipeline.run,
            story=terminal,
        )
        found, moved = shadowing.compare(month, source)
        pipeline.finish(found.exit_code)
    return pipeline.run, found, moved


def _source(name: str) -> "Source":
    """Return the source that a person named; raises CommandFault."""
    from connector.errors import CommandFault
    from connector.planning.sources import API, FILE

    sources: dict[str, Source] = {"api": API, "file": FILE}
    if name not in sources:
        raise CommandFault(
            f"--source {name}: a shadow run compares a whole month, from {' or '.join(sources)}.",
            "Leave --source out to compare Sophos's invoice.",
        )
    return sources[name]


def _target(called: Invocation, name: str | None) -> Path | None:
    """Return the workbook's path before anything is read; raises CommandFault."""
    from connector.errors import CommandFault

    if name is None:
        return None
    path = called.folder / name
    if path.suffix.lower() != ".xlsx":
        raise CommandFault(
            f"{path} does not end in .xlsx, so no spreadsheet would open it.", "Name a file that does."
        )
    return path


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
