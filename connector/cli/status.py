"""`status`: for a person in a hurry, a monitoring system, or a container's health check."""

from datetime import UTC, datetime

import typer

from connector.cli.invocation import Common, Json, MappingsPath, StateFolder, Verbose, invocation
from connector.cli.nightly import night_of
from connector.cli.terminal import answer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    ctx: typer.Context,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Say how the job is doing; exit 3 where a person has to look. Asks nobody."""
    from connector.ledger import Ledger
    from connector.ledger.health import known_health
    from connector.mappings.file import read_mappings_file
    from connector.planning.health import health
    from connector.reports.document import json_text
    from connector.reports.health import health_document, health_text
    from connector.settings import read_day

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    schedule = read_mappings_file(called.mappings_path).mappings.schedule
    expires = read_day(called.surroundings, "CONNECTOR_CREDENTIALS_EXPIRE", "have it not watched")
    with Ledger(called.state_folder) as ledger:
        known = known_health(ledger, expires)
    found = health(schedule, night_of(called, schedule), datetime.now(UTC), known)
    answer(json_text(health_document(found)) if called.json else health_text(found))
    raise typer.Exit(found.exit_code)
