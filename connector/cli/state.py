"""`state check`, `state backup` and `state rebuild`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.invocation import Common, Invocation, Json, StateFolder, Verbose, invocation
from connector.cli.setup import make_setup
from connector.cli.terminal import Terminal, answer

UNSOUND = 3

Target = Annotated[Path, typer.Argument(metavar="PATH", help="The copy; a file that does not exist yet.")]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="state")


@group.callback()
def show_help(ctx: typer.Context) -> None:
    """Look after the state folder: check, back up, rebuild."""
    if ctx.invoked_subcommand is None:
        answer(ctx.get_help())


@group.command("check")
def check(ctx: typer.Context, as_json: Json = False, state: StateFolder = None) -> None:
    """Verify the ledger's file, and that what it says fits together. Changes nothing."""
    from connector.ledger.care import check_file
    from connector.reports.escape import printable

    called = invocation(ctx, Common(json=as_json, state=state))
    findings = check_file(called.state_folder)
    code = UNSOUND if findings else 0
    lines = [f"fault    {printable(finding)}" for finding in findings] or ["ok       the ledger is whole"]
    if findings:
        lines.append(
            "         do: put a backup back, or move connector.db away and run: connector state rebuild"
        )
    _show(called, {"action": "check", "findings": list(findings), "exit_code": code}, "\n".join(lines))
    raise typer.Exit(code)


@group.command("backup")
def backup(ctx: typer.Context, target: Target, as_json: Json = False, state: StateFolder = None) -> None:
    """Make a consistent copy of the ledger, also while a run is going on."""
    from connector.ledger.care import back_up_file
    from connector.reports.escape import printable

    called = invocation(ctx, Common(json=as_json, state=state))
    path = called.folder / target
    size = back_up_file(called.state_folder, path)
    text = (
        f"{printable(str(path))}: {size} bytes. To go back to it, put it in the state folder as connector.db."
    )
    _show(called, {"action": "backup", "path": str(path), "bytes": size, "exit_code": 0}, text)


@group.command("rebuild")
def rebuild(
    ctx: typer.Context,
    as_json: Json = False,
    verbose: Verbose = False,
    state: StateFolder = None,
) -> None:
    """Put additions that carry our mark in ConnectWise on record again. Writes nothing to ConnectWise."""
    from connector.model import Mappings
    from connector.planning.change import plain
    from connector.planning.findings import Options
    from connector.runs.rebuild import rebuild as find_again
    from connector.runs.session import begun

    called = invocation(ctx, Common(json=as_json, verbose=verbose, state=state))
    terminal = Terminal(verbose=called.common.verbose)
    with begun(make_setup(called, Mappings(), terminal), "rebuild", Options()) as pipeline, terminal.shown():
        found = find_again(
            pipeline.connectwise, pipeline.ledger, run=pipeline.run, today=pipeline.today, story=terminal
        )
        pipeline.finish(0)
    listed = [
        {
            "addition_id": line.id,
            "agreement_id": line.agreement_id,
            "item_id": line.item_id,
            "quantity": plain(line.quantity),
        }
        for line in found
    ]
    _show(
        called,
        {"action": "rebuild", "additions": listed, "exit_code": 0},
        f"{len(found)} additions of ours were put on record again. Next: connector plan",
    )


def _show(called: Invocation, document: dict[str, Any], text: str) -> None:
    from connector.reports.document import json_text

    answer(json_text({"schema": "connector.state/1", **document}) if called.json else text)
