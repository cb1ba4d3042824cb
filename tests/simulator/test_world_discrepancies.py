"""The world in which one of each thing is wrong: it is as its author says, and all else is right."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from connector.cli.rehearsal import play
from connector.planning.diagnosis.discrepancies import CLASSES
from connector.simulator import Act, Addition, Simulator, World, discrepancies_world

OCTOBER = (2026, 10)
QUANTITIES = {
    "UNDER_BILLED", "OVER_BILLED", "NO_ADDITION", "ORPHAN_ADDITION", "SUSPECTED_SUCCESSOR", "HAND_EDITED",
    "DUPLICATE_ADDITIONS", "OFF_STILL_BILLING", "ENDED_BY_HAND", "RESTATED", "PERIOD_CLOSED",
    "AGREEMENT_INACTIVE",
}  # fmt: skip
"""The classes whose lines bill another quantity than the usage and the map of the last day say."""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The world on its last day; nobody changes it any more."""
    with Simulator(discrepancies_world()) as serving:
        play(serving, tmp_path_factory.mktemp("a desk"))
        yield serving


@pytest.fixture(scope="module")
def world(simulator: Simulator) -> World:
    return simulator.world


def desired(world: World) -> dict[tuple[int, int], Decimal]:
    """What each agreement should bill of each item, told by the world's own map and rows alone."""
    wanted: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    decisions = world.decisions
    items = {item.identifier: item.id for item in world.items.values()}
    items["SOPHOS-SERVER"] = items["SOPHOS-SERVER-PROTECTION"]
    for row in world.usage[OCTOBER]:
        firewall = world.firewalls.get(row.serial_or_account)
        placed = decisions.firewalls.get(row.serial_or_account) or (firewall and firewall.billing_tenant)
        tenant = decisions.tenants.get(row.account_id or placed or "")
        product = decisions.products.get(row.product.code)
        if tenant is None or tenant.sync is False or product is None or product.sync is False:
            continue
        said = tenant.products.get(row.product.code)
        if said is not None and said.sync is False:
            continue
        item = said.item if said is not None and said.item is not None else product.item
        company = world.company_named(str(tenant.company)).id
        (agreement,) = (each for each in world.agreements.values() if each.company_id == company)
        if agreement.status_on(world.today) == "Active":
            wanted[agreement.id, items[str(item)]] += row.quantity
    return wanted


def test_it_has_one_of_each_class_and_no_more(world: World) -> None:
    assert set(world.wrong) == set(CLASSES)
    places = [(name, where.agreement_id, where.item_id) for name, where in world.wrong.items()]
    assert len(places) == len(CLASSES) == 20


def test_before_its_acts_nothing_is_wrong_and_they_are_in_order_of_their_days() -> None:
    world = discrepancies_world()
    assert (world.today, world.wrong) == (date(2026, 9, 28), {})
    days = [act.day for act in world.acts]
    assert days == sorted(days)
    assert world.acts[-1] == Act(date(2026, 11, 3))


def test_lines_bill_what_is_used_but_for_those_that_are_said_to_be_wrong(world: World) -> None:
    bills: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for line in world.live_additions():
        if line.serial_number is not None:
            bills[line.agreement_id, line.item_id] += line.quantity or 0
    wanted = desired(world)
    different = {key for key in {*bills, *wanted} if bills[key] != wanted[key]}
    moved = world.wrong["SUSPECTED_SUCCESSOR"]
    said = {
        (where.agreement_id, where.item_id)
        for name, where in world.wrong.items()
        if name in QUANTITIES and where is not moved
    }
    said |= {(world.additions[each].agreement_id, world.additions[each].item_id) for each in moved.additions}
    assert different == said
    assert len([key for key in wanted if key not in said]) >= 15


def test_what_is_right_has_its_variety(world: World) -> None:
    wrong = {where.agreement_id for where in world.wrong.values()}
    right = [line for line in world.live_additions() if line.agreement_id not in wrong]
    assert any(line.less_included for line in right)
    assert any(line.serial_number is None for line in right), "a line of people's own"
    assert any(decision.sync is False for decision in world.decisions.tenants.values())
    assert any(decision.sync is False for decision in world.decisions.products.values())
    sharing = [(decision.company, decision.agreement) for decision in world.decisions.tenants.values()]
    assert len(sharing) > len(set(sharing))
    items = [decision.item for decision in world.decisions.products.values() if decision.item]
    assert len(items) > len(set(items))
    assert set(world.decisions.firewalls) <= set(world.firewalls)


def test_what_a_person_did_was_not_done_by_us(world: World) -> None:
    written = {write.addition_id: write.after for write in world.history if isinstance(write.after, Addition)}
    (edited,) = world.wrong["HAND_EDITED"].additions
    quantities = [written[edited].quantity, world.additions[edited].quantity]
    assert quantities == [Decimal(12), Decimal(10)]
    (ended,) = world.wrong["ENDED_BY_HAND"].additions
    assert (written[ended].cancelled, world.additions[ended].cancelled) == (None, date(2026, 10, 31))
    first, copy = world.wrong["DUPLICATE_ADDITIONS"].additions
    assert first in written
    assert copy not in written
    assert world.additions[first].serial_number == world.additions[copy].serial_number


def test_prices_are_wrong_in_two_places_only(world: World) -> None:
    ours = [line for line in world.live_additions() if line.serial_number is not None]
    free = {line.id for line in ours if not line.unit_price}
    dear = {line.id for line in ours if line.unit_price and line.unit_price < world.items[line.item_id].cost}
    assert free == set(world.wrong["PRICE_ZERO"].additions)
    assert dear == set(world.wrong["MARGIN_NEGATIVE"].additions)
    other = {each.id for each in world.agreements.values() if each.currency != "USD"}
    assert other == {world.wrong["CURRENCY_MISMATCH"].agreement_id}


def test_additions_that_are_hidden_answer_403_and_the_others_can_be_read(simulator: Simulator) -> None:
    world = simulator.world
    hidden, seen = world.wrong["NOT_CHECKED"].agreement_id, world.wrong["HAND_EDITED"].agreement_id
    headers = {"clientId": world.connectwise_client_id}
    keys = (f"{world.company_login}+{world.public_key}", world.private_key)
    route = f"{simulator.settings()['CONNECTWISE_URL']}/finance/agreements"

    def got(path: str) -> requests.Response:
        return requests.get(f"{route}/{path}", auth=keys, headers=headers, timeout=10)

    for path in (f"{hidden}/additions", f"{hidden}/additions/count", f"{hidden}/additions/9032"):
        refused = got(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "Security")
        assert refused.json()["message"] == "You do not have security permission to perform this action."
    assert got(str(hidden)).status_code == 200
    assert len(got(f"{seen}/additions").json()) == 1
    report = f"{route.removesuffix('/finance/agreements')}/system/reports/agreementadditions?pageSize=1000"
    rows = requests.get(report, auth=keys, headers=headers, timeout=10).json()["row_values"]
    assert {row[1] for row in rows} == {each.agreement_id for each in world.additions.values()} - {hidden}


def test_the_same_seed_gives_the_same_world_and_its_story_is_stopped_by_a_wrong_end(tmp_path: Path) -> None:
    assert discrepancies_world(3).tenants == discrepancies_world(3).tenants
    world = discrepancies_world()
    world.acts[:] = [Act(world.today, ("plan", "2031-01", "--json"))]
    with Simulator(world) as serving, pytest.raises(AssertionError, match="ended with 8") as told:
        play(serving, tmp_path)
    assert json.dumps("NOT_PUBLISHED") in str(told.value)
