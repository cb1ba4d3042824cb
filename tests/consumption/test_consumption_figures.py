"""Numbers and dates are read as a person means them, or not at all; checked against a small calculation."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.consumption import amounts, days

Style = Callable[[date], str]
DAYS = st.dates(date(2015, 1, 1), date(2079, 12, 31))


def grouped(number: Decimal, group: str, point: str) -> str:
    """Write a number with groups of three, digit by digit."""
    whole, _, part = f"{abs(number):f}".partition(".")
    groups: list[str] = []
    while whole:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return ("-" if number < 0 else "") + group.join(groups) + (point + part if part else "")


NUMBERS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(-(10**9), 10**9), st.integers(0, 6)
)


@given(NUMBERS, st.sampled_from([",", " ", "'", "\u00a0", "\u202f", ""]))
def test_a_number_with_a_declared_point_is_read_exactly(number: Decimal, group: str) -> None:
    assert amounts.Marks(declared="point").number(grouped(number, group, ".")) == number


@given(NUMBERS, st.sampled_from([".", " ", "'", "\u00a0", "\u202f", ""]))
def test_a_number_with_a_declared_comma_is_read_exactly(number: Decimal, group: str) -> None:
    assert amounts.Marks(declared="comma").number(grouped(number, group, ",")) == number


@given(st.lists(NUMBERS, min_size=1), st.sampled_from([(",", "."), (".", ",")]))
def test_a_file_never_reads_a_number_as_another_one(numbers: list[Decimal], style: tuple[str, str]) -> None:
    texts = [grouped(number, *style) for number in numbers]
    marks = amounts.marks_of(texts, None)

    for number, text in zip(numbers, texts, strict=True):
        try:
            assert marks.number(text) == number
        except amounts.Ambiguous:
            assert marks.proven is None


@given(NUMBERS, st.sampled_from([None, "point", "comma"]))
def test_a_number_written_for_a_person_reads_back_whatever_stands_beside_it(
    number: Decimal, declared: amounts.Mark | None
) -> None:
    text = amounts.written(number, declared)

    assert amounts.marks_of([text], declared).number(text) == number
    assert len(set(amounts.readings(text).values())) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(12)", "-12"),
        ("\u22125", "-5"),
        ("+7", "7"),
        (".5", "0.5"),
        ("0,123", "0.123"),
        ("1234,567", "1234.567"),
        ("1,234,567", "1234567"),
        ("1.234.567,5", "1234567.5"),
    ],
)
def test_a_number_that_can_be_one_only_is_that_one(text: str, number: str) -> None:
    assert amounts.Marks().number(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["", "x", "1e5", "1,2,3", "12,34,567", "1.2.3,4", "--1", "١٢", "1" * 41, "5 %"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert amounts.Marks().number(text) is None


def test_a_thousand_or_a_fraction_is_not_guessed() -> None:
    with pytest.raises(amounts.Ambiguous):
        amounts.Marks().number("1,234")
    assert amounts.marks_of(["1,234", "2.5"], None).number("1,234") == 1234
    assert amounts.marks_of(["1,234", "2,5"], None).number("1,234") == Decimal("1.234")
    assert amounts.marks_of(["2.5", "2,5"], None) == amounts.Marks()


@pytest.mark.parametrize(
    ("text", "number", "currency"),
    [
        ("$1.40", "1.40", ""),
        ("1,40 €", "1,40", "EUR"),
        ("USD 1.40", "1.40", "USD"),
        ("£2", "2", "GBP"),
        ("USD 1 EUR", "USD 1 EUR", ""),
        ("12", "12", ""),
    ],
)
def test_money_may_name_its_currency(text: str, number: str, currency: str) -> None:
    assert amounts.number_text(text) == (number, currency)


# Dates -------------------------------------------------------------------------------------------


def iso(day: date) -> str:
    return day.isoformat()


def american(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def european(day: date) -> str:
    return f"{day.day:02}.{day.month:02}.{day.year}"


def british(day: date) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year % 100:02}"


@given(st.lists(DAYS, min_size=1), st.sampled_from([iso, american, european, british]))
def test_a_file_never_reads_a_date_as_another_one(read: list[date], style: Style) -> None:
    texts = [style(day) for day in read]
    try:
        order = days.proven_order(texts)
    except ValueError:
        assert style is not iso
        assert all(day.day <= 12 for day in read)
        return
    for day, text in zip(read, texts, strict=True):
        found = days.readings(text)
        assert (found[order] if order is not None else next(iter(found.values()))) == day


@given(DAYS, st.sampled_from([iso, american, european, british]))
def test_a_declared_order_reads_every_date(day: date, style: Style) -> None:
    order: days.Order = "mdy" if style is american else "dmy"

    assert days.readings(style(day))[order] == day


@given(DAYS)
def test_a_serial_number_of_excel_counts_days(day: date) -> None:
    since_1900 = (day - date(1900, 3, 1)).days + 61
    since_1904 = (day - date(1904, 1, 1)).days

    assert set(days.readings(str(since_1900)).values()) == {day}
    assert set(days.readings(str(since_1904), since_1904=True).values()) == {day}
    assert days.serial_day(Decimal(since_1900), since_1904=False) == day


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-01T00:00:00Z",
        "2026-10-01 00:00:00",
        "20261001",
        "1-Oct-2026",
        "1 October 2026",
        "Oct 1, 2026",
        "October 1st, 2026",
        "01-Oct-26",
        "2026/10/1",
    ],
)
def test_a_date_that_can_be_one_only_is_that_one(text: str) -> None:
    assert set(days.readings(text).values()) == {date(2026, 10, 1)}


@pytest.mark.parametrize(
    "text",
    ["", "31/31/2026", "2026-13-01", "1999-01-01", "today", "1 Foo 2026", "2026-10", "99999", "1" * 50],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert days.readings(text) == {}


def test_a_last_day_that_its_month_does_not_have_is_the_last_one() -> None:
    assert days.readings("2026-04-31") == {}
    assert set(days.readings("2026-04-31", last=True).values()) == {date(2026, 4, 30)}


def test_an_order_is_proven_by_the_whole_file_or_left_open() -> None:
    assert days.proven_order(["10/01/2026", "10/31/2026"]) == "mdy"
    assert days.proven_order(["01/10/2026", "31/10/2026"]) == "dmy"
    assert days.proven_order(["10/10/2026"]) is None
    assert days.proven_order(["26-10-01", "26-10-02"]) == "ymd"
    with pytest.raises(ValueError, match="10/01/2026"):
        days.proven_order(["10/01/2026", "10/01/2026"])
    with pytest.raises(ValueError, match="and"):
        days.proven_order(["10/31/2026", "31/10/2026"])


def test_a_year_of_two_digits_comes_first_where_that_is_declared() -> None:
    assert days.readings("26-10-20", year_first=True)["ymd"] == date(2026, 10, 20)
    assert "ymd" not in days.readings("26-10-20")
