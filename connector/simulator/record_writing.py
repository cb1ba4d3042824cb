"""Reading a JSON body into a record: types, dates, PATCH operations (connectwise-api.md, 4 to 6.2)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from .connectwise_answers import Fault400, InvalidObjectError, WrongTypeError

Convert = Callable[[Any, str], Any]
"""Turns a JSON value of a property into what the record keeps."""

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class Writable:
    """A property that a body may set: the record's attribute and how to read the value."""

    attribute: str
    convert: Convert


class BadFormatError(Exception):
    """A date in a form that is refused: milliseconds, an offset, or no date at all."""


def number(value: Any, path: str) -> Decimal | None:
    """Read a number; digits in a string are accepted too, as one client relies on (section 4)."""
    if value is None:
        return None
    if not isinstance(value, bool) and isinstance(value, int | Decimal | str):
        try:
            read = Decimal(value)
        except InvalidOperation:
            read = Decimal("NaN")
        if read.is_finite():
            return read
    raise WrongTypeError(value, "System.Nullable`1[System.Double]", path)


def whole(value: Any, path: str) -> int | None:
    """Read a whole number."""
    read = number(value, path)
    if read is not None and read != int(read):
        raise WrongTypeError(value, "System.Nullable`1[System.Int32]", path)
    return None if read is None else int(read)


def flag(value: Any, path: str) -> bool | None:
    """Read true, false or null."""
    if value is None or isinstance(value, bool):
        return value
    raise WrongTypeError(value, "System.Nullable`1[System.Boolean]", path)


def text(value: Any, path: str) -> str | None:
    """Read text; a JSON number becomes its digits, as the server's own reader does."""
    if value is None or isinstance(value, str):
        # Newline and carriage return are shown as a space, a tab works (section 4).
        return value if value is None else re.sub(r"[\x00-\x08\x0a-\x1f]", " ", value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise WrongTypeError(value, "System.String", path)


def array(value: Any, path: str) -> list[Any] | None:
    """Read an array, kept as it is: custom fields are sent complete (section 4)."""
    if value is None or isinstance(value, list):
        return value
    raise WrongTypeError(value, "System.Collections.Generic.List", path)


def day(value: Any, path: str) -> date | None:
    """Read a date of the one accepted form, `2026-10-01T00:00:00Z` (section 6.2)."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise WrongTypeError(value, "System.Nullable`1[System.DateTime]", path)
    try:
        if not _DATE.fullmatch(value):
            raise BadFormatError(path)
        return date.fromisoformat(value[:10])
    except ValueError:
        raise BadFormatError(path) from None


def one_of(kind: str, *names: str) -> Convert:
    """Read one of the names of an enumeration."""

    def read(value: Any, path: str) -> str | None:
        if value is None or value in names:
            return value  # type: ignore[no-any-return]
        raise WrongTypeError(value, kind, path)

    return read


def record_of(body: Any, path: str = "") -> Mapping[str, Any]:
    """Read a JSON object."""
    if not isinstance(body, dict):
        raise WrongTypeError(body, "System.Object", path)
    return body


def write_body(
    record: object, body: Mapping[str, Any], writables: Mapping[str, Writable], resource: str
) -> None:
    """Set what a POST or PUT says; what is unknown or derived is passed over."""
    faults = []
    for name, value in body.items():
        writable = writables.get(name)
        if writable is not None:
            try:
                setattr(record, writable.attribute, writable.convert(value, name))
            except BadFormatError:
                faults.append(_bad_format(name))
    if faults:
        raise InvalidObjectError(resource, faults)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a PATCH whose path is a bare property of the record."""

    name: str
    value: Any


def operations(
    body: Any, writables: Mapping[str, Writable], derived: frozenset[str], resource: str, *, strict: bool
) -> list[Operation]:
    """Read the operations of a PATCH body; sub-paths and derived properties have no effect (section 4)."""
    if not isinstance(body, list):
        raise InvalidObjectError(
            "patch", [Fault400("InvalidFormat", "An array of operations is required.", "")]
        )
    found, faults = [], []
    for entry in body:
        operation = record_of(entry)
        kind, path = operation.get("op"), operation.get("path")
        if kind not in {"add", "replace", "remove"} or not isinstance(path, str):
            faults.append(Fault400("InvalidOperation", f"Operation {kind!r} is not supported.", "op"))
        elif path in writables:
            value = None if kind == "remove" else operation.get("value")
            found.append(Operation(path, value))
        elif "/" not in path and path not in derived and strict:
            faults.append(Fault400("InvalidField", f"{path} is not a property of {resource}.", path))
    if faults:
        raise InvalidObjectError(resource, faults)
    return found


def apply(record: object, found: list[Operation], writables: Mapping[str, Writable], resource: str) -> None:
    """Set what the operations say, all as one save."""
    write_body(record, {operation.name: operation.value for operation in found}, writables, resource)


def required(record: object, fields: Mapping[str, str]) -> list[Fault400]:
    """Complain of each property (attribute -> name) that is required and not set."""
    return [
        Fault400("MissingRequiredField", f"The {name} field is required.", name)
        for attribute, name in fields.items()
        if getattr(record, attribute) in (None, "")
    ]


def too_long(record: object, limits: Mapping[str, tuple[str, int]]) -> list[Fault400]:
    """Complain of each text (attribute -> name and limit) that is too long."""
    return [
        Fault400(
            "MaxLengthField", f"The field {name} must be a string with a maximum length of {limit}.", name
        )
        for attribute, (name, limit) in limits.items()
        if len(getattr(record, attribute) or "") > limit
    ]


def _bad_format(name: str) -> Fault400:
    return Fault400("UnsupportedFormat", f"Unsupported format applied to {name}", name)
