"""`tenants map`, `unmap`, `on` and `off`: one tenant's entry in mappings.yaml."""

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.arguments import TenantText
from connector.cli.completion import complete_tenant
from connector.cli.customer_questions import ask_agreement, ask_company, one_line
from connector.cli.desk import at_desk
from connector.cli.edits import DryRun, carry_out
from connector.cli.equal_names import accept_exact
from connector.cli.invocation import Common, Json, MappingsPath, StateFolder, Verbose, invocation

if TYPE_CHECKING:
    from connector.model import Agreement, Company
    from connector.planning.states import TenantState
    from connector.planning.survey import Survey

TenantOrNone = Annotated[
    str | None,
    typer.Argument(
        metavar="[TENANT]", help="A tenant's id, or its name if unique.", autocompletion=complete_tenant
    ),
]
CompanyOrNone = Annotated[
    str | None,
    typer.Argument(
        metavar="[COMPANY]",
        help="A company's identifier, id (7 or id:7), or unique name; left out, it is asked for.",
    ),
]
AgreementOrNone = Annotated[
    str | None,
    typer.Argument(
        metavar="[AGREEMENT]", help="Its agreement's name or id (7 or id:7); left out, it is asked for."
    ),
]
AcceptExact = Annotated[
    bool,
    typer.Option(
        "--accept-exact",
        help="Map all new tenants whose names equal a company's, but for legal form, case and punctuation.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --accept-exact: do not ask.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("map")(map_tenant)
    group.command("unmap")(unmap)
    group.command("on")(turn_on)
    group.command("off")(turn_off)


def map_tenant(
    ctx: typer.Context,
    tenant: TenantOrNone = None,
    company: CompanyOrNone = None,
    agreement: AgreementOrNone = None,
    accept_all: AcceptExact = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Bill a tenant through a company's agreement, and turn it on. Nothing is chosen without a person."""
    from connector.errors import CommandFault
    from connector.mappings.file import edit_file
    from connector.planning.customers import Customers
    from connector.planning.fed import left_behind
    from connector.planning.resolve import Placer
    from connector.runs.tenant_edits import map_edits, written

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    if accept_all and tenant is not None:
        raise CommandFault(
            "--accept-exact is for all new tenants; name none.", "See: connector tenants map --help"
        )
    if accept_all:
        accept_exact(called, dry_run=dry_run, yes=yes)
        return
    if tenant is None or yes:
        raise CommandFault(
            "Name a tenant to map." if tenant is None else "--yes is for --accept-exact only.",
            "List the new ones with: connector tenants --state new",
        )
    with at_desk(called, create=True) as desk:
        survey = desk.look_for(tenant=tenant).survey
        known = desk.ledger.known_additions().values()
    customers = Customers(survey.directory)
    found = survey.tenant(tenant)
    its_company = customers.company(company) if company is not None else ask_company(found, customers)
    its_agreement = (
        customers.agreement(its_company, agreement)
        if agreement is not None
        else ask_agreement(found, its_company, customers)
    )
    company_written, agreement_written, notes = written(customers, its_company, its_agreement)
    entry = desk.file.mappings.tenants.get(found.id)
    edits = map_edits(found.id, found.name, entry, company_written, agreement_written)
    placer = Placer(edit_file(desk.file, edits).mappings, survey.directory)
    notes = [*_told(found, its_company, its_agreement, survey), *notes, *left_behind(found.id, known, placer)]
    more = {"tenant_id": found.id, "company_id": its_company.id, "agreement_id": its_agreement.id}
    carry_out(called, desk.file, edits, dry_run=dry_run, notes=notes, more=more)


def unmap(
    ctx: typer.Context,
    tenant: TenantText,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Take a tenant's company and agreement out of mappings.yaml; it is off then, its exceptions stay."""
    from connector.errors import CommandFault
    from connector.planning.customers import UNCHANGED
    from connector.planning.fed import goes_on
    from connector.runs.tenant_edits import unmap_edits

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called) as desk:
        survey = desk.look_for(tenant=tenant).survey
        known = desk.ledger.known_additions().values()
    found = survey.tenant(tenant)
    if found.id not in desk.file.mappings.tenants:
        raise CommandFault(
            f"{found.label} is not mapped: mappings.yaml has no entry for it. {UNCHANGED}",
            f"To decide that it is not billed: connector tenants off {found.id}",
        )
    notes = [f"{found.label} is off from the next run on.", *goes_on(found.id, known, survey.directory)]
    more = {"tenant_id": found.id}
    carry_out(called, desk.file, unmap_edits(found.id), dry_run=dry_run, notes=notes, more=more)


def turn_on(
    ctx: typer.Context,
    tenant: TenantText,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Bill a tenant that was turned off again, through the company and agreement that it has."""
    from dataclasses import replace

    from connector.mappings.file import edit_file
    from connector.planning.resolve import Placer
    from connector.runs.tenant_edits import on_edits

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called, create=True) as desk:
        survey = desk.look_for(tenant=tenant).survey
    found = survey.tenant(tenant)
    edits = on_edits(found.id, found.label, desk.file.mappings.tenants.get(found.id))
    placer = Placer(edit_file(desk.file, edits).mappings, survey.directory)
    after = replace(survey, placer=placer).tenant(found.id)
    notes = [f"{found.label} is billed from the next run on." if after.state == "on" else after.note]
    carry_out(called, desk.file, edits, dry_run=dry_run, notes=notes, more={"tenant_id": found.id})


def turn_off(
    ctx: typer.Context,
    tenant: TenantText,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Decide that a tenant is not billed. Its mapping stays, for the day it is turned on again."""
    from connector.planning.fed import goes_on
    from connector.runs.tenant_edits import off_edits

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called, create=True) as desk:
        survey = desk.look_for(tenant=tenant).survey
        known = desk.ledger.known_additions().values()
    found = survey.tenant(tenant)
    edits = off_edits(found.id, found.name, desk.file.mappings.tenants.get(found.id))
    notes = [f"{found.label} is off from the next run on.", *goes_on(found.id, known, survey.directory)]
    carry_out(called, desk.file, edits, dry_run=dry_run, notes=notes, more={"tenant_id": found.id})


def _told(tenant: "TenantState", company: "Company", agreement: "Agreement", survey: "Survey") -> list[str]:
    """Say what a mapping means, and what is unusual about it."""
    from connector.planning.customers import agreement_label, company_label, listed

    label = one_line(tenant.label)
    notes = [f"{label} is billed to {company_label(company)} through {agreement_label(agreement)}."]
    others = [
        one_line(each.label)
        for each in survey.tenant_states()
        if each.agreement_id == agreement.id and each.id != tenant.id and each.state == "on"
    ]
    if others:
        notes.append(f"{listed(others)} is billed through it too: quantities of one item are added up.")
    if tenant.billing_type not in {"usage", ""}:
        notes.append(
            f"Sophos has {label} on {tenant.billing_type} licences, which are in no month's usage; there is "
            "nothing to bill until that changes."
        )
    return notes
