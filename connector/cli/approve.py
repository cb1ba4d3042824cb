"""`approve`: lets go what the nightly job may not do alone."""

from typing import Annotated

import typer

from connector.cli.invocation import Common, Json, MappingsPath, StateFolder, Verbose, invocation
from connector.cli.running import begun_run
from connector.cli.terminal import answer

Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="The plan whose changes wait, as the nightly run tells it.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="AGREEMENT/ITEM",
        help="Only this change, by the ids of its agreement and item. May be repeated.",
    ),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="For the record: why it is right.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("approve")(approve)


def approve(
    ctx: typer.Context,
    digest: Digest,
    only: Only = None,
    why: Why = "",
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Let changes go that wait for an approval, and make them.

    Who let them go, when and why stays on record. Refused where a change would not be made any more.
    """
    from connector.ledger.completion import source_of_plan
    from connector.planning.findings import Options
    from connector.planning.sources import API, source_named
    from connector.reports.document import json_text, run_document
    from connector.reports.text import run_text
    from connector.runs.approval import approve as let_go

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    stored = source_of_plan(called.state_folder, digest)
    source = source_named(stored) if stored else API
    with begun_run(called, "approve", Options(unattended=True), source) as pipeline:
        run = let_go(pipeline, digest, only or [], why)
        pipeline.finish(run.exit_code)
    answer(json_text(run_document(run)) if called.json else run_text(run))
    raise typer.Exit(run.exit_code)
