"""The report of all additions: ended where that is sure, and unusable where anything is odd."""

import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses

from connector.model import Addition
from connector.vendors.connectwise import ConnectWiseClient
from connector.vendors.connectwise_report import COLUMNS, ReportTooLong, ReportUnusable

BASE = "https://psa.example/v4_6_release/apis/3.0"
REPORT = f"{BASE}/system/reports/AgreementAdditions"
DEFINITIONS = [{name: {"type": kind, "isNullable": True}} for name, kind in COLUMNS.items()]


def client() -> ConnectWiseClient:
    return ConnectWiseClient(
        url=BASE, company="acme", public_key="public-k", private_key="private-k", client_id="client-guid"
    )


def row(number: object, **said: Any) -> list[Any]:
    values = {"Addition_RecId": number, "AGR_RecID": 118, "Product_RecId": 48, "Total_Quantity": 1} | said
    return [values.get(name) for name in COLUMNS]


def answer(*rows: list[Any], **said: Any) -> dict[str, Any]:
    return {"column_definitions": DEFINITIONS, "row_values": list(rows)} | said


def serve(wire: responses.RequestsMock, pages: list[Any], **headers: str) -> None:
    """Answer each page by its number; pages beyond are empty."""

    def page(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        number = int(re.findall(r"[?&]page=(\d+)", str(request.url))[0])
        document = pages[number - 1] if number <= len(pages) else answer()
        return 200, headers, json.dumps(document)

    wire.add_callback(responses.GET, re.compile(re.escape(REPORT) + r"\?"), page)


def asked(wire: responses.RequestsMock) -> list[int]:
    found = (re.findall(r"[?&]page=(\d+)", str(call.request.url)) for call in wire.calls)
    return [int(each[0]) for each in found if each]


def page_of(first: int, last: int) -> dict[str, Any]:
    return answer(*(row(number) for number in range(first, last + 1)))


def test_every_value_is_read_by_its_column(wire: responses.RequestsMock) -> None:
    said = {
        "Total_Quantity": 14.5,
        "Less_Included": 2.0,
        "Unit_Price": 3.5,
        "Unit_Cost": "2.10",
        "Effective_Date": "2026-10-01T00:00:00Z",
        "Cancelled_Date": "2027-01-31T00:00:00",
        "Serial_Number": " sophos-sync:118:48 ",
    }
    serve(wire, [answer(row(9001, **said), row(9002.0, Total_Quantity=None))])

    found = client().additions_report.read(1, 9)

    assert found.by_agreement == {
        118: (
            Addition(
                9001,
                118,
                48,
                Decimal("14.5"),
                cancelled=date(2027, 1, 31),
                effective=date(2026, 10, 1),
                serial_number="sophos-sync:118:48",
                unit_price=Decimal("3.5"),
                unit_cost=Decimal("2.1"),
                less_included=Decimal(2),
            ),
            Addition(9002, 118, 48, Decimal(0)),
        )
    }
    assert found.pages == 1
    url = str(wire.calls[0].request.url)
    assert f"columns={'%2C'.join(COLUMNS)}" in url
    assert "orderBy=Addition_RecId+asc" in url
    assert "pageSize=1000" in url


@pytest.mark.parametrize(
    ("sizes", "pages"),
    [
        ((1000, 501), 2),
        ((1000, 1000), 3),
        ((250, 250, 7), 3),
        ((25, 3), 2),
        ((7,), 1),
        ((0,), 1),
    ],
)
@pytest.mark.parametrize("expected", [0, 1, 2, 5])
def test_it_ends_only_where_that_is_sure(
    wire: responses.RequestsMock, sizes: tuple[int, ...], pages: int, expected: int
) -> None:
    served, last = [], 0
    for size in sizes:
        served.append(page_of(last + 1, last + size))
        last += size
    serve(wire, served)

    found = client().additions_report.read(expected, 9)

    assert sum(map(len, found.by_agreement.values())) == sum(sizes)
    assert found.pages == pages
    assert set(asked(wire)) <= set(range(1, max(pages, expected) + 1))
    # Not how often: the mock may refuse one of several requests that come together, which is repeated.
    assert set(asked(wire)) >= set(range(1, pages + 1))


def test_a_link_says_where_it_ends(wire: responses.RequestsMock) -> None:
    serve(wire, [page_of(1, 25)], Link="")

    assert client().additions_report.read(1, 9).pages == 1
    assert asked(wire) == [1]


def test_more_pages_than_it_could_spare_are_not_read(wire: responses.RequestsMock) -> None:
    serve(wire, [page_of(n * 1000 + 1, n * 1000 + 1000) for n in range(9)])

    with pytest.raises(ReportTooLong) as caught:
        client().additions_report.read(5, 3)

    assert sorted(asked(wire)) == [1, 2, 3]
    assert not caught.value.lasting


@pytest.mark.parametrize(("counted", "usable"), [(1001, True), (1002, False), (None, False), ("x", False)])
def test_pages_in_disorder_must_be_as_many_rows_as_it_counts(
    wire: responses.RequestsMock, counted: object, usable: bool
) -> None:
    serve(wire, [page_of(2, 1001), page_of(1, 1)])
    wire.get(f"{REPORT}/count", json={"count": counted} if counted != "x" else [])

    if usable:
        assert client().additions_report.read(1, 9).pages == 2
    else:
        with pytest.raises(ReportUnusable, match="disorder"):
            client().additions_report.read(1, 9)


def test_disorder_within_one_page_misses_nothing(wire: responses.RequestsMock) -> None:
    serve(wire, [answer(row(3), row(1))])

    assert [line.id for line in client().additions_report.read(1, 9).by_agreement[118]] == [1, 3]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "the answer is a list"),
        ({}, "column_definitions is missing"),
        (answer(row_values=None), "row_values is missing"),
        (answer(column_definitions=DEFINITIONS[::-1]), "columns are not those"),
        (answer(column_definitions=[*DEFINITIONS, {"New": {"type": "Text"}}]), "columns are not those"),
        (answer(column_definitions=DEFINITIONS[:-1]), "columns are not those"),
        (answer(column_definitions=[{"A": {}, "B": {}}]), "not just one name"),
        (answer(column_definitions=["A"]), "a column is text"),
        (answer(column_definitions=[{"A": "Text"}]), "A is text"),
        (answer("text"), "a row is text"),  # type: ignore[arg-type]
        (answer(row(1)[:-1]), "not as many values"),
        (answer([*row(1), 1]), "not as many values"),
        (answer(row(1), row(1)), "addition 1 twice"),
        (answer(row(None)), "Addition_RecId is missing"),
        (answer(row(1.5)), "Addition_RecId"),
        (answer(row(True)), "Addition_RecId"),
        (answer(row(0)), "Addition_RecId"),
        (answer(row(1, AGR_RecID=None)), "AGR_RecID is missing"),
        (answer(row(1, Product_RecId="SOPHOS")), "Product_RecId"),
        (answer(row(1, Total_Quantity="many")), "Total_Quantity"),
        (answer(row(1, Unit_Price=[])), "Unit_Price"),
        (answer(row(1, Cancelled_Date="soon")), "Cancelled_Date is no date"),
        (answer(row(1, Effective_Date=20261001)), "Effective_Date is no date"),
        (answer(row(1, Serial_Number={})), "Serial_Number"),
    ],
)
def test_whatever_is_odd_makes_it_unusable_for_a_while(
    wire: responses.RequestsMock, document: Any, why: str
) -> None:
    serve(wire, [document])

    with pytest.raises(ReportUnusable, match=re.escape(why)) as caught:
        client().additions_report.read(1, 9)

    assert caught.value.lasting


@pytest.mark.parametrize(
    ("status", "lasting", "why"),
    [
        (400, True, "400"),
        (403, True, "403"),
        (404, True, "no report AgreementAdditions"),
        (401, False, "401"),
        (409, False, "409"),
        (429, False, "429"),
        (500, False, "500"),
        (503, False, "503"),
    ],
)
@pytest.mark.parametrize(
    "ask", [lambda report: report.probe(), lambda report: report.read(1, 9)], ids=["probe", "read"]
)
def test_a_report_that_is_refused_is_not_asked_again_soon_and_one_that_fails_is(
    wire: responses.RequestsMock, ask: Callable[[Any], object], status: int, lasting: bool, why: str
) -> None:
    wire.get(re.compile(re.escape(REPORT)), status=status, json={"message": "no"})
    wire.get(f"{BASE}/system/info", json={"version": "v2025.1"})

    with pytest.raises(ReportUnusable, match=why) as caught:
        ask(client().additions_report)

    assert caught.value.lasting is lasting


def test_columns_that_are_as_expected_may_be_among_others(wire: responses.RequestsMock) -> None:
    found = [*DEFINITIONS[::-1], {"Time_Zone": {"type": "Text"}}]
    wire.get(f"{REPORT}/columns", json={"column_definitions": found, "row_values": []})

    client().additions_report.probe()

    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("definitions", "why"),
    [
        (DEFINITIONS[1:], "column Addition_RecId is missing"),
        ([*DEFINITIONS[:-1], {"Serial_Number": {"type": "Numeric"}}], "Serial_Number is Numeric, not Text"),
        ("none", "cannot be read"),
    ],
)
def test_columns_that_are_not_as_expected_are_told(
    wire: responses.RequestsMock, definitions: object, why: str
) -> None:
    wire.get(f"{REPORT}/columns", json={"column_definitions": definitions})

    with pytest.raises(ReportUnusable, match=why) as caught:
        client().additions_report.probe()

    assert caught.value.lasting
