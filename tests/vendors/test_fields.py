"""Values out of JSON records: what is taken, and what is refused by name."""

from datetime import date
from decimal import Decimal

import pytest

from connector.vendors.fields import (
    Malformed,
    as_list,
    as_record,
    at,
    converted,
    count_in,
    day_in,
    flag_in,
    id_in,
    kind_of,
    lenient_day_in,
    name_in,
    quantity_in,
    required_id,
    text_in,
)


@pytest.mark.parametrize(
    ("value", "quantity"),
    [
        (12, "12"),
        (-3, "-3"),
        (0, "0"),
        (Decimal("14.00"), "14"),
        (Decimal("0.50"), "0.5"),
        (Decimal("1E+2"), "100"),
        (Decimal("-0.0"), "0"),
        (Decimal("0E+900"), "0"),
        (Decimal("0.1000000000000000000000000000000000000000"), "0.1"),
        ("7", "7"),
        (" 7.250 ", "7.25"),
        ("+.5", "0.5"),
        ("1e3", "1000"),
        (999_999_999, "999999999"),
        ("0.000001", "0.000001"),
    ],
)
def test_a_quantity_is_exact_and_normalised(value: object, quantity: str) -> None:
    assert str(quantity_in({"q": value}, "q", decimals=6)) == quantity


@pytest.mark.parametrize(
    "value",
    [
        True,
        [],
        {},
        "many",
        "NaN",
        "Infinity",
        "1_000",
        "1,000",
        "0x10",
        "١٢",
        "1 2",
        "1e9999",
        "9" * 300,
        10**9,
        -(10**9),
        Decimal("1E+1000"),
        Decimal("0.0000001"),
        Decimal("1.0000000000000000000000000000000001"),
    ],
)
def test_what_is_no_quantity_is_malformed(value: object) -> None:
    with pytest.raises(Malformed, match=r"^q "):
        quantity_in({"q": value}, "q", decimals=6)


@pytest.mark.parametrize("record", [{}, {"x": None}, {"x": ""}])
def test_absent_null_and_empty_are_unset(record: dict[str, object]) -> None:
    assert quantity_in(record, "x", decimals=6) is None
    assert name_in(record, "x") is None
    assert text_in(record, "x") == ""
    assert id_in(record, "x") is None
    assert flag_in(record, "x") is False
    assert day_in(record, "x") is None
    assert at(record, "x/y") is None
    assert count_in(record, "x") is None
    with pytest.raises(Malformed, match="x is missing"):
        required_id(record, "x")


@pytest.mark.parametrize(
    ("value", "name"),
    [(" CIXA-MSP ", "CIXA-MSP"), (1009900, "1009900"), (Decimal("1.50"), "1.50"), ("  ", None)],
)
def test_a_name_is_trimmed_text(value: object, name: str | None) -> None:
    assert name_in({"x": value}, "x") == name


@pytest.mark.parametrize(
    "value", [True, [], {}, "a\nb", "a\x00b", "a\u2028b", "a\ud800", "\x1b[m", "x" * 201]
)
def test_an_odd_name_is_malformed(value: object) -> None:
    with pytest.raises(Malformed, match="x"):
        name_in({"x": value}, "x")


def test_text_for_people_loses_what_would_confuse_a_terminal() -> None:
    assert text_in({"x": " Bäckerei\x1b[31m\r\nFichte\ud800 "}, "x") == "Bäckerei [31m  Fichte"
    assert text_in({"x": "no\u00a0break"}, "x") == "no\u00a0break"
    assert text_in({"x": 12}, "x") == "12"
    with pytest.raises(Malformed, match="x is a list, not text"):
        text_in({"x": ["a"]}, "x")


@pytest.mark.parametrize("value", ["48", True, Decimal("48.0"), {}])
def test_an_id_is_a_whole_number(value: object) -> None:
    with pytest.raises(Malformed, match="id is"):
        id_in({"id": value}, "id")


def test_a_nested_value_needs_objects_on_the_way() -> None:
    assert at({"product": {"id": 48}}, "product/id") == 48
    assert at({"product": {}}, "product/id") is None
    with pytest.raises(Malformed, match="product is a list"):
        at({"product": [48]}, "product/id")


@pytest.mark.parametrize(
    ("value", "flag"), [(True, True), (False, False), ("True", True), (" false ", False)]
)
def test_a_flag_may_come_as_text(value: object, flag: bool) -> None:
    assert flag_in({"x": value}, "x") is flag


@pytest.mark.parametrize("value", ["yes", 1, []])
def test_what_is_no_flag_is_malformed(value: object) -> None:
    with pytest.raises(Malformed, match="x is"):
        flag_in({"x": value}, "x")


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-01",
        "2026-10-01T00:00:00Z",
        "2026-10-01T23:59:59.123+14:00",
        "2026-10-01 04:00",
        "2026-10-01T",
    ],
)
def test_a_date_is_its_first_ten_characters(text: str) -> None:
    assert day_in({"x": text}, "x") == date(2026, 10, 1)
    assert lenient_day_in({"x": text}, "x") == date(2026, 10, 1)


@pytest.mark.parametrize(
    "value", ["2021-04-31", "10/01/2026", "2026-1-1", "2026-10-011", "soon", 20261001, True]
)
def test_what_is_no_date_is_malformed_or_none(value: object) -> None:
    with pytest.raises(Malformed, match="x is no date"):
        day_in({"x": value}, "x")
    assert lenient_day_in({"x": value}, "x") is None


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (6, 6),
        (Decimal("6.0"), 6),
        (Decimal("6.5"), None),
        (True, None),
        ("6", None),
        (Decimal("1E+500"), 10**500),
    ],
)
def test_a_count_is_a_number_or_nothing(value: object, count: int | None) -> None:
    assert count_in({"x": value}, "x") == count


def test_rows_are_counted_in_what_is_wrong_with_them() -> None:
    assert converted(lambda record: id_in(record, "id"), [{"id": 1}, {"id": 2}]) == [1, 2]
    with pytest.raises(Malformed, match=r"row 12: id is text"):
        converted(lambda record: id_in(record, "id"), [{"id": 1}, {"id": "x"}], 11)
    with pytest.raises(Malformed, match=r"row 1: it is text, not an object"):
        converted(lambda record: id_in(record, "id"), ["x"])


def test_kinds_are_named_without_quoting_values() -> None:
    values: list[object] = [None, True, 1, Decimal(1), "x", [], {}]
    assert [kind_of(value) for value in values] == [
        "missing",
        "true or false",
        "a number",
        "a number",
        "text",
        "a list",
        "an object",
    ]
    with pytest.raises(Malformed, match="the answer is missing, not an object"):
        as_record(None, "the answer")
    with pytest.raises(Malformed, match="items is an object, not a list"):
        as_list({}, "items")
