"""Of a long list only what is wanted is read; the whole list alone says what is not there."""

from collections.abc import Collection, Iterator
from typing import Any

import pytest

from connector.errors import SignInRefused
from connector.model import Agreement, Reference
from connector.simulator import Simulator, World
from connector.vendors.connectwise import ConnectWiseClient
from connector.vendors.connectwise_choice import Length

LONG = Length(9)


@pytest.fixture
def world() -> World:
    made = World()
    for number in range(1, 31):
        company = made.add_company(f"Customer{number}", f"Customer {number}")
        made.add_agreement(company.id, "Managed Security")
        made.add_item(f"ITEM-{number}", "An item")
    return made


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world) as running:
        yield running


@pytest.fixture
def client(simulator: Simulator) -> ConnectWiseClient:
    said = simulator.settings()
    return ConnectWiseClient(
        url=said["CONNECTWISE_URL"],
        company=said["CONNECTWISE_COMPANY"],
        public_key=said["CONNECTWISE_PUBLIC_KEY"],
        private_key=said["CONNECTWISE_PRIVATE_KEY"],
        client_id=said["CONNECTWISE_CLIENT_ID"],
    )


def conditions(simulator: Simulator) -> list[str | None]:
    """Return the condition of each request, None for a whole list."""
    return [request.query.get("conditions") for request in simulator.requests]


def companies(world: World, *numbers: int) -> list[int]:
    return [world.company_named(f"Customer{number}").id for number in numbers]


def there(found: Collection[Agreement]) -> bool:
    return bool(found)


def test_companies_are_chosen_by_id_and_by_name(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    (seven,) = companies(world, 7)

    found = client.chosen_companies(["customer3", seven], LONG)

    assert [each.identifier for each in found.records] == ["Customer3", "Customer7"]
    assert found.length is None
    assert conditions(simulator) == [f'(id in ({seven})) or (identifier in ("customer3"))']


@pytest.mark.parametrize("known", [None, Length(2)])
def test_one_request_is_fewer_than_a_list_of_two_pages_or_of_nobody_knows_how_many(
    simulator: Simulator, client: ConnectWiseClient, known: Length | None
) -> None:
    assert len(client.chosen_items(["ITEM-1"], known).records) == 1
    assert conditions(simulator) == ['(identifier in ("ITEM-1"))']


@pytest.mark.parametrize("known", [Length(1), Length(9, choosable=False)])
def test_the_whole_list_is_read_where_choosing_spares_nothing(
    simulator: Simulator, client: ConnectWiseClient, known: Length
) -> None:
    found = client.chosen_items(["ITEM-1"], known)

    assert (len(found.records), found.length) == (30, Length(1))
    assert conditions(simulator) == [None]


@pytest.mark.parametrize(("known", "asked"), [(None, 1), (Length(2), 1), (Length(4), 3)])
def test_many_are_chosen_only_where_their_requests_are_fewer(
    simulator: Simulator, client: ConnectWiseClient, world: World, known: Length | None, asked: int
) -> None:
    wanted: list[Reference] = [
        world.add_item(f"{number}{'X' * 60}", "Long").identifier for number in range(60)
    ]

    found = client.chosen_items(wanted, known)

    assert len(simulator.requests) == asked
    assert {each.identifier for each in found.records} >= set(wanted)
    assert [each.id for each in found.records] == sorted(each.id for each in found.records)


def test_a_record_that_two_conditions_choose_is_there_once(
    client: ConnectWiseClient, world: World, simulator: Simulator
) -> None:
    wanted = {agreement.id for agreement in world.agreements.values()} | set(range(100_000, 100_250))
    company_ids = set(companies(world, *range(1, 31)))

    found = client.chosen_agreements(company_ids, wanted, there, LONG)

    assert len(simulator.requests) == 3
    assert len(found.records) == 30


@pytest.mark.parametrize("missing", ["NO-SUCH", 4711, "ITEM-1 "])
def test_what_the_chosen_lack_is_looked_for_in_the_whole_list_and_next_time_at_once(
    simulator: Simulator, client: ConnectWiseClient, missing: Reference
) -> None:
    found = client.chosen_items(["ITEM-1", missing], LONG)

    if missing == "ITEM-1 ":  # blanks at the end count for nothing, here and there
        assert (len(found.records), found.length) == (1, None)
        return
    assert (len(found.records), found.length) == (30, Length(1, choosable=False))
    assert [each is None for each in conditions(simulator)] == [False, True]


def test_a_deleted_company_of_that_name_does_not_stand_for_another_one(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    (three,) = companies(world, 3)
    world.merge_company(three)

    assert client.chosen_companies([three], LONG).length is None
    assert client.chosen_companies(["Customer3"], LONG).length == Length(1, choosable=False)


def test_agreements_are_those_of_the_companies_and_those_of_the_ids(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    (three,) = companies(world, 3)
    second = world.add_agreement(three, "Second")
    of_nine = world.agreement_named("Customer9")

    found = client.chosen_agreements([three], [of_nine.id], there, LONG)

    assert {each.id for each in found.records} == {
        world.agreement_named("Customer3").id,
        second.id,
        of_nine.id,
    }
    assert conditions(simulator) == [f"(company/id in ({three})) or (id in ({of_nine.id}))"]


def test_agreements_that_are_not_complete_are_looked_for_in_the_whole_list(
    simulator: Simulator, client: ConnectWiseClient
) -> None:
    found = client.chosen_agreements([1], [], lambda _: False, LONG)

    assert (len(found.records), found.length) == (30, Length(1, choosable=False))
    assert len(simulator.requests) == 2


def test_a_condition_that_is_refused_is_answered_by_the_whole_list(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    world.refused_conditions.add("company/id")
    (three,) = companies(world, 3)

    found = client.chosen_agreements([three], [], there, LONG)

    assert (len(found.records), found.length) == (30, Length(1, choosable=False))


def test_a_right_that_is_lacking_is_not_a_refused_condition(world: World, client: ConnectWiseClient) -> None:
    world.rights.remove("companies")

    with pytest.raises(SignInRefused, match="403"):
        client.chosen_companies(["Customer1"], LONG)


def test_nothing_wanted_is_no_request(simulator: Simulator, client: ConnectWiseClient) -> None:
    assert client.chosen_companies([], None).records == ()
    assert client.chosen_agreements([], [], lambda _: True, Length(9, choosable=False)).records == ()
    assert simulator.requests == ()


def test_pages_after_the_first_are_read_a_few_at_a_time_and_none_twice(
    world: World, simulator: Simulator, client: ConnectWiseClient
) -> None:
    for number in range(6200):
        world.add_company(f"More{number}", "More")

    found = client.companies()

    assert [each.id for each in found] == sorted(world.companies)
    pages: list[Any] = [request.query["page"] for request in simulator.requests]
    assert pages[0] == "1"
    assert sorted(pages) == ["1", "2", "3", "4", "5", "6", "7"]
    assert client.chosen_companies(["More1", "NO-SUCH"], None).length == Length(7, choosable=False)
