"""`firewalls`: the register, and `firewalls:` of mappings.yaml for those that Sophos cannot place."""

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.arguments import Serial, TenantText
from connector.cli.desk import at_desk
from connector.cli.edits import DryRun, carry_out
from connector.cli.invocation import (
    Common,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
    joined,
)
from connector.cli.listing import AsCsv, PeriodOption, period_of, show_list, tell_month

if TYPE_CHECKING:
    from connector.planning.states import FirewallState, TenantState
    from connector.planning.survey import Survey

Unassigned = Annotated[bool, typer.Option("--unassigned", help="Only those that are billed to nobody.")]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

ADVICE = (
    "Better still: assign its monthly licence to the tenant in Sophos Central Partner (Flex Billing). "
    "Sophos then places it everywhere, and this line can go again."
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="firewalls")


@group.callback()
def show(
    ctx: typer.Context,
    period: PeriodOption = None,
    unassigned: Unassigned = False,
    as_csv: AsCsv = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """List firewalls, and place those that Sophos cannot.

    Whose each is, and who is billed for it; those that nobody is billed for come first.
    """
    ctx.obj = joined(ctx, Common(as_json, verbose, mappings, state))
    if ctx.invoked_subcommand is not None:
        return
    from connector.ledger.history import billed_since
    from connector.planning.change import plain
    from connector.reports.survey import firewalls_document, money_cells
    from connector.reports.table import Column

    called = invocation(ctx, ctx.obj)
    month = period_of(period)
    with at_desk(called) as desk:
        look = desk.look(month)
        since = billed_since(desk.ledger)
    survey = look.survey
    found = [each for each in survey.firewall_states() if each.unassigned or not unassigned]
    names = survey.tenant_names()
    tell_month(look.period)
    columns = (
        Column("Serial"),
        Column("Model", cut=True),
        Column("Owner"),
        Column("Registered to", cut=True),
        Column("Licence assigned to", cut=True),
        Column("Licence", cut=True),
        Column("Last seen"),
        Column("Quantity", right=True),
        Column("Cost", right=True),
        Column("Currency"),
        Column("Billed to", cut=True),
        Column("Since"),
    )
    rows = [
        (
            each.firewall.serial,
            each.firewall.model,
            each.firewall.owner,
            names.get(each.firewall.tenant_id or "", each.firewall.tenant_id or ""),
            names.get(each.firewall.billing_tenant_id or "", each.firewall.billing_tenant_id or ""),
            ", ".join(f"{one.product_code} ({one.type})" for one in each.firewall.licences),
            (each.firewall.last_seen or "")[:10],
            plain(each.quantity),
            *money_cells(each.cost),
            _billed_to(each, survey),
            str(since.get(each.firewall.serial, "")),
        )
        for each in found
    ]
    show_list(called, firewalls_document(look.period, found, survey, since), columns, rows, as_csv=as_csv)


def _billed_to(state: "FirewallState", survey: "Survey") -> str:
    if state.unassigned:
        return "NOBODY: unassigned"
    if state.key is None:
        return state.note
    agreement = survey.directory.agreements[state.key.agreement_id]
    return f"{agreement.company}, {agreement.name}"


@group.command("assign")
def assign(
    ctx: typer.Context,
    serial: Serial,
    tenant: TenantText,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Bill a firewall to a tenant, by its serial number, where Sophos cannot tell whose it is."""
    from connector.errors import CommandFault
    from connector.mappings.edit import Put
    from connector.model import serial_of

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    number = serial_of(serial)
    with at_desk(called, create=True) as desk:
        survey = desk.look_for(tenant=tenant, serial=serial).survey
        found = survey.tenant(tenant)
        if number not in {each.firewall.serial for each in survey.firewall_states()}:
            raise CommandFault(
                f"Sophos lists no firewall with the serial number {number!r}, and bills none. "
                "mappings.yaml was not changed.",
                "Copy it from: connector firewalls",
            )
        notes = [*_what_comes_of(number, found, survey), ADVICE]
        carry_out(called, desk.file, [Put(("firewalls", number), found.id)], dry_run=dry_run, notes=notes)


def _what_comes_of(number: str, tenant: "TenantState", survey: "Survey") -> list[str]:
    """Say whom an assigned firewall is billed to, and whom Sophos itself says it belongs to."""
    from connector.planning.findings import tenant_label

    names = survey.tenant_names()

    def named(owners: frozenset[str]) -> str:
        return " and ".join(tenant_label(owner, names) for owner in sorted(owners))

    others = survey.firewall_owners(number, {number: tenant.id}) - {tenant.id}
    if others:
        return [
            f"Sophos's usage names {named(others)} for {number}, which comes first: it goes on counting so."
        ]
    if tenant.state == "off":
        notes = [f"{number} counts for {tenant.label} from the next run on, which is off: nobody is billed."]
    elif tenant.state == "on":
        notes = [f"{number} is billed to {tenant.label} from the next run on."]
    else:
        notes = [f"{number} counts for {tenant.label} from the next run on."]
        notes.append(f"{tenant.label} is not mapped yet: connector tenants map {tenant.id}")
    theirs = survey.firewall_owners(number, {}) - {tenant.id}
    if theirs:
        notes.append(
            f"Sophos says that it belongs to {named(theirs)}, who is not billed for it any more. "
            f"If Sophos is right, undo this: connector firewalls release {number}"
        )
    return notes


@group.command("release")
def release(
    ctx: typer.Context,
    serial: Serial,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Take a firewall out of mappings.yaml: what Sophos says of it counts again."""
    from connector.errors import CommandFault
    from connector.mappings.edit import Drop
    from connector.mappings.file import read_mappings_file
    from connector.model import serial_of

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    number = serial_of(serial)
    file = read_mappings_file(called.mappings_path)
    if number not in file.mappings.firewalls:
        raise CommandFault(
            f"mappings.yaml names no firewall {number!r} under `firewalls:`; it was not changed.",
            "Copy the serial number from there.",
        )
    notes = [f"{number} counts for whom Sophos says, from the next run on; if it does not say, for nobody."]
    carry_out(called, file, [Drop(("firewalls", number))], dry_run=dry_run, notes=notes)
