"""`status`: for a person in a hurry, a monitoring system, or a container's health check."""

from dataclasses import replace
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
    """Say how the job is doing; exit 3 where a person has to look. Asks nobody.

    Exit 2 where the map or a setting is faulty: then no night can do its work. Makes no file.
    """
    from connector.ledger.aside import ledger_aside
    from connector.ledger.health import known_health
    from connector.mappings.file import read_mappings_file
    from connector.planning.health import health
    from connector.reports.document import json_text
    from connector.reports.health import health_document, health_text
    from connector.runs.lock import is_held
    from connector.settings import read_day

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    schedule = read_mappings_file(called.mappings_path).mappings.schedule
    expires = read_day(called.surroundings, "CONNECTOR_CREDENTIALS_EXPIRE", "have it not watched")
    with ledger_aside(called.state_folder) as ledger:
        known = known_health(ledger, expires)
        last = known.last
        if last is not None and last.exit_code is None and last.error is None:
            held = is_held(called.state_folder)
            # Read again: where nobody holds the folder any more, the run may have ended a moment ago.
            known = known_health(ledger, expires)
            known = replace(known, running=held or known.last != last)
    found = health(schedule, night_of(called, schedule), datetime.now(UTC), known)
    answer(json_text(health_document(found)) if called.json else health_text(found))
    raise typer.Exit(found.exit_code)
