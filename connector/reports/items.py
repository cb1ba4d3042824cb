"""Catalog items of ConnectWise, and the lines that use them, as JSON documents and as text."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from connector.model import CatalogRecord, NewItem
from connector.planning.aftermath import ItemLine
from connector.planning.change import plain
from connector.planning.item_edit import FieldChange, ItemEdit
from connector.planning.new_item import References
from connector.planning.prices import Money
from connector.reports.survey import money_cells

Document = dict[str, Any]

FIELDS = (
    ("identifier", "identifier"),
    ("description", "description"),
    ("customer description", "customer_description"),
    ("subcategory", "subcategory"),
    ("type", "type"),
    ("unit", "unit"),
    ("class", "product_class"),
    ("price", "price"),
    ("cost", "cost"),
    ("taxable", "taxable"),
    ("inactive", "inactive"),
)
"""What people call each field, and what the model does."""


def item_document(item: CatalogRecord) -> Document:
    """Return an item; money is text."""
    return {
        "id": item.id,
        "identifier": item.identifier,
        "description": item.description,
        "customer_description": item.customer_description,
        "category": item.category,
        "subcategory": item.subcategory,
        "type": item.type,
        "unit": item.unit,
        "class": item.product_class,
        "price": _money(item.price),
        "cost": _money(item.cost),
        "taxable": item.taxable,
        "active": not item.inactive,
    }


def items_document(text: str, found: Iterable[tuple[CatalogRecord, str]]) -> Document:
    """Return what a search found, each with the reason for its rank, as `connector.items/1`."""
    return {
        "schema": "connector.items/1",
        "text": text,
        "items": [item_document(item) | {"reason": reason} for item, reason in found],
    }


def line_document(line: ItemLine) -> Document:
    """Return a line that bills."""
    return {
        "addition_id": line.addition.id,
        "company": line.company,
        "agreement_id": line.addition.agreement_id,
        "agreement": line.agreement,
        "item_id": line.addition.item_id,
        "item": line.item,
        "quantity": plain(line.addition.quantity),
        "managed": line.managed,
    }


def line_text(line: ItemLine) -> str:
    """Name a line as people find it in ConnectWise."""
    where = f"{line.company}, {line.agreement} ({line.addition.agreement_id})"
    return f"{where}: {plain(line.addition.quantity)} {line.item}, addition {line.addition.id}"


def shown_field(value: object) -> str:
    """Return a field of an item as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return money_cells((Money(value, ""),))[0]
    return "-" if value in {None, ""} else str(value)


def candidate_text(item: CatalogRecord, reason: str) -> str:
    """Return an item as a person chooses it from a list."""
    price = shown_field(item.price)
    return f"{item.identifier}  {item.description}  {item.product_class}  {price}  ({reason})"


def field_lines(fields: Sequence[tuple[str, str]]) -> list[str]:
    """Return names and values, one below the other."""
    width = max(len(name) for name, _ in fields)
    return [f"  {name:<{width}}  {' '.join(value.split())}" for name, value in fields]


def item_lines(item: CatalogRecord) -> list[str]:
    """Return an item as text."""
    return field_lines([(name, shown_field(getattr(item, field))) for name, field in FIELDS])


def new_item_document(new: NewItem, references: References) -> Document:
    """Return an item that is to be created."""
    record = _as_record(new, references)
    return item_document(record) | {"id": None}


def new_item_lines(new: NewItem, references: References, cost: Money | None) -> list[str]:
    """Return an item that is to be created as text; `cost` is what Sophos asks for one unit."""
    fields = [
        (name, shown_field(getattr(_as_record(new, references), field)))
        for name, field in FIELDS
        if name != "inactive"
    ]
    if cost is not None and cost.amount == new.cost:
        fields = [
            (name, f"{value} {cost.currency}, as Sophos bills it" if name == "cost" else value)
            for name, value in fields
        ]
    return field_lines(fields)


def change_lines(changes: Sequence[FieldChange]) -> list[str]:
    """Return each field before and after."""
    return (
        field_lines(
            [(each.name, f"{shown_field(each.before)} -> {shown_field(each.after)}") for each in changes]
        )
        if changes
        else []
    )


def edit_document(code: str, item: CatalogRecord, wanted: ItemEdit, *, dry_run: bool) -> Document:
    """Return what was changed of an item, as `connector.item_edit/1`; `item` is what it is now."""
    return {
        "schema": "connector.item_edit/1",
        "code": code,
        "changed": bool(wanted.changes),
        "dry_run": dry_run,
        "changes": [
            {"field": each.name, "before": _plain(each.before), "after": _plain(each.after)}
            for each in wanted.changes
        ],
        "item": item_document(item),
        "notes": list(wanted.notes),
    }


def _as_record(new: NewItem, references: References) -> CatalogRecord:
    return CatalogRecord(
        id=0,
        identifier=new.identifier,
        description=new.description,
        customer_description=new.customer_description,
        subcategory=references.subcategory.name,
        type=references.type.name,
        unit=references.unit.name if references.unit is not None else "",
        product_class=new.product_class,
        price=new.price,
        cost=new.cost,
        taxable=new.taxable,
    )


def _plain(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value


def _money(amount: Decimal | None) -> str | None:
    return plain(amount) if amount is not None else None
