"""Calendar dates as ISO, American, European or Excel's serial numbers; what can be two dates is none."""

import calendar
import re
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

Order = Literal["dmy", "mdy", "ymd"]
ORDERS: tuple[Order, ...] = ("dmy", "mdy", "ymd")

_FIRST_YEAR, _LAST_YEAR = 2015, 2079
_LONGEST = 40
_TIME = re.compile(
    r"[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp][Mm]|Z|[+-]\d{2}:?\d{2})?$", re.ASCII
)
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_SHORT = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})", re.ASCII)
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?", re.ASCII)
_DAY_WORD = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ .-]+([a-zA-Z]{3,9})[ .,-]+(\d{4}|\d{2})", re.ASCII)
_WORD_DAY = re.compile(r"([a-zA-Z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})", re.ASCII)
_MONTHS = {
    word.lower(): number
    for names in (calendar.month_name, calendar.month_abbr, ("",) * 9 + ("Sept",))
    for number, word in enumerate(names)
    if word
}


def readings(
    text: str, *, since_1904: bool = False, last: bool = False, year_first: bool = False
) -> dict[Order, date]:
    """Return the date that a text is in each order of day, month and year that it can have.

    A year of two digits comes first only where nothing else can be meant, or where `year_first` is declared.

    `last` takes a last day that its month does not have, such as Sophos's own 31 April, for the last one.
    """
    text = _TIME.sub("", text.strip()[: _LONGEST + 1])
    found = _ISO.fullmatch(text)
    if found:
        return _sure(_day(found[1], found[3], found[4], last=last))
    found = _COMPACT.fullmatch(text)
    if found:
        return _sure(_day(*found.groups(), last=last))
    found = _SERIAL.fullmatch(text)
    if found:
        return _sure(serial_day(Decimal(found[1]), since_1904=since_1904))
    found = _DAY_WORD.fullmatch(text)
    if found:
        return _sure(_day(found[3], str(_MONTHS.get(found[2].lower(), 0)), found[1], last=last))
    found = _WORD_DAY.fullmatch(text)
    if found:
        return _sure(_day(found[3], str(_MONTHS.get(found[1].lower(), 0)), found[2], last=last))
    found = _SHORT.fullmatch(text)
    if not found:
        return {}
    first, second, third = found[1], found[3], found[4]
    read: dict[Order, date | None] = {
        "dmy": _day(third, second, first, last=last),
        "mdy": _day(third, first, second, last=last),
        "ymd": None,
    }
    if len(first) == len(third) == 2 and (year_first or not any(read.values())):
        read["ymd"] = _day(first, second, third, last=last)
    return {order: day for order, day in read.items() if day is not None}


def proven_order(texts: Iterable[str], *, since_1904: bool = False) -> Order | None:
    """Return the order in which a file writes its dates, None where it makes no difference.

    Raises ValueError with an example where the file leaves it open or contradicts itself.
    """
    proofs: dict[Order, str] = {}
    open_one = ""
    for text in texts:
        found = readings(text, since_1904=since_1904, last=True)
        if len(found) == 1:
            proofs.setdefault(next(iter(found)), text)
        elif len(set(found.values())) > 1:
            open_one = open_one or text
    if len(proofs) > 1:
        raise ValueError(" and ".join(sorted(proofs.values())))
    if open_one and not proofs:
        raise ValueError(open_one)
    return next(iter(proofs), None)


def serial_day(number: Decimal, *, since_1904: bool) -> date | None:
    """Return the day that Excel's count of days means, or None for one that cannot be meant."""
    if not 0 < number < 100_000:
        return None
    # 30 December 1899, because Excel takes 1900 for a leap year; no day before March 1900 is ever meant.
    day = (date(1904, 1, 1) if since_1904 else date(1899, 12, 30)) + timedelta(days=int(number))
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def _sure(day: date | None) -> dict[Order, date]:
    return dict.fromkeys(ORDERS, day) if day is not None else {}


def _day(year: str, month: str, day: str, *, last: bool) -> date | None:
    in_year = int(year) + (2000 if len(year) == 2 else 0)
    in_month, number = int(month), int(day)
    if not _FIRST_YEAR <= in_year <= _LAST_YEAR or not 1 <= in_month <= 12 or not 1 <= number <= 31:
        return None
    length = calendar.monthrange(in_year, in_month)[1]
    if number > length and not last:
        return None
    return date(in_year, in_month, min(number, length))
