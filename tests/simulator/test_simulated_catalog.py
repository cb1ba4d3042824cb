"""The catalog and its set-up tables as simulated (connectwise-api.md, sections 3, 7.2, 7.4 and 8)."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import requests

from connector.simulator import Fault, Simulator, World
from connector.simulator.connectwise_records import Lookup

CATALOG = "/procurement/catalog"
ITEM = {
    "identifier": "SOPHOS-NDR",
    "description": "Network detection",
    "customerDescription": "Network detection, per sensor",
    "subcategory": {"id": 1},
    "type": {"name": "Subscription"},
}
TABLES = [
    "/procurement/categories",
    "/procurement/subcategories",
    "/procurement/subCategories/",
    "/procurement/types",
    "/procurement/unitOfMeasures",
    "/finance/agreements/types",
]


class Screen:
    """Asks the catalog anything."""

    def __init__(self, simulator: Simulator) -> None:
        settings = simulator.settings()
        self.url = settings["CONNECTWISE_URL"]
        self.session = requests.Session()
        user = f"{settings['CONNECTWISE_COMPANY']}+{settings['CONNECTWISE_PUBLIC_KEY']}"
        self.session.auth = (user, settings["CONNECTWISE_PRIVATE_KEY"])
        self.session.headers["clientId"] = settings["CONNECTWISE_CLIENT_ID"]

    def get(self, path: str, /, **query: Any) -> Any:
        answer = self.session.get(self.url + path, params=query, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: object) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=10)

    def set(self, item_id: int, name: str, value: object) -> requests.Response:
        return self.send("PATCH", f"{CATALOG}/{item_id}", [{"op": "replace", "path": name, "value": value}])


@pytest.fixture
def screen(simulator: Simulator) -> Iterator[Screen]:
    client = Screen(simulator)
    with client.session:
        yield client


def fault_fields(answer: requests.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ('identifier contains "SOPHOS-e"', ["SOPHOS-ENDPOINT", "SOPHOS-EMAIL", "SOPHOS-ENCRYPTION"]),
        ("description contains 'mailbox'", ["SOPHOS-EMAIL"]),
        ('identifier like "*-CLOUD"', ["BACKUP-CLOUD"]),
        ('(identifier contains "ivy") or (description contains "GB")', ["BACKUP-CLOUD", "IVY-EDR"]),
        ('subcategory/name = "managed desktop" and description not like "*desktop"', []),
        ('identifier = "sophos-mdr"', ["SOPHOS-MDR"]),
    ],
)
def test_the_catalog_and_its_count_can_be_searched(screen: Screen, conditions: str, found: list[str]) -> None:
    rows = screen.get(CATALOG, conditions=conditions)

    assert sorted(row["identifier"] for row in rows) == sorted(found)
    assert screen.get(f"{CATALOG}/count", conditions=conditions) == {"count": len(found)}


@pytest.mark.parametrize("path", TABLES)
def test_a_set_up_table_can_be_listed_counted_and_read_by_row(screen: Screen, path: str) -> None:
    rows = screen.get(path, fields="id,name")

    assert len(rows) >= 2
    assert screen.get(f"{path.rstrip('/')}/count") == {"count": len(rows)}
    assert screen.get(f"{path.rstrip('/')}/{rows[1]['id']}")["name"] == rows[1]["name"]


def test_a_row_that_a_person_adds_to_a_set_up_table_can_be_used_at_once(screen: Screen, world: World) -> None:
    row = Lookup(7, "Firewalls", (("inactiveFlag", True), ("category", 2)))
    world.tables = replace(world.tables, subcategories=(*world.tables.subcategories, row))

    assert (
        screen.get("/procurement/subcategories", conditions="inactiveFlag = true")[0]["name"] == "Firewalls"
    )
    made = screen.send("POST", CATALOG, ITEM | {"subcategory": {"name": "firewalls"}}).json()
    assert (made["subcategory"]["id"], made["category"]["name"]) == (7, "Services")


def test_a_blank_around_an_identifier_makes_no_other_one(screen: Screen) -> None:
    assert fault_fields(screen.send("POST", CATALOG, ITEM | {"identifier": " sophos-MDR "})) == ["identifier"]


def test_references_of_an_item_are_changed_whole_and_a_sub_path_changes_nothing(
    screen: Screen, world: World
) -> None:
    assert screen.set(43, "unitOfMeasure", {"name": "hour"}).json()["unitOfMeasure"]["id"] == 2
    assert screen.set(43, "type", {"id": 2}).json()["type"]["name"] == "Hardware"
    assert screen.set(43, "type/id", 1).status_code == 200
    assert world.items[43].type_id == 2
    assert fault_fields(screen.set(43, "type", {"id": 99})) == ["type/id"]


def test_a_patch_of_an_item_checks_the_whole_stored_record(screen: Screen, world: World) -> None:
    world.items[43].description = "d" * 61

    assert fault_fields(screen.set(43, "price", 17)) == ["description"]
    assert world.items[43].price == Decimal(16)


def test_an_item_says_how_it_was_set_up(screen: Screen, world: World) -> None:
    item = world.add_item("RACK", "Rack", type_id=2, customer_description="A rack, 19 inch")

    row = screen.get(f"{CATALOG}/{item.id}")
    assert (row["type"]["name"], row["customerDescription"]) == ("Hardware", "A rack, 19 inch")


@pytest.mark.parametrize("kind", ["cut-before", "500-timeout", "409"])
def test_a_fault_before_the_commit_makes_no_item(
    screen: Screen, simulator: Simulator, world: World, kind: str
) -> None:
    simulator.faults.add(Fault(kind, method="POST", path=CATALOG))  # type: ignore[arg-type]
    before = len(world.items)

    if kind == "cut-before":
        with pytest.raises(requests.ConnectionError):
            screen.send("POST", CATALOG, ITEM)
    else:
        assert screen.send("POST", CATALOG, ITEM).status_code >= 400
    assert (len(world.items), world.history) == (before, [])


@pytest.mark.parametrize("kind", ["cut-after", "error-after"])
def test_a_fault_after_the_commit_leaves_the_item(
    screen: Screen, simulator: Simulator, world: World, kind: str
) -> None:
    simulator.faults.add(Fault(kind, method="POST", path=CATALOG))  # type: ignore[arg-type]

    if kind == "cut-after":
        with pytest.raises(requests.ConnectionError):
            screen.send("POST", CATALOG, ITEM)
    else:
        assert screen.send("POST", CATALOG, ITEM).status_code == 500
    assert world.item_named("SOPHOS-NDR").description == "Network detection"
    assert [write.method for write in world.history] == ["POST"]


def test_reading_and_writing_items_are_rights_of_their_own(screen: Screen, world: World) -> None:
    world.rights.discard("catalog.write")
    assert screen.send("POST", CATALOG, ITEM).status_code == 403
    assert screen.set(43, "price", 1).status_code == 403
    assert screen.get(f"{CATALOG}/43")["price"] == 16
    world.rights.discard("catalog.read")
    assert screen.send("GET", f"{CATALOG}/43", None).status_code == 403
    assert screen.send("GET", f"{CATALOG}/count", None).status_code == 403
