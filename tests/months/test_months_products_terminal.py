"""What `connector products` asks on a terminal, and what becomes of each answer."""

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import yaml
from months.calling import Run
from months.msp import ENDPOINT, Msp
from months.sitting import Person

from connector.simulator.sophos_records import SophosProduct

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

NDR = "NDR-MSP"
ENTER = "\r"


@pytest.fixture
def person(msp: Msp, run: Run) -> Iterator[Person]:
    name = "Sophos Network Detection and Response"
    msp.world.add_product(SophosProduct(NDR, name, "Server", "DEMO-NDR", Decimal("21.00"), Decimal(30)))
    msp.customer("Alder", {"CIXA-MSP": 12, NDR: 2})
    msp.world.add_item("NET-DETECT", "Network detection and \x1b[31mresponse", price=Decimal(30))
    run.prepare()
    run.map_kept = run.catalog_written = True
    sitting = Person(run)
    yield sitting
    sitting.end()


def entry(run: Run, code: str = NDR) -> Any:
    """Return what mappings.yaml says of a code."""
    return yaml.safe_load((run.folder / "mappings.yaml").read_text("utf-8"))["products"].get(code)


def test_the_chosen_candidate_is_mapped(run: Run, person: Person) -> None:
    code, shown = person(f"products map {NDR}", ("Number (Enter for none): ", f"1{ENTER}"))
    assert code == 0
    assert "What is NDR-MSP (Sophos Network Detection and Response" in shown
    assert "1  NET-DETECT" in shown
    assert entry(run)["item"] == "NET-DETECT"


def test_enter_chooses_nothing_and_changes_nothing(run: Run, person: Person) -> None:
    code, shown = person(f"products map {NDR}", ("Number (Enter for none): ", ENTER))
    assert code == 2
    assert "Nothing was chosen" in shown
    assert "mappings.yaml was not changed" in shown
    assert entry(run) is None


def test_add_asks_for_what_is_missing_shows_the_record_and_creates_it(
    msp: Msp, run: Run, person: Person
) -> None:
    code, shown = person(
        f"products add {NDR}",
        ("Which subcategory is the item to have?", ""),
        ("Number (Enter for none): ", f"2{ENTER}"),
        ("Which type is the item to have?", ""),
        ("Number (Enter for none): ", f"2{ENTER}"),
        ("Price of one NDR-MSP for a customer: ", f"30,50{ENTER}"),
        ("Write 30.50", ""),
        ("Price of one NDR-MSP for a customer: ", f"30.50{ENTER}"),
        ("Create it, and map the code to it? [y/N]: ", f"y{ENTER}"),
    )
    assert code == 0
    made = msp.world.item_named(NDR)
    assert (made.price, made.cost) == (Decimal("30.50"), Decimal(21))
    assert (made.subcategory_id, made.type_id) == (1, 1)
    assert "30.50" in shown.split("The item to create in ConnectWise:")[1]
    assert entry(run)["item"] == NDR


def test_a_record_that_is_not_agreed_to_is_not_created(msp: Msp, run: Run, person: Person) -> None:
    said = f"products add {NDR} --subcategory Sophos --type 1 --price 3"
    code, shown = person(said, ("map the code to it? [y/N]: ", ENTER))
    assert code == 2
    assert "Nothing was created" in shown
    assert (NDR in {item.identifier for item in msp.world.items.values()}, entry(run)) == (False, None)


def test_choosing_no_subcategory_creates_nothing(msp: Msp, run: Run, person: Person) -> None:
    code, shown = person(f"products add {NDR}", ("Number (Enter for none): ", ENTER))
    assert code == 2
    assert "Give --subcategory" in shown
    assert entry(run) is None


@pytest.mark.parametrize(("said", "item"), [("y", ENDPOINT), ("n", None)])
def test_an_identifier_that_exists_is_offered_instead(
    msp: Msp, run: Run, person: Person, said: str, item: str | None
) -> None:
    before = len(msp.world.items)
    code, shown = person(
        f"products add {NDR} --identifier {ENDPOINT}", ("Map NDR-MSP to it? [y/N]: ", f"{said}{ENTER}")
    )
    assert "ConnectWise has it already: SOPHOS-ENDPOINT" in shown
    assert code == (0 if item else 2)
    assert (entry(run) or {}).get("item") == item
    assert len(msp.world.items) == before


@pytest.mark.parametrize(("said", "price"), [("y", Decimal(35)), ("n", Decimal(30))])
def test_an_edit_is_shown_and_asked_for(
    msp: Msp, run: Run, person: Person, said: str, price: Decimal
) -> None:
    assert run("products", "map", NDR, "NET-DETECT").exit_code == 0
    code, shown = person(
        f"products edit {NDR} --price 35", ("Change it in ConnectWise? [y/N]: ", f"{said}{ENTER}")
    )
    assert "price  30.00 -> 35.00" in shown
    assert code == (0 if said == "y" else 2)
    assert msp.world.item_named("NET-DETECT").price == price
