"""`explain`: from a line of ConnectWise back to Sophos's rows, the map's lines, the run and its change."""

import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.completion import complete_code, complete_serial, complete_tenant
from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)
from connector.cli.listing import period_of
from connector.cli.terminal import Terminal, answer, tell

if TYPE_CHECKING:
    from connector.runs.reading import ConnectWise

TenantOrNone = Annotated[
    str | None,
    typer.Argument(
        metavar="[TENANT]", help="A tenant's id, or its name if unique.", autocompletion=complete_tenant
    ),
]
CodeOrNone = Annotated[
    str | None,
    typer.Argument(
        metavar="[PRODUCT]", help="A product code, as Sophos has it.", autocompletion=complete_code
    ),
]
AdditionId = Annotated[
    int | None, typer.Option("--addition", metavar="ID", help="This addition of ConnectWise instead.")
]
SerialNumber = Annotated[
    str | None,
    typer.Option(
        "--serial",
        metavar="SERIAL",
        help="Whatever this serial number is billed by instead.",
        autocompletion=complete_serial,
    ),
]
PeriodOption = Annotated[
    str | None, typer.Option("--period", metavar="YYYY-MM", help="The month; else the newest that is stored.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    ctx: typer.Context,
    tenant: TenantOrNone = None,
    product: CodeOrNone = None,
    addition: AdditionId = None,
    serial: SerialNumber = None,
    period: PeriodOption = None,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Say where a billed number comes from.

    From the line in ConnectWise back to Sophos's rows, the map's lines, and the run that wrote it; its
    history, and what would change now. Sophos is not asked, and nothing is written.
    """
    from connector.errors import CommandFault
    from connector.ledger import Ledger
    from connector.ledger.telling import FILE_NAME
    from connector.mappings.file import read_mappings_file
    from connector.planning.explanation import Asked
    from connector.reports.document import json_text
    from connector.reports.escape import printable
    from connector.reports.explanation import explanation_text
    from connector.reports.explanation_document import explanation_document
    from connector.runs.explain.explainer import Explainer

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    if sum(each is not None for each in (tenant, addition, serial)) != 1:
        raise CommandFault(
            "Name one thing to explain: a tenant, --addition ID or --serial SERIAL.",
            "For example: connector explain TENANT, with a name or an id of: connector tenants",
        )
    asked = Asked(tenant, product, addition, serial, period_of(period))
    if not (called.state_folder / FILE_NAME).exists():
        raise CommandFault(
            f"There is no ledger in {printable(str(called.state_folder))}, so nothing is known yet.",
            "Give the folder with --state DIR, or begin with: connector plan",
        )
    terminal = Terminal(verbose=called.common.verbose)
    file = read_mappings_file(called.mappings_path, create=True)
    today = called.today()
    connectwise, note = _connectwise(called, terminal)
    with Ledger(called.state_folder) as ledger, terminal.shown():
        found = Explainer(ledger, file, today, connectwise, note, terminal).explain(asked)
    if found.note:
        tell(printable(found.note))
    width = shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
    answer(json_text(explanation_document(found)) if called.json else explanation_text(found, width))


def _connectwise(called: Invocation, terminal: Terminal) -> "tuple[ConnectWise | None, str]":
    """Return a client, or why there is none: what the ledger knows is told all the same."""
    from connector.cli.setup import make_setup
    from connector.errors import SettingsFault
    from connector.model import Mappings

    try:
        return make_setup(called, Mappings(), terminal, sophos=False).connectwise(), ""
    except SettingsFault as fault:
        return None, f"ConnectWise was not looked at: {fault.message}"
