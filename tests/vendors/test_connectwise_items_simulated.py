"""Catalog items written to and read from the simulated ConnectWise, on good days and bad ones."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from connector.errors import RequestRefused, SignInRefused
from connector.model import Choice, ItemPatch, NewItem
from connector.simulator import Fault, Simulator, World, small_world
from connector.vendors.connectwise import ConnectWiseClient, NotAsAsked, Throttled, Unclear
from connector.vendors.transport import Patience

NEW = NewItem(
    identifier="SOPHOS-NDR",
    description="Network detection",
    customer_description="Network detection,\nper sensor",
    subcategory="sophos",
    type="Subscription",
    unit=1,
    price=Decimal("30.50"),
    cost=Decimal(21),
)


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world) as running:
        yield running


@pytest.fixture
def client(request: pytest.FixtureRequest, simulator: Simulator) -> ConnectWiseClient:
    said = simulator.settings()
    return ConnectWiseClient(
        url=said["CONNECTWISE_URL"],
        company=said["CONNECTWISE_COMPANY"],
        public_key=said["CONNECTWISE_PUBLIC_KEY"],
        private_key=said["CONNECTWISE_PRIVATE_KEY"],
        client_id=said["CONNECTWISE_CLIENT_ID"],
        patience=Patience(timeout_read=0.5 if "timeout" in request.node.name else 10.0),
    )


def made(world: World) -> list[int]:
    return [item.id for item in world.items.values() if item.identifier == NEW.identifier]


def test_a_created_item_is_there_as_said_and_found_by_its_name(
    world: World, client: ConnectWiseClient
) -> None:
    item = client.catalog.create_item(NEW)

    assert world.items[item.id].price == Decimal("30.5")
    assert (item.subcategory, item.category, item.type, item.unit) == (
        "Sophos",
        "Security",
        "Subscription",
        "Each",
    )
    assert (item.product_class, item.taxable, item.inactive) == ("Agreement", False, False)
    assert client.catalog.item(item.id) == item
    assert client.catalog.items_named(" sophos-ndr") == (item,)


def test_an_identifier_that_exists_is_not_created_twice(world: World, client: ConnectWiseClient) -> None:
    before = len(world.items)
    with pytest.raises(RequestRefused, match="The identifier is already in use"):
        client.catalog.create_item(replace(NEW, identifier="sophos-mdr"))

    assert len(world.items) == before
    assert [item.id for item in client.catalog.items_named("sophos-mdr")] == [43]


def test_a_reference_that_is_not_there_is_refused_by_name(client: ConnectWiseClient) -> None:
    with pytest.raises(RequestRefused, match="subcategory not found"):
        client.catalog.create_item(replace(NEW, subcategory="No such"))


def test_a_patch_changes_what_it_names_and_nothing_else(world: World, client: ConnectWiseClient) -> None:
    before = client.catalog.item(43)
    assert before is not None
    patch = ItemPatch(description="MDR", subcategory=2, price=Decimal("17.25"), inactive=True)
    after = client.catalog.patch_item(43, patch)

    assert after == replace(
        before,
        description="MDR",
        subcategory="Managed Desktop",
        category="Services",
        price=Decimal("17.25"),
        inactive=True,
    )
    assert client.catalog.item(43) == after
    assert [write.method for write in world.history] == ["PATCH"]


def test_an_old_fault_of_the_record_refuses_a_patch_that_does_not_name_it(
    world: World, client: ConnectWiseClient
) -> None:
    world.items[43].description = "d" * 61

    with pytest.raises(RequestRefused, match="field description"):
        client.catalog.patch_item(43, ItemPatch(price=Decimal(17)))
    assert world.items[43].price == 16


def test_a_search_finds_text_in_identifiers_and_descriptions_in_any_case(
    client: ConnectWiseClient,
) -> None:
    found = client.catalog.search_items("PER USER")

    assert [item.identifier for item in found] == ["SOPHOS-ENDPOINT", "SOPHOS-ENCRYPTION"]
    assert [item.identifier for item in client.catalog.search_items("cloud")] == ["BACKUP-CLOUD"]
    assert client.catalog.search_items("nothing of the kind") == ()


@pytest.mark.parametrize(
    "text",
    ['19" rack', "O'Neil", "both \" and '", "100%", "[x]", "[[]x]", "a\\b", "a*b", "a_b", ") or (id>0"],
)
def test_a_search_text_is_text_and_nothing_else(world: World, client: ConnectWiseClient, text: str) -> None:
    odd = world.add_item("ODD", f"The {text} thing")

    assert [item.id for item in client.catalog.search_items(text)] == [odd.id]
    odd.identifier = text
    assert [item.id for item in client.catalog.items_named(text)] == [odd.id]


def test_a_search_works_on_a_server_that_refuses_the_condition(
    world: World, client: ConnectWiseClient
) -> None:
    world.refused_conditions = {"contains", "identifier ="}

    assert [item.id for item in client.catalog.search_items("mailbox")] == [44]
    assert [item.id for item in client.catalog.items_named("sophos-email")] == [44]


def test_the_whole_catalog_comes_page_by_page(world: World, client: ConnectWiseClient) -> None:
    for number in range(1100):
        world.add_item(f"EXTRA-{number}", "Extra")

    assert len(client.catalog.catalog_records()) == len(world.items)


def test_the_set_up_tables_show_what_a_person_may_choose(world: World, client: ConnectWiseClient) -> None:
    assert client.catalog.subcategories() == (Choice(1, "Sophos"), Choice(2, "Managed Desktop"))
    assert client.catalog.product_types() == (Choice(1, "Subscription"), Choice(2, "Hardware"))
    assert client.catalog.units() == (Choice(1, "Each"), Choice(2, "Hour"))


def test_agreements_and_companies_say_type_and_status(world: World, client: ConnectWiseClient) -> None:
    world.companies[251].status_id = 2

    assert client.agreements()[0].type == "Managed Services"
    assert [company.status for company in client.companies()[:2]] == ["Inactive", "Active"]


@pytest.mark.parametrize("kind", ["cut-before", "500-timeout", "502-html", "timeout-before"])
def test_after_a_failure_before_the_commit_there_is_no_item_and_one_more_try_makes_one(
    world: World, simulator: Simulator, client: ConnectWiseClient, kind: str
) -> None:
    simulator.faults.add(Fault(kind, method="POST", path="/procurement/catalog"))  # type: ignore[arg-type]

    with pytest.raises(Unclear):
        client.catalog.create_item(NEW)
    assert client.catalog.items_named(NEW.identifier) == ()
    client.catalog.create_item(NEW)
    assert len(made(world)) == 1


@pytest.mark.parametrize("kind", ["cut-after", "error-after", "timeout-after", "cut-body", "truncated-json"])
def test_after_an_unclear_creation_the_item_is_found_by_its_name(
    world: World, simulator: Simulator, client: ConnectWiseClient, kind: str
) -> None:
    simulator.faults.add(Fault(kind, method="POST", path="/procurement/catalog"))  # type: ignore[arg-type]

    with pytest.raises(Unclear):
        client.catalog.create_item(NEW)
    assert [item.id for item in client.catalog.items_named(NEW.identifier)] == made(world)
    assert len(made(world)) == 1


def test_a_throttled_creation_made_nothing(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    simulator.faults.add(Fault("429", method="POST", path="/procurement/catalog", retry_after=30))

    with pytest.raises(Throttled) as caught:
        client.catalog.create_item(NEW)
    assert caught.value.retry_after == 30
    assert made(world) == []


def test_a_creation_whose_answer_has_another_shape_is_no_success(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    simulator.faults.add(Fault("wrong-shape", method="POST", path="/procurement/catalog"))

    with pytest.raises(NotAsAsked):
        client.catalog.create_item(NEW)
    assert len(made(world)) == 1


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "500-timeout", "error-after", "truncated-json"])
def test_a_passing_failure_of_a_change_is_overcome(
    world: World, simulator: Simulator, client: ConnectWiseClient, kind: str
) -> None:
    simulator.faults.add(Fault(kind, method="PATCH", path="/procurement/catalog/43"))  # type: ignore[arg-type]

    assert client.catalog.patch_item(43, ItemPatch(price=Decimal("17.25"))).price == Decimal("17.25")
    assert world.items[43].price == Decimal("17.25")


def test_a_change_that_is_answered_and_not_made_is_no_success(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    simulator.faults.add(Fault("false-200", path="/procurement/catalog/43"))

    with pytest.raises(NotAsAsked, match="price is 16, not 17"):
        client.catalog.patch_item(43, ItemPatch(price=Decimal(17)))
    assert world.items[43].price == 16


def test_a_role_without_the_right_may_look_and_not_write(world: World, client: ConnectWiseClient) -> None:
    world.rights.discard("catalog.write")

    assert client.catalog.item(43) is not None
    with pytest.raises(SignInRefused) as caught:
        client.catalog.create_item(NEW)
    assert "Procurement > Product Catalog: Add/Edit ALL" in caught.value.next_step
    with pytest.raises(SignInRefused):
        client.catalog.patch_item(43, ItemPatch(inactive=True))
    assert world.history == []
