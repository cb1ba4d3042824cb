"""`mappings check`, `schema` and `diff`: what the map says wrongly, and what it would change."""

import json
from pathlib import Path

from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Msp

from connector.mappings import mappings_schema

ROOT = Path(__file__).parents[2]


def findings(run: Run) -> list[tuple[str, str]]:
    return [(each["name"], each["status"]) for each in run("mappings", "check").json["checks"]]


def test_a_map_in_order_is_told_so(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 3})
    checked = run("mappings", "check")
    assert (checked.exit_code, checked.json["schema"]) == (0, "connector.mapcheck/1")
    assert [each["status"] for each in checked.json["checks"]] == ["ok"]
    assert checked.writes == []


def test_names_that_connectwise_does_not_know_are_all_listed(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CEMA-MSP": 1})
    alder.entry["company"] = "Elder"
    birch.entry["agreement"] = "Gone"
    msp.maps("CDE-MSP", "SOPHOS-ENCRYPTION")
    msp.world.items.pop(msp.item("SOPHOS-ENCRYPTION").id)
    checked = run("mappings", "check")
    assert checked.exit_code == 3
    told = "\n".join(each["message"] for each in checked.json["checks"])
    assert {
        code for code in ("ITEM_NOT_FOUND", "COMPANY_NOT_FOUND", "AGREEMENT_NOT_FOUND") if code in told
    } == {
        "ITEM_NOT_FOUND",
        "COMPANY_NOT_FOUND",
        "AGREEMENT_NOT_FOUND",
    }
    assert all(each["next"] for each in checked.json["checks"] if each["status"] == "fault")


def test_tenants_and_firewalls_that_sophos_does_not_know_are_faults(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 1})
    entry = {"name": "Typo", "company": "Alder", "agreement": "Managed Security"}
    msp.mappings["tenants"]["00000000-0000-4000-8000-000000000404"] = entry
    msp.mappings["firewalls"] = {"X404": "00000000-0000-4000-8000-000000000405"}
    checked = run("mappings", "check")
    assert checked.exit_code == 3
    told = [each["message"] for each in checked.json["checks"]]
    assert any("tenants.Typo: Sophos knows no tenant" in message for message in told)
    assert any("firewalls.X404: Sophos lists no firewall" in message for message in told)
    assert any("firewalls.X404: Sophos knows no tenant" in message for message in told)


def test_a_billed_firewall_placed_at_a_mistyped_tenant_is_a_fault(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 1})
    msp.firewall("X1C7SPARE04", "CIXA-MSP")
    msp.mappings["firewalls"] = {"X1C7SPARE04": "00000000-0000-4000-8000-000000000405"}
    checked = run("mappings", "check")
    assert checked.exit_code == 3
    (told,) = (each["message"] for each in checked.json["checks"])
    assert told == "firewalls.X1C7SPARE04: Sophos knows no tenant 00000000-0000-4000-8000-000000000405"


def test_a_tenant_that_has_left_sophos_is_no_mistake(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 1})
    birch = msp.customer("Birch", {"CIXA-MSP": 1})
    run("plan")
    del msp.world.tenants[birch.tenant]
    birch.stops()
    assert alder.entry
    assert findings(run) == [("Tenants", "warning")]


def test_a_code_that_usage_never_had_is_worth_a_look(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 1})
    msp.maps("CIXA-MPS", ENDPOINT)
    checked = run("mappings", "check")
    assert checked.exit_code == 0
    assert "products.CIXA-MPS" in checked.json["checks"][0]["message"]


def test_a_rename_in_connectwise_is_a_warning(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 1})
    run("sync")
    msp.world.rename_item(msp.item(EMAIL).id, identifier="MAIL")
    assert findings(run) == [("Names", "warning")]


def test_faults_of_the_file_come_before_any_request(msp: Msp, run: Run) -> None:
    run.mappings_text = "version: 2\nprodukts: {}\n"
    checked = run("mappings", "check")
    assert (checked.exit_code, len(checked.json["error"]["faults"]), checked.requests) == (2, 2, ())


# The schema --------------------------------------------------------------------------------------


def test_the_schema_is_printed_and_the_shipped_one_is_the_same(run: Run) -> None:
    printed = json.loads(run.text("mappings", "schema").stdout)
    assert printed == mappings_schema()
    assert run("mappings", "schema").json == printed
    assert json.loads((ROOT / "mappings.schema.json").read_text(encoding="utf-8")) == printed


def test_the_shipped_map_refers_to_the_schema_beside_it() -> None:
    first = (ROOT / "mappings.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=mappings.schema.json"


def test_the_schema_is_written_beside_the_map(run: Run) -> None:
    (run.folder / "billing maps").mkdir()
    done = run.text("mappings", "schema", "--write", "--mappings", "billing maps/mappings.yaml")
    assert done.exit_code == 0
    written = run.folder / "billing maps" / "mappings.schema.json"
    assert written.read_bytes() == (ROOT / "mappings.schema.json").read_bytes()
    assert "# yaml-language-server: $schema=mappings.schema.json" in done.stderr


def test_a_folder_that_takes_no_schema_is_no_traceback(run: Run) -> None:
    done = run.text("mappings", "schema", "--write", "--mappings", "nowhere/mappings.yaml")
    assert done.exit_code == 2
    assert "could not be written" in done.stderr


# The difference ----------------------------------------------------------------------------------


def test_before_the_first_run_everything_differs_from_an_empty_map(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    found = run("mappings", "diff").json
    assert (found["schema"], found["against_run"]) == ("connector.mapdiff/1", None)
    assert [(each["kind"], each["after"]) for each in found["new"]] == [("create", "12")]
    assert [each["code"] for each in found["unresolved_no_more"]] == ["UNMAPPED_TENANT"]


def test_a_map_that_was_used_changes_nothing(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    assert "Nothing would change." in run.text("mappings", "diff").stdout


def test_a_changed_map_is_compared_with_the_one_that_last_wrote(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CDE-MSP": 4})
    run("sync")
    msp.maps("CIXA-MSP", EMAIL)
    run("plan")  # a plan writes nothing, so its map does not count
    found = run("mappings", "diff").json
    assert found["against_run"] == 1
    assert sorted((each["kind"], each["item"], each["after"]) for each in found["new"]) == [
        ("create", EMAIL, "12"),
        ("zero", ENDPOINT, "0"),
    ]
    assert found["no_more"] == []
    assert alder.bills == {ENDPOINT: 12}
    text = run.text("mappings", "diff").stdout
    assert f'zero   {ENDPOINT} on "Managed Security"' in text


def test_what_a_map_leaves_out_is_told_as_no_longer_made(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    birch = msp.customer("Birch", {"CIXA-MSP": 3})
    run("sync")
    birch.uses("CIXA-MSP", 9)
    del msp.mappings["tenants"][birch.tenant]
    text = run.text("mappings", "diff").stdout
    assert "It would no longer make:" in text
    assert "Unresolved with this map only:" in text
    assert "3 -> 9" in text


def test_comparing_maps_stores_and_writes_nothing(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    before = run.state.joinpath("connector.db").read_bytes()
    done = run("mappings", "diff")
    assert done.writes == []
    assert run.state.joinpath("connector.db").read_bytes() == before
