"""What leaves for ConnectWise as exact JSON, and what an answer shows of it."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from connector.vendors.fields import Malformed, Record, at, day_in, quantity_in, required_id, text_in


class Inexact(ValueError):
    """A quantity that no JSON number holds exactly."""


def number(quantity: Decimal) -> int | float:
    """Return the JSON number that is exactly this quantity; raises ValueError where none is."""
    if not quantity.is_finite():
        raise ValueError(f"{quantity} is no quantity")
    if quantity == quantity.to_integral_value():
        return int(quantity)
    value = float(quantity)
    if Decimal(repr(value)) != quantity:
        raise Inexact(f"{quantity} has more digits than a JSON number keeps")
    return value


def encoded(body: object) -> bytes:
    """Return a body as it is sent."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")


def wide_quantity_in(record: Record, path: str) -> Decimal | None:
    """Return a quantity of anybody's line; None where unset."""
    # Other people's lines are theirs: wide bounds, so that only what is no quantity is refused.
    return quantity_in(record, path, decimals=15, below=15)


def differences(record: Record, wanted: Mapping[str, object]) -> tuple[str, ...]:
    """Say what a record does not show as it is wanted, path by path; a missing field is not shown."""
    found = []
    for path, value in wanted.items():
        try:
            shown = _shown(record, path, value)
        except Malformed as flaw:
            found.append(str(flaw))
            continue
        if shown != value:
            found.append(f"{path} is {'not shown' if shown is None else shown}, not {value}")
    return tuple(found)


def _shown(record: Record, path: str, like: object) -> object:
    match like:
        case Decimal():
            return wide_quantity_in(record, path)
        case date():
            return day_in(record, path)
        case int():
            return required_id(record, path)
        case _:
            # Emptied text is left out of an answer, as null is.
            return text_in(record, path) if at(record, path) is not None or not like else None
