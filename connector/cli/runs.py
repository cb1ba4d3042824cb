"""`runs`: what was run, by whom and what came of it; one run with all of it; and taking one back."""

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
    joined,
)
from connector.cli.listing import AsCsv
from connector.cli.plan import Force
from connector.cli.terminal import Terminal, answer, tell
from connector.cli.usage_desk import Overwrite, Xlsx, offer

if TYPE_CHECKING:
    from connector.planning.undo.past import PastRun

LISTED = 20

Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="Only the newest N runs.", show_default=True)
]
All = Annotated[bool, typer.Option("--all", help="Every run on record.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The run's number, as `connector runs` shows it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be written.")]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="runs")


@group.callback()
def listed(
    ctx: typer.Context,
    limit: Limit = LISTED,
    every: All = False,
    as_csv: AsCsv = False,
    xlsx: Xlsx = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    state: StateFolder = None,
) -> None:
    """List what was run, look at one run, take one back.

    Each run with its month, who ran it, how it ended and what became of its changes; the newest comes first.
    Neither vendor is asked, and no setting is needed.
    """
    ctx.obj = joined(ctx, Common(json=as_json, state=state))
    if ctx.invoked_subcommand is not None:
        return
    from connector.errors import CommandFault
    from connector.ledger import Ledger
    from connector.ledger.runs import LARGEST_NUMBER, count_runs, past_runs
    from connector.reports.runs import runs_document, runs_table

    called = invocation(ctx, ctx.obj)
    if limit > LARGEST_NUMBER:
        raise CommandFault(f"--limit {limit}: nobody has so many runs.", "To list every run: --all")
    found: tuple[PastRun, ...] = ()
    total = 0
    if _there(called):
        with Ledger(called.state_folder) as ledger:
            found, total = past_runs(ledger, None if every else limit), count_runs(ledger)
    columns, rows = runs_table(found)
    document = runs_document(found, total)
    offer(called, document, columns, rows, as_csv=as_csv, xlsx=xlsx, overwrite=overwrite, sheet="Runs")
    if total > len(found):
        tell(f"The newest {len(found)} of {total} runs; see the others with --all.")


@group.command("show")
def show(
    ctx: typer.Context,
    number: Number,
    as_json: Json = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Show one run with all of it: what it read, each change with its outcome, what it could not do."""
    from connector.errors import CommandFault
    from connector.ledger import Ledger
    from connector.ledger.runs import run_history
    from connector.reports.document import json_text
    from connector.reports.run_history import history_document, history_text

    called = invocation(ctx, Common(json=as_json, mappings=mappings, state=state))
    _must_be_there(called, number)
    with Ledger(called.state_folder) as ledger:
        history = run_history(ledger, number)
    if history is None:
        raise CommandFault(
            f"There is no run {number} in {ledger.path}.", "See which there are: connector runs"
        )
    document = history_document(history, map_is_todays=_is_todays(called, history.run.map))
    answer(json_text(document) if called.json else history_text(document, history))


@group.command("undo")
def undo(
    ctx: typer.Context,
    number: Number,
    dry_run: DryRun = False,
    force: Force = None,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Take back what a run wrote, line by line, wherever nothing has moved since.

    Quantities and prices go back to what they were, adopted lines go back to people, created lines go to 0.
    """
    from dataclasses import replace

    from connector.cli.setup import make_setup
    from connector.ledger import Ledger
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings
    from connector.planning.codes import checked_force
    from connector.planning.findings import Options
    from connector.planning.sources import FILE
    from connector.reports.document import json_text
    from connector.reports.undo import undo_document, undo_run_document, undo_text
    from connector.runs.session import begun
    from connector.runs.undo import plan_back, run_to_undo

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    options = Options(force=checked_force(force or []))
    terminal = Terminal(verbose=called.common.verbose)
    setup = make_setup(called, Mappings(), terminal, sophos=False)
    file = read_mappings_file(called.mappings_path)
    # The map is looked at for its guards alone, so it does not count as used.
    setup = replace(setup, mappings=file.mappings, command="connector runs undo")
    _must_be_there(called, number)
    with Ledger(called.state_folder) as ledger:
        run_to_undo(ledger, number)  # a wrong number is no run
    with begun(setup, "undo", options, FILE) as pipeline, terminal.shown():
        undoing = plan_back(pipeline, number, options, dry_run=dry_run)
        plan = undoing.plan
        run = None if dry_run else pipeline.apply(plan, plan.digest)
        code = plan.exit_code if run is None else run.exit_code
        pipeline.finish(code)
    if called.json:
        answer(json_text(undo_document(plan) if run is None else undo_run_document(run)))
    else:
        answer(undo_text(undoing, run))
    raise typer.Exit(code)


def _there(called: Invocation) -> bool:
    """Whether there is a ledger; a question makes none."""
    from connector.ledger.telling import FILE_NAME
    from connector.reports.escape import printable

    path = called.state_folder / FILE_NAME
    if not path.is_file():
        tell(f"There is no {printable(str(path))} yet, so nothing was run.")
        return False
    return True


def _must_be_there(called: Invocation, number: int) -> None:
    from connector.errors import CommandFault

    if not _there(called):
        raise CommandFault(
            f"There is no run {number}: {called.state_folder} has no ledger.",
            "Name the right folder: --state DIR.",
        )


def _is_todays(called: Invocation, digest: str | None) -> bool | None:
    """Whether mappings.yaml is to the letter what a run used; None where there is no such file."""
    import codecs
    import hashlib

    try:
        data = called.mappings_path.read_bytes()
    except OSError:
        return None
    return hashlib.sha256(data.removeprefix(codecs.BOM_UTF8)).hexdigest() == digest
