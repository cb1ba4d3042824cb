"""`products`: every product code, what it costs and is billed as; and the item that each is mapped to."""

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import product_items, product_switches
from connector.cli.arguments import Code, ItemText
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
from connector.cli.listing import AsCsv, PeriodOption, period_of, show_list, states_of, tell_month
from connector.cli.terminal import tell

if TYPE_CHECKING:
    from connector.model import CatalogRecord
    from connector.planning.states import ProductState
    from connector.vendors.connectwise_items import ConnectWiseCatalog

SearchText = Annotated[str, typer.Argument(metavar="TEXT", help="Two letters or more.")]
States = Annotated[
    str | None,
    typer.Option("--state", metavar="STATES", help="Only those that are on, off, new or fault: new,fault"),
]
Unseen = Annotated[bool, typer.Option("--unseen", help="Map a code that no usage has had yet.")]

group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="products")
    product_switches.register(group)
    product_items.register(group)


@group.callback()
def show(
    ctx: typer.Context,
    states: States = None,
    period: PeriodOption = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
) -> None:
    """List product codes; map, make and edit their items.

    Every code that usage ever had: who uses it, what it costs, what it is billed as. The dearest comes first.
    """
    ctx.obj = joined(ctx, Common(as_json, verbose, mappings, None))
    if ctx.invoked_subcommand is not None:
        return
    from connector.reports.escape import printable
    from connector.reports.products import product_columns, product_row, successor_text
    from connector.reports.survey import products_document
    from connector.runs.survey import successors_in

    called = invocation(ctx, ctx.obj)
    month, wanted = period_of(period), states_of(states)
    with at_desk(called, create=True) as desk:
        look = desk.look(month)
        successors = successors_in(look, desk.ledger)
    found = [each for each in look.survey.products() if each.state in wanted]
    document = products_document(look.period, found)
    document["successors"] = [
        {
            "old": each.old,
            "new": each.new,
            "item": each.item,
            "message": successor_text(each, look.survey.mappings),
            "next": each.command,
        }
        for each in successors
    ]
    tell_month(look.period)
    for each in successors:
        tell(printable(f"{successor_text(each, look.survey.mappings)}. If it is so: {each.command}"))
    show_list(called, document, product_columns(), [product_row(each) for each in found], as_csv=as_csv)
    _tell_new(found)


def _tell_new(found: "list[ProductState]") -> None:
    new = sum(each.state == "new" for each in found)
    if new:
        told = "1 code is" if new == 1 else f"{new} codes are"
        tell(f"{told} new, so billed to nobody. Decide with: connector products map CODE, or off CODE")


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
    """Search ConnectWise's catalog by identifier and description, best first."""
    from connector.reports.items import items_document
    from connector.reports.products import item_columns, item_row
    from connector.runs.items import search_items

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called, create=True) as desk:
        found = search_items(desk.connectwise.catalog, text)
        desk.ledger.record_items(item for item, _ in found)
    rows = [item_row(item) for item, _ in found]
    show_list(called, items_document(text, found), item_columns(), rows, as_csv=as_csv)
    if not found:
        tell("No catalog item has that in its identifier or description.")


@group.command("map")
def map_code(
    ctx: typer.Context,
    code: Code,
    item: ItemText = None,
    unseen: Unseen = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Bill a product code as a catalog item, and turn it on."""
    from connector.runs.items import find_item, must_be_usable
    from connector.runs.product_mapping import mapped_to, month_seen, what_comes_of

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called, create=True) as desk:
        at = month_seen(desk.look_for(code=code), desk.file, desk.ledger)
        connectwise, terminal = desk.connectwise, desk.terminal
    found = at.code(code, unseen=unseen)
    if item is None:
        record = _chosen(connectwise.catalog, found, at.name(found))
    else:
        record = find_item(connectwise.catalog, item)
        must_be_usable(record)
    mapped = mapped_to(at, found, record, connectwise.catalog.items_named(record.identifier))
    notes, more = what_comes_of(at, mapped, connectwise, terminal)
    carry_out(called, at.file, mapped.edits, dry_run=dry_run, notes=notes, more=more)


def _chosen(catalog: "ConnectWiseCatalog", code: str, name: str) -> "CatalogRecord":
    """Let a person choose from what may be meant; raises CommandFault where nothing is chosen."""
    from connector.cli.asking import can_ask, choose
    from connector.errors import CommandFault
    from connector.planning.references import code_command, map_command
    from connector.reports.items import candidate_text
    from connector.runs.items import UNCHANGED, candidates

    found = candidates(catalog, code, name)
    called = f"{code} ({name})" if name else code
    other = f"connector products search TEXT, or make one: {code_command('add', code)}"
    if not found:
        raise CommandFault(f"No catalog item looks like {called}. {UNCHANGED}", f"Search for one: {other}")
    listed = [candidate_text(item, reason) for item, reason in found]
    if not can_ask():
        shown = "".join(f"\n  {line}" for line in listed)
        raise CommandFault(
            f"Nothing says which item {called} is billed as. It may be one of these:\n{shown}\n\n{UNCHANGED}",
            f"Name it: {map_command(code, found[0][0].identifier)}",
        )
    number = choose(f"What is {called} billed as?", listed)
    if number is None:
        raise CommandFault(f"Nothing was chosen for {called}. {UNCHANGED}", f"Search for another: {other}")
    return found[number][0]
