"""The options that say what a catalog item is to be, and asking for those that are missing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.asking import ask_text, can_ask, choose, confirm
from connector.cli.terminal import tell
from connector.errors import CommandFault

if TYPE_CHECKING:
    from decimal import Decimal

    from connector.model import Choice
    from connector.vendors.connectwise_items import ConnectWiseCatalog

Identifier = Annotated[str | None, typer.Option("--identifier", help="Its id for people; else the code.")]
Description = Annotated[
    str | None, typer.Option("--description", help="Its description; else what Sophos calls the product.")
]
CustomerDescription = Annotated[
    str | None, typer.Option("--customer-description", help="What invoices call it; else the description.")
]
Subcategory = Annotated[str | None, typer.Option("--subcategory", help="Name or id of the subcategory.")]
ProductType = Annotated[str | None, typer.Option("--type", help="Name or id of the product type.")]
Unit = Annotated[str | None, typer.Option("--unit", help="Name or id of the unit of measure.")]
ProductClass = Annotated[
    str | None, typer.Option("--class", help="Agreement, Service, NonInventory or Inventory.")
]
Price = Annotated[str | None, typer.Option("--price", help="What a customer pays for one unit: 4.50")]
Cost = Annotated[str | None, typer.Option("--cost", help="What one unit costs; else what Sophos asks.")]
Taxable = Annotated[bool | None, typer.Option("--taxable/--no-taxable", help="Whether it is taxed.")]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Whether new additions can be made of it.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def choice_for(choices: "Sequence[Choice]", text: str | None, option: str, *, ask: bool) -> "Choice":
    """Return the row that was named, else the only one there is, else the one that a person chooses."""
    from connector.planning.new_item import active_ones, no_choice, pick

    if text is not None:
        return pick(choices, text, option)
    active = active_ones(choices)
    if len(active) == 1:
        return active[0]
    listed = [f"{each.name} ({each.id})" for each in active]
    number = choose(f"Which {option.removeprefix('--')} is the item to have?", listed) if ask else None
    if number is None:
        raise no_choice(active, option)
    return active[number]


def named_choices(
    catalog: "ConnectWiseCatalog", subcategory: str | None, product_type: str | None, unit: str | None
) -> "tuple[Choice | None, Choice | None, Choice | None]":
    """Return the rows that a person named; no table is read for what nobody named."""
    from connector.planning.new_item import pick

    return (
        pick(catalog.subcategories(), subcategory, "--subcategory") if subcategory is not None else None,
        pick(catalog.product_types(), product_type, "--type") if product_type is not None else None,
        pick(catalog.units(), unit, "--unit") if unit is not None else None,
    )


def price_for(code: str, price: "Decimal | None", *, ask: bool) -> "Decimal":
    """Return the price that was said, else the one that a person types; nothing is sold for 0 unasked."""
    from connector.planning.new_item import money_of

    if price is None and not ask:
        raise CommandFault(
            f"Nothing says what {code} is sold for. Nothing was created.",
            "Give --price, such as --price 4.50; --price 0 for what is free.",
        )
    while price is None:
        said = ask_text(f"Price of one {code} for a customer")
        try:
            price = money_of(said, "The price")
        except CommandFault as fault:
            tell(f"{fault.message.removesuffix(' Nothing was changed.')} {fault.next_step}")
    return price


def must_agree(question: str, *, yes: bool, untouched: str) -> None:
    """Ask before something is written to ConnectWise; raises CommandFault unless a person agrees."""
    if yes:
        return
    if not can_ask():
        raise CommandFault(
            f"Nobody can be asked here. {untouched}",
            "Look at it with --dry-run, then run the same command with --yes.",
        )
    if not confirm(question):
        raise CommandFault(f"Not agreed to. {untouched}", "Say otherwise with the options; see --help.")
