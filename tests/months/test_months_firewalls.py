"""The firewall register, and `firewalls:` of mappings.yaml by command."""

import pytest
from months.calling import Run
from months.msp import Customer, Msp

CODE, ITEM = "DEMO-XGS107-XSP-MSP", "SOPHOS-XGS107"
SERIAL, SPARE = "X1A7ALDER01", "X1C7SPARE04"


@pytest.fixture
def alder(msp: Msp, run: Run) -> Customer:
    """Alder has one firewall with an assigned licence; another one belongs to nobody."""
    msp.maps(CODE, item=ITEM)
    made = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.firewall(SERIAL, CODE, tenant=made.tenant, billing_tenant=made.tenant)
    msp.firewall(SPARE, CODE)
    (run.folder / "mappings.yaml").write_text(msp.text(), encoding="utf-8")
    run.map_kept = True
    return made


def test_unassigned_firewalls_come_first_with_what_they_cost_this_month(alder: Customer, run: Run) -> None:
    listed = run("firewalls").json
    assert (listed["schema"], listed["period"]) == ("connector.firewalls/1", "2026-10")
    spare, theirs = listed["firewalls"]
    assert (spare["serial"], spare["unassigned"], spare["counts_for"]) == (SPARE, True, None)
    assert spare["cost"] == [{"amount": "1.4", "currency": "USD"}]
    assert "Flex Billing" in spare["note"]
    assert (theirs["serial"], theirs["counts_for"], theirs["item"]) == (SERIAL, alder.tenant, ITEM)
    assert theirs["agreement_id"] == alder.agreement.id
    assert theirs["licences"][0]["type"] == "usage"
    assert theirs["billed_since"] is None


def test_the_register_knows_since_when_a_firewall_is_billed(alder: Customer, msp: Msp, run: Run) -> None:
    run("sync")
    msp.next_month()
    run("plan")
    assert {each["billed_since"] for each in run("firewalls").json["firewalls"]} == {"2026-10"}


def test_only_the_unassigned_ones_are_listed_on_demand(alder: Customer, run: Run) -> None:
    text = run.text("firewalls", "--unassigned").stdout
    assert "NOBODY" in text
    assert SERIAL not in text


def test_the_register_is_a_table_for_people_and_csv_for_spreadsheets(alder: Customer, run: Run) -> None:
    table = run.text("firewalls")
    assert table.stdout.splitlines()[0].split("  ")[0] == "Serial"
    assert "Usage of 2026-10." in table.stderr
    sheet = run.text("firewalls", "--csv").stdout.splitlines()
    assert sheet[0].startswith("Serial,Model,Owner,")
    assert sheet[1].split(",")[0] == SPARE


def test_a_hostile_model_name_reaches_neither_terminal_nor_formula(
    alder: Customer, msp: Msp, run: Run
) -> None:
    msp.world.add_firewall("X9", "=cmd|' /C calc'!A0\x1b[2J", CODE)
    assert "\x1b" not in run.text("firewalls").stdout
    assert ",'=cmd" in run.text("firewalls", "--csv").stdout.replace('"', "")


def test_a_firewall_is_assigned_and_billed_from_the_next_run_on(alder: Customer, run: Run) -> None:
    assert run("sync").unresolved == ["FIREWALL_UNASSIGNED"]

    done = run("firewalls", "assign", SPARE.lower(), "alder ltd")

    assert (done.exit_code, done.json["changed"], done.json["dry_run"]) == (0, True, False)
    assert f"+  {SPARE}: {alder.tenant}" in done.json["diff"]
    assert any("Sophos Central" in note for note in done.json["notes"])
    assert run("sync").exit_code == 0
    assert alder.bills[ITEM] == 2


def test_an_assigned_firewall_is_released_again(alder: Customer, run: Run) -> None:
    before = (run.folder / "mappings.yaml").read_bytes()
    run("firewalls", "assign", SPARE, alder.tenant)
    done = run("firewalls", "release", SPARE.lower())
    assert done.exit_code == 0
    assert run("plan").unresolved == ["FIREWALL_UNASSIGNED"]
    after = (run.folder / "mappings.yaml").read_bytes()
    assert after.startswith(before)
    assert b"X1C7" not in after


def test_a_dry_run_shows_the_diff_and_changes_nothing(alder: Customer, run: Run) -> None:
    before = (run.folder / "mappings.yaml").read_bytes()
    done = run.text("firewalls", "assign", SPARE, alder.tenant, "--dry-run")
    assert done.exit_code == 0
    assert f"+  {SPARE}: {alder.tenant}" in done.stdout
    assert "was not changed (--dry-run)" in done.stderr
    assert (run.folder / "mappings.yaml").read_bytes() == before


def test_assigning_to_a_tenant_that_is_not_mapped_says_what_is_left_to_do(
    alder: Customer, msp: Msp, run: Run
) -> None:
    birch = msp.customer("Birch", mapped=False)
    notes = run("firewalls", "assign", SPARE, birch.tenant).json["notes"]
    assert any(f"connector tenants map {birch.tenant}" in note for note in notes)


def test_taking_a_firewall_from_the_tenant_that_sophos_names_says_so(
    alder: Customer, msp: Msp, run: Run
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 4})
    (run.folder / "mappings.yaml").write_text(msp.text(), encoding="utf-8")

    taken = run("firewalls", "assign", SERIAL, birch.tenant).json["notes"]

    assert taken[0] == f"{SERIAL} is billed to Birch Ltd ({birch.tenant[:8]}) from the next run on."
    assert f"belongs to Alder Ltd ({alder.tenant[:8]}), who is not billed for it any more" in taken[1]
    assert f"connector firewalls release {SERIAL}" in taken[1]
    spare = run("firewalls", "assign", SPARE, birch.tenant).json["notes"]
    assert not any("belongs to" in note for note in spare)


def test_assigning_a_firewall_whose_usage_names_its_tenant_says_that_nothing_changes(
    alder: Customer, msp: Msp, run: Run
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 4})
    msp.world.use(msp.period, alder.tenant, CODE, 1, serial="X1B9OWNED")
    (run.folder / "mappings.yaml").write_text(msp.text(), encoding="utf-8")
    msp.world.add_firewall("X1B9OWNED", "XGS 107", CODE)

    told = run("firewalls", "assign", "X1B9OWNED", birch.tenant).json["notes"]

    assert f"Sophos's usage names Alder Ltd ({alder.tenant[:8]}) for X1B9OWNED" in told[0]
    assert not any("is billed to Birch" in note for note in told)


def test_assigning_to_a_tenant_that_is_off_does_not_promise_that_it_is_billed(
    alder: Customer, run: Run
) -> None:
    assert run("tenants", "off", alder.tenant).exit_code == 0
    told = run("firewalls", "assign", SPARE, alder.tenant).json["notes"]
    assert "which is off: nobody is billed" in told[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("assign", "X404", "Alder Ltd"), "no firewall with the serial number 'X404'"),
        (("assign", SPARE, "Nobody"), "No tenant has the id or the name 'Nobody'"),
        (("release", SERIAL), "names no firewall"),
    ],
)
def test_a_firewall_or_tenant_that_is_not_there_changes_nothing(
    alder: Customer, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    before = (run.folder / "mappings.yaml").read_bytes()
    done = run("firewalls", *arguments)
    assert done.exit_code == 2
    assert words in done.json["error"]["message"]
    assert (run.folder / "mappings.yaml").read_bytes() == before


def test_without_a_published_month_the_register_is_still_there(alder: Customer, msp: Msp, run: Run) -> None:
    listed = run("firewalls", CONNECTOR_TODAY="2026-08-15").json
    assert listed["period"] is None
    assert {each["unassigned"] for each in listed["firewalls"]} == {False}
    asked = run("firewalls", "--period", "2026-08", CONNECTOR_TODAY="2026-08-15")
    assert asked.exit_code == 8
    assert run("firewalls", "--period", "10/2026").exit_code == 2
