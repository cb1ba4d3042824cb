"""`diagnose`: a month, checked from both sides: what is wrong, in order of money."""

from collections.abc import Iterator
from contextlib import contextmanager
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
)
from connector.cli.listing import AsCsv, period_of, source_of
from connector.cli.plan import PeriodText
from connector.cli.terminal import Terminal, answer, tell
from connector.cli.usage_desk import Overwrite, Xlsx, offer

if TYPE_CHECKING:
    from connector.planning.sources import Source
    from connector.runs.diagnose import Examination, Examiner

SourceName = Annotated[
    str, typer.Option("--source", metavar="api|file", help="Sophos's invoice, or an imported file.")
]
Against = Annotated[
    Path | None,
    typer.Option("--against", metavar="FILE", help="A distributor's file, to compare beside the rest."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diagnose")(diagnose)


def diagnose(
    ctx: typer.Context,
    period: PeriodText = None,
    source: SourceName = "api",
    against: Against = None,
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Name what is billed wrongly, in order of money.

    Compares usage, what was written last and what ConnectWise bills now; writes nothing. Exits 3 where
    something needs a person or nothing was checked, else 0.
    """
    from connector.reports.diagnosis import (
        diagnosis_document,
        diagnosis_table,
        diagnosis_text,
        headline,
    )

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    found = examined(called, period, source, against).diagnosis
    if as_csv or xlsx is not None or called.json:
        if not called.json:
            tell(headline(found))
        columns, rows = diagnosis_table(found)
        offer(called, diagnosis_document(found), columns, rows, as_csv=as_csv, xlsx=xlsx, overwrite=overwrite)
    else:
        answer(diagnosis_text(found))
    raise typer.Exit(found.exit_code)


def examined(
    called: Invocation, period: str | None, source: str = "api", against: Path | None = None
) -> "Examination":
    """Read both sides of a month and compare them; takes no lock and stores nothing."""
    from connector.runs.diagnose import TheirFile
    from connector.runs.usage_file import read_usage_file

    month, chosen = period_of(period), _source(source)
    file = None
    if against is not None:
        path = called.folder / against
        file = TheirFile(path.name, read_usage_file(path))
    with _opened(called, chosen) as (examiner, terminal), terminal.shown():
        return examiner.examine(month, chosen, file)


def _source(name: str) -> "Source":
    """Return the source that a person named; raises CommandFault."""
    from connector.errors import CommandFault
    from connector.planning.sources import LIVE

    if source_of(name) == LIVE:
        raise CommandFault(
            "Live counts are of no invoice, so there is nothing to diagnose in them.",
            "See what they would change: connector plan --source live",
        )
    return source_of(name)


@contextmanager
def _opened(called: Invocation, source: "Source") -> "Iterator[tuple[Examiner, Terminal]]":
    """Check the settings and the map, in this order, and open the ledger to read; a file needs no Sophos."""
    from connector.cli.setup import make_setup
    from connector.ledger.aside import ledger_aside
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings
    from connector.planning.sources import FILE
    from connector.runs.diagnose import Examiner

    terminal = Terminal(verbose=called.common.verbose)
    setup = make_setup(called, Mappings(), terminal, sophos=source != FILE)
    mapped = read_mappings_file(called.mappings_path).mappings
    with ledger_aside(setup.state, now=setup.now) as ledger:
        examiner = Examiner(
            sophos=setup.sophos,
            connectwise=setup.connectwise(),
            ledger=ledger,
            mappings=mapped,
            today=setup.today,
            story=terminal,
        )
        yield examiner, terminal
