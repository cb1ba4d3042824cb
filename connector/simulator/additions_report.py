"""The report AgreementAdditions: all additions in few calls (reference/connectwise-api.md, section 9)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Response, request

from .conditions import parse
from .connectwise_answers import BadRequestError, connectwise_json
from .connectwise_records import Addition
from .connectwise_shapes import date_text
from .lists import Shape, page_number, page_size
from .world import World

NAMES = (
    "SalesOrder",
    "Service",
    "AgreementAdditions",
    "AgreementList",
    "ChargeCode",
    "Company",
    "InventoryItem",
)
"""Some of the 264 report names a live server lists."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the report and where its value comes from."""

    name: str
    type: str
    value: Callable[[World, Addition], Any]

    def definition(self) -> dict[str, Any]:
        """Describe the column as `column_definitions` does."""
        details = {"type": self.type, "isNullable": True, "identityColumn": self.name == "Addition_RecId"}
        return {self.name: details}


def _times(addition: Addition, amount: Decimal | None) -> Decimal:
    return (addition.quantity or Decimal(0)) * (amount or Decimal(0))


def _to_bill(addition: Addition) -> Decimal:
    return max((addition.quantity or Decimal(0)) - (addition.less_included or 0), Decimal(0))


COLUMNS = (
    Column("AGR_Name", "Text", lambda w, a: w.agreements[a.agreement_id].name),
    Column("AGR_RecID", "Numeric", lambda _, a: a.agreement_id),
    Column("Addition_RecId", "Numeric", lambda _, a: a.id),
    Column("Addition_Status", "Text", lambda w, a: a.status_on(w.today)),
    Column("Bill_Customer", "Boolean", lambda _, a: a.bill_customer == "Billable"),
    Column("Cancelled_Date", "DateTime", lambda _, a: date_text(a.cancelled)),
    Column("Effective_Date", "DateTime", lambda _, a: date_text(a.effective)),
    Column("Ext_Cost", "Numeric", lambda _, a: _times(a, a.unit_cost)),
    Column("Ext_Price", "Numeric", lambda _, a: _times(a, a.unit_price)),
    Column("Last_Update", "DateTime", lambda _, a: a.trace.updated_at),
    Column("Last_Update_UTC", "DateTime", lambda _, a: a.trace.updated_at),
    Column("Less_Included", "Numeric", lambda _, a: a.less_included),
    Column("Margin", "Numeric", lambda _, a: _times(a, a.unit_price) - _times(a, a.unit_cost)),
    Column("Product_Description", "Text", lambda w, a: w.items[a.item_id].description),
    Column("Product_RecId", "Numeric", lambda _, a: a.item_id),
    Column("Purchase_Item_Flag", "Boolean", lambda _, a: a.purchase_item),
    Column("QuantityToBill", "Numeric", lambda _, a: _to_bill(a)),
    Column("Sequence_Number", "Numeric", lambda _, a: a.sequence_number),
    Column("Serial_Number", "Text", lambda _, a: a.serial_number),
    Column("Taxable", "Boolean", lambda _, a: a.taxable),
    Column("Time_Zone", "Text", lambda _w, _a: "GMT Standard Time"),
    Column("Total_Quantity", "Numeric", lambda _, a: a.quantity),
    Column("Unit_Cost", "Numeric", lambda _, a: a.unit_cost),
    Column("Unit_Price", "Numeric", lambda _, a: a.unit_price),
    Column("Updated_By", "Text", lambda _, a: a.trace.updated_by),
)


def report_rows(world: World, matching: Callable[[int], Sequence[Addition]]) -> Response:
    """Answer one page of positional rows; paging and conditions as on lists, which is unverified."""
    columns = _chosen()
    size, page = page_size(world), page_number()
    found = matching(page)
    rows = found[(page - 1) * size : page * size]
    return connectwise_json(
        {
            "column_definitions": [column.definition() for column in columns],
            "row_values": [[column.value(world, addition) for column in columns] for addition in rows],
        }
    )


def report_columns() -> Response:
    """Answer the columns alone."""
    definitions = [column.definition() for column in COLUMNS]
    return connectwise_json({"column_definitions": definitions, "row_values": []})


def report_count(matching: Callable[[int], Sequence[Addition]]) -> Response:
    """Answer the number of rows."""
    return connectwise_json({"count": len(matching(1))})


class Matching:
    """The additions that a query means, by id; the pages after the first need no second look at all."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key: object = None
        self._left: list[Addition] = []

    def __call__(self, page: int) -> Sequence[Addition]:
        """Return what `conditions` leave of what the API member may see."""
        world = self._world
        found, text = world.additions.by_id(), request.args.get("conditions", "").strip()
        hidden = world.additions_hidden
        if hidden:
            found = [addition for addition in found if addition.agreement_id not in hidden]
        if not text:
            return found
        key = text, world.additions.moved, frozenset(hidden)
        if page == 1 or key != self._key:
            properties = {column.name: _of(world, column) for column in COLUMNS}
            shape: Shape[Addition] = Shape("AgreementAdditions", properties)
            test = parse(text)
            self._left = [addition for addition in found if test(partial(shape.value, addition))]
            self._key = key
        return self._left


def _of(world: World, column: Column) -> Callable[[Addition], Any]:
    return lambda addition: column.value(world, addition)


def _chosen() -> list[Column]:
    """Read `columns`; `fields` does not work on reports (section 2)."""
    wanted = request.args.get("columns")
    if not wanted:
        return list(COLUMNS)
    by_name = {column.name.casefold(): column for column in COLUMNS}
    try:
        return [by_name[name.strip().casefold()] for name in wanted.split(",")]
    except KeyError as unknown:
        raise BadRequestError(f"Column {unknown} does not exist") from None
