"""One object or one line for each thing that happened, whatever names are in it and wherever it goes."""

import json
import logging
import os
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, BIRCH_ENDPOINT, Month
from prometheus_client.parser import text_string_to_metric_families

from connector.cli.log_file import LogFile
from connector.cli.metering import Meter
from connector.cli.story_log import StoryLog
from connector.cli.terminal import STORY, Terminal, note, tell
from connector.errors import NotPublished, Unreachable
from connector.ledger import Ledger
from connector.ledger.health import record_night
from connector.ledger.journal import KEPT, forget_old_lines, journal_of, last_success
from connector.model import Period
from connector.planning.causes.charges import Charge
from connector.planning.findings import Options
from connector.planning.prices import Money
from connector.reports.log_line import LogLine, error_line, json_line, spoken_line, text_line
from connector.reports.metrics import Ended, Tally, metrics_text
from connector.reports.outcome import Result
from connector.reports.run_lines import change_line, counted_lines, plan_lines
from connector.runs.journal import TOGETHER, Journal
from connector.runs.story import Silence
from connector.vendors.transport import Exchange

AT = datetime(2026, 10, 28, 2, 0, 0, 123456, tzinfo=UTC)
HOSTILE = 'Ald\ner\x1b[2J "Dental"\x7f\u202e\ud800 {"level": "error"}\r\n2026 error run.end: forged'


def stored(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def log() -> Iterator[StoryLog]:
    with StoryLog(["sync"]).listening() as listening:
        yield listening


# One line ----------------------------------------------------------------------------------------


def test_a_line_says_only_what_is_known_and_when_in_utc() -> None:
    line = LogLine("change", "update: done", run=31, agreement=118, after="43", money=(("EUR", "12.50"),))
    elsewhere = AT.astimezone(datetime.now().astimezone().tzinfo)
    assert json.loads(json_line(line, elsewhere)) == {
        "time": "2026-10-28T02:00:00.123Z",
        "level": "info",
        "event": "change",
        "message": "update: done",
        "run": 31,
        "agreement": 118,
        "after": "43",
        "money": {"EUR": "12.50"},
    }


def test_a_hostile_name_makes_neither_a_second_line_nor_a_control_character() -> None:
    line = LogLine("note", HOSTILE, tenant=HOSTILE, next=HOSTILE)
    as_json, as_text = json_line(line, AT), text_line(line, AT)
    assert json.loads(as_json)["message"] == HOSTILE
    for told in (as_json, as_text):
        assert all(32 <= ord(letter) < 127 for letter in told)
    assert as_text.startswith("2026-10-28T02:00:00.123Z info    note: Ald er\\x1b[2J")


def test_a_line_for_people_ends_with_what_it_is_about() -> None:
    line = LogLine("unresolved", "no entry.", "warning", run=3, code="UNMAPPED_TENANT", next="connector map")
    assert text_line(line, AT) == (
        "2026-10-28T02:00:00.123Z warning unresolved: no entry. Next: connector map "
        "[run=3 code=UNMAPPED_TENANT]"
    )


def test_a_sentence_says_itself_whether_it_is_a_warning() -> None:
    assert spoken_line("Warning: .env is open") == LogLine("warning", ".env is open", "warning")
    assert spoken_line("Error: no") == LogLine("error", "no", "error")
    assert spoken_line("Usage of: October") == LogLine("note", "Usage of: October")


def test_an_error_keeps_its_code_and_request_and_a_month_that_is_not_there_yet_is_none() -> None:
    error = Unreachable("No answer.", "Later.", vendor="Sophos", status=503, request_id="abc")
    line = error_line(error, "run.end")
    assert (line.event, line.level, line.code) == ("run.end", "error", "UNREACHABLE")
    assert (line.exit_code, line.request_id, line.next) == (5, "abc", "Later.")
    assert error_line(NotPublished("Not yet.")).level == "warning"


# A plan ------------------------------------------------------------------------------------------


def test_a_plan_tells_what_each_unresolved_row_costs_and_what_it_would_make() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "NDR-MSP", 3).plan()
    charge = Charge((Money(Decimal("10.50"), "EUR"),))
    lines = list(plan_lines(plan, {(ALDER, "NDR-MSP", None): charge}))
    assert [line.event for line in lines] == ["plan", "changes", "unresolved"]
    assert lines[0].message.endswith("1 to make, 0 held, 0 unchanged, 1 unresolved.")
    assert (lines[1].kind, lines[1].outcome, lines[1].count) == ("create", "planned", 1)
    assert (lines[2].code, lines[2].tenant, lines[2].money) == (
        "UNMAPPED_PRODUCT",
        ALDER,
        (("EUR", "10.5"),),
    )
    assert {line.period for line in lines} == {"2026-10"}


def test_a_plan_tells_what_is_held_what_is_odd_and_which_guard_refuses() -> None:
    month = Month(newest_applied=Period(2026, 11))
    month.uses(ALDER, "CIXA-MSP", 12).bills(ALDER_ENDPOINT, 9)
    month.uses(BIRCH, "CIXA-MSP", 7).manages(BIRCH_ENDPOINT, 5, addition_id=9002)
    month.bills(BIRCH_ENDPOINT, 1, addition_id=9003)
    lines = {line.event: line for line in plan_lines(month.plan(), {})}
    held = lines["held"]
    assert (held.code, held.agreement, held.addition, held.tenant) == ("NEEDS_ADOPTION", 118, 9001, ALDER)
    assert (lines["notice"].agreement, lines["notice"].level) == (204, "warning")
    assert lines["guard"].code == "period_order"


def test_a_write_tells_what_became_of_it_and_whose_it_is_if_it_is_one_tenants() -> None:
    alone = Month().uses(ALDER, "CIXA-MSP", 12).change()
    failed = change_line(Result(alone, "failed", None, "400 InvalidObject"), "2026-10", "0HN7-2")
    assert failed.message == "create SOPHOS-ENDPOINT on agreement 118, new -> 12: failed, 400 InvalidObject"
    assert (failed.tenant, failed.request_id, failed.level) == (ALDER, "0HN7-2", "warning")

    shared = Month().maps(BIRCH, company="AlderDental")
    together = shared.uses(ALDER, "CIXA-MSP", 2).uses(BIRCH, "CIXA-MSP", 3).change()
    done = change_line(Result(together, "done", 9001), "2026-10")
    assert (done.tenant, done.addition, done.level) == (None, 9001, "info")


# Where lines go ----------------------------------------------------------------------------------


def test_what_a_command_sets_up_is_gone_when_it_ends(tmp_path: Path) -> None:
    logger = logging.getLogger(STORY)
    before = (logger.level, logger.propagate, list(logger.handlers), list(logger.filters))
    with StoryLog(["sync"]).listening() as listening:
        listening.write(tmp_path / "log", as_json=False)
        listening.meter("sync", tmp_path / "m.prom", tmp_path)
        assert len(logger.handlers) == 3
    assert (logger.level, logger.propagate, list(logger.handlers), list(logger.filters)) == before


def test_before_and_after_a_command_a_sentence_still_reaches_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell("Stopped.")
    note(LogLine("change", "for programs"))
    assert capsys.readouterr().err == "Stopped.\n"


def test_lines_between_begin_and_end_of_a_run_carry_its_number_and_month(
    log: StoryLog, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write(None, as_json=True)
    tell("one")
    note(LogLine("run.begin", "begins", run=7))
    note(LogLine("plan", "made", period="2026-10"))
    tell("Warning: slow")
    note(LogLine("run.end", "ends"))
    tell("two")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line.get("run"), line.get("period")) for line in lines] == [
        (None, None),
        (7, None),
        (7, "2026-10"),
        (7, "2026-10"),
        (7, "2026-10"),
        (None, None),
    ]
    assert [line["level"] for line in lines] == ["info", "info", "info", "warning", "info", "info"]


def test_single_requests_are_logged_only_with_verbose(
    log: StoryLog, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write(None, as_json=True)
    request = Exchange.told("Sophos GET /x 200", vendor="Sophos", method="GET", status=200, request_id="r1")
    Terminal(verbose=False).trace(request)
    assert capsys.readouterr().err == ""
    Terminal(verbose=True).trace(request)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["vendor"], line["status"], line["request_id"]) == (
        "request",
        "Sophos",
        200,
        "r1",
    )


# The file ----------------------------------------------------------------------------------------


def told_to(path: Path, count: int, *, largest: int = 400) -> list[str]:
    warnings: list[str] = []
    logger = logging.getLogger(STORY)
    file = LogFile(path, warnings.append, as_json=True, largest=largest)
    logger.addHandler(file)
    logger.setLevel(logging.INFO)
    for number in range(count):
        note(LogLine("note", f"line {number}"))
    logger.removeHandler(file)
    file.close()
    return warnings


def numbers(path: Path) -> list[int]:
    return [int(json.loads(line)["message"].removeprefix("line ")) for line in stored(path)]


def test_a_log_that_has_grown_is_moved_aside_and_ten_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "connector.log"
    assert told_to(path, 60) == []
    files = {each.name for each in path.parent.iterdir()}
    assert files == {"connector.log", *(f"connector.log.{number}" for number in range(1, 11))}
    kept = [number for age in range(10, 0, -1) for number in numbers(Path(f"{path}.{age}"))]
    kept += numbers(path)
    assert kept == list(range(60 - len(kept), 60))
    assert path.stat().st_size < 400


@pytest.mark.skipif(os.name == "nt", reason="a file's mode says nothing there")
def test_a_log_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "connector.log"
    told_to(path, 8)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_log_that_cannot_be_moved_grows_on_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "connector.log"
    told_to(path, 9)
    before = sorted(each.name for each in tmp_path.iterdir())

    def held(self: Path, target: object) -> Path:
        raise PermissionError(13, "The process cannot access the file: another process uses it", str(self))

    monkeypatch.setattr(Path, "replace", held)
    assert told_to(path, 9) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == before
    assert numbers(path)[-9:] == list(range(9))


def test_a_log_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    (warning,) = told_to(tmp_path / "file" / "connector.log", 5)
    assert warning.startswith("Warning: The log ")
    assert "cannot be written" in warning


def test_a_log_whose_folder_goes_away_in_between_is_one_warning(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "connector.log"
    warnings: list[str] = []
    file = LogFile(path, warnings.append, as_json=False, largest=200)
    logger = logging.getLogger(STORY)
    logger.addHandler(file)
    logger.setLevel(logging.INFO)
    note(LogLine("note", "one"))
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way", encoding="utf-8")
    for _ in range(5):
        note(LogLine("note", "x" * 150))
    logger.removeHandler(file)
    file.close()
    assert len(warnings) == 1


# The ledger's journal ----------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


class Heard(Silence):
    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def said(self, line: LogLine) -> None:
        self.lines.append(line)


def begin(ledger: Ledger) -> int:
    return ledger.begin_run("sync", Options(), who="me@here", version="1")


def test_a_journal_of_nothing_writes_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        Journal(ledger, begin(ledger), Silence(), lambda: AT).close()
        assert journal_of(ledger, 1) == ()


def test_a_run_s_journal_is_kept_in_order_also_where_it_is_long(tmp_path: Path) -> None:
    with Ledger(tmp_path, now=lambda: AT) as ledger:
        heard = Heard()
        journal = Journal(ledger, begin(ledger), heard, lambda: AT)
        journal.begin("sync", "me@here")
        journal.stage("Reading")
        journal.progress(1, 2)
        for number in range(TOGETHER):
            journal.said(LogLine("change", HOSTILE, tenant="t\ud800", item=number))
        assert len(journal_of(ledger, 1)) == TOGETHER
        journal.close()
        kept = journal_of(ledger, 1)
        assert [entry.event for entry in kept[:3]] == ["run.begin", "stage", "change"]
        assert [entry.item_id for entry in kept[2:]] == list(range(TOGETHER))
        assert kept[2].message == HOSTILE.replace("\ud800", "\\ud800")
        assert {line.run for line in heard.lines} == {1}


def test_what_was_said_more_than_thirteen_months_ago_is_let_go(tmp_path: Path) -> None:
    clock = Clock()
    with Ledger(tmp_path, now=clock) as ledger:
        for age in (KEPT + timedelta(days=1), KEPT - timedelta(days=1)):
            clock.now = AT - age
            journal = Journal(ledger, begin(ledger), Silence(), clock)
            journal.begin("sync", "me@here")
            journal.close()
        clock.now = AT
        forget_old_lines(ledger, AT)
        assert [len(journal_of(ledger, run)) for run in (1, 2)] == [0, 1]


def test_a_journal_that_cannot_be_written_is_one_warning_and_the_run_goes_on(tmp_path: Path) -> None:
    heard = Heard()
    ledger = Ledger(tmp_path)
    journal = Journal(ledger, begin(ledger), heard, lambda: AT)
    with ledger.transaction() as db:
        db.execute("DROP TABLE journal")
    journal.begin("sync", "me@here")
    for _ in range(2 * TOGETHER):
        journal.said(LogLine("change", "made"))
    journal.close()
    ledger.close()
    (warning,) = [line for line in heard.lines if line.event == "warning"]
    assert warning.message.startswith("What run 1 says is not kept: ")
    assert sum(line.event == "change" for line in heard.lines) == 2 * TOGETHER


def test_the_last_success_is_a_run_that_billed_or_a_night_with_nothing_due(tmp_path: Path) -> None:
    clock = Clock()
    with Ledger(tmp_path, now=clock) as ledger:
        assert last_success(ledger) is None
        ledger.finish_run(begin(ledger), 3)
        assert last_success(ledger) is None
        ledger.finish_run(begin(ledger), 0)
        assert last_success(ledger) == AT.replace(microsecond=0)
        clock.now = AT + timedelta(days=1)
        ledger.finish_run(ledger.begin_run("plan", Options(), who="me", version="1"), 0)
        record_night(ledger, date(2026, 10, 29), 5)
        assert last_success(ledger) == AT.replace(microsecond=0)
        record_night(ledger, date(2026, 10, 30), 0)
        assert last_success(ledger) == clock.now.replace(microsecond=0)


# Figures -----------------------------------------------------------------------------------------


def figures(data: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(data.decode())
        for sample in family.samples
    }


def test_figures_read_back_as_they_were_counted() -> None:
    tally = Tally()
    for line in (
        *counted_lines([Month().uses(ALDER, "CIXA-MSP", 1).change()] * 3, "planned", "2026-10"),
        LogLine("change", "", kind="create", outcome="done"),
        LogLine("changes", "", kind="create", outcome="not_tried", count=1),
        LogLine("held", "", kind="adopt", outcome="held", code="NEEDS_ADOPTION"),
        LogLine("unresolved", "", code="UNMAPPED_TENANT", money=(("EUR", "1234567.89"), ('"\n\\', "0.10"))),
        LogLine("unresolved", "", code="UNMAPPED_TENANT", money=(("EUR", "0.01"),)),
        LogLine("unresolved", "odd"),
        LogLine("request", "", vendor="Sophos", method="GET", status=429),
        LogLine("request", "", vendor="Sophos", method="GET"),
        LogLine("stage", "Reading"),
    ):
        tally.count(line)
    said = figures(metrics_text(Ended(AT, 1.23456, 3, None), tally))
    assert ("connector_last_success_timestamp_seconds",) not in said
    assert said["connector_last_run_timestamp_seconds",] == AT.timestamp()
    assert said["connector_run_duration_seconds",] == 1.235
    assert said["connector_exit_code",] == 3
    changes = {key[1:]: value for key, value in said.items() if key[0] == "connector_changes"}
    assert changes == {
        ("create", "done"): 1,
        ("create", "not_tried"): 1,
        ("create", "planned"): 1,
        ("adopt", "held"): 1,
    }
    assert said["connector_unresolved", "UNMAPPED_TENANT"] == 2
    assert said["connector_held", "NEEDS_ADOPTION"] == 1
    assert Decimal(str(said["connector_money_at_stake", "UNMAPPED_TENANT", "EUR"])) == Decimal("1234567.90")
    assert said["connector_money_at_stake", "UNMAPPED_TENANT", '"\\x0a\\'] == 0.1
    assert said["connector_api_requests_total", "GET", "4xx", "Sophos"] == 1
    assert said["connector_api_requests_total", "GET", "none", "Sophos"] == 1
    assert said["connector_throttled_total", "Sophos"] == 1


def test_every_figure_has_its_help_and_its_type() -> None:
    text = metrics_text(Ended(AT, 1, 0, AT), Tally()).decode()
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert families == [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    assert len(families) == 10
    assert all(name.startswith("connector_") for name in families)


def test_figures_that_cannot_be_made_are_one_warning(
    log: StoryLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(ended: Ended, tally: Tally) -> bytes:
        raise ValueError("a bug in a library")

    monkeypatch.setattr("connector.reports.metrics.metrics_text", broken)
    Meter("sync", tmp_path / "m.prom", tmp_path).finish(0)
    assert capsys.readouterr().err == (
        f"Warning: The metrics {tmp_path / 'm.prom'} cannot be written: ValueError.\n"
    )


def test_a_ledger_that_cannot_be_read_costs_only_the_last_success(tmp_path: Path) -> None:
    (tmp_path / "connector.db").write_bytes(b"no database at all, but long enough to look like one" * 40)
    Meter("sync", tmp_path / "m.prom", tmp_path).finish(2)
    said = figures((tmp_path / "m.prom").read_bytes())
    assert said["connector_exit_code",] == 2
    assert ("connector_last_success_timestamp_seconds",) not in said
