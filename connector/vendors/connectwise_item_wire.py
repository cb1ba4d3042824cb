"""Catalog items in ConnectWise's words: what is read, what may be sent, and what an answer shows of it."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from connector.model import CatalogRecord, Choice, ItemPatch, NewItem
from connector.vendors.connectwise_json import Inexact, encoded, number
from connector.vendors.fields import (
    Malformed,
    Record,
    at,
    flag_in,
    label_in,
    quantity_in,
    required_id,
    text_in,
)

RECORD_FIELDS = (
    "id,identifier,description,customerDescription,subcategory/id,subcategory/name,category/name,"
    "type/id,type/name,unitOfMeasure/id,unitOfMeasure/name,productClass,price,cost,taxableFlag,inactiveFlag"
)
CHOICE_FIELDS = "id,name,inactiveFlag"

_LIMITS = {"identifier": 75, "description": 60, "customerDescription": 6000}
_REFERENCES = frozenset({"subcategory", "type", "unitOfMeasure"})
_LONGEST_NAME = 50
_WORDS = {"customerDescription": "customer description", "unitOfMeasure": "unit", "productClass": "class"}
_CLASSES = ("Agreement", "Bundle", "Inventory", "NonInventory", "Service")
_LARGEST = 15

# A tab works and a line's end is shown as a blank; whatever else is no letter is no text.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LAYOUT = re.compile(r"[\t\r\n]")


def catalog_record(record: Record) -> CatalogRecord:
    """Return one catalog item."""
    return CatalogRecord(
        id=required_id(record, "id"),
        identifier=label_in(record, "identifier"),
        description=text_in(record, "description"),
        customer_description=text_in(record, "customerDescription"),
        subcategory=label_in(record, "subcategory/name"),
        category=label_in(record, "category/name"),
        type=label_in(record, "type/name"),
        unit=label_in(record, "unitOfMeasure/name"),
        product_class=text_in(record, "productClass"),
        price=_money(record, "price"),
        cost=_money(record, "cost"),
        taxable=flag_in(record, "taxableFlag"),
        inactive=flag_in(record, "inactiveFlag"),
    )


def choice(record: Record) -> Choice:
    """Return one row of a set-up table."""
    return Choice(
        id=required_id(record, "id"),
        name=label_in(record, "name"),
        inactive=flag_in(record, "inactiveFlag"),
    )


def _money(record: Record, path: str) -> Decimal | None:
    # ConnectWise keeps doubles: what adding up left behind the cent is still the price it has.
    return quantity_in(record, path, decimals=30, below=_LARGEST)


# Writing -----------------------------------------------------------------------------------------


def faults(what: NewItem | ItemPatch) -> tuple[str, ...]:
    """Say what ConnectWise would refuse, or keep otherwise than said, before anything is sent."""
    return tuple(
        f"{_WORDS.get(name, name)} {fault}"
        for name, value in _said(what).items()
        for fault in _faults(name, value)
    )


def creation(new: NewItem) -> bytes:
    """Return the body of a POST."""
    return encoded({name: _json(name, value) for name, value in _said(new).items()})


def operations(patch: ItemPatch) -> bytes:
    """Return the body of a PATCH: one operation for each field that is set."""
    said = _said(patch)
    if not said:
        raise ValueError("a patch that sets nothing")
    return encoded(
        [{"op": "replace", "path": name, "value": _json(name, value)} for name, value in said.items()]
    )


def differences(record: Record, what: NewItem | ItemPatch) -> tuple[str, ...]:
    """Say what a record does not show as it was asked; a missing field is not shown."""
    return tuple(_differences(record, _said(what)))


def contradictions(record: Record, what: NewItem | ItemPatch) -> tuple[str, ...]:
    """Say what a record shows otherwise than was asked; a missing field says nothing."""
    said = _said(what).items()
    shown = {name: value for name, value in said if at(record, _path(name, value)) is not None}
    return tuple(_differences(record, shown))


def _said(what: NewItem | ItemPatch) -> dict[str, object]:
    """Return all that is said of an item, by ConnectWise's names."""
    pairs = (
        ("identifier", what.identifier if isinstance(what, NewItem) else None),
        ("description", what.description),
        ("customerDescription", what.customer_description),
        ("subcategory", what.subcategory),
        ("type", what.type),
        ("unitOfMeasure", what.unit),
        ("productClass", what.product_class),
        ("price", what.price),
        ("cost", what.cost),
        ("taxableFlag", what.taxable),
        ("inactiveFlag", what.inactive if isinstance(what, ItemPatch) else None),
    )
    return {name: value for name, value in pairs if value is not None}


def _json(name: str, value: object) -> object:
    if isinstance(value, Decimal):
        return number(value)
    if name in _REFERENCES:
        return {"id" if isinstance(value, int) else "name": value}
    return value


def _faults(name: str, value: object) -> Iterator[str]:
    match value:
        case bool():
            pass
        case Decimal():
            yield from _money_faults(value)
        case str() if name == "productClass":
            if value not in _CLASSES:
                yield f"is none of {', '.join(_CLASSES)}"
        case str():
            yield from _text_faults(name, value)
        case int() if value < 1:
            yield f"{value} is no id that a record can have"


def _money_faults(amount: Decimal) -> Iterator[str]:
    if not amount.is_finite() or (amount and amount.adjusted() >= _LARGEST):
        yield "is no amount of money that an item can have"
        return
    try:
        number(amount)
    except Inexact as flaw:
        yield f"of {flaw}"


def _text_faults(name: str, text: str) -> Iterator[str]:
    limit = _LIMITS.get(name, _LONGEST_NAME)
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2  # as ConnectWise counts
    if not text.strip():
        yield "is empty"
    if length > limit:
        yield f"is {length} characters long, and {limit} is the most"
    if _UNSENDABLE.search(text) or (name != "customerDescription" and _LAYOUT.search(text)):
        yield "holds a control character"


def _differences(record: Record, wanted: Mapping[str, object]) -> Iterator[str]:
    for name, value in wanted.items():
        try:
            shown = _shown(record, name, value)
        except Malformed as flaw:
            yield f"{flaw}"
            continue
        if _compared(name, shown) != _compared(name, value):
            said = _path(name, value)
            yield f"{said} is {'not shown' if shown is None else shown}, not {value}"


def _shown(record: Record, name: str, like: object) -> object:
    path = _path(name, like)
    match like:
        case bool():
            return flag_in(record, path)
        case int():
            return required_id(record, path)
        case Decimal():
            return _money(record, path)
        case _:
            return text_in(record, path) or None


def _path(name: str, value: object) -> str:
    """Return where a record shows what is said of it."""
    if name not in _REFERENCES:
        return name
    return f"{name}/id" if isinstance(value, int) else f"{name}/name"


def _compared(name: str, value: object) -> object:
    """Return a value as two of them compare: line ends come back as blanks, and case counts in no name."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return line.casefold() if name in _REFERENCES or name == "identifier" else line
