"""Catalog items as people see them: looked for, read, created once, changed and shown as asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Nonsense, RequestRefused, SignInRefused
from connector.model import CatalogRecord, Choice, ItemPatch, NewItem
from connector.vendors.connectwise import ConnectWiseClient, NotAsAsked, Throttled, Unclear
from connector.vendors.connectwise_item_wire import faults
from connector.vendors.connectwise_items import ConnectWiseCatalog

BASE = "https://psa.example/v4_6_release/apis/3.0"
INFO = f"{BASE}/system/info"
ITEMS = f"{BASE}/procurement/catalog"
ONE = f"{ITEMS}/48"
TABLES = {
    "subcategories": f"{BASE}/procurement/subcategories",
    "types": f"{BASE}/procurement/types",
    "units": f"{BASE}/procurement/unitOfMeasures",
}
NEW = NewItem(
    identifier="SOPHOS-NDR",
    description="Network detection",
    customer_description="Network detection,\nper sensor",
    subcategory="Sophos",
    type=1,
    unit="each",
    price=Decimal("30.50"),
    cost=Decimal(21),
    taxable=True,
)


def catalog() -> ConnectWiseCatalog:
    client = ConnectWiseClient(
        url=BASE, company="acme", public_key="public-k", private_key="private-k", client_id="guid"
    )
    return client.catalog


def shown(**more: object) -> dict[str, object]:
    record = {
        "id": 48,
        "identifier": "SOPHOS-NDR",
        "description": "Network detection",
        "customerDescription": "Network detection, per sensor",
        "subcategory": {"id": 3, "name": "Sophos ", "_info": {}},
        "category": {"id": 1, "name": "Security"},
        "type": {"id": 1, "name": "Subscription"},
        "unitOfMeasure": {"id": 1, "name": "Each"},
        "productClass": "Agreement",
        "price": 30.5,
        "cost": 21.0,
        "taxableFlag": True,
        "inactiveFlag": False,
    } | more
    return {name: value for name, value in record.items() if value is not None}


RECORD = CatalogRecord(
    48,
    "SOPHOS-NDR",
    "Network detection",
    "Network detection, per sensor",
    "Sophos",
    "Security",
    "Subscription",
    "Each",
    "Agreement",
    Decimal("30.5"),
    Decimal(21),
    taxable=True,
)


def query(call: Any) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(call.request.url).query).items()}


def methods(wire: responses.RequestsMock) -> list[str]:
    return [str(call.request.method) for call in wire.calls]


# Reading -----------------------------------------------------------------------------------------


def test_an_item_comes_with_texts_class_and_exact_money(wire: responses.RequestsMock) -> None:
    body = json.dumps(shown()).replace("30.5", "30.50000000000000001")
    wire.get(ITEMS, body=f"[{body}]")

    (item,) = catalog().catalog_records()
    assert item == replace(RECORD, price=Decimal("30.50000000000000001"))
    assert query(wire.calls[0])["fields"] == (
        "id,identifier,description,customerDescription,subcategory/id,subcategory/name,category/name,"
        "type/id,type/name,unitOfMeasure/id,unitOfMeasure/name,productClass,price,cost,taxableFlag,inactiveFlag"
    )


def test_what_an_item_does_not_say_is_unset_and_money_may_be_text(wire: responses.RequestsMock) -> None:
    wire.get(ITEMS, json=[{"id": 1}, {"id": 2, "price": "3.50", "cost": None, "inactiveFlag": "true"}])

    assert catalog().catalog_records() == (
        CatalogRecord(1, ""),
        CatalogRecord(2, "", price=Decimal("3.5"), inactive=True),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "a lot"),
        ("price", True),
        ("price", {}),
        ("cost", [1]),
        ("price", 1e20),
        ("subcategory", "Sophos"),
        ("type", [1]),
        ("unitOfMeasure", {"name": {}}),
        ("identifier", ["x"]),
        ("description", False),
        ("taxableFlag", "perhaps"),
        ("inactiveFlag", 1),
    ],
)
def test_an_odd_item_is_nonsense_that_names_its_row(
    wire: responses.RequestsMock, field: str, value: object
) -> None:
    wire.get(ITEMS, json=[shown(id=1), shown(**{field: value})])

    with pytest.raises(Nonsense, match="reading catalog items: row 2"):
        catalog().catalog_records()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e99999"])
def test_money_that_is_no_number_is_nonsense(wire: responses.RequestsMock, number: str) -> None:
    wire.get(ITEMS, body=f'[{{"id": 1, "price": {number}}}]')

    with pytest.raises(Nonsense, match=r"number beyond all measure|no JSON"):
        catalog().catalog_records()


def test_one_item_is_read_by_id(wire: responses.RequestsMock) -> None:
    wire.get(ONE, json=shown())

    assert catalog().item(48) == RECORD


def test_an_item_that_is_gone_is_none_if_the_keys_are_good(wire: responses.RequestsMock) -> None:
    wire.get(ONE, status=404)
    wire.get(INFO, json={"version": "v"})

    assert catalog().item(48) is None


def test_an_item_that_seems_gone_to_bad_keys_is_not(wire: responses.RequestsMock) -> None:
    wire.get(ONE, status=404)
    wire.get(INFO, status=404)

    with pytest.raises(SignInRefused):
        catalog().item(48)


@pytest.mark.parametrize("document", [[], None, {}, shown(id=49), shown(price="x")])
def test_another_record_than_the_item_asked_for_is_nonsense(
    wire: responses.RequestsMock, document: object
) -> None:
    wire.get(ONE, json=document)

    with pytest.raises(Nonsense, match="reading catalog item 48"):
        catalog().item(48)


CHOICES: list[tuple[str, Callable[[ConnectWiseCatalog], object]]] = [
    ("subcategories", ConnectWiseCatalog.subcategories),
    ("types", ConnectWiseCatalog.product_types),
    ("units", ConnectWiseCatalog.units),
]


@pytest.mark.parametrize(("table", "read"), CHOICES)
def test_a_set_up_table_is_read_whole(
    wire: responses.RequestsMock, table: str, read: Callable[[ConnectWiseCatalog], object]
) -> None:
    wire.get(TABLES[table], json=[{"id": 1, "name": "Each "}, {"id": 2, "name": "Old", "inactiveFlag": True}])

    assert read(catalog()) == (Choice(1, "Each"), Choice(2, "Old", inactive=True))
    assert query(wire.calls[0])["fields"] == "id,name,inactiveFlag"


@pytest.mark.parametrize(("table", "read"), CHOICES)
def test_403_on_a_set_up_table_names_the_right(
    wire: responses.RequestsMock, table: str, read: Callable[[ConnectWiseCatalog], object]
) -> None:
    wire.get(TABLES[table], status=403, json={})

    with pytest.raises(SignInRefused) as caught:
        read(catalog())
    assert "System > Table Setup: Inquire ALL" in caught.value.next_step


# Looking for -------------------------------------------------------------------------------------


def test_a_text_is_looked_for_in_identifier_and_description(wire: responses.RequestsMock) -> None:
    wire.get(ITEMS, json=[shown(), shown(id=49, identifier="X", description="sophos-ndr sensor")])

    assert [item.id for item in catalog().search_items("  Sophos-NDR ")] == [48, 49]
    (call,) = wire.calls
    assert query(call)["conditions"] == (
        '(identifier contains "Sophos-NDR") or (description contains "Sophos-NDR")'
    )


def test_a_server_that_ignores_conditions_gives_no_wrong_item(wire: responses.RequestsMock) -> None:
    wire.get(ITEMS, json=[shown(id=1), shown(id=2, identifier="BACKUP", description="Backup")])

    assert [item.id for item in catalog().search_items("backup")] == [2]
    assert [item.id for item in catalog().items_named("backup")] == [2]


HOSTILE = [
    "both \" and '",
    "100% [all]",
    "a*b",
    "C:\\path",
    "[",
    "]",
    "Ä" * 300,
    "n\u00a0b",
    "a\x00b",
    "\x1b[31m",
    "\u202e",
    "two\nlines",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_no_condition_can_hold_is_looked_for_in_the_whole_list(
    wire: responses.RequestsMock, text: str
) -> None:
    wire.get(ITEMS, json=[shown(id=1, identifier=f"A {text.upper()} Z"), shown(id=2)])

    assert [item.id for item in catalog().search_items(text)] == [1]
    (call,) = wire.calls
    assert "conditions" not in query(call)


@pytest.mark.parametrize(
    "text", ['19" rack', "O'Neil", ") or (1=1", "a_b", "Bäckerei", "id in (1,2)", "x;--"]
)
def test_odd_text_stays_within_its_quotes(wire: responses.RequestsMock, text: str) -> None:
    wire.get(ITEMS, json=[shown(identifier=text)])

    assert len(catalog().search_items(text)) == 1
    quote = "'" if '"' in text else '"'
    literal = f"{quote}{text}{quote}"
    assert query(wire.calls[0])["conditions"] == (
        f"(identifier contains {literal}) or (description contains {literal})"
    )


@pytest.mark.parametrize("answer", [{"status": 400, "json": {"message": "conditions"}}, {"status": 414}])
def test_where_a_server_refuses_the_condition_the_whole_list_tells(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    wire.get(ITEMS, **answer)
    wire.get(ITEMS, json=[shown(), shown(id=49, identifier="X", description="Y")])

    assert [item.id for item in catalog().search_items("detect")] == [48]
    assert ["conditions" in query(call) for call in wire.calls] == [True, False]


@pytest.mark.parametrize("text", ["sophos-ndr", "nothing like it"])
def test_only_the_whole_list_says_that_there_is_none(wire: responses.RequestsMock, text: str) -> None:
    wire.get(ITEMS, json=[])
    wire.get(ITEMS, json=[shown(identifier=" Sophos-NDR\n")])

    expected = [48] if text == "sophos-ndr" else []
    assert [item.id for item in catalog().items_named(text)] == expected
    assert ["conditions" in query(call) for call in wire.calls] == [True, False]


def test_a_refusal_that_is_not_of_the_condition_is_no_search_result(wire: responses.RequestsMock) -> None:
    wire.get(ITEMS, status=409, json={"message": "conflict"})

    with pytest.raises(RequestRefused, match="409"):
        catalog().search_items("abc")


def test_items_of_a_name_are_those_equal_to_it_and_no_others(wire: responses.RequestsMock) -> None:
    wire.get(
        ITEMS, json=[shown(), shown(id=49, identifier="SOPHOS-NDR-2"), shown(id=50, identifier="Sophos-ndr ")]
    )

    assert [item.id for item in catalog().items_named(" sophos-NDR ")] == [48, 50]
    assert query(wire.calls[0])["conditions"] == 'identifier = "sophos-NDR"'


def test_403_on_the_catalog_names_the_right_to_read_it(wire: responses.RequestsMock) -> None:
    wire.get(ITEMS, status=403, json={})

    with pytest.raises(SignInRefused) as caught:
        catalog().search_items("abc")
    assert "Procurement > Product Catalog: Inquire ALL" in caught.value.next_step


# What cannot be sent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"identifier": "x" * 76}, "identifier is 76 characters long, and 75 is the most"),
        ({"identifier": "\U0001f525" * 38}, "identifier is 76 characters long, and 75 is the most"),
        ({"description": "x" * 61}, "description is 61 characters long, and 60 is the most"),
        ({"customer_description": "x" * 6001}, "customer description is 6001 characters long, and 6000"),
        ({"subcategory": "x" * 51}, "subcategory is 51 characters long, and 50 is the most"),
        ({"identifier": " "}, "identifier is empty"),
        ({"description": ""}, "description is empty"),
        ({"customer_description": "\n"}, "customer description is empty"),
        ({"type": ""}, "type is empty"),
        ({"unit": 0}, "unit 0 is no id"),
        ({"subcategory": -3}, "subcategory -3 is no id"),
        ({"identifier": "a\nb"}, "identifier holds a control character"),
        ({"description": "a\tb"}, "description holds a control character"),
        ({"customer_description": "a\x1bb"}, "customer description holds a control character"),
        ({"customer_description": "a\ud800b"}, "customer description holds a control character"),
        ({"product_class": "agreement"}, "class is none of Agreement, Bundle, Inventory, NonInventory"),
        ({"price": Decimal("NaN")}, "price is no amount of money"),
        ({"cost": Decimal("Infinity")}, "cost is no amount of money"),
        ({"price": Decimal("1E+900000")}, "price is no amount of money"),
        ({"cost": Decimal("0.12345678901234567890")}, "cost of 0.12345678901234567890 has more digits"),
    ],
)
def test_what_connectwise_would_refuse_is_never_sent(
    wire: responses.RequestsMock, said: dict[str, Any], fault: str
) -> None:
    with pytest.raises(RequestRefused, match="Nothing was sent to ConnectWise") as caught:
        catalog().create_item(replace(NEW, **said))
    assert fault in caught.value.message
    assert caught.value.next_step
    if "identifier" not in said:
        with pytest.raises(RequestRefused, match="Nothing was sent to ConnectWise"):
            catalog().patch_item(48, ItemPatch(**said))
    assert len(wire.calls) == 0


def test_all_faults_of_an_item_are_told_at_once(wire: responses.RequestsMock) -> None:
    with pytest.raises(RequestRefused, match=r"identifier is empty; description is 61 .*; unit is empty"):
        catalog().create_item(replace(NEW, identifier="", description="d" * 61, unit=""))


def test_texts_of_the_longest_length_are_fine() -> None:
    longest = replace(NEW, identifier="i" * 75, description="d" * 60, customer_description="c" * 6000)

    assert faults(longest) == ()
    assert faults(replace(NEW, customer_description="two\r\nlines\tand a tab", price=Decimal("-1.5"))) == ()


def test_a_patch_of_an_item_that_sets_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing"):
        catalog().patch_item(48, ItemPatch())


@given(st.decimals(), st.text(max_size=80))
def test_whatever_passes_the_door_can_be_sent(price: Decimal, text: str) -> None:
    new = replace(NEW, identifier=text, price=price)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.post(ITEMS, status=400, json={"message": "no"})
        with pytest.raises(RequestRefused):
            catalog().create_item(new)
        assert len(wire.calls) == (0 if faults(new) else 1)
        if wire.calls:
            body = json.loads(wire.calls[0].request.body or "", parse_float=Decimal)
            assert (body["identifier"], body["price"]) == (text, price)


# Creating ----------------------------------------------------------------------------------------


def test_an_item_is_created_with_exactly_what_is_said(wire: responses.RequestsMock) -> None:
    wire.post(ITEMS, status=201, json=shown())

    assert catalog().create_item(NEW) == RECORD
    (call,) = wire.calls
    assert json.loads(call.request.body or "") == {
        "identifier": "SOPHOS-NDR",
        "description": "Network detection",
        "customerDescription": "Network detection,\nper sensor",
        "subcategory": {"name": "Sophos"},
        "type": {"id": 1},
        "unitOfMeasure": {"name": "each"},
        "productClass": "Agreement",
        "price": 30.5,
        "cost": 21,
        "taxableFlag": True,
    }


def test_what_a_new_item_leaves_out_is_left_to_connectwise(wire: responses.RequestsMock) -> None:
    wire.post(ITEMS, status=201, json=shown(taxableFlag=None, price=0.0, identifier="sophos-NDR"))
    catalog().create_item(replace(NEW, unit=None, price=None, cost=None, taxable=False))

    body = json.loads(wire.calls[0].request.body or "")
    assert not {"unitOfMeasure", "price", "cost"} & set(body)
    assert body["taxableFlag"] is False


@pytest.mark.parametrize(
    ("more", "difference"),
    [
        ({"identifier": "OTHER"}, "identifier is OTHER, not SOPHOS-NDR"),
        ({"identifier": None}, "identifier is not shown, not SOPHOS-NDR"),
        ({"description": "Net"}, "description is Net, not Network detection"),
        ({"subcategory": {"id": 2, "name": "Desktop"}}, "subcategory/name is Desktop, not Sophos"),
        ({"type": {"id": 2}}, "type/id is 2, not 1"),
        ({"type": None}, "type/id is missing"),
        ({"unitOfMeasure": None}, "unitOfMeasure/name is not shown, not each"),
        ({"productClass": "NonInventory"}, "productClass is NonInventory, not Agreement"),
        ({"price": 30.51}, "price is 30.51, not 30.50"),
        ({"price": "free"}, "price is text that is no quantity"),
        ({"cost": None}, "cost is not shown, not 21"),
        ({"taxableFlag": False}, "taxableFlag is False, not True"),
    ],
)
def test_a_created_item_that_does_not_show_what_was_asked_is_no_success(
    wire: responses.RequestsMock, more: dict[str, Any], difference: str
) -> None:
    wire.post(ITEMS, status=201, json=shown(**more), headers={"x-cw-request-id": "r-5"})

    with pytest.raises(NotAsAsked) as caught:
        catalog().create_item(NEW)
    assert caught.value.differences == (difference,)
    assert difference in caught.value.message
    assert "Request id r-5" in caught.value.message
    assert "that item in ConnectWise" in caught.value.next_step
    assert caught.value.item_id == 48
    assert (caught.value.item is None) == ("text" in difference)
    assert methods(wire) == ["POST"]


@pytest.mark.parametrize("document", [[], {}, "x", 5, shown(id="x"), shown(id=None), shown(category="x")])
def test_a_creation_that_shows_no_item_is_no_success(wire: responses.RequestsMock, document: object) -> None:
    wire.post(ITEMS, status=201, json=document)

    with pytest.raises(NotAsAsked) as caught:
        catalog().create_item(NEW)
    assert caught.value.item is None
    assert caught.value.differences
    assert caught.value.item_id == (48 if document == shown(category="x") else None)
    assert methods(wire) == ["POST"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 500, "json": {"message": "A timeout has occured. Please try again."}}, Unclear),
        ({"status": 502, "body": "<html>"}, Unclear),
        ({"status": 201, "body": ""}, Unclear),
        ({"status": 302, "headers": {"Location": "/"}}, Unclear),
        ({"body": requests.ConnectionError("cut")}, Unclear),
        ({"body": requests.ReadTimeout("slow")}, Unclear),
        ({"status": 429, "headers": {"Retry-After": "30"}}, Throttled),
        ({"status": 400, "json": {"message": "catalogItem object is invalid"}}, RequestRefused),
        ({"status": 403, "json": {}}, SignInRefused),
    ],
)
def test_an_item_is_created_by_one_request_whatever_happens(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception]
) -> None:
    wire.post(ITEMS, **answer)

    with pytest.raises(kind) as caught:
        catalog().create_item(NEW)
    assert type(caught.value) is kind
    assert methods(wire) == ["POST"]


def test_a_refused_item_says_which_field_and_which_item(wire: responses.RequestsMock) -> None:
    error = {"code": "ObjectExists", "message": "The identifier is already in use.", "field": "identifier"}
    refused = {"code": "InvalidObject", "message": "catalogItem object is invalid", "errors": [error]}
    wire.post(ITEMS, status=400, json=refused)

    with pytest.raises(RequestRefused, match=r"already in use. .field identifier") as caught:
        catalog().create_item(NEW)
    assert "creating the catalog item SOPHOS-NDR" in caught.value.message


@pytest.mark.parametrize(
    "write", [lambda it: it.create_item(NEW), lambda it: it.patch_item(48, ItemPatch(taxable=False))]
)
def test_403_on_a_write_names_the_right_to_write(
    wire: responses.RequestsMock, write: Callable[[ConnectWiseCatalog], object]
) -> None:
    for method, url in (("POST", ITEMS), ("PATCH", ONE)):
        wire.add(method, url, status=403, json={"code": "Security", "message": "no"})

    with pytest.raises(SignInRefused) as caught:
        write(catalog())
    assert "Procurement > Product Catalog: Add/Edit ALL" in caught.value.next_step


# Changing ----------------------------------------------------------------------------------------


def test_a_patch_of_an_item_names_only_what_is_set(wire: responses.RequestsMock) -> None:
    wire.patch(ONE, json=shown(price=0.0, inactiveFlag=True))
    patch = ItemPatch(subcategory=3, unit="Each", price=Decimal("0.00"), taxable=True, inactive=True)

    assert catalog().patch_item(48, patch) == replace(RECORD, price=Decimal(0), inactive=True)
    assert json.loads(wire.calls[0].request.body or "") == [
        {"op": "replace", "path": "subcategory", "value": {"id": 3}},
        {"op": "replace", "path": "unitOfMeasure", "value": {"name": "Each"}},
        {"op": "replace", "path": "price", "value": 0},
        {"op": "replace", "path": "taxableFlag", "value": True},
        {"op": "replace", "path": "inactiveFlag", "value": True},
    ]
    assert methods(wire) == ["PATCH"]


def test_a_text_of_two_lines_comes_back_as_one(wire: responses.RequestsMock) -> None:
    wire.patch(ONE, json=shown(customerDescription="Detection  per sensor "))

    patch = ItemPatch(customer_description="Detection\r\nper sensor")
    assert catalog().patch_item(48, patch).customer_description == "Detection  per sensor"


@pytest.mark.parametrize(
    "answer",
    [
        {"json": shown(price=None)},
        {"json": shown(subcategory={"name": "Sophos"}, price=31)},
        {"json": {"id": 48}},
        {"json": shown(id=49, price=31)},
        {"json": shown(category="odd", price=31)},
        {"json": []},
        {"body": ""},
        {"body": "<html>"},
        {"status": 204},
    ],
)
def test_a_change_of_an_item_whose_answer_leaves_it_open_is_read_back(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    wire.patch(ONE, **answer)
    wire.get(ONE, json=shown(price=31))

    assert catalog().patch_item(48, ItemPatch(subcategory=3, price=Decimal(31))).price == 31
    assert methods(wire) == ["PATCH", "GET"]
    assert "subcategory/id" in query(wire.calls[1])["fields"]


def test_a_change_that_the_answer_denies_is_no_success_whatever_is_read_later(
    wire: responses.RequestsMock,
) -> None:
    wire.patch(ONE, json=shown())

    with pytest.raises(NotAsAsked) as caught:
        catalog().patch_item(48, ItemPatch(price=Decimal(31), inactive=True))
    assert caught.value.differences == ("price is 30.5, not 31", "inactiveFlag is False, not True")
    assert (caught.value.item, caught.value.item_id) == (RECORD, 48)
    assert methods(wire) == ["PATCH"]


def test_a_change_that_neither_answer_nor_fresh_read_shows_is_no_success(
    wire: responses.RequestsMock,
) -> None:
    wire.patch(ONE, json={})
    wire.get(ONE, json=shown(price=None))

    with pytest.raises(NotAsAsked) as caught:
        catalog().patch_item(48, ItemPatch(price=Decimal(31)))
    assert caught.value.differences == ("price is not shown, not 31",)
    assert caught.value.item == replace(RECORD, price=None)


def test_a_change_of_an_item_that_is_gone_since_is_no_success(wire: responses.RequestsMock) -> None:
    wire.patch(ONE, json={})
    wire.get(ONE, status=404)
    wire.get(INFO, json={"version": "v"})

    with pytest.raises(NotAsAsked, match="it is gone") as caught:
        catalog().patch_item(48, ItemPatch(price=Decimal(31)))
    assert (caught.value.item, caught.value.item_id) == (None, 48)


@pytest.mark.parametrize("answer", [{"status": 503}, {"json": []}, {"json": shown(price="x")}])
def test_a_change_of_an_item_that_cannot_be_read_back_is_unclear(
    wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    wire.patch(ONE, json={})
    wire.get(ONE, **answer)

    with pytest.raises(Unclear, match="After changing catalog item 48, reading back failed"):
        catalog().patch_item(48, ItemPatch(price=Decimal(31)))


@pytest.mark.parametrize(
    ("answer", "kind", "sent"),
    [
        ({"status": 503}, Unclear, 5),
        ({"status": 429}, Throttled, 5),
        ({"status": 400, "json": {"message": "catalogItem object is invalid"}}, RequestRefused, 1),
        ({"status": 404, "json": {}}, RequestRefused, 1),
        ({"status": 302, "headers": {"Location": "/"}}, Nonsense, 1),
    ],
)
def test_a_change_of_an_item_is_repeated_where_that_may_help(
    wire: responses.RequestsMock, answer: dict[str, Any], kind: type[Exception], sent: int
) -> None:
    wire.patch(ONE, **answer)

    with pytest.raises(kind) as caught:
        catalog().patch_item(48, ItemPatch(price=Decimal(31)))
    assert type(caught.value) is kind
    assert methods(wire) == ["PATCH"] * sent
