"""The commands of contract section 3, and the one place where errors become messages and exit codes."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connector import __version__
from connector.cli import (
    adopt,
    approve,
    demo,
    diagnose,
    doctor,
    explain,
    firewalls,
    fleet,
    mapping_file,
    nightly,
    plan,
    products,
    runs,
    schedule,
    shadow,
    simulate,
    state,
    status,
    support_bundle,
    tenants,
    usage,
)
from connector.cli import report as month_report
from connector.cli.command_help import help_asked_for
from connector.cli.invocation import PROFILES, Common, Json, MappingsPath, Profile, StateFolder, Verbose
from connector.cli.logging_options import LogFormat, Logging, LogPath, MetricsPath
from connector.cli.story_log import StoryLog
from connector.cli.terminal import answer, make_safe, tell_error
from connector.errors import CommandFault, ConnectorError, SettingsFault

INTERRUPTED = 130
"""What shells expect of a command that Ctrl-C ended; every code of ours means something else."""


class Interrupted(ConnectorError):
    """A person pressed Ctrl-C before anything was written."""

    code = "INTERRUPTED"
    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("Interrupted. No addition was written to ConnectWise.", "Run the command again.")


class ConnectorGroup(TyperGroup):
    """Turns every ConnectorError into a message and its exit code; anything else is a bug."""

    def main(
        self, args: Sequence[str] | None = None, *_: Any, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """Run a command and exit with its code."""
        make_safe()
        given = spread_force(sys.argv[1:] if args is None else args)
        helped = help_asked_for(self, given, extra.get("prog_name"))
        if helped is not None:
            answer(helped)
            if standalone_mode:
                sys.exit(0)
            return 0
        with StoryLog(given).listening() as log:
            code = log.exit_code = self._ended(given, {**extra, "obj": log})
        if standalone_mode:
            sys.exit(code)
        return code

    def _ended(self, given: list[str], extra: dict[str, Any]) -> int:
        """Run a command and return its exit code; whatever it has to say is said."""
        try:
            code = super().main(given, standalone_mode=False, **extra)
        except ConnectorError as error:
            code = report(error, as_json="--json" in given)
        except typer.TyperException as error:
            where = getattr(getattr(error, "ctx", None), "command_path", "connector")
            fault = CommandFault(error.format_message(), f"See: {where} --help")
            code = report(fault, as_json="--json" in given)
        except typer.Abort:
            code = INTERRUPTED
        except SystemExit as left:
            # A command that was interrupted and has told how far it came; else typer's way out when the
            # reader of a help text has gone away.
            return INTERRUPTED if left.code == INTERRUPTED else 0
        if code == INTERRUPTED:
            report(Interrupted(), as_json="--json" in given)
        return code or 0


def spread_force(arguments: Sequence[str]) -> list[str]:
    """Let `--force` take several names, as contract section 3 writes it: `--force removals decrease`."""
    if "--force" not in arguments:
        return list(arguments)
    from connector.planning.codes import FORCEABLE

    spread: list[str] = []
    for argument in arguments:
        after_force = len(spread) > 1 and spread[-2] == "--force"
        spread += ["--force", argument] if after_force and argument in FORCEABLE else [argument]
    return spread


def report(error: ConnectorError, *, as_json: bool) -> int:
    """Print an error where people or programs look for it; return its exit code."""
    from connector.reports.document import error_document, json_text

    tell_error(error)
    if as_json:
        answer(json_text(error_document(error)))
    return error.exit_code


app = typer.Typer(cls=ConnectorGroup, rich_markup_mode=None, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        answer(f"connector {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
]


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
    profile: Profile = None,
    log_format: LogFormat = None,
    log_file: LogPath = None,
    metrics: MetricsPath = None,
    _version: Version = False,
) -> None:
    """Bill a month of Sophos usage to ConnectWise PSA agreements, exactly once."""
    if ctx.invoked_subcommand is None:
        answer(ctx.get_help())
    logging = None
    if isinstance(ctx.obj, StoryLog) and ctx.invoked_subcommand is not None:
        logging = Logging(ctx.obj, ctx.invoked_subcommand, log_format, log_file, metrics)
        _begin_logging(logging, profile, state)
    ctx.obj = Common(
        json=as_json, verbose=verbose, mappings=mappings, state=state, profile=profile, logging=logging
    )


def _begin_logging(logging: Logging, profile: str | None, state: Path | None) -> None:
    """Log what goes wrong before the settings are read; they may say more, and then it is begun anew."""
    folder = Path.cwd()
    home = folder if profile is None else folder / PROFILES / profile

    def get(name: str) -> str | None:
        return os.environ.get(name, "").strip() or None if profile is None else None

    with suppress(SettingsFault):  # the command meets it again, where it can be told to those who are absent
        logging.begin(
            get, folder, home, folder / state if state else home / (get("CONNECTOR_STATE") or "state")
        )


plan.register(app)
nightly.register(app)
status.register(app)
approve.register(app)
diagnose.register(app)
explain.register(app)
month_report.register(app)
shadow.register(app)
adopt.register(app)
runs.register(app)
products.register(app)
tenants.register(app)
firewalls.register(app)
usage.register(app)
mapping_file.register(app)
state.register(app)
schedule.register(app)
fleet.register(app)
support_bundle.register(app)
doctor.register(app)
demo.register(app)
simulate.register(app)
