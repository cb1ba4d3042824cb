"""`doctor`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

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
from connector.cli.setup import make_setup
from connector.cli.terminal import Terminal, answer

if TYPE_CHECKING:
    from connector.model import Mappings
    from connector.runs.session import Setup


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    ctx: typer.Context,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Check what a run needs, line by line, each with a remedy.

    Settings, credentials, rights, mappings, state and clock. Changes nothing.
    """
    from connector.ledger import Ledger
    from connector.reports.checkup import check_text, checkup_document, checkup_exit_code
    from connector.reports.document import json_text
    from connector.runs.doctor import Doctor

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    examined = Doctor(
        settings=lambda: _setup(called),
        mappings=lambda: _mappings(called),
        ledger=lambda: Ledger(called.state_folder),
        today=called.today(),
        now=lambda: datetime.now(UTC),
    ).examine()
    checks = []
    for check in examined:
        checks.append(check)
        if not called.json:
            answer(check_text(check))
    if called.json:
        answer(json_text(checkup_document(checks)))
    raise typer.Exit(checkup_exit_code(checks))


def _mappings(called: Invocation) -> "Mappings":
    from connector.mappings import load_mappings

    return load_mappings(called.mappings_path)


def _setup(called: Invocation) -> "Setup":
    from connector.model import Mappings

    return make_setup(called, Mappings(), Terminal(verbose=called.common.verbose))
