"""`mappings`: check the map, print its JSON Schema, and see what it would change."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.desk import at_desk
from connector.cli.invocation import (
    Common,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)
from connector.cli.listing import PeriodOption, period_of
from connector.cli.terminal import answer, tell

SCHEMA_FILE = "mappings.schema.json"

Write = Annotated[
    bool,
    typer.Option("--write", help=f"Write it as {SCHEMA_FILE} beside the map, where editors look for it."),
]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="mappings")


@group.callback()
def show_help(ctx: typer.Context) -> None:
    """Check the map; see what it would change."""
    if ctx.invoked_subcommand is None:
        answer(ctx.get_help())


@group.command("check")
def check(
    ctx: typer.Context,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """List every fault of the map, also names that ConnectWise or Sophos do not know. Changes nothing."""
    from connector.ledger.history import tenant_names
    from connector.reports.checkup import check_text, checkup_document, checkup_exit_code
    from connector.reports.document import json_text
    from connector.runs.map_check import check_map

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called) as desk:
        seen = tenant_names(desk.ledger).keys()
        checks = check_map(desk.look().survey, seen)
    document = {**checkup_document(checks), "schema": "connector.mapcheck/1"}
    answer(json_text(document) if called.json else "\n".join(check_text(each) for each in checks))
    raise typer.Exit(checkup_exit_code(checks))


@group.command("schema")
def schema(
    ctx: typer.Context, write: Write = False, as_json: Json = False, mappings: MappingsPath = None
) -> None:
    """Print the JSON Schema of mappings.yaml, with which editors complete and check it while you type."""
    from connector.errors import CommandFault
    from connector.mappings import mappings_schema
    from connector.reports.document import json_text
    from connector.reports.escape import printable

    called = invocation(ctx, Common(json=as_json, mappings=mappings))
    text = json_text(mappings_schema())
    if not write or called.json:
        answer(text)
    if write:
        path: Path = called.mappings_path.with_name(SCHEMA_FILE)
        try:
            path.write_bytes(f"{text}\n".encode("ascii"))
        except OSError as error:
            raise CommandFault(
                f"{path} could not be written: {error.strerror or error}.", "See that you may write there."
            ) from None
        tell(f"{printable(str(path))} was written. The map refers to it with this as its first line:")
        tell(f"# yaml-language-server: $schema={SCHEMA_FILE}")


@group.command("diff")
def diff(
    ctx: typer.Context,
    period: PeriodOption = None,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Say what the map would change in a plan, beside the one that was last used to write. Writes nothing."""
    from connector.reports.document import json_text
    from connector.reports.map_diff import map_diff_document, map_diff_text
    from connector.runs.map_diff import map_diff

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    month = period_of(period)
    with at_desk(called) as desk, desk.terminal.shown():
        found = map_diff(
            desk.sophos,
            desk.connectwise,
            desk.ledger,
            mappings=desk.file.mappings,
            period=month,
            today=desk.setup.today,
            story=desk.terminal,
        )
    told = found.run, found.comparison
    answer(json_text(map_diff_document(*told)) if called.json else map_diff_text(*told))
