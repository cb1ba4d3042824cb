"""`fleet`: the nightly job, or a check, for every profile."""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
    for name in ("CONNECTOR_LOG_FILE", "CONNECTOR_METRICS"):
        if os.environ.get(name, "").strip():
            tell(f"Warning: {name} of the environment counts for no profile; name it in each one's .env.")
    _for_all(joined(ctx, Common(json=as_json)), ["nightly"], jobs, minutes)


@group.command("status")
def status(ctx: typer.Context, jobs: Jobs = 4, minutes: Minutes = 5, as_json: Json = False) -> None:
    """Say how every profile is doing."""
    _for_all(joined(ctx, Common(json=as_json)), ["status"], jobs, minutes)


def _for_all(common: Common, command: Sequence[str], jobs: int, minutes: int) -> None:
    from connector.errors import CommandFault
    from connector.reports.document import json_text
    from connector.reports.fleet import (
        INTERRUPTED,
        fleet_document,
        fleet_exit_code,
        fleet_text,
        interrupted,
    )
    from connector.runs.fleet import Fleet

    folder = Path.cwd()
    if common.profile is not None or common.state is not None or common.mappings is not None:
        raise CommandFault(
            "fleet works in every profile, so it takes no --profile, --state or --mappings.",
            "Leave them out, or run the command for one: connector --profile NAME nightly",
        )
    options = _logging_of_all(common)
    names = profile_names(folder)
    profiles = [name for name in names if _is_profile(folder / PROFILES / name)]
    skipped = [name for name in names if name not in profiles]
    for name in skipped:
        tell(f"Warning: {printable(name)} is skipped: there is neither a .env nor a mappings.yaml in it.")
    if not profiles:
        raise CommandFault(
            f"There is no profile in {printable(str(folder / PROFILES))}.",
            f"Make a folder {PROFILES}{os.sep}NAME with a .env and a mappings.yaml for each partner.",
        )
    with _stoppable():
        members = Fleet(folder, os.environ, jobs, minutes * 60, options).run(profiles, command, _told)
    if common.json:
        answer(json_text(fleet_document(members, skipped)))
    else:
        wide = sys.stdout is not None and sys.stdout.isatty()
        answer(fleet_text(members, shutil.get_terminal_size().columns if wide else None))
    if interrupted(members):
        tell("Interrupted. What was written to ConnectWise before stays; the same command does the rest.")
        sys.exit(INTERRUPTED)
    raise typer.Exit(fleet_exit_code(members))


def _logging_of_all(common: Common) -> list[str]:
    """Return the options that all take over from the fleet; one file cannot be that of many."""
    from connector.errors import CommandFault

    logging = common.logging
    if logging is None:
        return []
    if logging.file is not None or logging.metrics is not None:
        raise CommandFault(
            "fleet takes no --log-file and no --metrics: each profile has files of its own.",
            "Name them in each profile's .env: CONNECTOR_LOG_FILE and CONNECTOR_METRICS.",
        )
    return ["--log-format", logging.format] if logging.format is not None else []


def _is_profile(folder: Path) -> bool:
    return any(os.path.lexists(folder / name) for name in (".env", "mappings.yaml"))


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let a service manager's SIGTERM end the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(member: "Member") -> None:
    name = printable(member.profile)
    for each in member.warnings:
        word, _, rest = each.partition("Warning: ")
        tell(f"{name}: {printable(each)}" if word or not rest else f"Warning: {name}: {printable(rest)}")
    tell(f"{name}: {member.cut or f'exit code {member.code}'}")
