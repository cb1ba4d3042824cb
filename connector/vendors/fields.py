"""Take values out of JSON records: what cannot be what it should be is Malformed, by name.

ConnectWise leaves null fields out, and some servers send "" for them: absent, null and "" are
all "unset" here.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

_Value = TypeVar("_Value")

Record = Mapping[str, object]

_LONGEST_NAME = 200
_LONGEST_LABEL = 1000
_BEYOND_ANY_ID = 2**53
_UNSHOWABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?![0-9])", re.ASCII)


class Malformed(Exception):
    """A field or record cannot be read; the text says which and why."""


def as_record(value: object, what: str) -> Record:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} is {kind_of(value)}, not an object")
    return value


def as_list(value: object, what: str) -> list[object]:
    """Return a JSON array."""
    if not isinstance(value, list):
        raise Malformed(f"{what} is {kind_of(value)}, not a list")
    return value


def converted(convert: Callable[[Record], _Value], items: Iterable[object], first: int = 1) -> list[_Value]:
    """Return every item converted; what is Malformed says in which row, counted from `first`."""
    values = []
    for number, item in enumerate(items, first):
        try:
            values.append(convert(as_record(item, "it")))
        except Malformed as flaw:
            raise Malformed(f"row {number}: {flaw}") from None
    return values


def count_in(record: Record, path: str) -> int | None:
    """Return how many of something a page announces; None where it does not say so in a number."""
    value = at(record, path)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
        return None
    return int(value)


def announced_in(record: Record, path: str) -> int | None:
    """Return a count that a page must add up to; None where unset, Malformed where it is no whole number."""
    value = at(record, path)
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return int(value)
    count = count_in(record, path)
    if value is not None and count is None:
        raise Malformed(f"{path} is no whole number")
    return count


def label_in(record: Record, path: str) -> str:
    """Return what a record is called, trimmed and else raw: whoever shows it escapes it; "" where unset."""
    text = _text(at(record, path), path).strip()[:_LONGEST_LABEL]
    return text.encode("utf-8", "replace").decode("utf-8")  # half a letter is none


def kind_of(value: object) -> str:
    """Say what a JSON value is, without quoting it."""
    match value:
        case None:
            return "missing"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def at(record: Record, path: str) -> object:
    """Return what is at `product/id`, or None where any step of the way is unset."""
    value: object = record
    for step in path.split("/"):
        if value is None or value == "":
            return None
        value = as_record(value, path.rpartition("/")[0]).get(step)
    return None if value == "" else value


def name_in(record: Record, path: str) -> str | None:
    """Return an id, code, serial or identifier, trimmed; None where unset.

    Compared and stored as it is, so anything odd in it is refused rather than repaired.
    """
    value = at(record, path)
    text = _text(value, path).strip()
    if len(text) > _LONGEST_NAME:
        raise Malformed(f"{path} is {len(text)} characters long")
    if not text.isprintable() and any(unicodedata.category(letter) in _UNSHOWABLE for letter in text):
        raise Malformed(f"{path} holds a control character")
    return text or None


def text_in(record: Record, path: str) -> str:
    """Return text for people, trimmed, control characters turned into blanks; "" where unset."""
    text = _text(at(record, path), path)
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(letter) in _UNSHOWABLE else letter for letter in text)
    return text.strip()


def _text(value: object, path: str) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            pass
        case int() | Decimal():
            return str(value)
    raise Malformed(f"{path} is {kind_of(value)}, not text")


def id_in(record: Record, path: str) -> int | None:
    """Return ConnectWise's id of a record; None where unset."""
    value = at(record, path)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"{path} is {kind_of(value)}, not a whole number")
    if not 0 < value < _BEYOND_ANY_ID:
        raise Malformed(f"{path} is no id that a record can have")
    return value


def required_id(record: Record, path: str) -> int:
    """Return ConnectWise's id of a record that must have one."""
    value = id_in(record, path)
    if value is None:
        raise Malformed(f"{path} is missing")
    return value


def flag_in(record: Record, path: str) -> bool:
    """Return true or false, also where a server sends them as text; False where unset."""
    value = at(record, path)
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise Malformed(f"{path} is {kind_of(value)}, not true or false")


def quantity_in(record: Record, path: str, *, decimals: int, below: int = 9) -> Decimal | None:
    """Return an exact, normalised quantity under 10 to the power `below`; None where unset."""
    value = at(record, path)
    match value:
        case None:
            return None
        case bool():
            raise Malformed(f"{path} is true or false, not a quantity")
        case int() | Decimal():
            number = Decimal(value)
        case str() if len(value) <= _LONGEST_NAME and _NUMBER.fullmatch(value.strip()):
            number = Decimal(value.strip())
        case _:
            raise Malformed(f"{path} is {kind_of(value)} that is no quantity")
    return _normalised(number, path, decimals, below)


def _normalised(number: Decimal, path: str, decimals: int, below: int) -> Decimal:
    # By digits, not by arithmetic: Decimal's own normalize() rounds to 28 of them.
    if not number:
        return Decimal(0)
    if number.adjusted() >= below:
        raise Malformed(f"{path} is larger than any quantity can be")
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  # only NaN and Infinity have letters there
    while digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    if exponent < -decimals:
        raise Malformed(f"{path} has more than {decimals} decimals")
    if exponent > 0:
        digits, exponent = digits + (0,) * exponent, 0
    return Decimal((sign, digits, exponent))


def day_in(record: Record, path: str) -> date | None:
    """Return the calendar date in the first ten characters, whatever the time says; None where unset."""
    value = at(record, path)
    if value is None:
        return None
    if isinstance(value, str) and _DAY.match(value):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            pass
    raise Malformed(f"{path} is no date")


def lenient_day_in(record: Record, path: str) -> date | None:
    """Return the calendar date where there is one, else None: for fields that are plain text."""
    try:
        return day_in(record, path)
    except Malformed:
        return None
