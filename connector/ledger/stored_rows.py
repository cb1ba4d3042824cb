"""The rows of a snapshot as a run works with them: read as they are needed, never all at a time."""

import json
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal

from connector.ledger.recall import shown
from connector.ledger.records import quantity_of
from connector.ledger.store import Ledger
from connector.model import UsageLine, UsageRow

_BATCH = 1000
_NAMES = ("account_id", "external_id", "serial", "product_code", "quantity", "received")
_SLOTS = tuple(UsageRow.__dict__[name].__set__ for name in _NAMES)
"""Fills the slots of a row past its constructor: a month has a million rows."""


_LINES = """
SELECT
    account_id, external_id, serial, product_code, part,
    sum(iif(part IS NULL, CAST(quantity AS INTEGER), NULL)), count(*)
FROM (
    SELECT *, iif(quantity NOT GLOB '*[^0-9]*' AND length(quantity) < 13, NULL, quantity) AS part
    FROM usage_rows
    WHERE usage = ?
)
GROUP BY account_id, product_code, external_id, serial, part
"""
"""Whole units are added up as integers, which SQLite does exactly; what is a part of one, or negative, or so
large that a million of it might not fit, is only counted."""


class StoredRow(UsageRow):
    """A row as it is stored: what only `received` says is read there when somebody asks for it."""

    __slots__ = ()

    @property
    def description(self) -> str:
        """What Sophos calls the product."""
        return shown(json.loads(self.received).get("productDescription"))

    @property
    def group(self) -> str:
        """Sophos's product group."""
        return shown(json.loads(self.received).get("productGroup"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UsageRow) and _said(self) == _said(other)

    __hash__ = UsageRow.__hash__


class StoredRows:
    """The rows of a snapshot in their order, read from the ledger on each pass; never all at a time.

    The ledger has to be open meanwhile.
    """

    def __init__(self, ledger: Ledger, number: int, count: int) -> None:
        """Name the snapshot, and say how many rows it has."""
        self.number = number
        self._ledger = ledger
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[UsageRow]:
        make = object.__new__
        put_account, put_external, put_serial, put_code, put_quantity, put_received = _SLOTS
        after = -1
        while True:
            # In batches, each a statement of its own: nothing is left open while the month is planned.
            batch = self._ledger.tuples(
                "SELECT account_id, external_id, serial, product_code, quantity, received, number "
                "FROM usage_rows WHERE usage = ? AND number > ? ORDER BY number LIMIT ?",
                self.number,
                after,
                _BATCH,
            )
            if not batch:
                return
            for account_id, external_id, serial, code, text, received, _ in batch:
                row = make(StoredRow)
                put_account(row, account_id)
                put_external(row, external_id)
                put_serial(row, serial)
                put_code(row, code)
                put_quantity(row, quantity_of(text))
                put_received(row, received)
                yield row
            after = batch[-1][-1]

    def lines(self) -> Iterator[UsageLine]:
        """Return what sums are made of, without making the rows; SQLite adds up what is alike."""
        lines = self._ledger.stream(_LINES, self.number)
        for account_id, external_id, serial, code, text, units, count in lines:
            quantity = Decimal(units) if text is None else Decimal(text) * count
            yield account_id, external_id, serial, code, quantity, count


def stored_rows(ledger: Ledger, number: int) -> StoredRows:
    """Return the rows of a snapshot without reading them."""
    ((count,),) = ledger.tuples("SELECT rows FROM usage WHERE id = ?", number)
    return StoredRows(ledger, number, count)


def _said(row: UsageRow) -> tuple[object, ...]:
    """Return all that makes two rows the same."""
    names = (each.name for each in fields(UsageRow))
    return tuple(getattr(row, name) for name in names)
