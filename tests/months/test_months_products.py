"""`connector products`: every code with its cost and item, and the item that each is billed as."""

import csv
import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import yaml
from months.calling import Result, Run
from months.msp import ENDPOINT, Customer, Msp

from connector.simulator import Fault
from connector.simulator.faults import Kind
from connector.simulator.sophos_records import SophosProduct

NDR = "NDR-MSP"
NEW_ITEM = ("--subcategory", "Sophos", "--type", "Subscription", "--price", "30")


def begin(run: Run) -> None:
    """Write the MSP's mappings.yaml once; from now on only the commands change it."""
    run.map_kept = False
    run.prepare()
    run.map_kept = run.catalog_written = True


def entry(run: Run, code: str) -> Any:
    """Return what mappings.yaml says of a code, or None."""
    text = (run.folder / "mappings.yaml").read_text("utf-8")
    return (yaml.safe_load(text).get("products") or {}).get(code)


def refused(done: Result, code: int = 2) -> str:
    """Make sure that a command was refused, and return what it said."""
    assert done.exit_code == code, done.stdout
    error = done.json["error"]
    return f"{error['message']} {error['next']}"


@pytest.fixture
def alder(msp: Msp, run: Run) -> Customer:
    """A customer with endpoint protection, which is mapped, and network detection, which is not."""
    name = "Sophos Network Detection and Response"
    msp.world.add_product(SophosProduct(NDR, name, "Server", "DEMO-NDR", Decimal("21.00"), Decimal(30)))
    customer = msp.customer("Alder", {"CIXA-MSP": 12, NDR: 2})
    begin(run)
    return customer


# The list ----------------------------------------------------------------------------------------


def test_the_list_shows_every_code_the_dearest_first(run: Run, alder: Customer) -> None:
    listed = run("products")

    assert listed.exit_code == 0
    assert listed.json["schema"] == "connector.products/1"
    assert listed.json["period"] == "2026-10"
    shown = [(it["code"], it["quantity"], it["identifier"], it["state"]) for it in listed.json["products"]]
    assert shown == [
        (NDR, "2", None, "new"),
        ("CIXA-MSP", "12", ENDPOINT, "on"),
        ("CEMA-MSP", "0", "SOPHOS-EMAIL", "on"),
    ]
    assert listed.json["products"][0]["cost"] == [{"amount": "42", "currency": "USD"}]
    assert listed.json["successors"] == []
    assert "1 code is new" in listed.stderr


def test_the_list_as_text_names_month_states_and_notes(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps("GONE-MSP", item=999)
    msp.maps("OTHER-MSP", item=998)
    begin(run)
    listed = run.text("products")
    header, first, *_ = listed.stdout.splitlines()
    assert header.split() == [
        "Code", "Name", "Group", "Tenants", "Quantity", "Cost", "Currency", "Item", "State", "Note",
    ]  # fmt: skip
    assert first.split()[-4:] == ["2", "42.00", "USD", "new"]
    assert "999" in listed.stdout
    assert "item 999 is not in ConnectWise's catalog" in listed.stdout
    assert "Usage of 2026-10." in listed.stderr


def test_the_list_can_be_of_some_states_and_of_another_month(run: Run, msp: Msp, alder: Customer) -> None:
    assert [it["code"] for it in run("products", "--state", "new,fault").json["products"]] == [NDR]
    msp.next_month()
    assert run("products", "--period", "2026-10").json["period"] == "2026-10"
    assert run("products").json["period"] == "2026-11"


def test_a_month_that_is_not_published_is_told_as_such(run: Run, alder: Customer) -> None:
    assert "NOT_PUBLISHED" in run("products", "--period", "2027-01").json["error"]["code"]
    assert run("products", "--period", "2027-01").exit_code == 8


def test_a_state_that_there_is_not_is_refused(run: Run, alder: Customer) -> None:
    assert "'nwe' is none of on, off, new, fault" in refused(run("products", "--state", "on,nwe"))


def test_without_a_map_every_code_is_new(run: Run, alder: Customer) -> None:
    (run.folder / "mappings.yaml").unlink()
    listed = run("products")
    assert {it["state"] for it in listed.json["products"]} == {"new"}
    assert "nothing is mapped" in listed.stderr
    assert "2 codes are new" in listed.stderr
    assert not (run.folder / "mappings.yaml").exists()


def test_a_new_price_band_is_no_rename(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps(NDR, item=ENDPOINT, name="Sophos Network Detection and Response")
    begin(run)
    (row,) = (it for it in run("products").json["products"] if it["code"] == NDR)
    assert "MSP Monthly - 1-24 SERVERS" in row["name"]
    assert row["notes"] == []


def test_names_that_are_formulas_or_steer_a_terminal_do_neither(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("EVIL-MSP", 1, description="=cmd|' /C calc'!A0")
    alder.uses("BELL-MSP", 1, description="\u202egnp.exe")
    found = run.text("products", "--csv").stdout
    cells = {row[0]: row[1] for row in csv.reader(io.StringIO(found))}
    assert cells["EVIL-MSP"].startswith("'=cmd")
    assert cells["BELL-MSP"] == "\\u202egnp.exe"
    assert "\\u202egnp.exe" in run.text("products").stdout


def test_a_suspected_successor_is_told_with_the_command_until_it_is_mapped(msp: Msp, run: Run) -> None:
    customers = [msp.customer(name, {"CIXA-MSP": 10, "CEMA-MSP": 1}) for name in ("Alder", "Birch", "Cedar")]
    begin(run)
    assert run("sync").exit_code == 0
    msp.next_month()
    for customer in customers:
        customer.stops("CIXA-MSP")
        customer.uses("XDR-MSP", 10)
    command = "connector products map XDR-MSP SOPHOS-ENDPOINT"

    listed = run("products")
    (found,) = listed.json["successors"]
    assert (found["old"], found["new"], found["next"]) == ("CIXA-MSP", "XDR-MSP", command)
    assert command in run.text("products").stderr
    assert run("products", "map", *command.split()[3:]).exit_code == 0
    assert run("products").json["successors"] == []
    assert run("sync").exit_code == 0
    assert [customer.bills[ENDPOINT] for customer in customers] == [10, 10, 10]


def test_a_month_before_the_last_one_applied_suspects_nothing(msp: Msp, run: Run) -> None:
    customers = [msp.customer(name, {"XDR-MSP": 10, "CEMA-MSP": 1}) for name in ("Alder", "Birch", "Cedar")]
    msp.next_month()
    for customer in customers:
        customer.stops("XDR-MSP")
        customer.uses("CIXA-MSP", 10)
    begin(run)
    assert run("sync").exit_code == 0
    assert run("products", "--period", "2026-10").json["successors"] == []


# Searching ---------------------------------------------------------------------------------------


def test_a_search_finds_items_by_identifier_and_description_best_first(msp: Msp, run: Run) -> None:
    msp.world.add_item("MAIL", "Mailbox with endpoint protection", price=Decimal("3.50"))
    msp.world.add_item("ENDPOINT-OLD", "Old", inactive=True)
    begin(run)
    found = run("products", "search", "endpoint")
    assert (found.exit_code, found.json["schema"]) == (0, "connector.items/1")
    assert [(it["identifier"], it["active"]) for it in found.json["items"]] == [
        ("ENDPOINT-OLD", False),
        ("MAIL", True),
        (ENDPOINT, True),
    ]
    assert found.json["items"][1]["price"] == "3.5"
    apart = run.text("products", "search", "protection mailbox").stdout
    assert [line.split()[1] for line in apart.splitlines()] == ["Identifier", "MAIL"]
    assert "3.50" in apart


def test_a_search_that_finds_nothing_says_so(run: Run, alder: Customer) -> None:
    found = run.text("products", "search", "zeppelin")
    assert (found.exit_code, "No catalog item" in found.stderr) == (0, True)


def test_a_search_for_one_letter_is_refused_before_anything_is_asked(run: Run, alder: Customer) -> None:
    found = run("products", "search", " e ")
    assert "2 letters" in refused(found)
    assert not found.requests


def test_items_as_csv_run_no_formula(msp: Msp, run: Run) -> None:
    msp.world.add_item("=HYPERLINK(1)", "\x1b]0;owned\x07 item")
    begin(run)
    found = run.text("products", "search", "item", "--csv").stdout
    row = list(csv.reader(io.StringIO(found)))[1]
    assert row[1] == "'=HYPERLINK(1)"
    assert "\x1b" not in found


# Mapping -----------------------------------------------------------------------------------------


def test_mapping_a_new_code_names_it_and_says_what_is_billed_from_now_on(run: Run, alder: Customer) -> None:
    alder.msp.item("SOPHOS-NDR")

    done = run("products", "map", "ndr-msp", "sophos-ndr")

    assert (done.exit_code, done.json["changed"], done.writes) == (0, True, [])
    assert entry(run, NDR) == {"name": "Sophos Network Detection and Response", "item": "SOPHOS-NDR"}
    assert (done.json["tenants"], done.json["quantity"]) == (1, "2")
    assert "2 at 1 tenant in 2026-10" in done.json["notes"][0]
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-NDR": 2}


def test_a_dry_run_shows_the_diff_and_writes_nothing(run: Run, alder: Customer) -> None:
    before = (run.folder / "mappings.yaml").read_bytes()
    shown = run.text("products", "map", NDR, ENDPOINT, "--dry-run")
    assert "+  NDR-MSP:" in shown.stdout
    assert "--dry-run" in shown.stderr
    assert (run.folder / "mappings.yaml").read_bytes() == before


def test_the_first_mapping_makes_the_file(run: Run, alder: Customer) -> None:
    (run.folder / "mappings.yaml").unlink()
    assert run("products", "map", NDR, ENDPOINT).exit_code == 0
    assert entry(run, NDR)["item"] == ENDPOINT


def test_usage_of_tenants_that_are_not_mapped_is_said_to_wait(msp: Msp, run: Run, alder: Customer) -> None:
    msp.customer("Birch", {NDR: 5}, mapped=False)
    done = run("products", "map", NDR, ENDPOINT)
    assert (done.json["waiting_tenants"], done.json["waiting_quantity"]) == (1, "5")
    assert "connector tenants map" in done.json["notes"][1]


def test_mapping_before_a_month_is_published_works(msp: Msp, run: Run, alder: Customer) -> None:
    msp.world.unpublish("2026-10")
    done = run("products", "map", "CIXA-MSP", "SOPHOS-EMAIL")
    assert (done.exit_code, done.json["period"]) == (0, None)
    assert done.json["notes"][0] == "From the next run on, CIXA-MSP is billed as SOPHOS-EMAIL."


def test_an_unknown_code_is_refused_with_near_ones_unless_it_is_said_to_be_unseen(
    run: Run, alder: Customer
) -> None:
    told = refused(run("products", "map", "NDR-MPS", ENDPOINT))
    assert "near: NDR-MSP" in told
    assert "--unseen" in told
    assert "mappings.yaml was not changed" in told
    assert run("products", "map", "NEXT-MSP", ENDPOINT, "--unseen").exit_code == 0
    assert entry(run, "NEXT-MSP") == {"item": ENDPOINT}
    assert "No product code ''" in refused(run("products", "map", " ", ENDPOINT, "--unseen"))


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("NOTHING", "no catalog item 'NOTHING'"),
        ("SOPHOS-ENDPIONT", "near: SOPHOS-ENDPOINT (41)"),
        ("id:999", "no catalog item id:999"),
        ("OLD", "is inactive"),
        ("BUNDLE", "class Bundle"),
        ("TWICE", "2 catalog items are called 'TWICE': id:45, id:46"),
    ],
)
def test_an_item_that_cannot_be_mapped_is_refused(
    msp: Msp, run: Run, alder: Customer, item: str, told: str
) -> None:
    msp.world.add_item("OLD", "Old", inactive=True)
    msp.world.add_item("BUNDLE", "All in one", product_class="Bundle")
    msp.world.add_item("TWICE", "One")
    msp.world.add_item("twice", "Two")

    said = refused(run("products", "map", NDR, item))

    assert told in said
    assert "mappings.yaml was not changed" in said
    assert entry(run, NDR) is None


def test_a_number_that_is_an_id_and_an_identifier_has_to_be_said_otherwise(
    msp: Msp, run: Run, alder: Customer
) -> None:
    other = msp.world.add_item("41", "Named like the id of another")
    said = refused(run("products", "map", NDR, "41"))
    assert "id:41" in said
    assert "identifier:41" in said
    assert run("products", "map", NDR, "identifier:41").json["item_id"] == other.id
    assert entry(run, NDR)["item"] == "41"
    assert run("products", "map", NDR, "id:41").json["item_id"] == 41
    assert entry(run, NDR)["item"] == ENDPOINT


def test_a_number_that_is_only_an_identifier_is_one(msp: Msp, run: Run, alder: Customer) -> None:
    item = msp.world.add_item("4711", "By number")
    assert run("products", "map", NDR, "4711").json["item_id"] == item.id


def test_an_item_whose_identifier_others_share_is_written_by_its_id(
    msp: Msp, run: Run, alder: Customer
) -> None:
    first = msp.world.add_item("TWICE", "One")
    msp.world.add_item("twice", "Two")
    done = run("products", "map", NDR, f"id:{first.id}")
    assert entry(run, NDR)["item"] == first.id
    assert any(f"Written as id {first.id}" in note for note in done.json["notes"])


def test_an_identifier_that_meant_another_item_is_written_by_its_id(
    msp: Msp, run: Run, alder: Customer
) -> None:
    run("sync")
    msp.world.rename_item(msp.item(ENDPOINT).id, "ENDPOINT-NEW")
    other = msp.world.add_item(ENDPOINT, "Somebody else's")
    assert run("products", "map", NDR, ENDPOINT).exit_code == 0
    assert entry(run, NDR)["item"] == other.id
    done = run("sync")
    assert "ITEM_CHANGED" in done.unresolved  # the old code's text, not ours
    assert alder.msp.world.live_additions(alder.agreement.id, other.id)[0].quantity == 2


def test_an_entry_that_names_the_item_by_its_id_stays_as_it_is(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps(NDR, item=41)
    begin(run)
    assert run("products", "map", NDR, ENDPOINT).json["changed"] is False
    assert entry(run, NDR) == {"item": 41}


@pytest.mark.parametrize(
    ("absent", "told", "left"),
    [("zero", "sets it to 0", {"SOPHOS-EMAIL": 12, ENDPOINT: 0}), ("keep", "leaves it as it is", None)],
)
def test_mapping_to_another_item_tells_what_becomes_of_the_lines_of_the_old_one(
    msp: Msp, run: Run, alder: Customer, absent: str, told: str, left: dict[str, int] | None
) -> None:
    msp.mappings["defaults"] = {"absent": absent}
    begin(run)
    run("products", "off", NDR)
    assert run("sync").exit_code == 0

    done = run("products", "map", "CIXA-MSP", "SOPHOS-EMAIL")

    (line,) = done.json["additions"]
    assert (line["addition_id"], line["item"], line["quantity"]) == (alder.line().id, ENDPOINT, "12")
    assert any(told in note and "Alder, Managed Security" in note for note in done.json["notes"])
    assert run("sync", "--force", "all").exit_code == 0
    assert alder.bills == (left or {"SOPHOS-EMAIL": 12, ENDPOINT: 12})


def test_a_line_that_another_code_feeds_too_only_falls(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps(NDR, item=ENDPOINT)
    begin(run)
    assert run("sync").exit_code == 0
    done = run("products", "map", NDR, "SOPHOS-EMAIL")
    assert done.json["additions"][0]["still_fed_by"] == ["CIXA-MSP"]
    off = run("products", "off", "CIXA-MSP", "--dry-run")
    assert off.json["additions"][0]["still_fed_by"] == [NDR] or off.json["additions"] == []
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-EMAIL": 2}


def test_mapping_turns_a_code_on_again_that_was_off(run: Run, alder: Customer) -> None:
    assert run("products", "off", NDR).exit_code == 0
    assert run("products", "map", NDR, ENDPOINT).exit_code == 0
    assert entry(run, NDR) == {"name": "Sophos Network Detection and Response", "item": ENDPOINT}


def test_without_an_item_and_nobody_to_ask_the_candidates_are_named(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.world.add_item("NET-DETECT", "Network detection and response", price=Decimal(30))
    msp.world.add_item("NET-OLD", "Network detection and response", inactive=True)
    said = refused(run("products", "map", NDR))
    assert "NET-DETECT  Network detection and response  Agreement  30.00" in said
    assert "NET-OLD" not in said
    assert "connector products map NDR-MSP NET-DETECT" in said
    assert entry(run, NDR) is None


def test_without_any_candidate_searching_and_making_one_are_advised(run: Run, alder: Customer) -> None:
    said = refused(run("products", "map", NDR))
    assert "No catalog item looks like NDR-MSP" in said
    assert "connector products add NDR-MSP" in said


# On and off --------------------------------------------------------------------------------------


def test_off_and_unmap_tell_which_lines_go_on_billing_and_how_to_end_them(run: Run, alder: Customer) -> None:
    run("sync")
    for command in ("off", "unmap"):
        done = run("products", command, "cixa-msp")
        (line,) = done.json["additions"]
        assert (line["company"], line["agreement"], line["item"], line["quantity"]) == (
            "Alder", "Managed Security", ENDPOINT, "12",
        )  # fmt: skip
        told = " ".join(done.json["notes"])
        assert "end date or the quantity 0" in told
        assert "OFF_STILL_BILLING" in told
    assert entry(run, "CIXA-MSP") == {"sync": False}
    again = run("sync")
    assert again.warnings == ["OFF_STILL_BILLING"]
    assert alder.bills == {ENDPOINT: 12}


def test_a_line_that_a_person_ended_is_not_told_as_billing(run: Run, alder: Customer) -> None:
    run("sync")
    alder.line().quantity = Decimal(0)
    done = run("products", "off", "CIXA-MSP")
    assert (done.json["additions"], done.json["notes"]) == ([], [])


def test_turning_off_what_never_billed_reads_nothing_of_connectwise(run: Run, alder: Customer) -> None:
    run("plan")
    done = run("products", "off", NDR)
    assert (done.exit_code, len(done.requests), done.json["additions"]) == (0, 0, [])
    assert entry(run, NDR) == {"name": "Sophos Network Detection and Response", "sync": False}
    assert run("sync").exit_code == 0


def test_a_code_that_only_this_month_knows_can_be_turned_off(run: Run, alder: Customer) -> None:
    assert run("products", "off", NDR).exit_code == 0
    assert entry(run, NDR)["sync"] is False
    assert "No product code 'XXX-MSP'" in refused(run("products", "off", "XXX-MSP"))


def test_exceptions_that_turn_the_code_on_all_the_same_are_told(msp: Msp, run: Run, alder: Customer) -> None:
    alder.entry["products"] = {"CIXA-MSP": {"item": "SOPHOS-EMAIL"}}
    begin(run)
    run("sync")
    done = run("products", "off", "CIXA-MSP")
    assert done.json["additions"] == []
    assert "1 tenant's exception turns CIXA-MSP on all the same" in done.json["notes"][0]


def test_many_lines_are_told_as_a_number(msp: Msp, run: Run) -> None:
    msp.customers(23)
    begin(run)
    run("sync")
    done = run("products", "off", "CIXA-MSP")
    assert len(done.json["additions"]) == 23
    assert "  and 3 more" in done.json["notes"]


def test_on_lets_a_code_be_billed_again(run: Run, alder: Customer) -> None:
    run("products", "off", "CIXA-MSP")
    done = run("products", "on", "CIXA-MSP")
    assert (done.exit_code, entry(run, "CIXA-MSP")) == (0, {"item": ENDPOINT})
    assert run("products", "on", "CIXA-MSP").json["changed"] is False


def test_on_needs_an_item(run: Run, alder: Customer) -> None:
    run("products", "off", NDR)
    assert "connector products map NDR-MSP" in refused(run("products", "on", NDR))
    assert "connector products map OTHER-MSP" in refused(run("products", "on", "OTHER-MSP"))


def test_unmapping_leaves_the_entry_as_a_decision(run: Run, alder: Customer) -> None:
    run("products", "map", NDR, ENDPOINT)
    assert run("products", "unmap", NDR).exit_code == 0
    assert entry(run, NDR) == {"name": "Sophos Network Detection and Response"}
    assert run("products", "unmap", NDR).json["changed"] is False
    assert "No product code 'OTHER-MSP'" in refused(run("products", "unmap", "OTHER-MSP"))


# Adding an item ----------------------------------------------------------------------------------


def test_add_makes_an_item_as_sophos_calls_the_product_and_maps_it(
    msp: Msp, run: Run, alder: Customer
) -> None:
    done = run("products", "add", NDR, *NEW_ITEM, "--yes")

    assert (done.exit_code, done.json["created"]) == (0, True)
    made = msp.world.item_named(NDR)
    assert (made.description, made.customer_description) == ("Sophos Network Detection and Response",) * 2
    assert (made.price, made.cost) == (Decimal(30), Decimal(21))
    assert (made.product_class, made.taxable) == ("Agreement", False)
    assert (done.json["item_id"], entry(run, NDR)["item"]) == (made.id, NDR)
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, NDR: 2}


def test_add_takes_everything_that_is_said(msp: Msp, run: Run, alder: Customer) -> None:
    said = (
        "--identifier", "NET-WATCH", "--description", "Network watch",
        "--customer-description", "Watched network", "--subcategory", "1", "--type", "subscription",
        "--unit", "each", "--class", "service", "--price", "12.50", "--cost", "9.10", "--taxable",
    )  # fmt: skip
    assert run("products", "add", NDR, *said, "--yes").exit_code == 0
    made = msp.world.item_named("NET-WATCH")
    assert (made.description, made.customer_description) == ("Network watch", "Watched network")
    assert (made.product_class, made.taxable, made.unit_id) == ("Service", True, 1)
    assert (made.price, made.cost) == (Decimal("12.50"), Decimal("9.10"))
    assert entry(run, NDR)["item"] == "NET-WATCH"


def test_a_description_of_ones_own_is_what_the_customer_reads(msp: Msp, run: Run, alder: Customer) -> None:
    run("products", "add", NDR, *NEW_ITEM, "--description", "Network watch", "--yes")
    assert msp.world.item_named(NDR).customer_description == "Network watch"


def test_rows_of_different_prices_leave_the_cost_open(msp: Msp, run: Run, alder: Customer) -> None:
    alder.adds(NDR, 1, wire={"unitPrice": "19.00"})
    done = run("products", "add", NDR, *NEW_ITEM, "--dry-run")
    assert done.json["item"]["cost"] is None


def test_a_dry_run_shows_the_record_and_creates_nothing(msp: Msp, run: Run, alder: Customer) -> None:
    done = run("products", "add", NDR, *NEW_ITEM, "--dry-run")
    assert (done.exit_code, done.writes, done.json["created"]) == (0, [], False)
    assert done.json["item"] == {
        "id": None,
        "identifier": NDR,
        "description": "Sophos Network Detection and Response",
        "customer_description": "Sophos Network Detection and Response",
        "category": "",
        "subcategory": "Sophos",
        "type": "Subscription",
        "unit": "",
        "class": "Agreement",
        "price": "30",
        "cost": "21",
        "taxable": False,
        "active": True,
    }
    assert "21.00 USD, as Sophos bills it" in run.text("products", "add", NDR, *NEW_ITEM, "--dry-run").stdout
    assert entry(run, NDR) is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (NEW_ITEM, "--yes"),
        (("--subcategory", "Sophos", "--type", "1", "--yes"), "--price 4.50"),
        (("--type", "1", "--price", "3", "--yes"), "Give --subcategory"),
        (("--subcategory", "Sophos", "--price", "3", "--yes"), "Hardware (2), Subscription (1)"),
        (("--subcategory", "nope", "--type", "1", "--price", "3", "--yes"), "'nope' is not in ConnectWise"),
        (("--price", "1,50"), "Write 1.50"),
        (("--price", "$5"), "plain number"),
        (("--cost", "-1"), "plain number"),
        (("--class", "Bundle"), "Agreement, Service, NonInventory, Inventory"),
        ((*NEW_ITEM, "--description", "x" * 61, "--yes"), "description is 61 characters long"),
    ],
)
def test_what_add_lacks_or_cannot_be_is_said_and_nothing_is_created(
    run: Run, alder: Customer, said: tuple[str, ...], told: str
) -> None:
    done = run("products", "add", NDR, *said)
    assert told in refused(done)
    assert (done.writes, entry(run, NDR)) == ([], None)


def test_an_only_subcategory_and_type_need_no_saying(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CEMA2-MSP", 1)
    tables = msp.world.tables
    msp.world.tables = replace(
        tables, subcategories=tables.subcategories[:1], product_types=tables.product_types[:1]
    )
    assert run("products", "add", NDR, "--price", "0", "--yes").exit_code == 0
    assert msp.world.item_named(NDR).price == 0
    msp.world.tables = replace(tables, subcategories=())
    assert "no active row" in refused(run("products", "add", "CEMA2-MSP", *NEW_ITEM[2:], "--yes"))


def test_an_identifier_that_exists_is_never_made_twice(msp: Msp, run: Run, alder: Customer) -> None:
    done = run("products", "add", NDR, *NEW_ITEM, "--identifier", "sophos-endpoint", "--yes")
    assert "connector products map NDR-MSP sophos-endpoint" in refused(done)
    assert (done.writes, entry(run, NDR)) == ([], None)
    msp.world.add_item("OLD", "Old", inactive=True)
    assert "is inactive" in refused(run("products", "add", NDR, *NEW_ITEM, "--identifier", "OLD", "--yes"))
    for name in ("One", "Two"):
        msp.world.add_item("TWICE", name)
    said = refused(run("products", "add", NDR, *NEW_ITEM, "--identifier", "TWICE", "--yes"))
    assert "connector products map NDR-MSP 44" in said


def test_a_code_that_has_an_item_gets_no_second_one(run: Run, alder: Customer) -> None:
    done = run("products", "add", "CIXA-MSP", *NEW_ITEM, "--yes")
    assert "CIXA-MSP is mapped to SOPHOS-ENDPOINT already" in refused(done)
    assert done.writes == []


@pytest.mark.parametrize("kind", ["cut-after", "error-after", "truncated-json"])
def test_an_item_whose_answer_was_lost_is_made_and_mapped_once(
    msp: Msp, run: Run, alder: Customer, kind: Kind
) -> None:
    run.simulator.faults.add(Fault(kind, vendor="connectwise", method="POST", path="/procurement/catalog"))

    done = run("products", "add", NDR, *NEW_ITEM, "--yes")

    assert done.exit_code == 0, done.stderr
    assert "answer got lost" in done.stderr
    assert [method for method, _ in done.bodies] == ["POST"]
    assert entry(run, NDR)["item"] == msp.world.item_named(NDR).identifier


@pytest.mark.parametrize("kind", ["500", "cut-before"])
def test_an_item_of_which_nobody_knows_is_not_mapped(msp: Msp, run: Run, alder: Customer, kind: Kind) -> None:
    run.simulator.faults.add(Fault(kind, vendor="connectwise", method="POST", path="/procurement/catalog"))

    done = run("products", "add", NDR, *NEW_ITEM, "--yes")

    assert "Look for NDR-MSP in ConnectWise before you run this again" in refused(done, 6)
    assert ([method for method, _ in done.bodies], entry(run, NDR)) == (["POST"], None)
    assert run("products", "add", NDR, *NEW_ITEM, "--yes").exit_code == 0
    assert msp.world.item_named(NDR).price == 30


def test_an_item_that_turned_out_otherwise_is_not_mapped(msp: Msp, run: Run, alder: Customer) -> None:
    def dearer(vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.startswith("/v") and "catalog" in path:
            msp.world.item_named(NDR).price = Decimal(99)

    run.simulator.after_commit = dearer
    run.simulator.faults.add(
        Fault("cut-after", vendor="connectwise", method="POST", path="/procurement/catalog")
    )
    said = refused(run("products", "add", NDR, *NEW_ITEM, "--yes"), 6)
    run.simulator.after_commit = None
    assert "its price is 99" in said
    assert entry(run, NDR) is None


def test_an_answer_that_shows_something_else_is_no_success(msp: Msp, run: Run, alder: Customer) -> None:
    lies = Fault(
        "body",
        vendor="connectwise",
        method="POST",
        path="/procurement/catalog",
        edit=lambda it: it | {"price": 1.0},
    )
    run.simulator.faults.add(lies)
    said = refused(run("products", "add", NDR, *NEW_ITEM, "--yes"), 6)
    assert "If it is right after all, map it" in said
    assert entry(run, NDR) is None


@pytest.mark.parametrize("shown", [{"id"}, {"id", "identifier"}, set()])
def test_an_answer_that_leaves_fields_out_is_checked_by_reading_the_item_again(
    msp: Msp, run: Run, alder: Customer, shown: set[str]
) -> None:
    short = Fault(
        "body",
        vendor="connectwise",
        method="POST",
        path="/procurement/catalog",
        edit=lambda it: {name: value for name, value in it.items() if name in shown},
    )
    run.simulator.faults.add(short)

    done = run("products", "add", NDR, *NEW_ITEM, "--yes")

    assert done.exit_code == 0, done.stderr
    assert "answer did not show it, but it has made" in done.stderr
    assert [method for method, _ in done.bodies] == ["POST"]
    assert entry(run, NDR)["item"] == msp.world.item_named(NDR).identifier


def test_when_nothing_can_be_read_after_a_lost_answer_a_person_has_to_look(run: Run, alder: Customer) -> None:
    faults = run.simulator.faults
    faults.add(Fault("cut-after", vendor="connectwise", method="POST", path="/procurement/catalog"))
    faults.add(
        Fault(
            "403",
            vendor="connectwise",
            method="GET",
            path="/procurement/catalog[?].*NDR",
            after=1,
            times=None,
        )
    )
    assert "Look for NDR-MSP" in refused(run("products", "add", NDR, *NEW_ITEM, "--yes"), 6)
    assert entry(run, NDR) is None


def test_a_right_that_is_lacking_is_named(msp: Msp, run: Run, alder: Customer) -> None:
    msp.world.rights.discard("catalog.write")
    said = refused(run("products", "add", NDR, *NEW_ITEM, "--yes"), 5)
    assert "Procurement > Product Catalog: Add/Edit ALL" in said
    assert entry(run, NDR) is None


def test_a_map_that_moved_meanwhile_leaves_the_item_and_the_command(
    msp: Msp, run: Run, alder: Customer
) -> None:
    path = run.folder / "mappings.yaml"

    def edited(_vendor: str, method: str, sent: str, _number: int) -> None:
        if method == "POST" and "catalog" in sent:
            path.write_text(path.read_text("utf-8") + "# seen\n", "utf-8")

    run.simulator.after_commit = edited
    said = refused(run("products", "add", NDR, *NEW_ITEM, "--yes"), 4)
    run.simulator.after_commit = None
    made = msp.world.item_named(NDR)
    assert f"NDR-MSP ({made.id}) was created in ConnectWise" in said
    assert f"connector products map NDR-MSP {made.id}" in said
    assert run("products", "map", NDR, str(made.id)).exit_code == 0


# Showing and editing an item -----------------------------------------------------------------------


def test_show_tells_the_item_and_every_live_line_of_it(msp: Msp, run: Run, alder: Customer) -> None:
    msp.customer("Birch").has(ENDPOINT, 7)
    begin(run)
    run("sync")
    shown = run("products", "show", "cixa-msp")
    assert (shown.exit_code, shown.json["code"], shown.json["item"]["identifier"]) == (
        0,
        "CIXA-MSP",
        ENDPOINT,
    )
    assert [(it["company"], it["quantity"], it["managed"]) for it in shown.json["additions"]] == [
        ("Alder", "12", True),
        ("Birch", "7", False),
    ]
    text = run.text("products", "show", "CIXA-MSP").stdout
    assert "customer description" in text
    assert "Birch, Managed Security (102): 7 SOPHOS-ENDPOINT, addition 9001, not managed by us" in text


def test_show_says_where_nothing_uses_the_item(run: Run, alder: Customer) -> None:
    assert "No addition uses it" in run.text("products", "show", "CEMA-MSP").stdout


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("NONE-MSP", "is in `products:`"),
        ("OFF-MSP", "is mapped to no item"),
        ("LOST-MSP", "ITEM_NOT_FOUND"),
    ],
)
def test_a_code_without_an_item_shows_how_to_map_it(
    msp: Msp, run: Run, alder: Customer, code: str, told: str
) -> None:
    msp.maps("OFF-MSP", sync=False)
    msp.maps("LOST-MSP", item=999)
    begin(run)
    said = refused(run("products", "show", code))
    assert told in said
    assert f"connector products map {code}" in said


def test_an_item_that_goes_while_it_is_looked_for_is_told(msp: Msp, run: Run, alder: Customer) -> None:
    def gone(_vendor: str, _method: str, path: str, _number: int) -> None:
        if "/procurement/catalog/41" in path:
            msp.world.items.pop(41, None)

    run.simulator.before_request = gone
    assert "is gone from ConnectWise" in refused(run("products", "show", "CIXA-MSP"))
    run.simulator.before_request = None


def test_edit_changes_just_the_named_fields(msp: Msp, run: Run, alder: Customer) -> None:
    before = msp.item(ENDPOINT)
    texts = (before.identifier, before.description, before.customer_description, before.cost)

    done = run("products", "edit", "CIXA-MSP", "--price", "4.75", "--no-taxable", "--yes")

    assert done.exit_code == 0
    ((method, body),) = done.bodies
    assert (method, sorted(it["path"] for it in body)) == ("PATCH", ["price", "taxableFlag"])
    assert done.json["changes"] == [
        {"field": "price", "before": "0", "after": "4.75"},
        {"field": "taxable", "before": True, "after": False},
    ]
    assert done.json["item"]["price"] == "4.75"
    after = msp.item(ENDPOINT)
    assert (after.identifier, after.description, after.customer_description, after.cost) == texts
    assert (after.price, after.taxable) == (Decimal("4.75"), False)


def test_edit_shows_before_and_after_and_warns_of_the_key_of_sophos(
    msp: Msp, run: Run, alder: Customer
) -> None:
    said = (
        "--customer-description",
        "Device\x1b[2Jcare",
        "--subcategory",
        "2",
        "--unit",
        "Hour",
        "--type",
        "2",
    )
    refused_first = run("products", "edit", "CIXA-MSP", *said, "--yes")
    assert "control character" in refused(refused_first)
    done = run.text(
        "products", "edit", "CIXA-MSP", "--customer-description", "Device care", *said[2:], "--yes"
    )
    assert "customer description  Sophos-Endpoint -> Device care" in done.stdout
    assert "Sophos -> Managed Desktop" in done.stdout
    assert "must not be changed" in done.stdout
    assert "was changed" in done.stderr
    assert (msp.item(ENDPOINT).subcategory_id, msp.item(ENDPOINT).unit_id, msp.item(ENDPOINT).type_id) == (
        2,
        2,
        2,
    )


def test_an_edit_that_changes_nothing_sends_nothing(run: Run, alder: Customer) -> None:
    done = run.text(
        "products", "edit", "CIXA-MSP", "--price", "0", "--class", "agreement", "--active", "--unit", "1"
    )
    assert (done.exit_code, done.writes, done.stdout) == (0, [], "")
    assert "so already" in done.stderr


def test_an_edit_is_not_made_unasked(run: Run, alder: Customer) -> None:
    done = run("products", "edit", "CIXA-MSP", "--inactive")
    assert "--yes" in refused(done)
    assert "inactive  no -> yes" in done.stderr
    shown = run("products", "edit", "CIXA-MSP", "--inactive", "--dry-run")
    assert "No new addition can be made" in shown.json["notes"][0]
    assert (done.writes, shown.writes, shown.exit_code) == ([], [], 0)


@pytest.mark.parametrize("kind", ["false-200", "403"])
def test_an_edit_that_connectwise_does_not_make_is_no_success(run: Run, alder: Customer, kind: Kind) -> None:
    run.simulator.faults.add(Fault(kind, vendor="connectwise", method="PATCH", path="/procurement/catalog"))
    done = run("products", "edit", "CIXA-MSP", "--price", "5", "--yes")
    assert done.exit_code == (6 if kind == "false-200" else 5)
