"""The commands of contract section 3, and the one place where errors become messages and exit codes."""

import sys
from collections.abc import Sequence
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
from connector.cli.invocation import Common, Json, MappingsPath, Profile, StateFolder, Verbose
from connector.cli.terminal import answer, make_safe, tell
from connector.errors import CommandFault, ConnectorError

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
        except SystemExit:
            code = 0  # typer's way out when the reader of a help text has gone away
        if code == INTERRUPTED:
            report(Interrupted(), as_json="--json" in given)
        if standalone_mode:
            sys.exit(code or 0)
        return code


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
    from connector.reports.escape import lines

    tell(f"Error: {lines(error.message)}")
    if error.next_step:
        tell(f"Next: {lines(error.next_step)}")
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
    _version: Version = False,
) -> None:
    """Bill a month of Sophos usage to ConnectWise PSA agreements, exactly once."""
    if ctx.invoked_subcommand is None:
        answer(ctx.get_help())
    ctx.obj = Common(json=as_json, verbose=verbose, mappings=mappings, state=state, profile=profile)


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
