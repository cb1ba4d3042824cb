"""`products add`, `show` and `edit`: the catalog item of a product code, in ConnectWise."""

from typing import TYPE_CHECKING

import typer

from connector.cli.arguments import Code
from connector.cli.desk import Desk, at_desk
from connector.cli.edits import DryRun
from connector.cli.invocation import (
    Common,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)
from connector.cli.item_options import (
    Active,
    Cost,
    CustomerDescription,
    Description,
    Identifier,
    Price,
    ProductClass,
    ProductType,
    Subcategory,
    Taxable,
    Unit,
    Yes,
    must_agree,
    named_choices,
)
from connector.cli.terminal import answer, tell

if TYPE_CHECKING:
    from connector.model import CatalogRecord
    from connector.planning.directory import Directory


def register(group: typer.Typer) -> None:
    """Add the commands to the group."""
    group.command("add")(add)
    group.command("show")(show)
    group.command("edit")(edit)


def add(
    ctx: typer.Context,
    code: Code,
    identifier: Identifier = None,
    description: Description = None,
    customer_description: CustomerDescription = None,
    subcategory: Subcategory = None,
    product_type: ProductType = None,
    unit: Unit = None,
    product_class: ProductClass = None,
    price: Price = None,
    cost: Cost = None,
    taxable: Taxable = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Create a catalog item in ConnectWise for a product code, and map the code to it."""
    from connector.cli.adding import Adding
    from connector.planning.new_item import Wish, class_of, money_of
    from connector.runs.product_mapping import month_seen

    wish = Wish(
        identifier=identifier,
        description=description,
        customer_description=customer_description,
        product_class=class_of(product_class),
        price=money_of(price, "--price"),
        cost=money_of(cost, "--cost"),
        taxable=taxable,
    )
    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called, create=True) as desk:
        at = month_seen(desk.look_for(code=code), desk.file, desk.ledger)
        connectwise, terminal = desk.connectwise, desk.terminal
    # Outside, so that no progress bar is drawn over a question.
    adding = Adding(called, at, connectwise, terminal, wish, yes=yes, dry_run=dry_run)
    adding.add(at.code(code), subcategory, product_type, unit)


def show(
    ctx: typer.Context,
    code: Code,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Show a product code's item as ConnectWise has it, and the additions that use it."""
    from connector.reports.document import json_text
    from connector.reports.escape import printable
    from connector.reports.items import item_document, item_lines, line_document, line_text
    from connector.runs.product_lines import agreements_of, live_lines

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called) as desk:
        found, item, directory = _item_of(desk, code)
        wanted = agreements_of(desk.file.mappings, directory, desk.ledger)
        known = desk.ledger.known_additions()
        read = live_lines(desk.connectwise, directory, known, wanted, desk.terminal)
    lines = [each for each in read if each.addition.item_id == item.id]
    if called.json:
        document = {"schema": "connector.item/1", "code": found, "item": item_document(item)}
        answer(json_text(document | {"additions": [line_document(each) for each in lines]}))
        return
    told = [f"{found} is billed as item {item.id}:", *item_lines(item), ""]
    told.append("Additions that use it:" if lines else "No addition uses it on the agreements of the map.")
    told += [f"  {line_text(each)}{'' if each.managed else ', not managed by us'}" for each in lines]
    answer("\n".join(printable(each) for each in told))


def edit(
    ctx: typer.Context,
    code: Code,
    description: Description = None,
    customer_description: CustomerDescription = None,
    subcategory: Subcategory = None,
    product_type: ProductType = None,
    unit: Unit = None,
    product_class: ProductClass = None,
    price: Price = None,
    cost: Cost = None,
    taxable: Taxable = None,
    active: Active = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Change a product code's item in ConnectWise: just the fields that are named."""
    from connector.errors import CommandFault
    from connector.planning.item_edit import WishedReferences, item_edit
    from connector.planning.new_item import Wish, class_of, money_of
    from connector.reports.document import json_text
    from connector.reports.escape import printable
    from connector.reports.items import change_lines, edit_document
    from connector.runs.items import must_be_sendable, patch_item

    wish = Wish(
        description=description,
        customer_description=customer_description,
        product_class=class_of(product_class),
        price=money_of(price, "--price"),
        cost=money_of(cost, "--cost"),
        taxable=taxable,
    )
    if wish == Wish() and (subcategory, product_type, unit, active) == (None,) * 4:
        raise CommandFault("Nothing says what to change.", "Name a field: connector products edit --help")
    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    with at_desk(called) as desk:
        found, item, _ = _item_of(desk, code)
        catalog = desk.connectwise.catalog
        references = WishedReferences(*named_choices(catalog, subcategory, product_type, unit))
    wanted = item_edit(item, wish, references, inactive=None if active is None else not active)
    told = [printable(each) for each in (*change_lines(wanted.changes), *wanted.notes)]
    if wanted.changes:
        must_be_sendable(wanted.patch)
        if not dry_run:
            if not yes:
                tell(
                    "\n".join(
                        [f"Item {printable(item.identifier)} ({item.id}) of {printable(found)}:", *told]
                    )
                )
            must_agree("Change it in ConnectWise?", yes=yes, untouched="The item was not changed.")
            item = patch_item(catalog, item.id, wanted.patch)
    if called.json:
        answer(json_text(edit_document(found, item, wanted, dry_run=dry_run)))
    elif told:
        answer("\n".join(told))
    name = f"{printable(item.identifier)} ({item.id})"
    if not wanted.changes:
        tell(f"{name} is so already; nothing was sent.")
    else:
        tell(f"{name} was not changed (--dry-run)." if dry_run else f"{name} was changed.")


def _item_of(desk: Desk, text: str) -> "tuple[str, CatalogRecord, Directory]":
    """Return a code of the map and the item that it is mapped to; raises CommandFault."""
    from connector.runs.mapped_item import mapped_item
    from connector.runs.reading import read_directory

    maps = (desk.file.mappings,)
    directory = read_directory(desk.connectwise, desk.ledger, maps, desk.setup.today, desk.terminal)
    found, item = mapped_item(desk.connectwise.catalog, desk.file.mappings, directory, text)
    return found, item, directory
