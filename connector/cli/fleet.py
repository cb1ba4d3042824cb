"""`fleet`: the nightly job, or a check, for every profile."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.invocation import PROFILES, Common, Json, joined, profile_names
from connector.cli.terminal import answer, tell
from connector.reports.escape import printable

if TYPE_CHECKING:
    from connector.reports.fleet import Member

Jobs = Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="So many at a time.")]
Minutes = Annotated[
    int, typer.Option("--minutes", metavar="N", min=1, help="A profile that takes longer is stopped.")
]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="fleet")


@group.callback()
def show_help(ctx: typer.Context) -> None:
    """Run the nightly job, or a check, for every profile."""
    if ctx.invoked_subcommand is None:
        answer(ctx.get_help())


@group.command("nightly")
def nightly(ctx: typer.Context, jobs: Jobs = 4, minutes: Minutes = 360, as_json: Json = False) -> None:
    """Do what is due tonight for every profile, each in its own process."""
    _for_all(joined(ctx, Common(json=as_json)), ["nightly"], jobs, minutes)


@group.command("status")
def status(ctx: typer.Context, jobs: Jobs = 4, minutes: Minutes = 5, as_json: Json = False) -> None:
    """Say how every profile is doing."""
    _for_all(joined(ctx, Common(json=as_json)), ["status"], jobs, minutes)


def _for_all(common: Common, command: Sequence[str], jobs: int, minutes: int) -> None:
    from connector.errors import CommandFault
    from connector.reports.document import json_text
    from connector.reports.fleet import fleet_document, fleet_exit_code, fleet_text
    from connector.runs.fleet import Fleet

    folder = Path.cwd()
    if common.profile is not None or common.state is not None or common.mappings is not None:
        raise CommandFault(
            "fleet works in every profile, so it takes no --profile, --state or --mappings.",
            "Leave them out, or run the command for one: connector --profile NAME nightly",
        )
    profiles = profile_names(folder)
    if not profiles:
        raise CommandFault(
            f"There is no profile in {printable(str(folder / PROFILES))}.",
            f"Make a folder {PROFILES}{os.sep}NAME with a .env and a mappings.yaml for each partner.",
        )
    members = Fleet(folder, os.environ, jobs, minutes * 60).run(profiles, command, _told)
    if common.json:
        answer(json_text(fleet_document(members)))
    else:
        wide = sys.stdout is not None and sys.stdout.isatty()
        answer(fleet_text(members, shutil.get_terminal_size().columns if wide else None))
    raise typer.Exit(fleet_exit_code(members))


def _told(member: "Member") -> None:
    tell(f"{printable(member.profile)}: exit code {member.code}")
