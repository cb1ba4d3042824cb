"""What a person wants changed of a catalog item: only what differs, shown before and after."""

from dataclasses import dataclass

from connector.model import CatalogRecord, Choice, ItemPatch
from connector.planning.directory import folded
from connector.planning.new_item import Wish

NOTES = {
    "customer description": (
        "Sophos's own ConnectWise integration finds its products by the customer description, which it says "
        "must not be changed. Where it is in use for this item, it may make the product again."
    ),
    "price": "Additions that bill already keep the price that they have.",
    "inactive": "No new addition can be made of an inactive item; those that are there go on billing.",
}
"""What a person should know who changes this field."""


@dataclass(frozen=True, slots=True)
class WishedReferences:
    """The rows of set-up tables that a person named."""

    subcategory: Choice | None = None
    type: Choice | None = None
    unit: Choice | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an item, before and after."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class ItemEdit:
    """The fields that change, and the patch that changes them."""

    changes: tuple[FieldChange, ...]
    patch: ItemPatch

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know who does this."""
        told = [each for each in self.changes if each.name != "inactive" or each.after]
        return tuple(NOTES[each.name] for each in told if each.name in NOTES)


def item_edit(
    record: CatalogRecord, wish: Wish, references: WishedReferences, *, inactive: bool | None
) -> ItemEdit:
    """Return what has to change for the item to be as wished; what nobody spoke of stays."""
    changes: list[FieldChange] = []

    def changed(name: str, before: object, after: object) -> bool:
        if after is None or _compared(before) == _compared(after):
            return False
        changes.append(FieldChange(name, before, after))
        return True

    def renamed(name: str, before: str, after: Choice | None) -> int | None:
        if after is None or folded(before) == folded(after.name):
            return None
        changes.append(FieldChange(name, before, after.name))
        return after.id

    text = changed("description", record.description, wish.description)
    customer = changed("customer description", record.customer_description, wish.customer_description)
    patch = ItemPatch(
        description=wish.description if text else None,
        customer_description=wish.customer_description if customer else None,
        subcategory=renamed("subcategory", record.subcategory, references.subcategory),
        type=renamed("type", record.type, references.type),
        unit=renamed("unit", record.unit, references.unit),
        product_class=wish.product_class
        if changed("class", record.product_class, wish.product_class)
        else None,
        price=wish.price if changed("price", record.price, wish.price) else None,
        cost=wish.cost if changed("cost", record.cost, wish.cost) else None,
        taxable=wish.taxable if changed("taxable", record.taxable, wish.taxable) else None,
        inactive=inactive if changed("inactive", record.inactive, inactive) else None,
    )
    return ItemEdit(tuple(changes), patch)


def _compared(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value
