"""`tenants`: who they are and where they are billed; companies and agreements of ConnectWise to bill them."""

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import tenant_map, tenant_sheets
from connector.cli.desk import at_desk
from connector.cli.invocation import Common, Json, MappingsPath, StateFolder, Verbose, invocation, joined
from connector.cli.listing import AsCsv, PeriodOption, period_of, show_list, states_of, tell_month
from connector.cli.terminal import tell

if TYPE_CHECKING:
    from connector.cli.desk import Desk
    from connector.planning.customers import Customers
    from connector.reports.tenants import Document

MOST_SHOWN = 50

States = Annotated[
    str | None,
    typer.Option("--state", metavar="on,off,new,fault", help="Only those in one of these states."),
]
Failed = Annotated[
    bool, typer.Option("--failed", help="Only those that the last run did not bill whole, or at fault now.")
]
SearchText = Annotated[
    str, typer.Argument(metavar="TEXT", help="Part of a company's name or identifier, two letters or more.")
]
CompanyText = Annotated[
    str, typer.Argument(metavar="COMPANY", help="A company's identifier, id (7 or id:7), or unique name.")
]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="tenants")


@group.callback()
def show(
    ctx: typer.Context,
    states: States = None,
    failed: Failed = False,
    period: PeriodOption = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
) -> None:
    """List tenants; map them to companies and agreements.

    Where each is billed, what the last run made of it, and what to do. First those that are new and have
    usage, the one that costs most on top; then those whose mapping is at fault; then all others by name.
    The state folder is given first: connector --state DIR tenants
    """
    ctx.obj = joined(ctx, Common(as_json, verbose, mappings))
    if ctx.invoked_subcommand is not None:
        return
    from connector.planning.customers import Customers
    from connector.reports.table import Column
    from connector.reports.tenants import by_need, has_failed, tenant_cells, tenant_list

    called = invocation(ctx, ctx.obj)
    month, wanted = period_of(period), states_of(states)
    with at_desk(called, create=True) as desk:
        look = desk.look(month)
        every = look.survey.tenant_states()
        results = _results(desk, [each.id for each in every])
    found = [
        each
        for each in by_need(every)
        if each.state in wanted and (not failed or has_failed(each, results.get(each.id)))
    ]
    customers = Customers(look.survey.directory)
    tell_month(look.period)
    columns = (
        Column("Id"),
        Column("Name", cut=True),
        Column("Type"),
        Column("Status"),
        Column("Quantity", right=True),
        Column("Cost", right=True),
        Column("Currency"),
        Column("Company", cut=True),
        Column("Agreement", cut=True),
        Column("State"),
        Column("Last run"),
        Column("Result", cut=True),
        Column("Advice", cut=True),
    )
    rows = [tenant_cells(each, look.survey, results.get(each.id), customers) for each in found]
    document = tenant_list(look.period, found, look.survey, results, customers)
    show_list(called, document, columns, rows, as_csv=as_csv)


@group.command("search")
def search(
    ctx: typer.Context,
    text: SearchText,
    as_csv: AsCsv = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Find companies of ConnectWise by name or identifier, best first; deleted ones never."""
    from connector.mappings.suggest import search as searched
    from connector.reports.table import Column
    from connector.reports.tenants import companies_document

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    searched(text, (), lambda _: (), 1)  # a text that is too short is refused before anything is read
    with at_desk(called, create=True) as desk:
        customers = _customers(desk)
    companies = [each for each in customers.directory.companies.values() if not each.deleted]
    hits = searched(text, companies, lambda each: (each.identifier, each.name), len(companies) or 1)
    shown = [hit.record for hit in hits[:MOST_SHOWN]]
    columns = (
        Column("Id"),
        Column("Identifier"),
        Column("Name", cut=True),
        Column("Status"),
        Column("Active agreements", right=True),
    )
    rows = [
        (str(each.id), each.identifier, each.name, each.status, str(len(customers.active(each))))
        for each in shown
    ]
    show_list(called, companies_document(shown, len(hits), customers), columns, rows, as_csv=as_csv)
    if len(hits) > len(shown):
        tell(f"{len(shown)} of {len(hits)} are shown; type more of the name.")


@group.command("agreements")
def agreements(
    ctx: typer.Context,
    company: CompanyText,
    as_csv: AsCsv = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """List a company's agreements; those that a tenant can be mapped to come first."""
    from connector.planning.customers import company_label
    from connector.reports.escape import printable
    from connector.reports.table import Column
    from connector.reports.tenants import agreement_cells, agreements_document

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called, create=True) as desk:
        customers = _customers(desk)
    found = customers.company(company)
    tell(f"Agreements of {printable(company_label(found))}.")
    columns = (
        Column("Id"),
        Column("Name", cut=True),
        Column("Type", cut=True),
        Column("Status"),
        Column("Start"),
        Column("End"),
        Column("Next invoice"),
        Column("Usable", cut=True),
    )
    rows = [agreement_cells(each, customers) for each in customers.agreements(found)]
    show_list(called, agreements_document(found, customers), columns, rows, as_csv=as_csv)


tenant_map.register(group)
tenant_sheets.register(group)


def _results(desk: "Desk", tenant_ids: list[str]) -> "dict[str, Document]":
    """Return what the last run over all tenants made of each, as lists show it."""
    from connector.ledger.history import last_run

    last = last_run(desk.ledger)
    if last is None:
        return {}
    found: dict[str, Document] = {}
    for tenant_id in tenant_ids:
        result = last.of(tenant_id)
        found[tenant_id] = {
            "run": last.number,
            "outcome": result.outcome,
            "message": result.message,
            "advice": result.advice,
        }
    return found


def _customers(desk: "Desk") -> "Customers":
    from connector.runs.customers import read_customers

    return read_customers(desk.connectwise, desk.ledger, desk.setup.today, desk.terminal)
