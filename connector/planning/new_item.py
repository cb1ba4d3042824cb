"""A catalog item that a person has made for a product code: what they said, and defaults for the rest."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.errors import CommandFault
from connector.model import CatalogRecord, Choice, NewItem, UsageRow
from connector.planning.directory import folded
from connector.planning.prices import Money, unit_prices

CLASSES = ("Agreement", "Service", "NonInventory", "Inventory")
"""What an agreement can carry; a Bundle it cannot."""

DESCRIPTION = 60
CUSTOMER_DESCRIPTION = 6000
_MOST_LISTED = 20
_MONEY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
_WITH_COMMA = re.compile(r"[0-9]+,[0-9]+", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person said of an item, less its references; None is what they left out."""

    identifier: str | None = None
    description: str | None = None
    customer_description: str | None = None
    product_class: str | None = None
    price: Decimal | None = None
    cost: Decimal | None = None
    taxable: bool | None = None


@dataclass(frozen=True, slots=True)
class References:
    """The rows of set-up tables that a new item is to name."""

    subcategory: Choice
    type: Choice
    unit: Choice | None = None


def proposed(code: str, name: str, cost: Decimal | None, wish: Wish, references: References) -> NewItem:
    """Return the item to create: what was said, else what the code and Sophos's name for it suggest."""
    said = one_line(wish.description or name) or code
    return NewItem(
        identifier=(wish.identifier or code.upper()).strip(),
        description=wish.description or cut_to_units(said, DESCRIPTION),
        customer_description=wish.customer_description or cut_to_units(said, CUSTOMER_DESCRIPTION),
        subcategory=references.subcategory.id,
        type=references.type.id,
        unit=references.unit.id if references.unit is not None else None,
        product_class=wish.product_class or CLASSES[0],
        price=wish.price,
        cost=wish.cost if wish.cost is not None else cost,
        taxable=bool(wish.taxable),
    )


def not_as_asked(record: CatalogRecord, new: NewItem) -> tuple[str, ...]:
    """Say what an item shows otherwise than it was to be created, as far as a list shows it."""
    pairs = (
        ("description", record.description, new.description),
        ("customer description", record.customer_description, new.customer_description),
        ("class", record.product_class, new.product_class),
        ("price", record.price, new.price),
        ("cost", record.cost, new.cost),
        ("taxable", record.taxable, new.taxable),
    )
    return tuple(
        f"its {name} is {shown}, not {wanted}"
        for name, shown, wanted in pairs
        if wanted is not None and _compared(shown) != _compared(wanted)
    )


def unit_cost(rows: Iterable[UsageRow]) -> Money | None:
    """Return what one unit costs the MSP, where all rows say the same, in one currency."""
    costs = {unit_prices(row).cost for row in rows}
    return costs.pop() if len(costs) == 1 else None


def money_of(text: str | None, option: str) -> Decimal | None:
    """Return an amount as a person typed it; raises CommandFault."""
    if text is None:
        return None
    said = text.strip()
    if _MONEY.fullmatch(said):
        return Decimal(said)
    hint = f"Write {said.replace(',', '.')}: a point before the cents." if _WITH_COMMA.fullmatch(said) else ""
    raise CommandFault(
        f"{option} {said!r} is no amount of money. Nothing was changed.",
        hint or "Write it as a plain number, such as 4.50, without a currency.",
    )


def class_of(text: str | None) -> str | None:
    """Return a class as ConnectWise spells it; raises CommandFault for one that an agreement cannot carry."""
    if text is None:
        return None
    for each in CLASSES:
        if folded(each) == folded(text):
            return each
    raise CommandFault(
        f"--class {text.strip()!r}: an item that an addition sells is of class {', '.join(CLASSES)}. "
        "Nothing was changed.",
        "Give one of them, or leave it out.",
    )


def pick(choices: Iterable[Choice], text: str, option: str) -> Choice:
    """Return the active row that a name or an id means; raises CommandFault."""
    listed, said = tuple(choices), text.strip()
    found = [each for each in listed if folded(each.name) == folded(said)]
    if _DIGITS.fullmatch(said):
        found += [each for each in listed if each.id == int(said) and each not in found]
    active = [each for each in found if not each.inactive]
    if len(active) == 1:
        return active[0]
    if active:
        which = f"means several: {_listed(active)}"
    else:
        which = "is inactive in ConnectWise" if found else "is not in ConnectWise"
    raise CommandFault(
        f"{option} {said!r} {which}. Nothing was changed.",
        f"Give the name or the id of one of these: {_listed(active_ones(active or listed))}.",
    )


def active_ones(choices: Iterable[Choice]) -> list[Choice]:
    """Return the rows that a new record may name, by name."""
    return sorted((each for each in choices if not each.inactive), key=lambda each: (each.name, each.id))


def no_choice(active: Sequence[Choice], option: str) -> CommandFault:
    """Return the fault of a reference that has to be said, and was not."""
    if not active:
        return CommandFault(
            f"ConnectWise has no active row to choose {option} from. Nothing was created.",
            "Add one under Setup Tables in ConnectWise.",
        )
    return CommandFault(
        f"Nothing says which {option.removeprefix('--')} the item is to have. Nothing was created.",
        f"Give {option} with the name or the id of one of these: {_listed(active)}.",
    )


def cut_to_units(text: str, most: int) -> str:
    """Return a text cut to so many characters as ConnectWise counts them, none of them halved."""
    while len(text.encode("utf-16-le", "surrogatepass")) > 2 * most:
        text = text[:-1]
    return text.rstrip()


def _listed(choices: Sequence[Choice]) -> str:
    shown = ", ".join(f"{each.name} ({each.id})" for each in choices[:_MOST_LISTED])
    left = len(choices) - _MOST_LISTED
    return f"{shown} and {left} more" if left > 0 else shown


def one_line(text: str) -> str:
    """Return a text without line breaks and characters that cannot be seen."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _compared(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value
