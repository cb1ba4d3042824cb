"""`nightly`: what a timer calls every night."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
    joined,
    profile_folder,
)
from connector.cli.setup import make_setup
from connector.cli.terminal import Terminal, answer, tell

if TYPE_CHECKING:
    from connector.errors import ConnectorError
    from connector.model import Schedule
    from connector.reports.night import NightReport
    from connector.runs.session import Setup

NIGHTS = 40

Explain = Annotated[
    bool, typer.Option("--explain", help=f"Say what each of the next {NIGHTS} nights would do; do nothing.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nightly")(nightly)


def nightly(
    ctx: typer.Context,
    explain: Explain = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Do what is due tonight, as `schedule:` of the map says."""
    from connector.errors import ConnectorError, SettingsFault
    from connector.planning.findings import Options
    from connector.runs.nightly import Nightly
    from connector.runs.telling.notify import Notifier

    given = Common(as_json, verbose, mappings, state)
    try:
        called = invocation(ctx, given)
    except SettingsFault as fault:
        if not explain:
            _tell_of(_as_far_as_known(ctx, given), fault)
        raise
    terminal = Terminal(verbose=called.common.verbose)
    if explain:
        _explain(called)
        return
    try:
        setup = _setup(called, terminal)
        with terminal.shown():
            report = Nightly(setup, Options(unattended=True)).run()
    except ConnectorError as error:
        _tell_of(called, error)
        raise
    _show(called, report)
    for warning in Notifier.of(setup).tell(report):
        tell(f"Warning: {warning}")
    raise typer.Exit(report.exit_code)


def _as_far_as_known(ctx: typer.Context, given: Common) -> Invocation:
    """Return the invocation where a setting is at fault, without `.env` if it is that: people must hear."""
    from connector.errors import SettingsFault
    from connector.settings import Surroundings

    common = joined(ctx, given)
    folder = Path.cwd()
    home = folder if common.profile is None else profile_folder(folder, common.profile)
    alone = common.profile is not None
    try:
        surroundings = Surroundings(os.environ, home, alone=alone)
    except SettingsFault:
        surroundings = Surroundings(os.environ, home / ".env", alone=alone)  # no folder, so it holds no file
    return Invocation(common, f"connector {ctx.info_name}", surroundings, folder, home)


def _tell_of(called: Invocation, error: "ConnectorError") -> None:
    """Tell people why a night could not even begin; what fails in doing so must not hide the reason."""
    from connector.errors import SettingsFault
    from connector.reports.notice import Whose
    from connector.runs.telling.notify import Notifier
    from connector.settings import read_notify

    try:
        settings, state = read_notify(called.surroundings), called.state_folder
    except SettingsFault as fault:
        tell(f"Warning: {fault.message}")
        return
    whose = Whose(called.surroundings.get("CONNECTWISE_COMPANY") or "", called.common.profile or "")
    for warning in Notifier(settings, state, lambda: datetime.now(UTC), whose=whose).tell_error(error):
        tell(f"Warning: {warning}")


def _explain(called: Invocation) -> None:
    from connector.ledger import Ledger
    from connector.ledger.nights import night_history
    from connector.mappings.file import read_mappings_file
    from connector.planning.schedule import nights
    from connector.reports.document import json_text
    from connector.reports.night import explained_document, explained_text

    schedule = read_mappings_file(called.mappings_path).mappings.schedule
    with Ledger(called.state_folder) as ledger:
        history = night_history(ledger)
    told = tuple(nights(schedule, night_of(called, schedule), NIGHTS, history))
    answer(json_text(explained_document(told)) if called.json else explained_text(told))


def _setup(called: Invocation, terminal: Terminal) -> "Setup":
    """Check the settings and the map, in this order."""
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings

    setup = make_setup(called, Mappings(), terminal)
    file = read_mappings_file(called.mappings_path)
    day = night_of(called, file.mappings.schedule)
    return replace(setup, mappings=file.mappings, map_text=file.data.decode("utf-8-sig"), today=day)


def night_of(called: Invocation, schedule: "Schedule") -> date:
    """Return the date that it is where the schedule counts its nights."""
    from connector.settings import read_today

    given = read_today(called.surroundings)
    return given or night_at(schedule, datetime.now(UTC))


def night_at(schedule: "Schedule", moment: datetime) -> date:
    """Return the date at a moment in the schedule's time zone, or in that of this machine."""
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(schedule.timezone) if schedule.timezone else None).date()


def _show(called: Invocation, report: "NightReport") -> None:
    from connector.reports.document import json_text
    from connector.reports.night import night_document, night_text

    answer(json_text(night_document(report)) if called.json else night_text(report))
