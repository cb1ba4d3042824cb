"""`state prune`: what is old goes, and nothing that a plan or an explanation goes by."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crash.test_crash_disk import files_no_larger_than
from long_past import answers, copied, lived
from months.calling import Run, is_ours
from months.msp import ENDPOINT, Msp
from months.sitting import Person
from sqlite_utils import Database

from connector.ledger import Ledger
from connector.ledger.care import check_file
from connector.ledger.schema import migrations
from connector.ledger.ticket import ticket_of
from connector.runs.lock import one_run_at_a_time

DYING = Path(__file__).parent / "crash" / "dying.py"


def rows(state: Path) -> int:
    return int(asked(state, "SELECT count(*) FROM usage_rows")[0][0])


def asked(state: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(state / "connector.db")) as database:
        return database.execute(query).fetchall()


def prune(run: Run, *options: str, state: Path | None = None, keep: int = 2) -> Any:
    """Prune, and return the answer."""
    settings = {} if state is None else {"CONNECTOR_STATE": str(state)}
    done = run("state", "prune", "--keep", str(keep), *options, **settings)
    assert done.exit_code == 0, done.stdout
    assert check_file(state or run.state) == ()
    return done.json


def test_what_is_kept_is_planned_and_explained_just_as_before(msp: Msp, run: Run) -> None:
    months = lived(msp, run)
    whole, pruned = copied(run, "whole"), copied(run, "pruned")
    before = rows(pruned)
    done = prune(run, state=pruned, keep=5)

    # Most of it has gone, ...
    assert (done["kept_from"], len(done["months"])) == (months[-5], 10)
    assert done["rows"] == before - rows(pruned) > before / 2
    assert done["plans"] > 5
    assert done["maps"] > 3
    assert done["shadow_runs"] > 5
    # ... and nothing that anybody may ask for of the months that are kept.
    both = zip(answers(run, whole, months[-5:]), answers(run, pruned, months[-5:]), strict=True)
    for (question, then), (_, now) in both:
        assert now == then, question

    # A second time nothing is left to go, and what stays still explains.
    assert prune(run, state=pruned, keep=5)["rows"] == 0
    msp.next_month()
    for state in (whole, pruned):
        assert run("sync", CONNECTOR_STATE=str(state)).json["digest"] == run("plan").json["digest"]
    assert prune(run, state=pruned, keep=5)["months"] == [months[-6]]


def test_a_month_that_was_pruned_says_so_and_when(msp: Msp, run: Run) -> None:
    months = lived(msp, run, 7)
    prune(run)
    today = str(datetime.now(UTC).date())
    first = months[0]

    gone = run("explain", "Alder Ltd", "--period", first)
    assert (gone.exit_code, gone.json["error"]["message"]) == (
        2,
        f"The usage of {first} was pruned on {today}, so there is nothing to explain.",
    )
    assert f"Snapshot 1, of {first}, was pruned on {today}." in run("usage", "show", "1").stdout
    listed = {each["snapshot"]: each for each in run("usage", "months").json["months"]}
    assert listed[1]["pruned_at"].startswith(today)
    assert f"pruned {today}" in run.text("usage", "months").stdout
    filed = months[5]  # the month of the file is the last one from a file, so it is here
    assert run("usage", "show", filed, "--source", "file").exit_code in {0, 3}
    assert run("usage", "show", first, "--source", "live").exit_code == 8
    assert f"pruned on {today}" in run("usage", "show", first, "--source", "live").stdout
    assert f"pruned on {today}" in run("plan", first, "--source", "file").stdout
    shown = run.text("runs", "show", "2").stdout
    assert f", pruned {today}" in shown
    assert "connector state prune has removed it" in shown


def test_a_pruned_month_is_never_planned_against_the_rows_that_are_gone(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    for _ in range(5):
        run("sync")
        msp.next_month()
    prune(run)
    for command in (("plan",), ("sync", "--force", "all"), ("diagnose",)):
        refused = run(*command, "2026-10", CONNECTOR_TODAY="2027-02-27")
        assert refused.exit_code == 2
        assert refused.writes == []
        assert "The usage that 2026-10 was billed from was pruned on" in refused.json["error"]["message"]
    assert alder.bills == {ENDPOINT: 12}


def test_what_sophos_said_once_before_is_stored_with_its_rows_again(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    for _ in range(4):
        run("sync")
        for quantity in (13, 14, 12):
            alder.uses("CIXA-MSP", quantity)
            run("usage", "pull", msp.period)
        msp.next_month()
    pruned = prune(run, keep=3)
    assert (pruned["months"], pruned["snapshots"]) == ([], 2)  # two states that nobody billed
    msp.world.stop_using("2026-11", alder.tenant)
    msp.world.use("2026-11", alder.tenant, "CIXA-MSP", 13)
    assert run("usage", "pull", "2026-11").json["result"] == "restated"
    assert {each["quantity"] for each in run("usage", "show", "2026-11").json["lines"]} == {"13"}
    assert check_file(run.state) == ()


def test_the_months_that_a_night_looks_at_once_more_stay(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    for _ in range(3):
        run("sync")
        msp.next_month()
    for _ in range(4):
        run("usage", "pull")  # stored, and billed by nobody
        msp.next_month()
    assert prune(run)["kept_from"] == "2026-11"


def test_months_that_were_only_read_and_never_billed_go_as_well(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    for _ in range(5):
        run("usage", "pull")
        msp.next_month()
    done = prune(run)
    assert (done["kept_from"], done["months"]) == ("2027-01", ["2026-10", "2026-11"])


def test_nothing_goes_while_there_is_nothing_old(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    before = rows(run.state)
    assert prune(run, keep=13)["empty"]
    assert run.text("state", "prune").stdout.startswith("Nothing is old enough: the newest 13 months")
    assert rows(run.state) == before
    assert run("state", "prune", "--keep", "1").exit_code == 2
    none = run("state", "prune", CONNECTOR_STATE=str(run.folder / "nowhere"))
    assert (none.exit_code, none.json["error"]["code"]) == (2, "STATE")
    assert not (run.folder / "nowhere").exists()


def test_a_dry_run_tells_what_would_go_and_removes_nothing(msp: Msp, run: Run) -> None:
    lived(msp, run, 6)
    before = (run.state / "connector.db").read_bytes()
    told = run("state", "prune", "--keep", "2", "--dry-run").json
    assert told["dry_run"]
    assert (run.state / "connector.db").read_bytes() == before
    shown = run.text("state", "prune", "--keep", "2", "--dry-run").stdout
    assert shown.startswith("To be removed:\n  usage of     2026-10 to")
    done = prune(run)
    same = ("months", "rows", "snapshots", "plans", "maps", "shadow_runs", "live_days")
    assert [told[name] for name in same] == [done[name] for name in same]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_person_is_shown_what_goes_and_asked_once(msp: Msp, run: Run) -> None:
    lived(msp, run, 5)
    run.map_kept = True
    before = rows(run.state)
    sitting = Person(run)
    code, shown = sitting("state prune --keep 2", ("Remove it? [y/N]:", "n\n"))
    assert code == 0
    assert "To be removed:" in shown
    assert shown.rstrip().endswith("Nothing was removed.")
    assert rows(run.state) == before
    code, shown = sitting("state prune --keep 2", ("Remove it? [y/N]:", "y\n"))
    assert code == 0
    assert "Removed:" in shown
    assert rows(run.state) < before
    sitting.end()


def test_it_waits_for_no_other_run(msp: Msp, run: Run) -> None:
    lived(msp, run, 5)
    now = datetime.now(UTC)
    with one_run_at_a_time(run.state, who="night@server", pid=7, command="connector nightly", now=now):
        held = run("state", "prune", "--keep", "2")
    assert (held.exit_code, held.json["error"]["code"]) == (4, "RUN_IN_PROGRESS")
    assert asked(run.state, "SELECT count(*) FROM usage WHERE pruned_at IS NOT NULL") == [(0,)]


def test_the_names_of_rows_that_are_gone_are_still_hidden_from_a_ticket(msp: Msp, run: Run) -> None:
    lived(msp, run, 8)
    with ticket_of(run.state) as ticket:
        before = set(ticket.names())
    prune(run)
    with ticket_of(run.state) as ticket:
        assert before <= set(ticket.names())
        assert ticket.faults == []
    assert ("serial", "X1B9NOBODY1") in before


def test_a_disk_without_room_for_a_copy_keeps_the_file_as_large_as_it_was_and_sound(
    msp: Msp, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(msp, run, 5)
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Full())
    done = prune(run)
    assert done["rows"] > 0
    assert "Make room and run it again" in done["note"]
    again = run.text("state", "prune", "--keep", "2").stdout
    assert again.startswith("Nothing is old enough: the newest 2 months")
    assert "Make room and run it again" in again
    monkeypatch.undo()
    assert prune(run)["note"] == ""
    assert asked(run.state, "PRAGMA freelist_count") == [(0,)]


class _Full:
    free = 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_disk_that_is_full_is_told_and_nothing_is_lost(msp: Msp, run: Run) -> None:
    lived(msp, run, 6)
    run("usage", "months")
    size = (run.state / "connector.db").stat().st_size
    with files_no_larger_than(size // 3):
        full = run("state", "prune", "--keep", "2")
    assert full.exit_code in {0, 2}
    assert check_file(run.state) == ()
    assert prune(run)["rows"] >= 0
    digest = run("plan").json["digest"]
    assert run("plan").json["digest"] == digest


def test_the_room_is_given_back_the_second_time_without_a_copy(
    msp: Msp, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(msp, run, 6)
    first = prune(run, keep=4)
    assert first["bytes_after"] < first["bytes_before"]
    assert asked(run.state, "PRAGMA auto_vacuum") == [(2,)]
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Full())
    second = prune(run)
    assert second["rows"] > 0
    assert second["note"] == ""
    assert asked(run.state, "PRAGMA freelist_count") == [(0,)]


def test_a_process_killed_at_any_moment_of_it_leaves_a_ledger_that_plans_the_same(msp: Msp, run: Run) -> None:
    lived(msp, run, 5)
    digest = run("plan").json["digest"]
    log, copy = run.folder / "moments", run.folder / "copy.db"
    with closing(sqlite3.connect(run.state / "connector.db")) as database:
        database.execute("VACUUM INTO ?", (str(copy),))

    def die(moment: int) -> Path:
        state = run.folder / f"state-{moment}"
        state.mkdir()
        (state / "connector.db").write_bytes(copy.read_bytes())
        given = {name: value for name, value in os.environ.items() if not is_ours(name)}
        ours = {name: value for name, value in run.environment({}).items() if value is not None}
        subprocess.run(
            [sys.executable, str(DYING), "state", "prune", "--keep", "2", "--yes"],
            cwd=run.folder,
            env={**given, **ours, "CONNECTOR_STATE": str(state), "DIE_AT": str(moment), "DIE_LOG": str(log)},
            capture_output=True,
            check=False,
        )
        return state

    whole = die(0)
    moments = log.read_text("utf-8").splitlines()
    left = rows(whole)
    writing = [
        int(line.split()[0])
        for line in moments
        if any(word in line for word in ("BEGIN", "UPDATE", "DELETE", "COMMIT", "INSERT", "VACUUM", "PRAGMA"))
    ]
    assert len(writing) > 30
    for moment in writing[:: max(1, len(writing) // 12)]:
        state = die(moment)
        assert check_file(state) == (), moments[moment - 1]
        assert run("plan", CONNECTOR_STATE=str(state)).json["digest"] == digest, moments[moment - 1]
        prune(run, "--yes", state=state)
        assert rows(state) <= left + 20, moments[moment - 1]
        assert asked(state, "SELECT count(*) FROM usage WHERE pruned_at IS NOT NULL")[0][0] > 0


def test_a_ledger_of_an_earlier_version_has_the_same_rows_and_views_after_the_upgrade(
    msp: Msp, run: Run
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.maps("XGS-MSP", item="SOPHOS-FIREWALL")
    msp.firewall("X1A7ALDER01", "XGS-MSP")
    msp.mappings["firewalls"] = {"X1A7ALDER01": alder.tenant}
    run("sync")
    before = run.folder / "before"
    before.mkdir()
    with closing(sqlite3.connect(before / "connector.db")) as database:
        migrations.apply(Database(database), stop_before="pruning")
        database.execute("ATTACH ? AS new", (str(run.state / "connector.db"),))
        for name in ("runs", "usage_rows", "tenants", "firewalls"):
            database.execute(f"INSERT INTO main.{name} SELECT * FROM new.{name}")  # noqa: S608  (ours)
        columns = "id, period, source, hash, rows, fetched_at, file, origin"
        database.execute(f"INSERT INTO main.usage SELECT {columns} FROM new.usage")  # noqa: S608
        database.execute("CREATE VIEW of_my_own AS SELECT * FROM usage_rows")
        database.commit()
    with Ledger(before) as upgraded:
        assert upgraded.query("SELECT * FROM usage")[0]["pruned_at"] is None
    assert check_file(before) == ()
    for query in ("SELECT * FROM usage_rows", "SELECT * FROM v_firewalls"):
        assert asked(before, query) == asked(run.state, query) != []
    # So has a view that somebody made there, and a later upgrade can go on.
    assert asked(before, "SELECT * FROM of_my_own") == asked(run.state, "SELECT * FROM usage_rows")
    asked(before, "ALTER TABLE nights RENAME TO nights_once")


def test_live_counts_of_other_days_go(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    for day in ("2026-11-02", "2026-11-03", "2026-11-04"):
        assert run("plan", "--source", "live", CONNECTOR_TODAY=day).exit_code in {0, 3}
    assert prune(run)["live_days"] == 2
    assert {row[0] for row in asked(run.state, "SELECT day FROM live_counts")} == {"2026-11-04"}
    with Ledger(run.state) as ledger:
        assert ledger.query("SELECT 1 FROM usage WHERE source = 'live'")
