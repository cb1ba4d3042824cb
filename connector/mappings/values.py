"""The single values of mappings.yaml: each is accepted, or refused with what a person should write instead.

`load` adds the place to the message. Every type also says what it accepts as JSON Schema.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal, NoReturn, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from connector.mappings.scalars import Number, flaw
from connector.mappings.wording import did_you_mean, shown
from connector.model import (
    Absent,
    Adopt,
    Aggregate,
    Effective,
    Reference,
    Rounding,
    ScheduleMode,
    tenant_id_of,
)

_LARGEST_ID = 2**63 - 1
_LONGEST_MONTH = 31
_LARGEST_LIMIT = 10**12
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _refuse(message: str) -> NoReturn:
    raise PydanticCustomError("mappings", "{message}", {"message": message})


def _version(value: object) -> object:
    if type(value) is not int or value != 1:
        _refuse(f"must be 1, the version this connector reads, not {shown(value)}")
    return value


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        _refuse(f"must be true or false, not {shown(value)}")
    return value


def _one_of(choices: tuple[str, ...]) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str):
            _refuse(f"must be one of {', '.join(choices)}, not {shown(value)}")
        if value not in choices:
            _refuse(f"{shown(value)} is not allowed{did_you_mean(value, choices)}")
        return value

    return check


def _number(low: int, high: int, example: str) -> Callable[[object], Decimal]:
    def check(value: object) -> Decimal:
        if type(value) in {int, Number}:
            number = Decimal(value)  # type: ignore[arg-type]
            if number.is_finite() and low <= number <= high:
                return number.copy_abs()
        _refuse(f"must be a number from {low} to {high}, such as {example}, not {shown(value)}")

    return check


def _count(value: object) -> object:
    if type(value) is not int or not 0 <= value <= _LARGEST_LIMIT:
        _refuse(f"must be a whole number, 0 or more, not {shown(value)}")
    return value


def _units_of_one(value: object) -> object:
    if type(value) is not int or not 1 <= value <= _LARGEST_LIMIT:
        _refuse(f"must be a whole number, 1 or more, not {shown(value)}")
    return value


def _day(value: object) -> object:
    if type(value) is not int or not 1 <= value <= _LONGEST_MONTH:
        _refuse(f"must be a day of the month from 1 to {_LONGEST_MONTH}, not {shown(value)}")
    return value


def _timezone(value: object) -> str:
    if isinstance(value, str):
        try:
            return ZoneInfo(_trimmed(value)).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of the database
            pass
    _refuse(f"must be a time zone such as Europe/Dublin or America/New_York, not {shown(value)}")


def _trimmed(value: str) -> str:
    text = value.strip()
    problem = flaw(text)
    if problem:
        _refuse(problem)
    return text


def _reference(value: object) -> Reference:
    if isinstance(value, str):
        return _trimmed(value)
    if type(value) is int:
        if not 0 < value <= _LARGEST_ID:
            _refuse(f"an id is a whole number above 0, not {shown(value)}")
        return value
    quotes = f'; if this is the name, write "{shown(value)}"' if isinstance(value, bool | Number) else ""
    _refuse(f"must be text (a name) or a whole number (an id), not {shown(value)}{quotes}")


def _tenant_id(value: object) -> str:
    if not isinstance(value, str):
        quotes = f'; if this is one, write "{shown(value)}"' if isinstance(value, int | Number) else ""
        _refuse(f"must be a tenant id, as text, not {shown(value)}{quotes}")
    tenant_id = tenant_id_of(_trimmed(value))
    if not tenant_id:
        _refuse("is empty")
    return tenant_id


def _name(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        name = " ".join(value.split())
        if not name.isprintable() and _CONTROL.search(name):
            _refuse("holds a control character; type it anew")
        return name
    if type(value) in {int, Number}:
        return shown(value)
    _refuse(f"must be text, not {shown(value)}")


def _said_text(value: object) -> str:
    if not isinstance(value, str):
        quotes = f'; if this is one, write "{shown(value)}"' if isinstance(value, int | Number) else ""
        _refuse(f"must be text, not {shown(value)}{quotes}")
    return _trimmed(value)


def says_something(value: object) -> object:
    """Return an exception as it came; an empty one is refused, for nobody can tell what it should change."""
    if value is None or value == {}:
        _refuse("says nothing; give it an item, an agreement, sync, a minimum or pricing")
    return value


def allowance_said(value: object) -> object:
    """Return how far a quantity may move: as it came, with no limit for true, None for false."""
    if isinstance(value, bool):
        return {} if value else None
    if value == {}:
        _refuse("says nothing; write true, false or how far, such as {share: 0.20, units: 10}")
    if not isinstance(value, dict):
        _refuse(f"must be true, false or how far, such as {{share: 0.20, units: 10}}, not {shown(value)}")
    return value


_REFERENCE = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": r"\S"},
            {"type": "integer", "minimum": 1, "maximum": _LARGEST_ID},
        ]
    }
)
_TEXT: JsonSchemaValue = {"type": "string", "pattern": r"\S"}


def _number_schema(low: int, high: int, kind: str = "number") -> WithJsonSchema:
    return WithJsonSchema({"type": kind, "minimum": low, "maximum": high})


# What the sections are made of; those named Maybe may be left out, but not written as null.
VersionValue = Annotated[Literal[1], BeforeValidator(_version)]
AbsentValue = Annotated[Absent, BeforeValidator(_one_of(get_args(Absent)))]
EffectiveValue = Annotated[Effective, BeforeValidator(_one_of(get_args(Effective)))]
AdoptValue = Annotated[Adopt, BeforeValidator(_one_of(get_args(Adopt)))]
FlagValue = Annotated[bool, BeforeValidator(_flag)]
MaybeFlag = Annotated[bool | None, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
ShareValue = Annotated[Decimal, PlainValidator(_number(0, 1, "0.30")), _number_schema(0, 1)]
FactorValue = Annotated[
    Decimal, PlainValidator(_number(1, _LARGEST_LIMIT, "10")), _number_schema(1, _LARGEST_LIMIT)
]
UnitsValue = Annotated[
    Decimal, PlainValidator(_number(0, _LARGEST_LIMIT, "50")), _number_schema(0, _LARGEST_LIMIT)
]
CountValue = Annotated[int, BeforeValidator(_count), _number_schema(0, _LARGEST_LIMIT, "integer")]
MaybePer = Annotated[int | None, BeforeValidator(_units_of_one), _number_schema(1, _LARGEST_LIMIT, "integer")]
MaybeMinimum = Annotated[
    Decimal | None, PlainValidator(_number(0, _LARGEST_LIMIT, "10")), _number_schema(0, _LARGEST_LIMIT)
]
RoundingValue = Annotated[Rounding, BeforeValidator(_one_of(get_args(Rounding)))]
AggregateValue = Annotated[Aggregate, BeforeValidator(_one_of(get_args(Aggregate)))]
ReferenceValue = Annotated[Reference, PlainValidator(_reference), _REFERENCE]
MaybeReference = Annotated[Reference | None, PlainValidator(_reference), _REFERENCE]
TenantIdValue = Annotated[str, PlainValidator(_tenant_id), WithJsonSchema(_TEXT)]
NameValue = Annotated[str, PlainValidator(_name), WithJsonSchema({"type": ["string", "number", "null"]})]
TextValue = Annotated[str, PlainValidator(_said_text), WithJsonSchema(_TEXT)]
DateOrderValue = Annotated[Literal["dmy", "mdy", "ymd"], BeforeValidator(_one_of(("dmy", "mdy", "ymd")))]
DecimalMarkValue = Annotated[Literal["point", "comma"], BeforeValidator(_one_of(("point", "comma")))]
ScheduleModeValue = Annotated[ScheduleMode, BeforeValidator(_one_of(get_args(ScheduleMode)))]
DayValue = Annotated[int, BeforeValidator(_day), _number_schema(1, _LONGEST_MONTH, "integer")]
TimezoneValue = Annotated[str, PlainValidator(_timezone), WithJsonSchema(_TEXT)]
MaybeGrowth = Annotated[Decimal | None, PlainValidator(_number(0, 100, "0.20")), _number_schema(0, 100)]
MaybeUnits = Annotated[
    Decimal | None, PlainValidator(_number(0, _LARGEST_LIMIT, "10")), _number_schema(0, _LARGEST_LIMIT)
]
