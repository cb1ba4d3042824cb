"""ConnectWise PSA: where it is, whole lists, and writes that must show what was asked."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from connector.errors import Nonsense, RequestRefused, SettingsFault, SignInRefused, Unreachable
from connector.model import Addition, AdditionPatch, Agreement, CatalogItem, Company, NewAddition
from connector.vendors import connectwise_lists
from connector.vendors.connectwise import ConnectWiseClient, NotAsAsked, Throttled, Unclear
from connector.vendors.connectwise_base import api_base
from connector.vendors.connectwise_json import number
from connector.vendors.connectwise_lists import has_next
from connector.vendors.connectwise_wire import SystemInfo

BASE = "https://psa.example/v4_6_release/apis/3.0"
INFO = f"{BASE}/system/info"
COMPANIES = f"{BASE}/company/companies"
AGREEMENTS = f"{BASE}/finance/agreements"
CATALOG = f"{BASE}/procurement/catalog"
ADDITIONS = f"{AGREEMENTS}/118/additions"
ONE = f"{ADDITIONS}/9001"
NEXT = {"Link": '<https://server.view/x?fields=id,name;a&page=2>; rel="next", <https://x/?p=9>; rel="last"'}
OCTOBER = date(2026, 10, 1)
NEW = NewAddition(118, 48, Decimal(14), OCTOBER, "sync:1")


def client(url: str = BASE, **how: Any) -> ConnectWiseClient:
    good = {
        "company": "acme",
        "public_key": "public-k",
        "private_key": "private-k",
        "client_id": "client-guid",
    }
    return ConnectWiseClient(**{"url": url} | good | how)


def query(call: Any) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(call.request.url).query).items()}


def calls_to(wire: responses.RequestsMock, url: str) -> list[Any]:
    return [call for call in wire.calls if call.request.url and call.request.url.split("?")[0] == url]


def ids(first: int, last: int) -> list[dict[str, object]]:
    return [{"id": n, "identifier": f"C{n}"} for n in range(first, last + 1)]


def without(record: dict[str, object], *names: str) -> dict[str, object]:
    return {key: value for key, value in record.items() if key not in names}


# Where it is -------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [BASE, BASE + "/", BASE + "//"])
def test_a_full_base_is_used_as_given(wire: responses.RequestsMock, url: str) -> None:
    wire.get(INFO, json={"version": "v2025.1", "isCloud": False, "serverTimeZone": "GMT Standard Time"})

    assert client(url).system_info() == SystemInfo("v2025.1", cloud=False, time_zone="GMT Standard Time")
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("site", "codebase", "base"),
    [
        ("https://na.myconnectwise.net", "v2025_1/", "https://api-na.myconnectwise.net/v2025_1/apis/3.0"),
        ("https://EU.myconnectwise.net", "v2025_1", "https://api-EU.myconnectwise.net/v2025_1/apis/3.0"),
        ("https://aus.myconnectwise.net", "v1/", "https://api-aus.myconnectwise.net/v1/apis/3.0"),
        ("https://staging.connectwisedev.com", "v1/", "https://api-staging.connectwisedev.com/v1/apis/3.0"),
        ("https://api-na.myconnectwise.net", "v1/", "https://api-na.myconnectwise.net/v1/apis/3.0"),
        ("https://psa.example:8443", "v4_6_release/", "https://psa.example:8443/v4_6_release/apis/3.0"),
        ("http://127.0.0.1:80", "v4_6_release/", "http://127.0.0.1:80/v4_6_release/apis/3.0"),
    ],
)
def test_the_base_of_a_site_is_worked_out(site: str, codebase: str, base: str) -> None:
    assert api_base(site, codebase) == base


def test_a_site_is_asked_for_its_code_base_once_and_without_credentials(wire: responses.RequestsMock) -> None:
    info = "https://na.myconnectwise.net/login/companyinfo/Acme%20%2F%20Co"
    wire.get(info, json={"Codebase": "v2025_1/", "IsCloud": "True", "SiteUrl": "https://evil.example"})
    wire.get("https://api-na.myconnectwise.net/v2025_1/apis/3.0/system/info", json={"version": "v"})
    connectwise = client("https://na.myconnectwise.net/", company="Acme / Co")
    assert len(wire.calls) == 0

    connectwise.system_info()
    connectwise.system_info()
    asked = [call.request for call in wire.calls]
    assert [str(request.url).split("/")[2] for request in asked] == [
        "na.myconnectwise.net",
        "api-na.myconnectwise.net",
        "api-na.myconnectwise.net",
    ]
    assert "Authorization" not in asked[0].headers
    assert "clientId" not in asked[0].headers


@pytest.mark.parametrize("answer", [{"body": "null"}, {"status": 404}])
def test_an_unknown_company_is_named_as_such(wire: responses.RequestsMock, answer: dict[str, Any]) -> None:
    wire.get("https://psa.example/login/companyinfo/acme", **answer)

    with pytest.raises(SignInRefused) as caught:
        client("https://psa.example").companies()
    assert "CONNECTWISE_COMPANY" in caught.value.next_step
    assert "CONNECTWISE_URL" in caught.value.next_step


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"Codebase": None},
        {"Codebase": "../v1"},
        {"Codebase": "v1/x/"},
        {"Codebase": "@evil"},
        {"Codebase": 1},
    ],
)
def test_an_odd_code_base_is_nonsense(wire: responses.RequestsMock, document: object) -> None:
    wire.get("https://psa.example/login/companyinfo/acme", json=document)

    with pytest.raises(Nonsense, match="code base"):
        client("https://psa.example").companies()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "http://psa.example"),
        ("url", "https://psa.example/v4_6_release"),
        ("url", "https://psa.example/apis/3.0/more"),
        ("company", ""),
        ("public_key", "a\n"),
        ("private_key", "a\x00"),
        ("client_id", "gü"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsFault, match=f"CONNECTWISE_{name.upper()}"):
        client(**{name: value})


def test_headers_sign_in_and_pin_the_version(wire: responses.RequestsMock) -> None:
    wire.get(INFO, json={"version": "v"})
    client(private_key="schlüssel€1").system_info()

    headers = wire.calls[0].request.headers
    credentials = base64.b64encode("acme+public-k:schlüssel€1".encode()).decode()
    assert headers["Authorization"] == f"Basic {credentials}"
    assert headers["clientId"] == "client-guid"
    assert headers["Accept"] == "application/vnd.connectwise.com+json; version=2025.1"
    assert "Content-Type" not in headers


# Sign-in and rights ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        {"code": "Unauthorized", "message": "Incorrect public/private key"},
        {"code": "ConnectWiseApi", "message": "ConnectWiseApi: UserNotAuthenticated"},
    ],
)
def test_wrong_keys_name_the_settings(wire: responses.RequestsMock, document: object) -> None:
    wire.get(INFO, status=401, json=document)

    with pytest.raises(SignInRefused) as caught:
        client().system_info()
    assert "CONNECTWISE_PRIVATE_KEY" in caught.value.next_step
    assert len(wire.calls) == 1


def test_404_on_system_info_is_a_wrong_company_or_key(wire: responses.RequestsMock) -> None:
    wire.get(INFO, status=404, headers={"x-cw-request-id": "r-1"})

    with pytest.raises(SignInRefused) as caught:
        client().system_info()
    assert "CONNECTWISE_COMPANY" in caught.value.next_step
    assert caught.value.request_id == "r-1"


@pytest.mark.parametrize(
    ("text", "setting", "kind"),
    [
        ("The clientId header is missing", "CONNECTWISE_CLIENT_ID", SignInRefused),
        ("Client ID is not registered", "CONNECTWISE_CLIENT_ID", SignInRefused),
        ("Cannot route. Codebase/company is invalid", "CONNECTWISE_COMPANY", SignInRefused),
        ("conditions are invalid", "ConnectWise", RequestRefused),
    ],
)
def test_a_400_may_be_a_setting(
    wire: responses.RequestsMock, text: str, setting: str, kind: type[Exception]
) -> None:
    wire.get(INFO, status=400, body=text)

    with pytest.raises(kind) as caught:
        client().system_info()
    assert isinstance(caught.value, SignInRefused | RequestRefused)
    assert setting in caught.value.next_step
    assert text in caught.value.message


READS: list[tuple[str, Callable[[ConnectWiseClient], object], str]] = [
    (COMPANIES, ConnectWiseClient.companies, "Companies > Company Maintenance: Inquire ALL"),
    (AGREEMENTS, ConnectWiseClient.agreements, "Finance > Agreements: Inquire ALL"),
    (CATALOG, ConnectWiseClient.catalog_items, "Procurement > Product Catalog: Inquire ALL"),
    (ADDITIONS, lambda connectwise: connectwise.additions(118), "Finance > Agreements: Inquire ALL"),
]


@pytest.mark.parametrize(("url", "read", "right"), READS)
def test_403_names_the_right(
    wire: responses.RequestsMock, url: str, read: Callable[[ConnectWiseClient], object], right: str
) -> None:
    wire.get(url, status=403, json={"code": "Security", "message": "You do not have security permission"})

    with pytest.raises(SignInRefused, match="You do not have security permission") as caught:
        read(client())
    assert right in caught.value.next_step


@pytest.mark.parametrize(("url", "read", "right"), READS)
def test_404_on_a_list_with_good_keys_is_not_the_keys(
    wire: responses.RequestsMock, url: str, read: Callable[[ConnectWiseClient], object], right: str
) -> None:
    wire.get(url, status=404)
    wire.get(INFO, json={"version": "v"})

    with pytest.raises(RequestRefused, match="404, there is no /"):
        read(client())


@pytest.mark.parametrize(("url", "read", "right"), READS)
def test_404_on_a_list_with_bad_keys_is_the_keys(
    wire: responses.RequestsMock, url: str, read: Callable[[ConnectWiseClient], object], right: str
) -> None:
    wire.get(url, status=404)
    wire.get(INFO, status=404)

    with pytest.raises(SignInRefused, match="company or these keys"):
        read(client())


# Whole lists -------------------------------------------------------------------------------------


def test_a_list_is_asked_for_in_order_with_few_fields(wire: responses.RequestsMock) -> None:
    wire.get(COMPANIES, json=ids(1, 2))

    assert [company.id for company in client().companies()] == [1, 2]
    (call,) = wire.calls
    assert query(call) == {
        "page": "1",
        "pageSize": "1000",
        "orderBy": "id asc",
        "fields": "id,identifier,name,deletedFlag,status/name",
    }


@pytest.mark.parametrize(
    ("pages", "asked"),
    [
        ([(ids(1, 1000), {}), (ids(1001, 1501), {})], 2),
        ([(ids(1, 25), {}), (ids(26, 50), {}), (ids(51, 60), {})], 3),
        ([(ids(1, 25), {"Link": ""})], 1),
        ([(ids(1, 1000), {}), ([], {})], 2),
        ([(ids(1, 999), NEXT), (ids(1000, 1001), {})], 2),
        ([(ids(1, 10), NEXT), ([], NEXT)], 2),
        ([(ids(1, 10), {"Link": '<https://x/?page=1>; rel="prev"'})], 1),
        ([([], {})], 1),
    ],
)
def test_a_list_ends_where_nothing_says_that_it_goes_on(
    wire: responses.RequestsMock, pages: list[tuple[list[Any], dict[str, str]]], asked: int
) -> None:
    for rows, headers in pages:
        wire.get(COMPANIES, json=rows, headers=headers)

    assert len(client().companies()) == sum(len(rows) for rows, _ in pages)
    assert [query(call)["page"] for call in wire.calls] == [str(n) for n in range(1, asked + 1)]
    assert {urlsplit(str(call.request.url)).hostname for call in wire.calls} == {"psa.example"}


@pytest.mark.parametrize(
    ("link", "more"),
    [
        (NEXT["Link"], True),
        ("<https://x/?fields=id,name&page=2>;rel=next", True),
        ('<https://x/?page=1>; title="a, b"; rel="prev next"', True),
        ('<https://x/?page=1>; rel="first", <https://x/?page=2>; REL="NEXT"', True),
        ('<https://x/?q=rel="next">; rel="last"', False),
        ('<>; rel="next"', False),
        ("<https://x/?page=2>", False),
        ("", False),
        ("nonsense; rel=next", False),
        ("<" * 5000, False),
    ],
)
def test_links_are_read_relation_by_relation(link: str, more: bool) -> None:
    assert has_next(link) is more


def test_a_page_that_brings_nothing_new_is_nonsense(wire: responses.RequestsMock) -> None:
    wire.get(COMPANIES, json=ids(1, 1000))

    with pytest.raises(Nonsense, match="page 2 repeats"):
        client().companies()
    assert len(wire.calls) == 2


@pytest.mark.parametrize(
    "second",
    [ids(900, 1100), [*reversed(ids(1001, 1100))][:-1] + ids(1001, 1002), ids(1001, 1100) + ids(1100, 1100)],
)
def test_a_list_out_of_order_is_counted(wire: responses.RequestsMock, second: list[Any]) -> None:
    wire.get(COMPANIES, json=ids(1, 1000))
    wire.get(COMPANIES, json=second)
    wire.get(f"{COMPANIES}/count", json={"count": 1100})

    assert [company.id for company in client().companies()][:1000] == list(range(1, 1001))
    assert len(wire.calls) == 3


def test_a_list_that_does_not_match_its_count_is_read_once_more(wire: responses.RequestsMock) -> None:
    wire.get(COMPANIES, json=ids(1, 1000))
    wire.get(COMPANIES, json=ids(900, 1050))
    wire.get(COMPANIES, json=ids(1, 1000))
    wire.get(COMPANIES, json=ids(1001, 1051))
    wire.get(f"{COMPANIES}/count", json={"count": 1051})

    assert len(client().companies()) == 1051
    assert len(wire.calls) == 5


@pytest.mark.parametrize("count", [{"count": 1200}, {}, {"count": "many"}, []])
def test_a_list_that_never_matches_its_count_is_nonsense(wire: responses.RequestsMock, count: object) -> None:
    for _ in range(2):
        wire.get(COMPANIES, json=ids(1, 1000))
        wire.get(COMPANIES, json=ids(900, 1050))
    wire.get(f"{COMPANIES}/count", json=count)

    with pytest.raises(Nonsense, match="count"):
        client().companies()


def test_disorder_within_one_page_is_no_matter(wire: responses.RequestsMock) -> None:
    wire.get(COMPANIES, json=[*ids(5, 6), *ids(1, 2), *ids(5, 5)])

    assert [company.id for company in client().companies()] == [5, 6, 1, 2]
    assert len(wire.calls) == 1


def test_a_list_without_end_is_nonsense(
    wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connectwise_lists, "_MOST_PAGES", 2)
    for n in range(1, 4):
        wire.get(COMPANIES, json=ids(n, n), headers=NEXT)

    with pytest.raises(Nonsense, match="more than 2 pages"):
        client().companies()


@pytest.mark.parametrize(
    "document",
    [{}, None, "x", {"message": "odd"}, [1], [None], [{}], [{"id": "7"}], [{"id": True}], [{"id": None}]],
)
def test_a_list_of_another_shape_is_nonsense(wire: responses.RequestsMock, document: object) -> None:
    wire.get(COMPANIES, json=document)

    with pytest.raises(Nonsense, match="reading companies"):
        client().companies()


# Records -----------------------------------------------------------------------------------------


def test_companies_that_are_merged_stay_as_deleted(wire: responses.RequestsMock) -> None:
    wire.get(
        COMPANIES,
        json=[
            {
                "id": 250,
                "identifier": "AlderDental",
                "name": "Alder Dental ",
                "deletedFlag": False,
                "status": {},
            },
            {"id": 251, "identifier": "Old", "deletedFlag": True, "_info": {"x": "y"}},
        ],
    )

    assert client().companies() == (
        Company(250, "AlderDental", "Alder Dental"),
        Company(251, "Old", deleted=True),
    )


def test_agreements_come_with_calendar_dates(wire: responses.RequestsMock) -> None:
    wire.get(
        AGREEMENTS,
        json=[
            {
                "id": 118,
                "name": "Managed Security ",
                "company": {"id": 250, "identifier": "AlderDental", "name": "Alder"},
                "agreementStatus": "Expired",
                "cancelledFlag": True,
                "startDate": "2018-05-17T00:00:00Z",
                "endDate": "2018-08-31T00:00:00Z",
                "noEndingDateFlag": False,
                "billStartDate": "2018-06-01T04:00:00Z",
                "nextInvoiceDate": "2026-11-01",
            },
            {
                "id": 119,
                "company": {"id": 250},
                "endDate": "2018-08-31",
                "noEndingDateFlag": True,
                "startDate": "",
            },
            {"id": 120, "company": {"id": 250}, "nextInvoiceDate": "next month", "billStartDate": None},
        ],
    )

    assert client().agreements() == (
        Agreement(
            118,
            "Managed Security",
            250,
            "AlderDental",
            "Expired",
            cancelled=True,
            start=date(2018, 5, 17),
            end=date(2018, 8, 31),
            bill_start=date(2018, 6, 1),
            next_invoice=date(2026, 11, 1),
        ),
        Agreement(119, "", 250, status=""),
        Agreement(120, "", 250, status=""),
    )
    assert "company/identifier" in query(wire.calls[0])["fields"]


@pytest.mark.parametrize("field", ["startDate", "endDate", "billStartDate"])
def test_an_agreement_with_an_unreadable_date_stops_nobody_elses_month(
    wire: responses.RequestsMock, field: str
) -> None:
    other = {"id": 119, "company": {"id": 1}, "agreementStatus": "Active"}
    wire.get(AGREEMENTS, json=[{"id": 118, "company": {"id": 1}, field: "17/05/2018"}, other])

    broken, fine = client().agreements()
    assert broken.status == f"not readable: {field} is no date"
    assert fine.status == "Active"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"name": " Managed "}, "Managed"),
        (None, ""),
        ({"id": 1}, ""),
        ("Managed", ""),
        ({"name": []}, ""),
        (7, ""),
    ],
)
def test_a_type_or_status_that_cannot_be_read_stops_no_month(
    wire: responses.RequestsMock, said: object, told: str
) -> None:
    wire.get(AGREEMENTS, json=[{"id": 118, "company": {"id": 1}, "type": said}])
    wire.get(COMPANIES, json=[{"id": 250, "identifier": "A", "status": said}])

    assert [agreement.type for agreement in client().agreements()] == [told]
    assert [company.status for company in client().companies()] == [told]


def test_an_agreement_of_no_company_belongs_to_none(wire: responses.RequestsMock) -> None:
    wire.get(AGREEMENTS, json=[{"id": 118, "company": None}])

    assert [agreement.company_id for agreement in client().agreements()] == [0]


def shown(**more: object) -> dict[str, object]:
    return {
        "id": 9001,
        "product": {"id": 48, "identifier": "SOPHOS-MDR", "_info": {}},
        "quantity": 14.0,
        "billCustomer": "Billable",
        "effectiveDate": "2026-10-01T00:00:00Z",
        "serialNumber": "sync:1",
        "agreementId": 118,
        "unitPrice": 3.5,
    } | more


SHOWN = Addition(9001, 118, 48, Decimal(14), None, OCTOBER, "sync:1", "Billable", unit_price=Decimal("3.5"))


def test_additions_are_exact_and_null_is_unset(wire: responses.RequestsMock) -> None:
    wire.get(
        ADDITIONS,
        body='[{"id": 1, "product": {"id": 48}, "quantity": 0.10, "cancelledDate": "2026-09-30T00:00:00Z",'
        ' "effectiveDate": "", "serialNumber": null}, {"id": 2, "product": {"id": 49},'
        ' "billCustomer": "NoCharge", "quantity": 0.333333333333, "agreementId": 118}]',
    )

    assert client().additions(118) == (
        Addition(1, 118, 48, Decimal("0.1"), date(2026, 9, 30), None, "", ""),
        Addition(2, 118, 49, Decimal("0.333333333333"), None, None, "", "NoCharge"),
    )
    assert query(wire.calls[0])["fields"] == (
        "id,product/id,quantity,cancelledDate,effectiveDate,serialNumber,billCustomer,"
        "agreementId,lessIncluded,unitPrice,unitCost"
    )


@pytest.mark.parametrize(
    ("said", "included"), [({"lessIncluded": 5.5}, "5.5"), ({}, "0"), ({"lessIncluded": "many"}, "0")]
)
def test_units_that_are_included_are_read_and_stop_no_month(
    wire: responses.RequestsMock, said: dict[str, object], included: str
) -> None:
    wire.get(ADDITIONS, json=[shown(**said)])

    (addition,) = client().additions(118)
    assert addition.less_included == Decimal(included)


def test_an_addition_without_a_quantity_has_none(wire: responses.RequestsMock) -> None:
    wire.get(ADDITIONS, json=[without(shown(), "quantity")])

    (addition,) = client().additions(118)
    assert addition.quantity == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", "many"),
        ("quantity", True),
        ("cancelledDate", "30.09.2026"),
        ("effectiveDate", "2026-02-30T00:00:00Z"),
        ("agreementId", 119),
        ("agreementId", "118"),
        ("product", None),
        ("product", {"id": "48"}),
        ("product", 48),
        ("serialNumber", ["x"]),
    ],
)
def test_an_odd_addition_is_nonsense(wire: responses.RequestsMock, field: str, value: object) -> None:
    wire.get(ADDITIONS, json=[shown(**{field: value})])

    with pytest.raises(Nonsense, match="reading additions of agreement 118: row 1"):
        client().additions(118)


def test_one_addition_is_read_afresh(wire: responses.RequestsMock) -> None:
    wire.get(ONE, json=shown())

    assert client().addition(118, 9001) == SHOWN


def test_an_addition_that_is_gone_is_none_if_the_keys_are_good(wire: responses.RequestsMock) -> None:
    wire.get(ONE, status=404, json={"code": "NotFound"})
    wire.get(INFO, json={"version": "v"})

    assert client().addition(118, 9001) is None


def test_an_addition_that_seems_gone_to_bad_keys_is_not(wire: responses.RequestsMock) -> None:
    wire.get(ONE, status=404)
    wire.get(INFO, status=404)

    with pytest.raises(SignInRefused):
        client().addition(118, 9001)


@pytest.mark.parametrize("document", [[], shown(id=9002), shown(agreementId=7), {}])
def test_another_record_than_asked_for_is_nonsense(wire: responses.RequestsMock, document: object) -> None:
    wire.get(ONE, json=document)

    with pytest.raises(Nonsense):
        client().addition(118, 9001)


# The catalog -------------------------------------------------------------------------------------

MDR = {"id": 48, "identifier": " Sophos-MDR ", "description": "MDR", "productClass": "Agreement"}
XDR = {"id": 49, "identifier": "SOPHOS-XDR", "inactiveFlag": True, "price": 3.5}


def test_the_whole_catalog_is_read_without_references(wire: responses.RequestsMock) -> None:
    wire.get(CATALOG, json=[MDR, XDR])

    assert client().catalog_items() == (
        CatalogItem(48, "Sophos-MDR", "MDR", "Agreement"),
        CatalogItem(49, "SOPHOS-XDR", inactive=True, price=Decimal("3.5")),
    )
    assert query(wire.calls[0])["fields"] == "id,identifier,description,productClass,inactiveFlag,price"


def test_a_few_references_are_asked_for_by_condition(wire: responses.RequestsMock) -> None:
    wire.get(CATALOG, json=[XDR, MDR])

    assert [item.id for item in client().catalog_items(["SOPHOS-mdr", 49])] == [48, 49]
    (call,) = wire.calls
    assert query(call)["conditions"] == '(id in (49)) or (identifier in ("SOPHOS-mdr"))'


@pytest.mark.parametrize(
    ("references", "first"),
    [
        (["SOPHOS-MDR", "NO-SUCH"], {"json": [MDR]}),
        ([48, 50], {"json": [MDR]}),
        (["SOPHOS-MDR"], {"status": 400, "json": {"message": "conditions"}}),
        (["SOPHOS-MDR"], {"status": 414}),
    ],
)
def test_what_conditions_cannot_tell_the_whole_list_does(
    wire: responses.RequestsMock, references: list[str | int], first: dict[str, Any]
) -> None:
    wire.get(CATALOG, **first)
    wire.get(CATALOG, json=[MDR, XDR])

    assert [item.id for item in client().catalog_items(references)] == [48, 49]
    assert ["conditions" in query(call) for call in wire.calls] == [True, False]


@pytest.mark.parametrize("references", [["both \" and '"], ["a\nb"], list(range(1, 1202))])
def test_references_that_cannot_be_asked_for_take_the_whole_list(
    wire: responses.RequestsMock, references: list[str | int]
) -> None:
    wire.get(CATALOG, json=[MDR])

    assert len(client().catalog_items(references)) == 1
    (call,) = wire.calls
    assert "conditions" not in query(call)


def test_no_references_need_no_request(wire: responses.RequestsMock) -> None:
    assert client().catalog_items([]) == ()
    assert len(wire.calls) == 0


def test_a_refusal_that_is_not_of_the_condition_is_raised(wire: responses.RequestsMock) -> None:
    wire.get(CATALOG, status=409, json={"message": "conflict"})

    with pytest.raises(RequestRefused, match="409"):
        client().catalog_items(["A"])


# Creating ----------------------------------------------------------------------------------------


def test_an_addition_is_created_with_exactly_five_fields(wire: responses.RequestsMock) -> None:
    wire.post(ADDITIONS, status=201, json=shown())

    assert client().create_addition(NEW) == SHOWN
    (call,) = wire.calls
    assert json.loads(call.request.body or "") == {
        "product": {"id": 48},
        "quantity": 14,
        "billCustomer": "Billable",
        "effectiveDate": "2026-10-01T00:00:00Z",
        "serialNumber": "sync:1",
    }
    assert call.request.headers["Content-Type"] == "application/json"


def test_an_addition_without_a_mark_names_no_serial_number(wire: responses.RequestsMock) -> None:
    wire.post(ADDITIONS, status=201, json=shown(quantity=0.1, serialNumber="by the server"))

    client().create_addition(NewAddition(118, 48, Decimal("0.1"), OCTOBER))
    body = wire.calls[0].request.body or b""
    assert b"serialNumber" not in (body if isinstance(body, bytes) else body.encode())
    assert json.loads(body)["quantity"] == 0.1


def test_prices_that_a_rule_owns_are_sent_exactly_and_must_be_shown(wire: responses.RequestsMock) -> None:
    new = replace(NEW, unit_price=Decimal("3.50"), unit_cost=Decimal("2.10"))
    wire.post(ADDITIONS, status=201, body=json.dumps(shown(unitCost=2.1)).replace("3.5,", "3.500,"))
    wire.post(ADDITIONS, status=201, json=shown(unitPrice=3.49))

    assert client().create_addition(new).unit_price == Decimal("3.5")
    body = json.loads(wire.calls[0].request.body or "")
    assert (body["unitPrice"], body["unitCost"]) == (3.5, 2.1)
    with pytest.raises(NotAsAsked) as caught:
        client().create_addition(new)
    assert caught.value.differences == ("unitPrice is 3.49, not 3.50", "unitCost is not shown, not 2.10")


def test_a_patch_of_prices_is_verified(wire: responses.RequestsMock) -> None:
    patch = AdditionPatch(unit_price=Decimal("3.50"), unit_cost=Decimal("2.10"))
    wire.patch(ONE, json=shown(unitPrice=3.5, unitCost=2.10))
    wire.patch(ONE, json=shown(unitPrice=3.5, unitCost=2))
    wire.patch(ONE, json=without(shown(), "unitPrice"))
    wire.get(ONE, json=shown(unitPrice=3))

    assert client().patch_addition(118, 9001, patch).unit_cost == Decimal("2.1")
    assert json.loads(wire.calls[0].request.body or "") == [
        {"op": "replace", "path": "unitPrice", "value": 3.5},
        {"op": "replace", "path": "unitCost", "value": 2.1},
    ]
    with pytest.raises(NotAsAsked, match=r"unitCost is 2, not 2\.10"):
        client().patch_addition(118, 9001, patch)
    with pytest.raises(NotAsAsked) as caught:
        client().patch_addition(118, 9001, patch)
    assert caught.value.differences == ("unitPrice is 3, not 3.50", "unitCost is None, not 2.10")


@pytest.mark.parametrize("odd", ["x", True, {}, 1e40])
def test_an_odd_price_stops_no_month(wire: responses.RequestsMock, odd: object) -> None:
    wire.get(ADDITIONS, json=[shown(unitPrice=odd, unitCost=odd)])

    (addition,) = client().additions(118)
    assert addition.quantity == 14
    assert (addition.unit_price, addition.unit_cost) == (None, None)


@pytest.mark.parametrize(
    ("currency", "code"),
    [({"currencyCode": "eur"}, "EUR"), (None, ""), ({}, ""), ("EUR", "")],
)
def test_an_agreement_says_its_currency_or_none(
    wire: responses.RequestsMock, currency: object, code: str
) -> None:
    record = {"id": 118, "name": "Managed", "company": {"id": 1, "identifier": "A"}, "currency": currency}
    wire.get(AGREEMENTS, json=[record])

    (agreement,) = client().agreements()
    assert agreement.currency == code


@pytest.mark.parametrize(
    ("decimals", "whole"), [(0, True), (0.0, True), (2, False), (None, False), ("x", False)]
)
def test_an_agreement_says_whether_its_currency_has_decimals(
    wire: responses.RequestsMock, decimals: object, whole: bool
) -> None:
    currency = {"currencyCode": "ISK", "numberOfDecimals": decimals}
    record = {"id": 118, "name": "Managed", "company": {"id": 1, "identifier": "A"}, "currency": currency}
    wire.get(AGREEMENTS, json=[record])

    (agreement,) = client().agreements()
    assert agreement.whole is whole


@pytest.mark.parametrize(
    ("document", "difference"),
    [
        (shown(quantity=13), "quantity is 13, not 14"),
        (without(shown(), "quantity"), "quantity is not shown, not 14"),
        (shown(quantity="x"), "quantity is text that is no quantity"),
        (shown(product={"id": 47}), "product/id is 47, not 48"),
        (without(shown(), "product"), "product/id is missing"),
        (shown(billCustomer="DoNotBill"), "billCustomer is DoNotBill, not Billable"),
        (shown(effectiveDate="2026-09-30T00:00:00Z"), "effectiveDate is 2026-09-30, not 2026-10-01"),
        (shown(serialNumber=None), "serialNumber is not shown, not sync:1"),
        (shown(serialNumber="sync:2"), "serialNumber is sync:2, not sync:1"),
        (shown(agreementId=7), "it is no addition of that agreement"),
    ],
)
def test_a_creation_that_does_not_show_what_was_asked_is_no_success(
    wire: responses.RequestsMock, document: dict[str, object], difference: str
) -> None:
    wire.post(ADDITIONS, status=201, json=document, headers={"x-cw-request-id": "r-5"})

    with pytest.raises(NotAsAsked) as caught:
        client().create_addition(NEW)
    assert caught.value.differences == (difference,)
    assert difference in caught.value.message
    assert "Request id r-5" in caught.value.message
    assert caught.value.addition_id == 9001
    assert (caught.value.addition is None) == (
        "product/id is miss" in difference or "it is" in difference or "text" in difference
    )
    assert len(wire.calls) == 1


@pytest.mark.parametrize("document", [[], {}, "x", 5, shown(id="x"), without(shown(), "id")])
def test_a_creation_that_shows_no_record_is_no_success(
    wire: responses.RequestsMock, document: object
) -> None:
    wire.post(ADDITIONS, status=201, json=document)

    with pytest.raises(NotAsAsked) as caught:
        client().create_addition(NEW)
    assert caught.value.addition is None
    assert caught.value.addition_id is None
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 500, "json": {"message": "A timeout has occured. Please try again."}}, Unclear),
        ({"status": 502, "body": "<html>"}, Unclear),
        ({"status": 201, "body": ""}, Unclear),
        ({"body": requests.ConnectionError("cut")}, Unclear),
        ({"body": requests.ReadTimeout("slow")}, Unclear),
        ({"status": 429, "headers": {"Retry-After": "30"}}, Throttled),
        ({"status": 400, "json": {"message": "effectiveDate cannot be less than ..."}}, RequestRefused),
        ({"status": 403, "json": {}}, SignInRefused),
        ({"status": 404, "json": {}}, RequestRefused),
    ],
)
def test_a_creation_is_sent_once_whatever_happens(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.post(ADDITIONS, **answer)
    connectwise = client()

    with pytest.raises(kind) as caught:
        connectwise.create_addition(NEW)
    assert type(caught.value) is kind
    assert connectwise.transport.counts == {"POST": 1}


def test_403_on_a_creation_names_both_rights(wire: responses.RequestsMock) -> None:
    wire.post(ADDITIONS, status=403, json={"code": "Security", "message": "no"})

    with pytest.raises(SignInRefused) as caught:
        client().create_addition(NEW)
    assert "Finance > Agreements: Add ALL and Edit ALL" in caught.value.next_step


# Changing ----------------------------------------------------------------------------------------


def test_a_patch_names_only_the_fields_that_are_set(wire: responses.RequestsMock) -> None:
    wire.patch(ONE, json=shown(quantity=15, cancelledDate="2026-09-30T00:00:00Z"))
    patch = AdditionPatch(Decimal("15.0"), date(2026, 9, 30), "sync:1")

    assert client().patch_addition(118, 9001, patch).quantity == 15
    client().patch_addition(118, 9001, AdditionPatch(cancelled=date(2026, 9, 30)))
    assert [json.loads(call.request.body or "") for call in wire.calls] == [
        [
            {"op": "replace", "path": "quantity", "value": 15},
            {"op": "replace", "path": "cancelledDate", "value": "2026-09-30T00:00:00Z"},
            {"op": "replace", "path": "serialNumber", "value": "sync:1"},
        ],
        [{"op": "replace", "path": "cancelledDate", "value": "2026-09-30T00:00:00Z"}],
    ]


def test_a_patch_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing"):
        client().patch_addition(118, 9001, AdditionPatch())


@pytest.mark.parametrize(
    "answer",
    [
        {"json": without(shown(), "quantity")},
        {"json": {"id": 9001, "quantity": 15}},
        {"json": shown(id=1, quantity=15)},
        {"json": []},
        {"body": ""},
        {"body": "<html>"},
        {"status": 204},
    ],
)
def test_a_patch_whose_answer_does_not_show_it_is_read_back(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    wire.patch(ONE, **answer)
    wire.get(ONE, json=shown(quantity=15))

    assert client().patch_addition(118, 9001, AdditionPatch(Decimal(15))).quantity == 15
    assert [call.request.method for call in wire.calls] == ["PATCH", "GET"]


def test_a_patch_without_effect_is_no_success(wire: responses.RequestsMock) -> None:
    wire.patch(ONE, json=without(shown(), "quantity", "serialNumber"))
    wire.get(ONE, json=shown())
    patch = AdditionPatch(Decimal(15), date(2026, 9, 30), "sync:9")

    with pytest.raises(NotAsAsked) as caught:
        client().patch_addition(118, 9001, patch)
    assert caught.value.differences == (
        "quantity is 14, not 15",
        "cancelledDate is None, not 2026-09-30",
        "serialNumber is sync:1, not sync:9",
    )
    assert caught.value.addition == SHOWN
    assert caught.value.addition_id == 9001


def test_a_patch_whose_answer_shows_something_else_is_no_success_whatever_is_read_later(
    wire: responses.RequestsMock,
) -> None:
    wire.patch(ONE, json=shown(quantity=14))

    with pytest.raises(NotAsAsked) as caught:
        client().patch_addition(118, 9001, AdditionPatch(Decimal(15)))
    assert caught.value.differences == ("quantity is 14, not 15",)
    assert caught.value.addition_id == 9001
    assert [call.request.method for call in wire.calls] == ["PATCH"]


def test_a_mark_that_is_taken_away_shows_by_its_absence(wire: responses.RequestsMock) -> None:
    wire.patch(ONE, json=without(shown(), "serialNumber"))

    assert client().patch_addition(118, 9001, AdditionPatch(serial_number="")).serial_number == ""


def test_a_patch_of_an_addition_that_is_gone_since_is_no_success(wire: responses.RequestsMock) -> None:
    wire.patch(ONE, json={})
    wire.get(ONE, status=404)
    wire.get(INFO, json={"version": "v"})

    with pytest.raises(NotAsAsked, match="it is gone"):
        client().patch_addition(118, 9001, AdditionPatch(Decimal(15)))


@pytest.mark.parametrize("answer", [{"status": 503}, {"json": []}, {"status": 403, "json": {}}])
def test_a_patch_that_cannot_be_read_back_is_unclear(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    wire.patch(ONE, json={})
    wire.get(ONE, **answer)

    with pytest.raises(Unclear, match="reading back failed"):
        client().patch_addition(118, 9001, AdditionPatch(Decimal(15)))


@pytest.mark.parametrize(
    ("answer", "kind", "sent"),
    [
        ({"status": 503}, Unclear, 5),
        ({"status": 500, "json": {"message": "A timeout has occured."}}, Unclear, 5),
        ({"status": 500, "json": {"message": "Error converting value"}}, Unclear, 1),
        ({"body": requests.ReadTimeout("slow")}, Unclear, 2),
        ({"status": 429}, Throttled, 5),
        ({"status": 400, "json": {"message": "addition object is invalid"}}, RequestRefused, 1),
        ({"status": 302, "headers": {"Location": "/"}}, Nonsense, 1),
        ({"body": requests.ConnectTimeout("slow")}, Unreachable, 5),
    ],
)
def test_a_patch_is_repeated_where_that_may_help(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception], sent: int
) -> None:
    wire.patch(ONE, **answer)
    connectwise = client()

    with pytest.raises(kind) as caught:
        connectwise.patch_addition(118, 9001, AdditionPatch(Decimal(15)))
    assert type(caught.value) is kind
    assert connectwise.transport.counts == {"PATCH": sent}


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("14", "14"), ("14.00", "14"), ("0.1", "0.1"), ("-2.5", "-2.5"), ("1E+2", "100"), ("0.000001", "1e-06")],
)
def test_quantities_leave_as_exact_numbers(quantity: str, value: str) -> None:
    assert json.dumps(number(Decimal(quantity))) == value
    assert Decimal(json.dumps(number(Decimal(quantity)))) == Decimal(quantity)


@pytest.mark.parametrize("quantity", ["0.12345678901234567890", "NaN", "Infinity"])
def test_a_quantity_that_no_json_number_keeps_is_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match=quantity[:8]):
        number(Decimal(quantity))


def test_an_addition_of_a_quantity_that_no_json_number_keeps_is_never_sent(
    wire: responses.RequestsMock,
) -> None:
    new = NewAddition(118, 48, Decimal("0.12345678901234567890"), OCTOBER)

    with pytest.raises(RequestRefused, match="Nothing was sent to ConnectWise"):
        client().create_addition(new)
    assert len(wire.calls) == 0


def test_no_key_reaches_an_error_or_a_trace(wire: responses.RequestsMock) -> None:
    lines: list[str] = []
    credentials = base64.b64encode(b"acme+public-k:private-k").decode()
    wire.get(COMPANIES, status=409, json={"message": f"private-k public-k client-guid {credentials}"})

    with pytest.raises(RequestRefused) as caught:
        client(trace=lines.append).companies()
    text = f"{lines} {caught.value}"
    for secret in ("private-k", "public-k", "client-guid", credentials):
        assert secret not in text
