"""ConnectWise PSA as simulated, writing (connectwise-api.md, section 11, rows 6 to 8)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

from connector.simulator import Addition, Simulator, World

INVOICED = (
    "Since this period has already been invoiced there will not be an invoice generated for additional"
    " products for this period. Please prorate the agreement or update the start date to on or after the"
    " Next Invoice Date."
)
NEW = {
    "product": {"id": 41},
    "billCustomer": "Billable",
    "quantity": 14,
    "effectiveDate": "2026-09-01T00:00:00Z",
}


class Writer:
    """Writes additions of agreement 101, and anything else by path."""

    def __init__(self, simulator: Simulator) -> None:
        settings = simulator.settings()
        self.url = settings["CONNECTWISE_URL"]
        self.session = requests.Session()
        user = f"{settings['CONNECTWISE_COMPANY']}+{settings['CONNECTWISE_PUBLIC_KEY']}"
        self.session.auth = (user, settings["CONNECTWISE_PRIVATE_KEY"])
        self.session.headers["clientId"] = settings["CONNECTWISE_CLIENT_ID"]

    def send(self, method: str, path: str, body: object) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=10)

    def create(self, agreement_id: int = 101, /, **changed: object) -> requests.Response:
        body = {name: value for name, value in (NEW | changed).items() if value is not ...}
        return self.send("POST", f"/finance/agreements/{agreement_id}/additions", body)

    def patch(self, addition_id: int, *operations: dict[str, Any]) -> requests.Response:
        return self.send("PATCH", f"/finance/agreements/101/additions/{addition_id}", list(operations))

    def set(self, addition_id: int, path: str, value: object) -> requests.Response:
        return self.patch(addition_id, {"op": "replace", "path": path, "value": value})


@pytest.fixture
def writer(simulator: Simulator) -> Iterator[Writer]:
    client = Writer(simulator)
    with client.session:
        yield client


@pytest.fixture
def line(world: World) -> Addition:
    """A line of agreement 101 that a person made."""
    return world.add_addition(101, 41, 10, unit_price=Decimal("4.25"), effective=date(2026, 1, 1))


def faults_of(answer: requests.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["code"] == "InvalidObject"
    assert body["message"].endswith("object is invalid")
    assert all(set(e) == {"code", "message", "resource", "field", "details"} for e in body["errors"])
    assert "\r\n" in answer.text
    return [(error["code"], error["field"]) for error in body["errors"]]


# Creating additions


def test_a_new_addition_takes_what_is_not_said_from_its_item(writer: Writer, world: World) -> None:
    answer = writer.create(quantity="3.5")
    made = answer.json()
    assert answer.status_code == 201
    assert (made["quantity"], made["unitPrice"], made["unitCost"]) == (3.5, 4.5, 2.1)
    assert made["invoiceDescription"] == world.items[41].customer_description
    assert (made["agreementId"], made["uom"], made["taxableFlag"]) == (101, "Each", True)
    assert made["_info"]["updatedBy"] == world.api_member
    stored = world.additions[made["id"]]
    assert (stored.quantity, stored.made_by) == (Decimal("3.5"), world.api_member)
    assert stored.effective == date(2026, 9, 1)


def test_an_item_may_be_named_by_its_identifier(writer: Writer) -> None:
    assert writer.create(product={"identifier": "sophos-mdr"}).json()["product"]["id"] == 43


@pytest.mark.parametrize("name", ["product", "billCustomer"])
def test_product_and_bill_customer_are_required(writer: Writer, name: str) -> None:
    assert faults_of(writer.create(**{name: ...})) == [("MissingRequiredField", name)]


def test_a_bad_reference_is_a_400(writer: Writer) -> None:
    assert faults_of(writer.create(product={"id": 999})) == [("NotFound", "product/id")]


def test_texts_have_limits_and_every_fault_is_told(writer: Writer) -> None:
    answer = writer.create(serialNumber="x" * 51, invoiceDescription="y" * 6001, billCustomer=None)
    assert faults_of(answer) == [
        ("MissingRequiredField", "billCustomer"),
        ("MaxLengthField", "serialNumber"),
        ("MaxLengthField", "invoiceDescription"),
    ]
    assert writer.create(serialNumber="x" * 50).status_code == 201


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01T00:00:00.000Z",
        "2026-09-01T00:00:00+00:00",
        "2026-09-01",
        "2026-02-30T00:00:00Z",
        "09/01/2026",
    ],
)
def test_dates_have_one_accepted_form(writer: Writer, text: str) -> None:
    answer = writer.create(effectiveDate=text)
    assert faults_of(answer) == [("UnsupportedFormat", "effectiveDate")]
    assert answer.json()["errors"][0]["message"] == "Unsupported format applied to effectiveDate"


def test_a_line_cannot_begin_before_billing_does(writer: Writer, world: World) -> None:
    world.agreements[101].bill_start = date(2026, 9, 2)
    answer = writer.create()
    assert faults_of(answer)[0][1] == "effectiveDate"
    expected = "effectiveDate cannot be less than the agreement billing start date"
    assert answer.json()["errors"][0]["message"] == expected
    assert writer.create(effectiveDate="2026-09-02T00:00:00Z").status_code == 201


def test_a_line_cannot_begin_in_an_invoiced_period_unless_prorated(writer: Writer, world: World) -> None:
    answer = writer.create(effectiveDate="2026-08-31T00:00:00Z")
    assert faults_of(answer)[0][1] == "effectiveDate"
    assert answer.json()["errors"][0]["message"] == INVOICED
    world.agreements[101].prorate = True
    assert writer.create(effectiveDate="2026-08-31T00:00:00Z").status_code == 201


def test_bundles_are_no_additions(writer: Writer, world: World) -> None:
    assert faults_of(writer.create(product={"identifier": "SECURITY-BUNDLE"}))[0][1] == "product"


def test_inactive_items_and_ended_agreements_are_refused_by_switch(writer: Writer, world: World) -> None:
    legacy: dict[str, Any] = {"product": {"identifier": "SOPHOS-LEGACY"}}
    assert faults_of(writer.create(**legacy))[0][1] == "product"
    world.inactive_items_refused = False
    assert writer.create(**legacy).status_code == 201
    world.agreements[101].cancelled = True
    assert writer.create().status_code == 201
    world.ended_agreements_refused = True
    assert writer.create().status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quantity", "many"),
        ("quantity", True),
        ("taxableFlag", "yes"),
        ("billCustomer", "Maybe"),
        ("effectiveDate", 20260901),
        ("product", 41),
        ("customFields", 5),
    ],
)
def test_a_wrong_json_type_is_answered_with_500(writer: Writer, name: str, value: object) -> None:
    answer = writer.create(**{name: value})
    assert answer.status_code == 500
    assert answer.json()["message"].startswith("Error converting value")


def test_what_is_no_json_is_a_400(writer: Writer) -> None:
    url = f"{writer.url}/finance/agreements/101/additions"
    headers = {"Content-Type": "application/json"}
    assert writer.session.post(url, data="{", headers=headers, timeout=10).status_code == 400
    assert writer.session.post(url, data="a=1", timeout=10).status_code == 400


def test_a_refused_write_leaves_no_trace(writer: Writer, world: World) -> None:
    before = len(world.additions)
    writer.create(product={"id": 999})
    assert (len(world.additions), world.history) == (before, [])


def test_writing_needs_its_right(writer: Writer, world: World, line: Addition) -> None:
    world.rights.remove("additions.write")
    assert writer.create().status_code == 403
    assert writer.set(line.id, "quantity", 1).status_code == 403
    assert line.quantity == 10


def test_an_unknown_agreement_is_a_404(writer: Writer) -> None:
    assert writer.create(999).status_code == 404


# Changing additions


def test_a_patch_changes_what_it_names_and_nothing_else(writer: Writer, world: World, line: Addition) -> None:
    before = replace(line)
    answer = writer.patch(
        line.id,
        {"op": "replace", "path": "quantity", "value": 12.5},
        {"op": "add", "path": "serialNumber", "value": "mark"},
    )
    assert answer.status_code == 200
    assert (answer.json()["quantity"], answer.json()["extPrice"]) == (12.5, 53.125)
    assert replace(line, quantity=before.quantity, serial_number=None, trace=before.trace) == before
    assert line.quantity == Decimal("12.5")
    write = world.history[-1]
    assert (write.method, write.agreement_id, write.addition_id) == ("PATCH", 101, line.id)
    assert isinstance(write.before, Addition)
    assert isinstance(write.after, Addition)
    assert write.before.quantity == 10
    assert write.after.quantity == Decimal("12.5")
    assert line.made_by == "mbarker"
    assert line.trace.updated_by == world.api_member


def test_an_end_date_can_be_set_and_taken_away(writer: Writer, line: Addition) -> None:
    assert "cancelledDate" in writer.set(line.id, "cancelledDate", "2026-09-30T00:00:00Z").json()
    assert line.cancelled == date(2026, 9, 30)
    assert "cancelledDate" not in writer.patch(line.id, {"op": "remove", "path": "cancelledDate"}).json()
    writer.set(line.id, "cancelledDate", "2026-09-30T00:00:00Z")
    assert "cancelledDate" not in writer.set(line.id, "cancelledDate", None).json()


def test_a_patch_is_an_array(writer: Writer, line: Addition) -> None:
    path = f"/finance/agreements/101/additions/{line.id}"
    assert writer.send("PATCH", path, {"op": "replace", "path": "quantity", "value": 1}).status_code == 400


@pytest.mark.parametrize("op", ["test", "move", "copy", None])
def test_other_operations_are_refused(writer: Writer, line: Addition, op: str | None) -> None:
    assert writer.patch(line.id, {"op": op, "path": "quantity", "value": 1}).status_code == 400


@pytest.mark.parametrize("path", ["company/identifier", "/quantity", "product/id"])
def test_a_sub_path_answers_200_and_does_nothing(writer: Writer, line: Addition, path: str) -> None:
    before = replace(line)
    assert writer.set(line.id, path, 1).status_code == 200
    assert replace(line, trace=before.trace) == before


def test_paths_are_case_sensitive(writer: Writer, world: World, line: Addition) -> None:
    assert faults_of(writer.set(line.id, "Quantity", 1)) == [("InvalidField", "Quantity")]
    world.unknown_paths_refused = False
    assert writer.set(line.id, "Quantity", 1).status_code == 200
    assert line.quantity == 10


@pytest.mark.parametrize(
    "path", ["extPrice", "margin", "billedQuantity", "id", "agreementId", "additionStatus"]
)
def test_derived_properties_cannot_be_written(writer: Writer, line: Addition, path: str) -> None:
    before = writer.set(line.id, "quantity", 10).json()
    after = writer.set(line.id, path, 99).json()
    assert after | {"_info": before["_info"]} == before


def test_a_patch_validates_the_whole_stored_record(writer: Writer, line: Addition) -> None:
    line.serial_number = "typed by somebody long ago, before there was a limit"
    assert faults_of(writer.set(line.id, "quantity", 11)) == [("MaxLengthField", "serialNumber")]
    assert line.quantity == 10


def test_a_running_line_can_be_changed_although_its_first_day_is_invoiced(
    writer: Writer, line: Addition
) -> None:
    assert writer.set(line.id, "quantity", 11).status_code == 200
    assert writer.set(line.id, "effectiveDate", "2026-08-01T00:00:00Z").status_code == 400


def test_another_product_brings_its_own_prices(writer: Writer, line: Addition) -> None:
    changed = writer.set(line.id, "product", {"id": 43}).json()
    assert (changed["unitPrice"], changed["description"]) == (
        16,
        "Managed detection and response, per device",
    )
    kept = writer.patch(
        line.id,
        {"op": "replace", "path": "unitPrice", "value": 4},
        {"op": "replace", "path": "product", "value": {"id": 41}},
    ).json()
    assert kept["unitPrice"] == 4


def test_an_addition_is_found_on_its_own_agreement_only(writer: Writer, line: Addition) -> None:
    path = f"/finance/agreements/102/additions/{line.id}"
    assert writer.send("PATCH", path, []).status_code == 404


def test_put_resets_what_is_not_said(writer: Writer, world: World, line: Addition) -> None:
    line.serial_number = "mark"
    answer = writer.send("PUT", f"/finance/agreements/101/additions/{line.id}", NEW)
    assert answer.status_code == 200
    assert "serialNumber" not in answer.json()
    assert world.additions[line.id].unit_price == Decimal("4.50")


def test_delete_removes_a_line_that_was_never_invoiced(writer: Writer, world: World, line: Addition) -> None:
    path = f"/finance/agreements/101/additions/{line.id}"
    assert writer.send("DELETE", path, None).status_code == 409
    world.agreements[101].invoiced_through = None
    answer = writer.send("DELETE", path, None)
    assert (answer.status_code, answer.content) == (204, b"")
    assert line.id not in world.additions
    assert (world.history[-1].method, world.history[-1].after) == ("DELETE", None)


# The catalog

ITEM = {
    "identifier": "SOPHOS-NDR",
    "description": "Network detection",
    "customerDescription": "Network detection, per sensor",
    "subcategory": {"id": 1},
    "type": {"name": "Subscription"},
}


def test_an_item_needs_five_properties_and_is_no_inventory_item(writer: Writer, world: World) -> None:
    made = writer.send("POST", "/procurement/catalog", ITEM | {"price": 30.5}).json()
    assert (made["productClass"], made["price"], made["category"]["name"]) == (
        "NonInventory",
        30.5,
        "Security",
    )
    assert world.items[made["id"]].identifier == "SOPHOS-NDR"
    assert world.history[-1].item_id == made["id"]
    assert faults_of(writer.send("POST", "/procurement/catalog", {})) == [
        ("MissingRequiredField", name)
        for name in ("identifier", "description", "customerDescription", "subcategory", "type")
    ]


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("identifier", 75),
        ("description", 60),
        ("customerDescription", 6000),
        ("manufacturerPartNumber", 50),
        ("vendorSku", 50),
    ],
)
def test_texts_of_items_have_limits(writer: Writer, name: str, length: int) -> None:
    refused = writer.send("POST", "/procurement/catalog", ITEM | {name: "x" * (length + 1)})
    assert faults_of(refused) == [("MaxLengthField", name)]
    assert writer.send("POST", "/procurement/catalog", ITEM | {name: "x" * length}).status_code == 201


def test_identifiers_are_unique_in_any_case(writer: Writer) -> None:
    refused = writer.send("POST", "/procurement/catalog", ITEM | {"identifier": "sophos-mdr"})
    assert faults_of(refused) == [("ObjectExists", "identifier")]


def test_an_item_can_be_patched_and_additions_keep_their_prices(
    writer: Writer, world: World, line: Addition
) -> None:
    operations = [{"op": "replace", "path": "price", "value": 5.5}]
    assert writer.send("PATCH", "/procurement/catalog/41", operations).json()["price"] == 5.5
    assert world.items[41].price == Decimal("5.5")
    assert line.unit_price == Decimal("4.25")


def test_a_wrong_reference_or_right_refuses_an_item(writer: Writer, world: World) -> None:
    refused = writer.send("POST", "/procurement/catalog", ITEM | {"subcategory": {"id": 99}})
    assert faults_of(refused) == [("NotFound", "subcategory/id")]
    world.rights.remove("catalog.write")
    assert writer.send("POST", "/procurement/catalog", ITEM).status_code == 403
