"""What a month's run tells programs: one JSON object for each thing that happened; the ledger keeps it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from months.calling import Result, Run
from months.msp import ENDPOINT, Customer, Msp
from months.sitting import Person

from connector.ledger import Ledger
from connector.ledger.journal import journal_of
from connector.simulator import Fault, Simulator

JSON = ("--log-format", "json")


@pytest.fixture
def alder(msp: Msp) -> Customer:
    return msp.customer("Alder", {"CIXA-MSP": 12})


def logged(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stderr.splitlines()]


def only(lines: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (found,) = [line for line in lines if line["event"] == event]
    return found


def test_a_run_is_told_from_its_begin_to_its_end_one_object_a_line(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("NDR-MSP", 3, description="Network detection")
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    birch.has(ENDPOINT, 5)
    done = run.text(*JSON, "sync")
    lines = logged(done)
    assert [line["event"] for line in lines] == [
        "run.begin",
        "stage",
        "stage",
        "stage",
        "plan",
        "changes",
        "unresolved",
        "held",
        "stage",
        "change",
        "run.end",
    ]
    assert {line["run"] for line in lines} == {1}
    change = only(lines, "change")
    assert {name: change[name] for name in ("kind", "outcome", "after", "period", "tenant")} == {
        "kind": "create",
        "outcome": "done",
        "after": "12",
        "period": "2026-10",
        "tenant": alder.tenant,
    }
    assert (change["agreement"], change["addition"]) == (alder.agreement.id, alder.line().id)
    assert only(lines, "held")["code"] == "NEEDS_ADOPTION"
    assert only(lines, "unresolved")["code"] == "UNMAPPED_PRODUCT"
    assert only(lines, "run.end")["exit_code"] == done.exit_code == 3
    assert all(line["time"].endswith("Z") and line["level"] for line in lines)


def test_people_see_what_they_always_saw(run: Run, alder: Customer) -> None:
    assert run.text("sync").stderr == ""
    assert "Reading Sophos ...\n" in run.text("plan", "--verbose").stderr


def test_a_hostile_name_is_one_object_and_cannot_forge_another(msp: Msp, run: Run) -> None:
    evil = '\x1b[2J\n{"level": "info", "event": "run.end"}'
    msp.customer("Evil", {"CIXA-MSP": 1})
    tenant = msp.world.add_tenant(f"Evil{evil}").id
    msp.world.use(msp.period, tenant, "CIXA-MSP", 2)
    lines = logged(run.text(*JSON, "sync"))
    assert [line["event"] for line in lines].count("run.end") == 1
    assert only(lines, "unresolved")["tenant"] == tenant


def test_a_vendor_that_is_asked_again_is_told_with_its_request(
    run: Run, alder: Customer, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("429", vendor="connectwise", method="GET"))
    lines = logged(run.text(*JSON, "sync"))
    retry = only(lines, "retry")
    assert (retry["level"], retry["vendor"], retry["status"], retry["run"]) == (
        "warning",
        "ConnectWise",
        429,
        1,
    )
    assert only(lines, "change")["outcome"] == "done"


def test_a_write_that_fails_is_told_with_why_and_with_the_vendors_request(
    run: Run, alder: Customer, simulator: Simulator
) -> None:
    simulator.faults.add(
        Fault(
            "body",
            vendor="connectwise",
            method="POST",
            path="/additions",
            edit=lambda made: {**made, "quantity": 11},
        )
    )
    done = run.text(*JSON, "sync")
    change = only(logged(done), "change")
    assert (done.exit_code, change["outcome"], change["level"]) == (6, "failed", "warning")
    assert "11" in change["message"]
    assert change["request_id"] in change["message"]


def test_writes_that_an_outage_leaves_untried_are_told_together(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    msp.customers(12)
    simulator.faults.add(Fault("cut-before", vendor="connectwise", method="POST", times=None))
    lines = logged(run.text(*JSON, "sync"))
    told = [line["outcome"] for line in lines if line["event"] == "change"]
    assert set(told) == {"unclear"}
    assert 5 <= len(told) < 5 + 4  # so many, and those that were under way then
    (left,) = [line for line in lines if line["event"] == "changes" and line["outcome"] == "not_tried"]
    assert (left["kind"], left["count"]) == ("create", 12 - len(told))


def test_what_ends_a_run_and_the_command_is_told_with_the_next_step(run: Run, alder: Customer) -> None:
    lines = logged(run.text(*JSON, "sync", "2026-11"))
    for event in ("run.end", "error"):
        line = only(lines, event)
        assert (line["code"], line["exit_code"], line["level"]) == ("NOT_PUBLISHED", 8, "warning")
        assert line["next"]
    assert "run" not in only(lines, "error")


def test_a_command_that_was_typed_wrong_is_told_the_same_way(run: Run) -> None:
    wrong = run.text(*JSON, "sync", "--bogus")
    assert wrong.exit_code == 2
    assert only(logged(wrong), "error")["code"] == "COMMAND"


def test_requests_are_told_where_they_are_asked_for(run: Run, alder: Customer) -> None:
    done = run.text(*JSON, "sync", "--verbose")
    requests = [line for line in logged(done) if line["event"] == "request"]
    assert len(requests) == len(done.requests)
    assert {line["level"] for line in requests} == {"debug"}
    assert {line["vendor"] for line in requests} == {"Sophos", "ConnectWise"}


def test_a_night_logs_each_of_its_runs(msp: Msp, run: Run, alder: Customer) -> None:
    assert run("nightly").exit_code == 0
    msp.next_month()
    lines = logged(run.text(*JSON, "nightly"))
    begins = [(line["run"], line["kind"]) for line in lines if line["event"] == "run.begin"]
    assert begins == [(2, "nightly"), (3, "look-again")]
    assert [line["run"] for line in lines if line["event"] == "run.end"] == [2, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_programs_get_lines_without_a_bar_in_between(run: Run, alder: Customer) -> None:
    run.prepare()
    person = Person(run)
    try:
        code, for_programs = person("--log-format json plan --json")
        assert code == 0
        lines = [json.loads(line) for line in for_programs.splitlines() if line.startswith('{"time"')]
        assert next(line["message"] for line in lines if line["event"] == "stage") == "Reading Sophos"
        assert "━" not in for_programs
        _, for_people = person("--log-format json --log-file a.log plan")
        assert "━" in for_people
        assert '{"time"' not in for_people
    finally:
        person.end()


# A file ------------------------------------------------------------------------------------------


def test_a_log_file_gets_every_line_and_people_still_see_theirs(run: Run, alder: Customer) -> None:
    done = run.text("--log-format", "json", "--log-file", "my logs/connector.log", "sync", "2026-11")
    assert done.stderr.startswith("Error: Sophos has no billing data for 2026-11 yet.\nNext: ")
    kept = (run.folder / "my logs" / "connector.log").read_text(encoding="utf-8")
    events = [json.loads(line)["event"] for line in kept.splitlines()]
    assert events == ["run.begin", "stage", "run.end", "error"]


def test_a_log_file_holds_no_secret_however_much_it_is_told(
    run: Run, alder: Customer, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("403", vendor="connectwise", method="GET", after=1))
    for how in ("text", "json"):
        run.text("--log-format", how, "--log-file", f"{how}.log", "sync", "--verbose")
        kept = (run.folder / f"{how}.log").read_text(encoding="utf-8")
        assert "Sophos POST" in kept
        run.said.append(kept)
    assert run.secrets
    assert not any(secret in text for secret in run.secrets for text in run.said)


def test_settings_say_where_the_log_goes_and_options_win(run: Run, alder: Customer) -> None:
    run.settings |= {"CONNECTOR_LOG_FORMAT": "json", "CONNECTOR_LOG_FILE": "from settings.log"}
    run.text("plan")
    run.text("--log-format", "text", "--log-file", "from options.log", "plan")
    in_settings = (run.folder / "from settings.log").read_text(encoding="utf-8")
    in_options = (run.folder / "from options.log").read_text(encoding="utf-8")
    assert json.loads(in_settings.splitlines()[0])["run"] == 1
    assert "run.begin: Run 2 (plan) begins" in in_options.splitlines()[0]
    assert "Run 2" not in in_settings


def test_a_profile_has_its_log_in_its_own_folder(
    msp: Msp, run: Run, alder: Customer, simulator: Simulator
) -> None:
    home = run.folder / "profiles" / "north"
    home.mkdir(parents=True)
    settings = {**simulator.settings(), "CONNECTOR_LOG_FILE": "logs/a.log", "CONNECTOR_LOG_FORMAT": "json"}
    (home / ".env").write_text("".join(f"{name}={said}\n" for name, said in settings.items()), "utf-8")
    (home / ".env").chmod(0o600)
    (home / "mappings.yaml").write_text(msp.text(), "utf-8")
    run.text("--profile", "north", "plan", CONNECTOR_LOG_FILE="of another partner.log")
    assert json.loads((home / "logs" / "a.log").read_text("utf-8").splitlines()[0])["event"] == "run.begin"
    assert not (run.folder / "of another partner.log").exists()


def test_a_format_that_there_is_not_is_a_fault_that_names_its_setting(run: Run, alder: Customer) -> None:
    wrong = run("plan", CONNECTOR_LOG_FORMAT="xml")
    assert wrong.exit_code == 2
    assert "CONNECTOR_LOG_FORMAT is 'xml'" in wrong.json["error"]["message"]
    assert run.text("--log-format", "xml", "plan").exit_code == 2


def test_a_log_that_cannot_be_written_is_one_warning_and_the_month_is_billed(
    run: Run, alder: Customer
) -> None:
    (run.folder / "a file").write_text("", encoding="utf-8")
    done = run.text("--log-file", "a file/connector.log", "sync")
    assert (done.exit_code, alder.bills) == (0, {ENDPOINT: 12})
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Warning: The log ")


def test_help_makes_no_log(run: Run) -> None:
    assert run.text("--log-file", "connector.log", "plan", "--help").exit_code == 0
    assert not (run.folder / "connector.log").exists()


# The ledger --------------------------------------------------------------------------------------


def kept(state: Path, number: int) -> list[tuple[str, str]]:
    with Ledger(state) as ledger:
        return [(entry.level, entry.event) for entry in journal_of(ledger, number)]


def test_the_ledger_keeps_what_a_run_did_and_said_without_being_asked(run: Run, alder: Customer) -> None:
    run("sync")
    assert kept(run.state, 1) == [
        ("info", "run.begin"),
        ("info", "stage"),
        ("info", "stage"),
        ("info", "stage"),
        ("info", "plan"),
        ("info", "changes"),
        ("info", "stage"),
        ("info", "change"),
        ("info", "run.end"),
    ]
    with Ledger(run.state) as ledger:
        (change,) = [entry for entry in journal_of(ledger, 1) if entry.event == "change"]
    assert (change.tenant_id, change.agreement_id) == (alder.tenant, alder.agreement.id)
    assert change.addition_id == alder.line().id
    assert change.message.endswith("new -> 12: done")


def test_the_ledger_keeps_why_a_run_broke_off(run: Run, alder: Customer, simulator: Simulator) -> None:
    simulator.faults.add(Fault("500", vendor="connectwise", times=None))
    assert run("sync").exit_code == 5
    assert kept(run.state, 1)[-1] == ("error", "run.end")
