"""The rules for writing catalog items (reference/connectwise-api.md, section 7.2; checklist row 8)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from .connectwise_answers import Fault400, InvalidObjectError, WrongTypeError
from .connectwise_records import Item, Lookup, Write
from .record_writing import (
    Writable,
    apply,
    flag,
    number,
    one_of,
    operations,
    record_of,
    required,
    text,
    too_long,
    whole,
    write_body,
)
from .world import World

RESOURCE = "catalogItem"
_CLASSES = one_of("ProductClass", "Agreement", "Bundle", "Inventory", "NonInventory", "Service")
_LIMITS = {
    "identifier": ("identifier", 75),
    "description": ("description", 60),
    "customer_description": ("customerDescription", 6000),
    "manufacturer_part_number": ("manufacturerPartNumber", 50),
    "vendor_sku": ("vendorSku", 50),
    "integration_xref": ("integrationXRef", 50),
}
_REQUIRED = {
    "identifier": "identifier",
    "description": "description",
    "subcategory_id": "subcategory",
    "type_id": "type",
    "customer_description": "customerDescription",
}
DERIVED = frozenset({"id", "category", "calculatedPrice", "calculatedCost", "connectWiseID", "_info"})


class CatalogRules:
    """Creates and changes catalog items of one world as the API member."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._writables = {
            "identifier": Writable("identifier", text),
            "description": Writable("description", text),
            "customerDescription": Writable("customer_description", text),
            "inactiveFlag": Writable("inactive", flag),
            "productClass": Writable("product_class", _CLASSES),
            "price": Writable("price", number),
            "cost": Writable("cost", number),
            "taxableFlag": Writable("taxable", flag),
            "serializedFlag": Writable("serialized", flag),
            "vendorSku": Writable("vendor_sku", text),
            "manufacturerPartNumber": Writable("manufacturer_part_number", text),
            "integrationXRef": Writable("integration_xref", text),
            "notes": Writable("notes", text),
            "subcategory": Writable("subcategory_id", _reader(lambda: world.tables.subcategories)),
            "type": Writable("type_id", _reader(lambda: world.tables.product_types)),
            "unitOfMeasure": Writable("unit_id", _reader(lambda: world.tables.units)),
        }

    def create(self, body: Any) -> Item:
        """Create an item; five properties are required, the class is NonInventory unless said."""
        item = Item(0, "", "", "", self.world.trace(self.world.api_member), product_class="NonInventory")
        item.subcategory_id = item.type_id = 0
        write_body(item, record_of(body), self._writables, RESOURCE)
        self._check(item)
        item.id = self.world.new_id("item")
        self.world.items[item.id] = item
        self.world.record_write(Write("POST", None, None, None, _copy(item), item.id))
        return item

    def change(self, item: Item, body: Any) -> Item:
        """PATCH: all operations as one save, validating the whole record; additions keep their prices."""
        strict = self.world.unknown_paths_refused
        found = operations(body, self._writables, DERIVED, RESOURCE, strict=strict)
        before, changed = _copy(item), _copy(item)
        apply(changed, found, self._writables, RESOURCE)
        self._check(changed)
        for name in Item.__slots__:
            setattr(item, name, getattr(changed, name))
        self.world.touch(item, self.world.api_member)
        self.world.record_write(Write("PATCH", None, None, before, _copy(item), item.id))
        return item

    def _check(self, item: Item) -> None:
        item.price, item.cost = item.price or Decimal(0), item.cost or Decimal(0)
        faults = required(item, _REQUIRED) + too_long(item, _LIMITS)
        faults += [
            Fault400("MissingRequiredField", f"The {name} field is required.", name)
            for attribute, name in (("subcategory_id", "subcategory"), ("type_id", "type"))
            if getattr(item, attribute) == 0
        ]
        faults += [
            Fault400("NotFound", f"{name} not found", f"{name}/id")
            for attribute, name in (
                ("subcategory_id", "subcategory"),
                ("type_id", "type"),
                ("unit_id", "unitOfMeasure"),
            )
            if getattr(item, attribute) == -1
        ]
        folded = (item.identifier or "").strip().casefold()
        if any(
            other.id != item.id and other.identifier.strip().casefold() == folded
            for other in self.world.items.values()
        ):
            faults.append(Fault400("ObjectExists", "The identifier is already in use.", "identifier"))
        if faults:
            raise InvalidObjectError(RESOURCE, faults)


def _reader(table: Callable[[], tuple[Lookup, ...]]) -> Any:
    """Read a reference to a setup row by id or name; -1 stands for one that does not exist."""

    def read(value: Any, path: str) -> int | None:
        if value is None:
            return None
        said: Mapping[str, Any] = record_of(value, path)
        if said.get("id") is not None:
            wanted = whole(said["id"], f"{path}.id")
            return next((row.id for row in table() if row.id == wanted), -1)
        name = said.get("name")
        if not isinstance(name, str):
            raise WrongTypeError(value, "Reference", path)
        return next((row.id for row in table() if row.name.strip().casefold() == name.strip().casefold()), -1)

    return read


def _copy(item: Item) -> Item:
    return replace(item, trace=replace(item.trace))
