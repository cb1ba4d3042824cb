"""`state check`, `state backup`, `state rebuild` and `state prune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.invocation import Common, Invocation, Json, StateFolder, Verbose, invocation
from connector.cli.setup import make_setup
from connector.cli.terminal import Terminal, answer, tell

if TYPE_CHECKING:
    from connector.ledger import Ledger
    from connector.ledger.prunable import Prunable

UNSOUND = 3

Target = Annotated[Path, typer.Argument(metavar="PATH", help="The copy; a file that does not exist yet.")]

Keep = Annotated[
    int,
    typer.Option("--keep", metavar="N", min=2, help="So many months of usage stay, and the one before them."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be removed; remove nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="state")


@group.callback()
def show_help(ctx: typer.Context) -> None:
    """Check, back up, prune and rebuild the state folder."""
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


@group.command("prune")
def prune(
    ctx: typer.Context,
    keep: Keep = 13,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: StateFolder = None,
) -> None:
    """Remove the usage of old months, and give the room back to the disk.

    What was billed to whom stays, and whatever an explanation of the months that are kept needs. On a
    terminal it shows what goes and asks once. Make a copy before: connector state backup
    """
    import os
    from datetime import UTC, datetime

    from connector.cli.asking import can_ask, confirm
    from connector.cli.invocation import who_runs
    from connector.ledger import Ledger
    from connector.ledger.care import must_exist
    from connector.ledger.prune import file_size, give_back
    from connector.ledger.prune import prune as remove
    from connector.ledger.telling import FILE_NAME
    from connector.reports.pruned import pruned_text
    from connector.runs.lock import one_run_at_a_time

    called = invocation(ctx, Common(json=as_json, state=state))
    folder = called.state_folder
    must_exist(folder / FILE_NAME)
    with Ledger(folder) as ledger:
        what = _prunable(called, ledger, keep)
    document = _pruning(what, keep)
    text = pruned_text(document)
    if not dry_run and not what.empty and not yes and can_ask():
        tell(text)
        dry_run = not confirm("Remove it?")
        text = "Nothing was removed."
    if not dry_run:
        command = "connector state prune"
        with one_run_at_a_time(
            folder, who=who_runs(), pid=os.getpid(), command=command, now=datetime.now(UTC)
        ):
            before = file_size(folder)
            with Ledger(folder) as ledger:
                what = _prunable(called, ledger, keep)  # a run may have ended since
                remove(ledger, what)
            given = give_back(folder, before)
        document = _pruning(what, keep) | {
            "dry_run": False,
            "bytes_before": given.before,
            "bytes_after": given.after,
            "note": given.note,
        }
        text = pruned_text(document)
    _show(called, document, text)


def _prunable(called: Invocation, ledger: "Ledger", keep: int) -> "Prunable":
    from connector.ledger.prunable import find_prunable
    from connector.model import Period

    return find_prunable(ledger, keep, Period.of(called.today()))


def _pruning(what: "Prunable", keep: int) -> dict[str, Any]:
    """Return what goes, as long as nothing has gone."""
    return {
        "action": "prune",
        "keep": keep,
        "dry_run": True,
        "empty": what.empty,
        "kept_from": str(what.first) if what.first is not None else None,
        "months": [str(each) for each in what.months],
        "snapshots": len(what.snapshots),
        "rows": what.rows,
        "plans": len(what.plans),
        "maps": len(what.maps),
        "shadow_runs": len(what.shadows),
        "live_days": len(what.days),
        "bytes_before": None,
        "bytes_after": None,
        "note": "",
        "exit_code": 0,
    }


def _show(called: Invocation, document: dict[str, Any], text: str) -> None:
    from connector.reports.document import json_text

    answer(json_text({"schema": "connector.state/1", **document}) if called.json else text)
