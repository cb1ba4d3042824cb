"""The views that Excel, Power BI and Datasette read: what the README says of them, and its queries, hold."""

import re
import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Msp
from sqlite_utils import Database

from connector.ledger import Ledger
from connector.ledger.schema import migrations

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SECTION = README.split("\n## Reading the ledger with SQL\n")[1].split("\n## ")[0]
QUERIES = re.findall(r"```sql\n(.*?)```", SECTION, re.DOTALL)
VIEWS = dict(re.findall(r"^\| `(v_\w+)` \|.*?\| (.*) \|$", SECTION, re.MULTILINE))
XGS = "XGS-MSP"


def asked(run: Run, sql: str) -> list[dict[str, Any]]:
    """Ask the ledger as another program does, for reading only."""
    path = (run.state / "connector.db").as_uri()
    with closing(sqlite3.connect(f"{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(sql)]


@pytest.fixture
def billed(msp: Msp, run: Run) -> Run:
    """Two months: one customer grows, one stops, one product is new, and one firewall belongs to nobody."""
    msp.maps(XGS, item="SOPHOS-XGS")
    alder = msp.customer("AlderDental", {"CIXA-MSP": Decimal("12.50"), "CEMA-MSP": 3})
    msp.customer("Birch", {"CIXA-MSP": 7})
    msp.firewall("X1ALDER", XGS, billing_tenant=alder.tenant)
    msp.firewall("X1OLD", XGS, billing_tenant=alder.tenant)
    assert run("sync").exit_code == 0
    msp.next_month()
    alder.uses("CIXA-MSP", 20)
    alder.stops("CEMA-MSP")
    alder.uses("NDR-MSP", 2)
    msp.world.usage[2026, 11] = [row for row in msp.world.usage[2026, 11] if row.serial_or_account != "X1OLD"]
    msp.firewall("X1SPARE", XGS)
    assert run("sync").exit_code == 3
    return run


def test_the_queries_of_the_readme_all_find_something(billed: Run) -> None:
    assert len(QUERIES) == 5
    for query in QUERIES:
        assert asked(billed, query), query


def test_the_readme_names_every_view_with_all_its_columns_and_no_other(billed: Run) -> None:
    there = {row["name"] for row in asked(billed, "SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert set(VIEWS) == there
    for view, told in VIEWS.items():
        columns = [row["name"] for row in asked(billed, f"PRAGMA table_info({view})")]
        values = {"billing", "ended", "replaced"}
        assert [name for name in re.findall(r"`(\w+)`", told) if name not in values] == columns


def test_what_is_billed_says_who_feeds_it_and_which_run_wrote_it(billed: Run, msp: Msp) -> None:
    found = {(row["company"], row["item"]): row for row in asked(billed, "SELECT * FROM v_billing")}
    alder = found["AlderDental", ENDPOINT]
    (line,) = msp.world.live_additions(alder["agreement_id"], msp.item(ENDPOINT).id)
    assert (alder["period"], alder["run"], alder["state"]) == ("2026-11", 2, "billing")
    assert (alder["quantity"], alder["quantity_real"]) == ("20", 20.0)
    assert (alder["agreement"], alder["addition_id"]) == ("Managed Security", line.id)
    assert alder["fed_by"] == "20 CIXA-MSP of AlderDental Ltd"
    assert found["Birch", ENDPOINT]["quantity"] == "7"
    assert found["AlderDental", EMAIL]["quantity"] == "0"
    assert found["AlderDental", EMAIL]["fed_by"] is None


def test_a_line_that_we_ended_and_one_that_was_made_again_are_told_from_those_that_bill(
    msp: Msp, run: Run
) -> None:
    msp.mappings["defaults"] = {"absent": "end"}
    alder = msp.customer("Alder", {"CIXA-MSP": 5, "CEMA-MSP": 3})
    run("sync")
    gone = alder.line()
    del msp.world.additions[gone.id]
    msp.next_month()
    alder.stops("CEMA-MSP")
    assert run("sync", "--force", "all").exit_code == 0
    states = {row["addition_id"]: row["state"] for row in asked(run, "SELECT * FROM v_billing")}
    assert states[gone.id] == "replaced"
    assert states[alder.line().id] == "billing"
    assert sorted(states.values()) == ["billing", "ended", "replaced"]


def test_a_line_that_was_made_again_beside_its_ended_one_keeps_its_own_run_and_quantity(
    msp: Msp, run: Run
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 5})
    run("sync")
    ended = alder.line()
    ended.cancelled = date(2026, 10, 20)
    assert run("sync", "--recreate").exit_code == 0
    told = "SELECT state, quantity, fed_by, run FROM v_billing WHERE addition_id = "
    assert asked(run, f"{told}{ended.id}") == [
        {"state": "replaced", "quantity": "5", "fed_by": "5 CIXA-MSP of Alder Ltd", "run": 1}
    ]
    assert [row["run"] for row in asked(run, f"{told}{alder.line().id}")] == [2]


def test_what_is_unresolved_is_that_of_the_newest_plan_over_all_tenants(billed: Run, msp: Msp) -> None:
    def codes() -> list[tuple[str, str, str | None]]:
        sql = "SELECT * FROM v_unresolved ORDER BY code"
        return [(row["period"], row["code"], row["tenant"]) for row in asked(billed, sql)]

    both = [
        ("2026-11", "FIREWALL_UNASSIGNED", None),
        ("2026-11", "UNMAPPED_PRODUCT", "AlderDental Ltd"),
    ]
    assert codes() == both
    (row,) = asked(billed, "SELECT * FROM v_unresolved WHERE code = 'UNMAPPED_PRODUCT'")
    assert (row["product_code"], row["quantity"], row["quantity_real"]) == ("NDR-MSP", "2", 2.0)
    assert "NDR-MSP" in row["message"]
    assert "connector products map NDR-MSP" in row["next"]

    birch = next(tenant for tenant in msp.world.tenants.values() if tenant.name == "Birch Ltd")
    billed("plan", "--tenant", birch.id)
    assert codes() == both
    msp.maps("NDR-MSP", sync=False)
    billed("plan")
    assert codes() == both[:1]


def test_undoing_a_run_is_told_as_changes_of_its_month_and_leaves_unresolved_what_was(billed: Run) -> None:
    before = asked(billed, "SELECT code, serial FROM v_unresolved WHERE period = '2026-11'")
    assert billed("runs", "undo", "2").exit_code in {0, 3}
    assert asked(billed, "SELECT code, serial FROM v_unresolved WHERE period = '2026-11'") == before
    undone = asked(billed, "SELECT * FROM v_changes WHERE run = (SELECT max(run) FROM v_changes)")
    assert {(row["period"], row["kind"], row["outcome"]) for row in undone} == {("2026-11", "update", "done")}
    quantities = asked(billed, "SELECT period, quantity FROM v_billing")
    assert {"period": "2026-11", "quantity": "12.5"} in quantities


def test_changes_say_when_who_what_and_what_became_of_it(billed: Run) -> None:
    sql = "SELECT * FROM v_changes WHERE company = 'AlderDental' AND item = 'SOPHOS-ENDPOINT'"
    created, updated = asked(billed, sql)
    assert (created["kind"], created["before"], created["after"]) == ("create", None, "12.5")
    assert (updated["kind"], updated["before"], updated["before_real"]) == ("update", "12.5", 12.5)
    assert (updated["after"], updated["after_real"], updated["outcome"]) == ("20", 20.0, "done")
    assert (created["period"], updated["period"]) == ("2026-10", "2026-11")
    assert created["at"] <= updated["at"]
    assert "@" in created["who"]
    assert created["fed_by"] == "12.5 CIXA-MSP of AlderDental Ltd"


def test_firewalls_say_whose_they_are_and_when_they_were_billed_last(billed: Run) -> None:
    found = {row["serial"]: row for row in asked(billed, "SELECT * FROM v_firewalls")}
    assert {serial: (row["billing_tenant"], row["last_period"]) for serial, row in found.items()} == {
        "X1ALDER": ("AlderDental Ltd", "2026-11"),
        "X1OLD": ("AlderDental Ltd", "2026-10"),
        "X1SPARE": (None, "2026-11"),
    }
    assert (found["X1ALDER"]["quantity"], found["X1ALDER"]["product_codes"]) == ("1", XGS)
    assert found["X1ALDER"]["model"] == "XGS 107"


def test_a_firewall_that_sophos_took_off_a_month_again_was_billed_in_the_month_before(
    billed: Run, msp: Msp
) -> None:
    world = msp.world
    world.usage[2026, 11] = [row for row in world.usage[2026, 11] if row.serial_or_account != "X1ALDER"]
    billed("plan")
    (row,) = asked(billed, "SELECT last_period FROM v_firewalls WHERE serial = 'X1ALDER'")
    assert row["last_period"] == "2026-10"


def test_names_follow_a_rename_once_a_plan_has_read_it(billed: Run, msp: Msp) -> None:
    (agreement,) = (
        each
        for each in msp.world.agreements.values()
        if msp.world.companies[each.company_id].identifier == "Birch"
    )
    msp.world.rename_agreement(agreement.id, "Security 2027")
    billed("plan")
    (row,) = asked(billed, "SELECT agreement_id, agreement FROM v_billing WHERE company = 'Birch'")
    assert row == {"agreement_id": agreement.id, "agreement": "Security 2027"}


def test_a_ledger_of_an_older_version_gets_the_views_and_keeps_its_rows(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "connector.db")) as old:
        database = Database(old)
        migrations.apply(database, stop_before="views_for_people")
        database.execute(
            "INSERT INTO runs (kind, period, options, who, version, started_at, today) "
            "VALUES ('sync', '2026-09', '{}', 'me@here', '1', '2026-09-28T02:00:00+00:00', '2026-09-28')"
        )
        database.execute(
            'INSERT INTO additions VALUES (9001, 101, 41, \'0.1\', \'[["t1", "CIXA-MSP", "0.1", []]]\', '
            "NULL, 0, 1)"
        )
        old.commit()
    with Ledger(tmp_path) as ledger:
        (row,) = ledger.query("SELECT * FROM v_billing")
        assert (row["period"], row["company"], row["agreement"], row["item"]) == ("2026-09", None, None, None)
        assert (row["quantity"], row["fed_by"]) == ("0.1", "0.1 CIXA-MSP of t1")
        for query in QUERIES:
            ledger.query(query)


def test_a_backup_has_the_views_and_the_ledger_is_whole(billed: Run) -> None:
    assert billed("state", "check").exit_code == 0
    assert billed("state", "backup", "a copy.db").exit_code == 0
    with closing(sqlite3.connect(billed.folder / "a copy.db")) as copy:
        (count,) = copy.execute("SELECT count(*) FROM v_billing").fetchone()
    assert count == len(asked(billed, "SELECT * FROM additions")) > 0


def test_a_plan_is_all_that_is_needed_for_agreements_to_have_names(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 5}, currency="EUR")
    unread = msp.customer("Birch", mapped=False)
    run("plan")
    (row,) = asked(run, "SELECT * FROM agreements")
    assert (row["name"], row["company"], row["currency"]) == ("Managed Security", "Alder", "EUR")
    assert row["id"] != unread.agreement.id
