"""When commands that edit the map ask Sophos, and when the last run's month is enough."""

import pytest
from months.calling import Result, Run
from months.msp import ENDPOINT, Customer, Msp


@pytest.fixture
def alder(msp: Msp, run: Run) -> Customer:
    """Alder is billed; the last run has seen it, and a firewall that belongs to nobody."""
    made = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.firewall("X1C7SPARE04", "DEMO-XGS107-XSP-MSP")
    run("sync")
    run.prepare()
    run.map_kept = True
    return made


def asked_sophos(done: Result) -> bool:
    assert done.exit_code == 0, done.json
    return any(request.vendor == "sophos" for request in done.requests)


def test_what_the_last_run_saw_is_mapped_by_id_without_asking_sophos_again(alder: Customer, run: Run) -> None:
    assert not asked_sophos(run("products", "map", "CIXA-MSP", ENDPOINT))
    assert not asked_sophos(run("tenants", "off", alder.tenant))
    assert not asked_sophos(run("firewalls", "assign", "X1C7SPARE04", alder.tenant))


def test_a_name_is_looked_up_afresh_for_another_tenant_may_have_got_it(
    alder: Customer, msp: Msp, run: Run
) -> None:
    assert asked_sophos(run("tenants", "off", "Alder Ltd"))
    msp.world.add_tenant("Alder Ltd")
    refused = run("tenants", "map", "Alder Ltd", "Alder", "Managed Security")
    assert (refused.exit_code, "2 tenants are called" in refused.json["error"]["message"]) == (2, True)


def test_what_the_last_run_did_not_see_is_asked_for(alder: Customer, msp: Msp, run: Run) -> None:
    birch = msp.customer("Birch", {"NDR-MSP": 3}, mapped=False)
    assert asked_sophos(run("tenants", "map", birch.tenant, "Birch", "Managed Security"))
    assert asked_sophos(run("products", "map", "NDR-MSP", ENDPOINT))


def test_an_edit_that_changes_nothing_begins_no_map(msp: Msp, run: Run) -> None:
    run.map_kept = True
    done = run("tenants", "map", "--accept-exact")
    assert (done.exit_code, done.json["changed"]) == (0, False)
    assert not (run.folder / "mappings.yaml").exists()


def test_an_inactive_item_of_the_map_is_worth_a_word(alder: Customer, msp: Msp, run: Run) -> None:
    msp.item(ENDPOINT).inactive = True
    told = [each["message"] for each in run("mappings", "check").json["checks"]]
    assert any(f"products.CIXA-MSP: item {ENDPOINT} is inactive" in message for message in told)


def test_an_edit_of_an_item_that_names_no_field_is_no_edit(alder: Customer, run: Run) -> None:
    done = run("products", "edit", "CIXA-MSP", "--yes")
    assert (done.exit_code, done.requests) == (2, ())
    assert "Nothing says what to change" in done.json["error"]["message"]


def test_what_is_unresolved_names_the_command_that_settles_it(alder: Customer, msp: Msp, run: Run) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 1}, mapped=False)
    alder.adds("NDR-MSP", 2)
    steps = {each["code"]: each["next"] for each in run("plan").json["unresolved"]}
    assert f"connector tenants map {birch.tenant}, or" in steps["UNMAPPED_TENANT"]
    assert "connector products map NDR-MSP, or" in steps["UNMAPPED_PRODUCT"]
    assert "connector firewalls assign X1C7SPARE04 TENANT" in steps["FIREWALL_UNASSIGNED"]
