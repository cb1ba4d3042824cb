"""Each command and option of contract section 3."""

import os
import signal
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from months.calling import Processes, Run
from months.msp import EMAIL, ENDPOINT, Msp

from connector.simulator import Fault, Simulator

# The month ---------------------------------------------------------------------------------------


def test_without_a_period_it_is_this_month_once_published(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    msp.next_month()

    assert run("plan").json["period"] == "2026-11"


def test_without_a_period_it_is_last_month_before_this_one_is_published(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    msp.next_month()
    msp.world.advance(date(2026, 11, 20))

    assert run("plan").json["period"] == "2026-10"


def test_at_new_year_last_month_is_december(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    for _ in range(2):
        msp.next_month()
    msp.world.advance(date(2027, 1, 3))

    assert run("sync").json["period"] == "2026-12"
    assert alder.bills == {ENDPOINT: 12}


def test_without_a_period_and_without_a_published_month_there_is_nothing_to_do_yet(
    msp: Msp, run: Run
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    ended = run("plan", CONNECTOR_TODAY="2027-01-15")

    assert (ended.exit_code, ended.json["error"]["code"]) == (8, "NOT_PUBLISHED")
    assert ended.json["error"]["next"]


def test_a_period_may_be_named(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.next_month()
    alder.uses("CIXA-MSP", 15)

    assert run("sync", "2026-10").json["period"] == "2026-10"
    assert alder.bills == {ENDPOINT: 12}
    assert str(alder.line().effective) == "2026-10-01"


@pytest.mark.parametrize("period", ["2026-13", "2026-1", "October", "2026-10-01", "202610", "\u0662026-10"])
def test_a_period_that_is_no_month_is_a_mistake(msp: Msp, run: Run, period: str) -> None:
    ended = run("plan", period)
    assert (ended.exit_code, ended.requests) == (2, ())


# plan --------------------------------------------------------------------------------------------


def test_plan_writes_nothing_and_ends_with_the_command_that_makes_it_so(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    shown = run.text("plan")

    assert (shown.exit_code, shown.writes, alder.bills) == (0, [], {})
    digest = run("plan").json["digest"]
    assert shown.stdout.rstrip().endswith(f"connector apply {digest}")
    assert all(word in shown.stdout for word in ("Alder", ENDPOINT, "12 CIXA-MSP", "2026-10"))


def test_plan_for_one_tenant_plans_only_for_it(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    msp.customer("Stranger", {"CIXA-MSP": 3}, mapped=False)

    done = run("sync", "--tenant", alder.tenant.upper())

    assert done.exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {})


def test_plan_for_one_product_plans_only_for_it(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5, "NDR-MSP": 1})

    done = run("sync", "--product", "CEMA-MSP")

    assert done.exit_code == 0
    assert alder.bills == {EMAIL: 5}


def test_a_shared_line_keeps_its_whole_sum_when_one_tenant_is_asked_for(msp: Msp, run: Run) -> None:
    alder, branch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Branch", {"CIXA-MSP": 5})
    branch.entry |= {"company": "Alder"}

    assert run("sync", "--tenant", branch.tenant).exit_code == 0
    assert alder.bills == {ENDPOINT: 17}


def test_usage_that_stopped_is_part_of_its_tenants_plan(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    alder.stops("CIXA-MSP")
    birch.uses("CIXA-MSP", 0)

    assert run("sync", "--tenant", alder.tenant).outcomes == [("zero", "done")]
    assert (alder.bills, birch.bills) == ({ENDPOINT: 0, EMAIL: 5}, {ENDPOINT: 7})


@pytest.mark.parametrize("option", [["--tenant", "nobody"], ["--product", "NO-SUCH-MSP"]])
def test_a_tenant_or_product_that_does_not_exist_is_a_mistake(msp: Msp, run: Run, option: list[str]) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    ended = run("plan", *option)
    assert ended.exit_code == 2
    assert option[1] in ended.json["error"]["message"]


def test_plan_with_adopt_or_recreate_plans_so(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync", "--tenant", birch.tenant)
    birch.line().cancelled = date(2026, 10, 20)
    alder.has(ENDPOINT, 10)

    assert run("plan").exit_code == 3
    planned = run("plan", "--adopt", "--recreate")

    assert (planned.exit_code, planned.held) == (0, [])
    assert planned.changes == [("adopt", "10", "12"), ("create", None, "7")]
    assert run("apply", planned.json["digest"]).exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 7})


# apply -------------------------------------------------------------------------------------------


def test_apply_makes_exactly_the_plan_that_was_read(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    digest = run("plan").json["digest"]

    done = run("apply", digest)

    assert (done.exit_code, done.outcomes) == (0, [("create", "done")] * 2)
    assert (done.json["digest"], done.json["period"]) == (digest, "2026-10")
    assert alder.bills == {ENDPOINT: 12, EMAIL: 5}
    again = run("apply", digest)
    assert (again.exit_code, again.writes) == (0, [])


@pytest.mark.parametrize("moved", ["usage", "a person", "mappings", "more usage"])
def test_apply_refuses_a_plan_that_moved(msp: Msp, run: Run, moved: str) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    digest = run("plan").json["digest"]
    match moved:
        case "usage":
            alder.uses("CIXA-MSP", 13)
        case "a person":
            alder.has(ENDPOINT, 12)
        case "mappings":
            birch.entry["sync"] = False
        case _:
            birch.uses("CEMA-MSP", 1)

    ended = run("apply", digest)

    assert (ended.exit_code, ended.writes) == (4, [])
    assert ended.json["schema"] == "connector.error/1"
    assert ended.json["error"]["next"]


def test_apply_is_for_the_month_of_the_plan_whatever_day_it_is(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    digest = run("plan").json["digest"]
    msp.next_month()
    alder.uses("CIXA-MSP", 15)

    assert run("apply", digest).json["period"] == "2026-10"
    assert alder.bills == {ENDPOINT: 12}


def test_apply_goes_on_with_a_plan_that_was_partly_done(msp: Msp, run: Run, simulator: Simulator) -> None:
    customers = msp.customers(3)
    digest = run("plan").json["digest"]
    simulator.faults.add(Fault("409", vendor="connectwise", method="POST", after=1))
    assert run("apply", digest).exit_code == 6

    done = run("apply", digest)

    assert (done.exit_code, done.outcomes) == (0, [("create", "done")])
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 3


@pytest.mark.parametrize("undone", ["quantity", "line"])
def test_apply_makes_a_plan_again_that_people_have_undone(msp: Msp, run: Run, undone: str) -> None:
    """The same writes have the same digest as weeks ago; what was done then is not done now."""
    alder = msp.customer("Alder", {"CIXA-MSP": 10})
    run("sync")
    if undone == "quantity":
        alder.uses("CIXA-MSP", 11)
        run("sync")
        alder.line().quantity = Decimal(10)
    else:
        del msp.world.additions[alder.line().id]
    digest = run("plan").json["digest"]

    done = run("apply", digest)

    assert (done.exit_code, len(done.writes)) == (0, 1)
    assert list(alder.bills.values()) == [11 if undone == "quantity" else 10]


def test_apply_of_a_plan_for_one_tenant_is_for_that_tenant(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    digest = run("plan", "--tenant", alder.tenant).json["digest"]

    assert run("apply", digest).exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {})


def test_apply_leaves_held_changes_alone(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    alder.has(ENDPOINT, 3)
    digest = run("plan").json["digest"]

    done = run("apply", digest)

    assert (done.exit_code, done.outcomes) == (3, [("adopt", "held"), ("create", "done")])
    assert (alder.bills, birch.bills) == ({ENDPOINT: 3}, {ENDPOINT: 7})


def test_apply_meets_the_guards(msp: Msp, run: Run) -> None:
    customers = msp.customers(10)
    run("sync")
    for customer in customers:
        customer.uses("CIXA-MSP", 1)
    digest = run("plan").json["digest"]

    done = run("apply", digest)
    assert (done.exit_code, done.guards, done.writes) == (4, ["decrease"], [])


def test_apply_of_a_plan_that_nobody_made_is_a_mistake(msp: Msp, run: Run) -> None:
    ended = run("apply", "0123456789ab")
    assert (ended.exit_code, ended.writes) == (2, [])


def test_a_plan_of_another_state_folder_is_unknown(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    digest = run("plan", "--state", "another").json["digest"]

    assert run("apply", digest).exit_code == 2
    assert run("apply", digest, CONNECTOR_STATE="another").exit_code == 0


# sync --------------------------------------------------------------------------------------------


def test_a_dry_run_is_a_plan(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    dry = run("sync", "--dry-run")

    assert (dry.exit_code, dry.writes, alder.bills) == (0, [], {})
    assert dry.json == run("plan").json
    assert run("apply", dry.json["digest"]).exit_code == 0


def test_a_dry_run_takes_the_options_of_a_plan(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12}).has(ENDPOINT, 3)

    assert run("sync", "--dry-run", "--exit-code").exit_code == 3
    assert run("sync", "--dry-run", "--exit-code", "--adopt").exit_code == 7


def test_a_dry_run_for_an_older_month_does_not_count_as_applied(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    msp.next_month()
    run("sync", "--dry-run")
    run("plan")

    assert run("sync", "2026-10").exit_code == 0


# the rest ----------------------------------------------------------------------------------------


def test_paths_may_be_given_as_options_or_settings(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    (run.folder / "elsewhere.yaml").write_text(msp.text(), encoding="utf-8")
    run.mappings_text = "version: nonsense\n"

    assert run("plan").exit_code == 2
    assert run("plan", "--mappings", "elsewhere.yaml").exit_code == 0
    assert run("plan", CONNECTOR_MAPPINGS="elsewhere.yaml").exit_code == 0
    assert run("plan", "--mappings", "elsewhere.yaml", CONNECTOR_MAPPINGS="mappings.yaml").exit_code == 0
    assert run("plan", "--mappings", "elsewhere.yaml", "--state", "s/t").exit_code == 0
    assert (run.folder / "s" / "t").is_dir()


def test_doctor_finds_a_healthy_installation_healthy(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    found = run("doctor")

    assert (found.exit_code, found.writes) == (0, [])
    assert {check["status"] for check in found.json["checks"]} == {"ok"}
    shown = run.text("doctor")
    assert (shown.exit_code, len(shown.stdout.splitlines())) == (0, len(found.json["checks"]))


@pytest.mark.parametrize(
    ("settings", "exit_code", "named"),
    [
        ({"SOPHOS_CLIENT_ID": None}, 2, "SOPHOS_CLIENT_ID"),
        ({"SOPHOS_CLIENT_SECRET": "another-secret"}, 5, "SOPHOS_CLIENT_SECRET"),
        ({"CONNECTWISE_PRIVATE_KEY": "another-key"}, 5, "CONNECTWISE_PRIVATE_KEY"),
        ({"CONNECTOR_MAPPINGS": "nowhere.yaml"}, 2, "nowhere.yaml"),
    ],
)
def test_doctor_names_what_is_wrong_and_the_remedy(
    msp: Msp, run: Run, settings: dict[str, str | None], exit_code: int, named: str
) -> None:
    found = run("doctor", **settings)

    assert found.exit_code == exit_code
    faults = [check for check in found.json["checks"] if check["status"] == "fault"]
    assert faults
    assert all(fault["next"] for fault in faults)
    assert named in str(faults)


def test_doctor_tells_rights_that_lack_and_names_that_are_wrong(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    alder.entry["agreement"] = "No Such Agreement"
    msp.world.rights -= {"catalog.read"}

    found = run("doctor")
    assert found.exit_code == 5
    assert "Catalog" in found.stdout

    msp.world.rights |= {"catalog.read"}
    found = run("doctor")
    assert found.exit_code != 0
    assert "No Such Agreement" in found.stdout


def test_the_demo_needs_no_setting_and_tells_the_whole_story(run: Run, tmp_path: Path) -> None:
    nothing = dict.fromkeys(run.simulator.settings())

    told = run("demo", TMPDIR=str(tmp_path), **nothing)

    assert told.exit_code == 0
    assert told.requests == ()
    commands = [step["command"][1] for step in told.json["steps"]]
    assert {"plan", "apply", "sync"} <= set(commands)


def test_the_simulated_servers_can_be_used_with_the_settings_they_print(
    msp: Msp, run: Run, run_process: Processes
) -> None:
    served = run_process.start("simulate", "--tenants", "5", "--seed", "3")
    assert served.stdout is not None
    settings: dict[str, str | None] = {}
    for line in iter(served.stdout.readline, "\n"):
        name, _, value = line.rstrip("\n").partition("=")
        settings[name] = value

    assert run("plan", **settings).json["coverage"]["rows"] > 0
    assert run("doctor", **settings).exit_code in {0, 3}
    served.send_signal(signal.SIGTERM)
    served.communicate(timeout=30)
    assert served.returncode == 0
    assert not Path(settings["CONNECTOR_MAPPINGS"] or "").exists()


@pytest.mark.parametrize(
    "args", [["plam"], ["plan", "--bogus"], ["apply"], ["plan", "2026-10", "2026-11"], ["plan", "--json=x"]]
)
def test_a_command_line_that_cannot_be_is_a_mistake_told_as_json_too(run: Run, args: list[str]) -> None:
    ended = run(*args)

    assert (ended.exit_code, ended.requests) == (2, ())
    assert ended.json["schema"] == "connector.error/1"


def test_json_may_be_asked_for_before_the_command(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    assert run.text("--json", "plan").json["schema"] == "connector.plan/1"
    assert run.text("--json", "plan", CONNECTOR_MAPPINGS="nowhere.yaml").json["exit_code"] == 2


def test_every_command_says_what_it_does(run: Run) -> None:
    listed = run.text("--help").stdout
    for command in ("plan", "apply", "sync", "doctor", "demo", "simulate"):
        assert command in listed
        assert run.text(command, "--help").exit_code == 0


def test_progress_is_for_people_who_watch(msp: Msp, run: Run, run_process: Processes) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    piped = run_process("sync")
    assert (piped.exit_code, piped.stderr) == (0, "")


def test_a_reader_that_went_away_is_no_bug(msp: Msp, run: Run, run_process: Processes) -> None:
    msp.customers(3)
    process = run_process.start("plan")
    assert process.stdout is not None
    os.close(os.dup(process.stdout.fileno()))
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.wait(timeout=30)

    assert "Traceback" not in said
    assert process.returncode == 0
