"""Support asks why a customer is billed what it is billed, and finds out without access to Sophos."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from months.calling import Result, Run
from months.explained import explained, noted
from months.importing import broken, imports, row
from months.msp import EMAIL, ENDPOINT, Msp

from connector.simulator import Simulator, World, discrepancies_world, mappings_text, small_world
from connector.simulator.small import ALDER, BIRCH, ELM, JUNIPER, KAPOK


def line_of(result: Result, item: str = ENDPOINT) -> dict[str, Any]:
    """Return the one line of an item."""
    assert result.exit_code == 0, result.stdout
    (found,) = [line for line in result.json["lines"] if line["item"] == item]
    assert isinstance(found, dict)
    return found


def events(line: dict[str, Any]) -> list[tuple[str, str, str | None, str | None, str]]:
    """Return a line's history in short."""
    return [(it["period"], it["kind"], it["before"], it["after"], it["outcome"]) for it in line["history"]]


class TestTheDemosWorld:
    """Two months of a dozen customers, each with a story."""

    @pytest.fixture
    def world(self) -> World:
        """The demo's world."""
        return small_world()

    @pytest.fixture
    def billed(self, run: Run, world: World) -> Run:
        """Both months, billed."""
        run.map_kept = True
        (run.folder / "mappings.yaml").write_text(mappings_text(world), encoding="utf-8")
        assert run("sync", "2026-09", "--adopt").exit_code == 3
        world.advance(date(2026, 10, 28))
        assert run("sync", "2026-10").exit_code == 3
        return run

    def test_every_addition_is_explained_as_the_world_has_it(self, billed: Run, world: World) -> None:
        break_fix = {
            it.id for it in world.additions.values() if world.agreements[it.agreement_id].name == "Break-fix"
        }

        found = explained(billed, world, besides=break_fix)

        assert len(found) == len(world.additions) - len(break_fix) > 20
        assert sum(line["ours"] for line in found.values()) > 15
        ours = [line for line in found.values() if line["ours"]]
        assert all(line["billed"] and line["adds_up"] for line in ours)
        numbers = {row["row"] for line in ours for part in line["parts"] for row in part["rows"]}
        unbilled = {
            row["row"]
            for tenant in (JUNIPER, KAPOK, BIRCH, "Ivy Logistics")
            for entry in billed("explain", tenant).json["unbilled"]
            for row in entry["rows"]
        }
        (spare,) = billed("explain", "--serial", "x1c7demospare04").json["unbilled"]
        assert numbers | unbilled | {spare["rows"][0]["row"]} >= {
            at for at, used in enumerate(world.rows("2026-10")) if used.quantity
        }

    def test_why_birch_is_billed_43_stands_in_the_first_lines(self, billed: Run) -> None:
        told = billed.text("explain", "Birch & Sons Legal LLP").stdout.split("\n")[:5]

        (answer,) = [each for each in told if "is billed 43 SOPHOS-MDR" in each]
        assert "38 CIXAMTR-ADV-MSP + 5 SVRCIXAMTR-ADV-MSP in 2026-10" in answer
        assert "run 2 made it so" in answer
        assert "(update 47 -> 43)" in answer

    def test_a_reassigned_firewall_is_told_on_both_customers(self, billed: Run) -> None:
        alder = line_of(billed("explain", ALDER), "SOPHOS-XGS107")
        elm = line_of(billed("explain", ELM), "SOPHOS-XGS107")

        assert alder["notes"] == [
            "Firewall X1A7DEMOALDER01, which it billed before, counts for Elm Foundry (aed9a6a2)."
        ]
        assert [part["serials"] for part in elm["parts"]] == [["X1A7DEMOALDER01"]]
        assert elm["parts"][0]["rows"][0]["placed_by"] == "billingTenant"
        both = billed("explain", "--serial", "X1A7DEMOALDER01").json["lines"]
        assert {line["addition_id"] for line in both} == {alder["addition_id"], elm["addition_id"]}

    def test_a_month_further_back_is_explained_by_the_run_that_billed_it(self, billed: Run) -> None:
        line = line_of(billed("explain", BIRCH, "--period", "2026-09"), "SOPHOS-MDR")

        assert (line["period"], line["usage"], line["written"]) == ("2026-09", "47", "43")
        assert [part["quantity"] for part in line["parts"]] == ["42", "5"]

    def test_each_line_of_the_map_is_named_where_it_stands(self, billed: Run) -> None:
        text = (billed.folder / "mappings.yaml").read_text(encoding="utf-8").split("\n")
        line = line_of(billed("explain", ALDER), ENDPOINT)

        (part,) = line["parts"]
        assert [each["what"] for each in part["mapping"]] == ["company", "agreement", "item"]
        for each in (*part["mapping"], *line["mapping"]):
            assert text[each["line"] - 1].strip() == each["text"]
            assert each["then"] is None


def test_what_is_off_or_unmapped_is_explained_with_the_line_that_says_so(run: Run, msp: Msp) -> None:
    msp.maps("CPHISH-MSP", sync=False)
    alder = msp.customer("Alder", {"CIXA-MSP": 5, "CPHISH-MSP": 7, "NDR-MSP": 1, "CEMA-MSP": 2})
    alder.entry["products"] = {"CEMA-MSP": {"sync": False}}
    birch = msp.customer("Birch", {"CIXA-MSP": 3})
    birch.entry["sync"] = False
    stranger = msp.customer("Stranger", {"CIXA-MSP": 9}, mapped=False)
    run("sync")
    text = run.msp.text().split("\n")

    found = {it["product_code"]: it for it in run("explain", alder.tenant).json["unbilled"]}
    (off,) = run("explain", birch.tenant).json["unbilled"]
    (unknown,) = run("explain", stranger.tenant).json["unbilled"]

    assert {code: (it["code"], it["quantity"]) for code, it in found.items()} == {
        "CPHISH-MSP": ("OFF", "7"),
        "NDR-MSP": ("UNMAPPED_PRODUCT", "1"),
        "CEMA-MSP": ("OFF", "2"),
    }
    assert found["CPHISH-MSP"]["next"] == "connector products on CPHISH-MSP"
    assert found["NDR-MSP"]["next"] == "connector products map NDR-MSP"
    assert found["NDR-MSP"]["mapping"][0]["line"] is None
    for entry in (found["CPHISH-MSP"], found["CEMA-MSP"], off):
        (said,) = entry["mapping"]
        assert "sync: false" in said["text"] == text[said["line"] - 1].strip()
    assert off["next"] == f"connector tenants on {birch.tenant}"
    assert (unknown["code"], unknown["next"]) == (
        "UNMAPPED_TENANT",
        f"connector tenants map {stranger.tenant}",
    )
    assert [it["quantity"] for it in unknown["rows"]] == ["9"]


def test_months_without_a_change_are_in_the_history(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    msp.next_month()
    run("sync")
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 43)
    run("sync")

    result = run("explain", alder.tenant)

    assert events(line_of(result)) == [
        ("2026-10", "create", None, "40", "done"),
        ("2026-11", "carried", "40", "40", "unchanged"),
        ("2026-12", "update", "40", "43", "done"),
    ]
    november = line_of(run("explain", alder.tenant, "--period", "2026-11"))
    assert (november["usage"], november["billed"], november["adds_up"]) == ("40", True, True)
    chart = run.text("explain", alder.tenant).stdout
    bars = [each.split() for each in chart.split("\n") if "####" in each]
    assert [(each[0], each[-1]) for each in bars] == [
        ("2026-10", "40"), ("2026-11", "40"), ("2026-12", "43"), ("now", "43"),
    ]  # fmt: skip
    assert [len(each[1]) for each in bars] == [37, 37, 40, 40]
    assert chart.isascii()


def test_a_line_that_people_made_is_theirs_until_it_is_adopted(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    made = alder.has(ENDPOINT, 12)
    run("sync")

    before = line_of(run("explain", "--addition", str(made.id)))
    (held,) = run("explain", alder.tenant).json["unbilled"]
    run("sync", "--adopt")
    after = line_of(run("explain", alder.tenant))

    assert (before["ours"], before["usage"], before["history"]) == (False, "14", [])
    assert before["now"]["change"]["held"] == "NEEDS_ADOPTION"
    assert before["now"]["next"] == "connector sync 2026-10 --adopt"
    assert (held["code"], held["next"]) == ("NEEDS_ADOPTION", "connector sync 2026-10 --adopt")
    assert after["ours"]
    assert events(after)[-1] == ("2026-10", "adopt", "12", "14", "done")
    assert [each["what"] for each in after["mapping"]] == ["adopt", "mark"]
    assert after["mapping"][0]["line"] is None


def test_a_line_of_another_kind_is_peoples_alone(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    desktop = alder.has("MANAGED-DESKTOP", 20)
    run("sync")

    line = line_of(run("explain", "--addition", str(desktop.id)), "MANAGED-DESKTOP")

    assert (line["ours"], line["usage"], line["parts"]) == (False, None, [])
    assert line["notes"][-1] == "mappings.yaml sends no usage to its agreement and item."


def test_what_somebody_changed_in_connectwise_is_told_and_what_a_run_would_do(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    alder.line().quantity = Decimal(43)

    result = run("explain", alder.tenant)

    line = line_of(result)
    assert (line["connectwise"]["quantity"], line["written"], line["usage"]) == ("43", "40", "40")
    assert "somebody changed it in ConnectWise; 40 was written" in line["answer"]
    assert (line["now"]["change"]["before"], line["now"]["change"]["after"]) == ("43", "40")
    assert line["now"]["next"] == "connector sync 2026-10"


def test_a_line_that_somebody_ended_or_deleted_is_told_so(run: Run, msp: Msp, world: World) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 40}), msp.customer("Birch", {"CIXA-MSP": 3})
    run("sync")
    alder.line().cancelled = date(2026, 10, 20)
    del world.additions[birch.line().id]

    ended, gone = line_of(run("explain", alder.tenant)), line_of(run("explain", birch.tenant))

    assert ended["notes"] == ["Somebody gave it an end date in ConnectWise: 2026-10-20."]
    assert [it["code"] for it in ended["now"]["unresolved"]] == ["ENDED_BY_HAND"]
    assert ended["now"]["next"] == "connector sync 2026-10 --recreate"
    assert gone["gone"]
    assert "gone from ConnectWise" in gone["answer"]
    assert gone["now"]["change"]["kind"] == "create"
    run("sync", "--recreate")
    again = run("explain", alder.tenant).json["lines"]
    assert sorted((line["ended"], line["history"][-1]["kind"]) for line in again) == [
        (False, "create"),
        (True, "create"),
    ]


def test_a_move_by_the_map_tells_what_the_map_said_then(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    msp.item("ALDER-EDR")
    run("sync")
    alder.entry["products"] = {"CIXA-MSP": {"item": "ALDER-EDR"}}

    before = line_of(run("explain", alder.tenant))
    assert before["now"]["change"]["kind"] == "zero"
    assert "is billed as ALDER-EDR" in before["now"]["change"]["because"]
    run("sync")
    moved = line_of(run("explain", alder.tenant))
    now = line_of(run("explain", alder.tenant), "ALDER-EDR")

    assert "is billed as ALDER-EDR" in moved["made_by"]["because"]
    assert now["parts"][0]["mapping"][-1]["what"] == "item"
    assert "ALDER-EDR" in now["parts"][0]["mapping"][-1]["text"]
    alder.entry["products"] = {}
    alder.entry["agreement"] = alder.agreement.id
    back = line_of(run("explain", alder.tenant), "ALDER-EDR")
    agreement, item = back["parts"][0]["mapping"][1:]
    assert agreement["then"].startswith("the map of run 2 had, in line ")
    assert (item["line"], item["text"]) == (None, "not in the map any more")
    assert "ALDER-EDR" in item["then"]


def test_a_bundle_of_two_tenants_adds_up_part_by_part(run: Run, msp: Msp) -> None:
    msp.maps("CEMA-MSP", item=ENDPOINT, per=10)
    msp.maps("CIXA-MSP", item=ENDPOINT)
    alder = msp.customer("Alder", {"CIXA-MSP": 4, "CEMA-MSP": 21})
    alder.adds("CIXA-MSP", 3)
    birch = msp.customer("Birch", {"CIXA-MSP": 5})
    birch.entry.update(company="Alder", agreement=alder.agreement.id)
    run("sync")

    line = line_of(run("explain", alder.tenant, "CEMA-MSP"))
    text = run.text("explain", alder.tenant).stdout

    assert (line["usage"], line["connectwise"]["quantity"]) == ("15", "15")
    assert "21 CEMA-MSP / 10, rounded up = 3" in line["sum"]
    assert sorted((part["product_code"], part["quantity"], len(part["rows"])) for part in line["parts"]) == [
        ("CEMA-MSP", "21", 1),
        ("CIXA-MSP", "5", 1),
        ("CIXA-MSP", "7", 2),
    ]
    (cema,) = [part for part in line["parts"] if part["product_code"] == "CEMA-MSP"]
    assert "per: 10" in [each["text"] for each in cema["mapping"]]
    assert "CIXA-MSP: 7 in 2 rows: 4 + 3 = 7" in text


def test_a_fall_that_is_held_is_explained_with_the_command_that_releases_it(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    msp.customer("Birch", {"CIXA-MSP": 4})
    run("sync")
    msp.next_month()
    alder.stops()
    assert run("sync").held == ["TENANT_VANISHED"]

    line = line_of(run("explain", alder.tenant))

    assert events(line)[-1][1:] == ("zero", "40", "40", "held")
    assert (line["period"], line["usage"]) == ("2026-10", "40"), "what is billed comes from October"
    assert line["now"]["next"] == "connector sync 2026-11 --force TENANT_VANISHED"
    assert line["connectwise"]["quantity"] == "40"


def test_a_line_left_alone_says_why_in_its_history(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    msp.next_month()
    alder.entry["sync"] = False
    run("sync")

    result = run("explain", alder.tenant)

    (left,) = [it for it in line_of(result)["history"] if it["period"] == "2026-11"]
    assert (left["kind"], left["outcome"]) == ("left", "left alone")
    assert left["because"].startswith("OFF_STILL_BILLING")
    assert line_of(result)["now"]["warnings"][0]["code"] == "OFF_STILL_BILLING"


def test_a_consumption_file_is_named_with_its_rows_and_those_that_failed(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder")
    run("plan", "--source", "api")
    imports(run, [row(alder.tenant, "CIXA-MSP", 5), row(alder.tenant, "CIXA-MSP", 6)], [broken("CEMA-MSP")])
    run("sync", "--source", "file")

    line = line_of(run("explain", alder.tenant))
    text = run.text("explain", alder.tenant).stdout

    assert (line["usage"], line["origin"]["file"]) == ("11", "october.csv")
    assert [(it["row"], it["placed_by"]) for it in line["parts"][0]["rows"]] == [(2, "import"), (3, "import")]
    assert "row 2, 3 of october.csv" in text


def test_the_ledger_is_enough_where_connectwise_cannot_be_asked(
    run: Run, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40, "CEMA-MSP": 3})
    alder.entry["products"] = {"CEMA-MSP": {"sync": False}}
    run("sync")

    unset = run("explain", alder.tenant, CONNECTWISE_URL=None, SOPHOS_CLIENT_ID=None)
    away = run("explain", alder.tenant, CONNECTWISE_URL="http://127.0.0.1:9/v4_6_release/apis/3.0")

    for result in (unset, away):
        assert result.json["connectwise"] is None
        assert "ConnectWise was not looked at" in result.json["note"]
        assert "ConnectWise was not looked at" in result.stderr
        line = line_of(result)
        assert (line["connectwise"], line["now"], line["written"], line["usage"]) == (None, None, "40", "40")
        assert (line["company"], line["agreement"]) == ("Alder", "Managed Security")
        assert [(it["code"], it["product_code"]) for it in result.json["unbilled"]] == [("OFF", "CEMA-MSP")]
    assert not unset.requests
    assert "CONNECTWISE_URL" in unset.json["note"]


def test_sophos_is_never_asked_and_nothing_is_written_or_locked(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    kept = {path.name: path.read_bytes() for path in run.state.iterdir() if path.suffix == ".db"}

    result = run("explain", alder.tenant, SOPHOS_CLIENT_SECRET="wrong")

    assert result.exit_code == 0
    assert {request.vendor for request in result.requests} == {"connectwise"}
    assert result.writes == []
    assert kept == {path.name: path.read_bytes() for path in run.state.iterdir() if path.suffix == ".db"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["Aldr"], "No tenant has the id or the name"),
        (["--addition", "99999"], "Nothing is known of addition 99999"),
        (["--serial", "X1A7DEMOALDER09"], "near: X1A7DEMOALDER01"),
        (["Alder Ltd", "CIXA-MPS"], "near: CIXA-MSP"),
        (["Alder Ltd", "--period", "2026-01"], "No usage of 2026-01 is stored"),
        (["Alder Ltd", "--addition", "1"], "Name one thing to explain"),
        ([], "Name one thing to explain"),
    ],
)
def test_what_nobody_knows_is_a_fault_with_what_is_near(
    run: Run, msp: Msp, asked: list[str], told: str
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 40})
    msp.firewall("X1A7DEMOALDER01", "XGS-MSP")
    run("sync")

    result = run("explain", *asked)

    assert result.exit_code == 2
    assert told in result.json["error"]["message"]


def test_an_unknown_addition_is_a_fault_without_connectwise_too(run: Run, msp: Msp) -> None:
    msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")

    result = run("explain", "--addition", "99", CONNECTWISE_URL=None)

    assert (result.exit_code, result.json["error"]["code"]) == (2, "COMMAND")


def test_before_the_first_run_nothing_is_known_and_no_folder_is_made(run: Run) -> None:
    result = run("explain", "Alder")

    assert result.exit_code == 2
    assert "no ledger" in result.json["error"]["message"]
    assert not run.state.exists()


def test_live_counts_are_told_as_such(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 8})
    run("sync", "--source", "live")

    line = line_of(run("explain", alder.tenant))

    assert (line["origin"]["source"], line["usage"], line["written"]) == ("live", "8", "8")
    assert "counted live" in run.text("explain", alder.tenant).stdout
    assert line["now"]["change"] is None


def test_a_restated_month_is_explained_by_what_was_billed(run: Run, msp: Msp, world: World) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    world.advance(date(2026, 10, 30))
    alder.uses("CIXA-MSP", 44)
    run("sync")

    line = line_of(run("explain", alder.tenant))

    assert (line["usage"], line["connectwise"]["quantity"]) == ("40", "40")
    assert [it["code"] for it in line["now"]["unresolved"]] == ["RESTATED"]
    assert line["now"]["next"] == "connector sync 2026-10 --restate"


def test_names_from_outside_cannot_steer_the_terminal(run: Run, msp: Msp, world: World) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    world.tenants[alder.tenant].name = "Al\x1b[31mder\u202e"
    alder.agreement.name = "Managed\x1b]0;x\x07 Security"
    run("sync")

    result = run.text("explain", alder.tenant)

    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert EMAIL not in result.stdout


def test_in_a_world_where_much_is_wrong_every_addition_is_explained_as_it_is(
    run: Run, simulator: Simulator
) -> None:
    world = discrepancies_world()
    with Simulator(world) as serving:
        run.simulator, run.msp, run.map_kept = serving, Msp(world), True
        seen = noted(world)
        for act in world.acts:
            world.advance(act.day)
            seen = noted(world, seen)
            (run.folder / "mappings.yaml").write_text(mappings_text(world), encoding="utf-8")
            if act.command:
                assert run(*act.command).exit_code == act.exit_code
        hidden = {key for key, it in world.agreements.items() if company_of(world, it) == "YewSolicitors"}

        found = explained(run, world, hidden=hidden, seen=seen)
        run.check()

    assert len(found) == len(world.additions) > 30
    assert sum(line["billed"] for line in found.values()) > 25
    assert {line["connectwise"] is None for line in found.values()} == {True, False}


def company_of(world: World, agreement: Any) -> str:
    """Return the identifier of an agreement's company."""
    return world.companies[agreement.company_id].identifier


def test_a_deleted_line_is_not_called_unwritten_for_nothing(run: Run, msp: Msp, world: World) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 3})
    run("sync")
    del world.additions[birch.line().id]

    (entry,) = run("explain", birch.tenant).json["unbilled"]

    assert entry["code"] == "NOT_WRITTEN"
    assert "is gone from ConnectWise" in entry["message"]
    assert entry["next"] == "connector sync 2026-10"


def test_a_lost_state_folder_is_said_where_the_mark_alone_tells(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    for path in run.state.iterdir():
        path.unlink()
    run("plan")

    unknown = line_of(run("explain", "--addition", str(alder.line().id)))
    run("sync")
    known = line_of(run("explain", alder.tenant))

    assert unknown["ours"]
    assert "it carries our mark" in unknown["answer"]
    assert events(known) == [("2026-10", "carried", "40", "40", "unchanged")]
    assert known["notes"][0].startswith("Run 2 knew it by its mark")
    assert (known["usage"], known["billed"], known["adds_up"]) == ("40", True, True)


def test_a_line_that_a_run_ended_says_so_and_by_which_default(run: Run, msp: Msp) -> None:
    msp.mappings["defaults"] = {"absent": "end"}
    alder = msp.customer("Alder", {"CIXA-MSP": 40, "CEMA-MSP": 3})
    run("sync")
    msp.next_month()
    alder.stops("CIXA-MSP")
    run("sync")

    line = line_of(run("explain", alder.tenant))
    text = run.text("explain", alder.tenant).stdout

    assert line["ended"]
    assert line["notes"] == ["A run ended it on 2026-10-31."]
    assert line["mapping"][0]["text"] == "absent: end"
    assert "run 2 ended it" in line["answer"]
    assert "`absent: end` ends the line" in text


def test_a_line_that_was_given_another_product_is_told_so(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    msp.item("MANAGED-DESKTOP")
    run("sync")
    line = alder.line()
    line.item_id = msp.item("MANAGED-DESKTOP").id

    result = run("explain", alder.tenant)

    assert line_of(result)["notes"] == ["Somebody gave it another product in ConnectWise."]
    assert result.json["unbilled"][0]["code"] == "MOVED_BY_HAND"


def test_a_customer_that_left_the_map_is_named_as_the_plan_had_it(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    del msp.mappings["tenants"][alder.tenant]

    result = run("explain", alder.tenant, CONNECTWISE_URL=None)

    line = line_of(result)
    assert (line["company"], line["agreement"]) == ("Alder", "Managed Security")
    assert {each["text"] for each in line["parts"][0]["mapping"][:2]} == {"not in the map any more"}
    assert [it["code"] for it in result.json["unbilled"]] == ["UNMAPPED_TENANT"]


def test_what_was_off_or_unresolved_in_an_older_month_is_judged_by_the_map_of_then(
    run: Run, msp: Msp
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40, "CEMA-MSP": 3})
    alder.entry["products"] = {"CEMA-MSP": {"sync": False}}
    alder.has(ENDPOINT, 12)
    run("sync")
    alder.entry["products"] = {}
    msp.next_month()
    run("sync", "--adopt")

    found = run("explain", alder.tenant, "--period", "2026-10").json["unbilled"]

    assert sorted((it["code"], it["product_code"]) for it in found) == [
        ("NEEDS_ADOPTION", "CIXA-MSP"),
        ("OFF", "CEMA-MSP"),
    ]
    (off,) = [it for it in found if it["code"] == "OFF"]
    assert "the map of run 1 had, in line" in off["mapping"][0]["then"]
    assert run("explain", alder.tenant).json["unbilled"] == []


def test_text_tells_what_is_included_cancelled_and_not_billed(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    line = alder.line()
    line.less_included, line.bill_customer, line.cancelled = Decimal(5), "NoCharge", date(2026, 12, 31)

    told = run.text("explain", alder.tenant).stdout

    assert "In ConnectWise: 40, 5 included, so 35 billed" in told
    assert "NoCharge" in told
    assert "cancelled 2026-12-31" in told


def test_a_write_that_failed_is_in_the_history_with_what_connectwise_said(
    run: Run, msp: Msp, world: World
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40})
    run("sync")
    alder.uses("CIXA-MSP", 43)
    world.rights.discard("additions.write")
    failed = run("sync")
    assert failed.outcomes == [("update", "failed")], failed.stdout

    line = line_of(run("explain", alder.tenant))

    event = line["history"][-1]
    assert (event["kind"], event["outcome"], event["after"]) == ("update", "failed", "40")
    assert "403" in event["message"]
    assert event["request_id"]
    assert (line["written"], line["usage"]) == ("40", "40")
    assert line["now"]["change"]["after"] == "43"


def test_rows_of_a_file_that_failed_are_told_for_the_customer_they_name(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder")
    alder.entry["name"] = "Unknown & Co"
    imports(run, [row(alder.tenant, "CIXA-MSP", 5)], [broken("CEMA-MSP")])
    run("sync", "--source", "file")

    found = run("explain", alder.tenant).json["unbilled"]

    (entry,) = [it for it in found if it["product_code"] == "CEMA-MSP"]
    assert (entry["code"], entry["quantity"]) == ("UNMAPPED_TENANT", "3")
    assert "row 9 of october.csv was not imported" in entry["message"]
    assert entry["next"] == "connector usage import october.csv"


def test_text_tells_what_is_not_billed_with_the_command_and_who_has_nothing_at_all(
    run: Run, msp: Msp
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 40, "NDR-MSP": 2})
    birch = msp.customer("Birch")
    msp.firewall("X1A7DEMOALDER01", "XGS-MSP")
    run("sync")
    alder.uses("CIXA-MSP", 43)
    run("plan")

    told = run.text("explain", alder.tenant).stdout
    away = run.text("explain", alder.tenant, CONNECTWISE_URL=None).stdout
    nothing = run.text("explain", birch.tenant).stdout
    firewall = run.text("explain", "--serial", "X1A7DEMOALDER01").stdout

    assert "Now: a run would update 40 -> 43" in told
    assert "next: connector sync 2026-10" in told
    assert "Not billed: 2 NDR-MSP (UNMAPPED_PRODUCT)" in told.split("\n")[2]
    assert "next: connector products map NDR-MSP" in told
    assert "ConnectWise was not looked at" in away.split("\n")[0]
    assert "In ConnectWise" not in away
    assert "No line bills it" in nothing
    assert "no line of `firewalls:` names it" in firewall
    assert "connector firewalls --period 2026-10 --unassigned" in firewall


def test_a_line_that_was_adopted_and_given_back_is_peoples_again_with_its_history(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    made = alder.has(ENDPOINT, 12)
    adopted = run("sync", "--adopt")
    undone = run("runs", "undo", str(adopted.json["run"]))
    assert undone.exit_code == 0, undone.stdout

    line = line_of(run("explain", "--addition", str(made.id)))

    assert (line["ours"], line["connectwise"]["quantity"]) == (False, "12")
    assert line["notes"][0].startswith("People's line: run 2 wrote to it last")
    assert [it["run"] for it in line["history"]] == [1, 2]
    assert line["now"]["change"]["held"] == "NEEDS_ADOPTION"
