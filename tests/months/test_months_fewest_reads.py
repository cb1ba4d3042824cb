"""A run reads as little as it can, and plans what it would plan if it read everything."""

import gc
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal

import pytest
from hostile.desk import Desk, desk
from hypothesis import given, settings
from hypothesis import strategies as st
from months.calling import Result, Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp
from yaml import safe_load

from connector.planning.change import Plan
from connector.planning.plan import Inputs, make_plan
from connector.simulator import World
from connector.simulator.generated import generated_world
from connector.simulator.mapping_text import mappings_text

Event = Callable[[Msp, Customer, Customer], object]


def person_edits(quantity: int) -> Event:
    def edit(_: Msp, one: Customer, __: Customer) -> None:
        for line in one.lines():
            line.quantity = Decimal(quantity)

    return edit


def person_ends(_: Msp, one: Customer, __: Customer) -> None:
    for line in one.lines():
        line.cancelled = date(2026, 10, 31)


def person_deletes(msp: Msp, one: Customer, _: Customer) -> None:
    for line in one.lines():
        del msp.world.additions[line.id]


def person_moves_the_line(msp: Msp, one: Customer, _: Customer) -> None:
    for line in one.lines():
        line.item_id = msp.item("BACKUP").id


def mark_goes(_: Msp, one: Customer, __: Customer) -> None:
    for line in one.lines():
        line.serial_number = None


def same_identifier(msp: Msp, one: Customer, _: Customer) -> None:
    msp.world.add_company(one.company.identifier.upper(), "A second one")


def taken_identifier(msp: Msp, one: Customer, _: Customer) -> None:
    """Rename a company, and give its identifier to another one."""
    before = one.company.identifier
    msp.world.rename_company(one.company.id, f"{before}-Old")
    msp.world.add_agreement(msp.world.add_company(before, "The new one").id, "Managed Security")


def taken_name(msp: Msp, one: Customer, _: Customer) -> None:
    msp.world.rename_agreement(one.agreement.id, "As it was")
    msp.world.add_agreement(one.company.id, "Managed Security")


def taken_item(msp: Msp, _: Customer, __: Customer) -> None:
    made = msp.item(EMAIL)
    msp.world.rename_item(made.id, "SOPHOS-MAIL")
    msp.world.add_item(EMAIL, "Another one")


def cancelled(_: Msp, one: Customer, __: Customer) -> None:
    one.agreement.cancelled = True


def moves_away(_: Msp, one: Customer, other: Customer) -> None:
    one.agreement.company_id = other.company.id


def moves_away_and_an_old_one_stays(msp: Msp, one: Customer, other: Customer) -> None:
    msp.world.add_agreement(one.company.id, "Managed Security", cancelled=True)
    one.agreement.company_id = other.company.id


def deleted(msp: Msp, one: Customer, _: Customer) -> None:
    del msp.world.agreements[one.agreement.id]


def email_of_people(_: Msp, one: Customer, __: Customer) -> None:
    one.uses("CEMA-MSP", 3)
    one.has(EMAIL, 2)


def leaves(msp: Msp, one: Customer, _: Customer) -> None:
    del msp.mappings["tenants"][one.tenant]


EVENTS: dict[str, Event] = {
    "uses more": lambda _, one, __: one.uses("CIXA-MSP", 14),
    "uses something new": lambda _, one, __: one.uses("CEMA-MSP", 3),
    "stops": lambda _, one, __: one.stops(),
    "is edited to what is used": person_edits(10),
    "is edited": person_edits(11),
    "is ended": person_ends,
    "is deleted": person_deletes,
    "is moved": person_moves_the_line,
    "loses its mark": mark_goes,
    "has a line of people": lambda _, one, __: one.has(ENDPOINT, 3),
    "has e-mail of people": email_of_people,
    "has a copied mark": lambda _, one, __: one.has(EMAIL, 2, serial_number="sophos-sync:1:1"),
    "is turned off": lambda _, one, __: one.entry.update(sync=False),
    "leaves the map": leaves,
    "company renamed": lambda msp, one, _: msp.world.rename_company(one.company.id, "New"),
    "company in other letters": lambda _, one, __: one.entry.update(company=one.company.identifier.lower()),
    "company by id": lambda _, one, __: one.entry.update(company=one.company.id),
    "company of no id": lambda _, one, __: one.entry.update(company=999_999),
    "company merged": lambda msp, one, other: msp.world.merge_company(one.company.id, other.company.id),
    "company deleted": lambda msp, one, _: msp.world.merge_company(one.company.id),
    "two companies of a name": same_identifier,
    "identifier taken over": taken_identifier,
    "agreement renamed": lambda msp, one, _: msp.world.rename_agreement(one.agreement.id, "New"),
    "agreement of no name": lambda _, one, __: one.entry.update(agreement="Nowhere"),
    "agreement by id": lambda _, one, __: one.entry.update(agreement=one.agreement.id),
    "agreement of another": lambda _, one, other: one.entry.update(agreement=other.agreement.id),
    "two agreements of a name": lambda msp, one, _: msp.world.add_agreement(
        one.company.id, "managed security "
    ),
    "agreement's name taken over": taken_name,
    "agreement cancelled": cancelled,
    "agreement moves away": moves_away,
    "agreement moves away, and an old one stays": moves_away_and_an_old_one_stays,
    "agreement deleted": deleted,
    "item renamed": lambda msp, _, __: msp.world.rename_item(msp.item(EMAIL).id, "SOPHOS-MAIL"),
    "item's name taken over": taken_item,
    "two items of a name": lambda msp, _, __: msp.world.add_item("Sophos-Email", "Another one"),
    "item by id": lambda msp, one, _: one.entry.update(products={"CIXA-MSP": {"item": msp.item(EMAIL).id}}),
    "an agreement for a product": lambda msp, one, _: one.entry.update(
        products={"CIXA-MSP": {"agreement": msp.world.add_agreement(one.company.id, "Second").name}}
    ),
}


def knows(run: Run, *, long: bool) -> None:
    """Say how long the lists are: so long that choosing is shorter, or so short that it is not."""
    with closing(sqlite3.connect(run.state / "connector.db")) as db, db:
        db.execute("DELETE FROM vendor_facts")
        for name in ("companies", "agreements", "catalog"):
            value = json.dumps({"pages": 99 if long else 1, "choosable": long})
            db.execute(
                "INSERT INTO vendor_facts VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%S+00:00'))",
                (f"connectwise.{name}", value),
            )


def planned(at: Desk, *, fewest: bool) -> Result:
    """Plan with as few requests as possible, or with whole lists and each agreement."""
    at.world.report_available = fewest
    knows(at.run, long=fewest)
    return at.run("plan")


def comes_to(at: Desk, happened: dict[int, set[str]]) -> None:
    """Bill October, and let so much happen to each customer until November."""
    at.msp.mappings["guards"] = {"removals": 1, "decrease": 1}
    customers = at.msp.customers(7)
    assert at.run("sync").exit_code == 0
    at.msp.next_month()
    for number, events in happened.items():
        for event in sorted(events, key=lambda event: (event == "agreement deleted", event)):
            EVENTS[event](at.msp, customers[number], customers[6])


def same_plans(at: Desk, *, first: bool) -> None:
    """Make sure that as few requests as possible and as many as possible make the same plan."""
    plans = {fewest: planned(at, fewest=fewest) for fewest in (first, not first)}
    assert plans[True].json == plans[False].json
    assert plans[True].exit_code == plans[False].exit_code


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("first", [True, False])
def test_the_fewest_reads_plan_what_whole_lists_plan(event: str, first: bool) -> None:
    with desk() as at:
        comes_to(at, {2: {event}})
        same_plans(at, first=first)


@settings(max_examples=15)
@given(
    st.dictionaries(st.integers(0, 5), st.sets(st.sampled_from(sorted(EVENTS)), min_size=1, max_size=3)),
    st.booleans(),
)
def test_whatever_happens_the_fewest_reads_plan_what_whole_lists_plan(
    happened: dict[int, set[str]], first: bool
) -> None:
    with desk() as at:
        comes_to(at, happened)
        same_plans(at, first=first)


def test_long_lists_are_not_read_where_the_map_names_little_of_them(msp: Msp, run: Run) -> None:
    msp.customers(6)
    assert run("sync").exit_code == 0
    knows(run, long=True)

    night = run("sync")

    lists = ("companies", "agreements", "catalog")
    asked = [it for it in night.requests if it.path.endswith(lists)]
    assert [("conditions" in it.query) for it in asked] == [True] * 3
    assert (night.exit_code, night.writes) == (0, [])


def test_a_list_that_had_to_be_read_whole_is_read_whole_at_once_next_time(msp: Msp, run: Run) -> None:
    customers = msp.customers(6)
    assert run("sync").exit_code == 0
    knows(run, long=True)
    customers[0].entry["company"] = "Nobody"

    nights = [run("sync") for _ in range(2)]

    asked = [[it for it in night.requests if it.path.endswith("/companies")] for night in nights]
    assert [["conditions" in it.query for it in each] for each in asked] == [[True, False], [False]]


def by_kind(result: Result) -> Counter[str]:
    """Count the requests of a run by what they read."""
    kinds = (
        "token",
        "whoami",
        "tenants",
        "usage",
        "firewalls",
        "companies",
        "additions",
        "catalog",
        "columns",
    )

    def kind(path: str) -> str:
        if path.endswith("AgreementAdditions"):
            return "report"
        return next((name for name in kinds if f"/{name}" in path), "agreements")

    return Counter(kind(request.path) for request in result.requests)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """A world of so many tenants, all mapped; an empty one where a test does not say."""
    tenants = getattr(request, "param", 0)
    return generated_world(tenants) if tenants else World(today=date(2026, 10, 28))


@pytest.mark.parametrize(("world", "reported"), [(60, True), (60, False), (130, True)], indirect=["world"])
def test_a_quiet_night_makes_the_fewest_requests_and_no_write(
    world: World, run: Run, msp: Msp, reported: bool
) -> None:
    msp.mappings = safe_load(mappings_text(world))
    assert run("sync").exit_code == 0
    world.report_available = reported
    run("sync")  # which finds out what the report is like
    tenants, mapped = len(world.tenants), len(world.agreements)
    pages = -(-len(world.additions) // 1000)

    night = run("sync")

    lists = {"companies": 1, "agreements": 1, "catalog": 1}
    sophos = {
        "token": 1,
        "whoami": 1,
        "tenants": -(-tenants // 100),
        "usage": -(-sum(1 for _ in world.rows("2026-10")) // 1000),
        "firewalls": -(-len(world.firewalls) // 50),
    }
    fewest = Counter(lists | sophos | ({"report": pages} if reported else {"additions": mapped}))
    assert (night.exit_code, night.writes) == (0, [])
    sampled = Counter({"additions": 1}) if reported else Counter[str]()
    assert by_kind(night) == fewest + sampled


def test_a_run_plans_without_looking_for_garbage_and_looks_for_it_again_afterwards(
    msp: Msp, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bool] = []

    def watched(inputs: Inputs) -> Plan:
        looked.append(gc.isenabled())
        return make_plan(inputs)

    monkeypatch.setattr("connector.runs.pipeline.make_plan", watched)
    msp.customers(2)

    assert run("plan").exit_code == 0
    assert looked == [False]
    assert gc.isenabled()
