"""What the ledger remembers, and what it refuses."""

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH_ENDPOINT, OCTOBER, Month
from filelock import FileLock
from sqlite_utils import Database

from connector.errors import StateFault
from connector.ledger import Ledger
from connector.ledger.arrival import take_in
from connector.ledger.schema import KNOWN_STEPS, migrations
from connector.model import Addition, Firewall, Key, Tenant, UsageRow
from connector.planning.change import Feed, Kind, KnownAddition, Moved, Plan
from connector.planning.directory import Name
from connector.planning.findings import Options, Part

NOW = datetime(2026, 10, 28, 2, 0, tzinfo=UTC)
LINE = Addition(9001, *ALDER_ENDPOINT, Decimal("0.10"))
PARTS = (Part(ALDER, "CIXA-MSP", Decimal("0.10"), ("S1",)),)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "state", now=lambda: NOW) as opened:
        yield opened


def begin(ledger: Ledger, kind: str = "sync") -> int:
    return ledger.begin_run(kind, Options(), who="me@here", version="1")


def read(ledger: Ledger, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(ledger.path) as database:
        found = database.execute(sql).fetchall()
    database.close()
    return found


def planned(quantity: object = 12) -> Plan:
    return Month().uses(ALDER, "CIXA-MSP", quantity).plan()


@pytest.mark.parametrize("kind", ["create", "update"])
def test_a_line_is_written_down_in_as_many_steps_whether_there_are_few_others_or_many(
    ledger: Ledger, kind: Kind
) -> None:
    def steps() -> int:
        run = begin(ledger)
        change = replace(planned().changes[0], kind=kind, addition_id=LINE.id)
        (change_id,) = ledger.begin_applying(run, "d1", [change])
        ledger.record_sending(change_id, [])
        counted = []
        connection = ledger._db.conn  # nobody else may count
        connection.set_progress_handler(lambda: counted.append(1), 1)
        ledger.record_done(change_id, run, LINE)
        connection.set_progress_handler(None, 1)
        return len(counted)

    few = steps()
    parts = (Part(ALDER, "CIXA-MSP", Decimal(1)),)
    ledger.record_feeds(begin(ledger), (Feed(at, Key(at, 7), Decimal(1), parts) for at in range(1, 3000)))
    assert steps() < 2 * few


def test_an_open_change_remembers_the_prices_that_it_was_to_set(ledger: Ledger) -> None:
    priced = replace(planned().changes[0], unit_price=Moved(None, Decimal("3.50")))
    ids = ledger.begin_applying(begin(ledger), "d1", [priced, planned().changes[0]])
    for change_id in ids:
        ledger.record_sending(change_id, [])

    opened = ledger.open_changes()

    assert [(each.unit_price, each.unit_cost) for each in opened] == [(Decimal("3.5"), None), (None, None)]


def test_runs_are_numbered_and_one_without_an_end_was_killed(ledger: Ledger) -> None:
    assert (begin(ledger), begin(ledger)) == (1, 2)
    ledger.finish_run(2, 3, None)
    assert read(ledger, "SELECT id, exit_code, error FROM runs") == [(1, None, "KILLED"), (2, 3, None)]


def test_a_month_fetched_twice_is_stored_once_and_a_changed_one_beside_it(ledger: Ledger) -> None:
    rows = [UsageRow("CIXA-MSP", Decimal("0.10"), ALDER, received='{"productCode":"CIXA-MSP"}')]
    for _ in range(2):
        take_in(ledger, begin(ledger), OCTOBER, "sophos-api", rows)
    assert read(ledger, "SELECT quantity, received FROM usage_rows") == [
        ("0.1", '{"productCode":"CIXA-MSP"}')
    ]
    take_in(ledger, begin(ledger), OCTOBER, "sophos-api", [replace(rows[0], received="{}")])
    assert read(ledger, "SELECT usage FROM runs") == [(1,), (1,), (2,)]


def test_tenants_and_firewalls_are_remembered_as_last_seen(ledger: Ledger) -> None:
    ledger.record_seen([Tenant(ALDER, "Alder")], [Firewall("S1", tenant_id=ALDER)])
    ledger.record_seen([Tenant(ALDER, "Alder Group", status="suspended")], [Firewall("S1", "XGS 107")])
    assert read(ledger, "SELECT id, name, status FROM tenants") == [(ALDER, "Alder Group", "suspended")]
    assert read(ledger, "SELECT serial, model, tenant_id FROM firewalls") == [("S1", "XGS 107", None)]


def test_what_a_name_meant_first_is_what_stays(ledger: Ledger) -> None:
    name = Name("item", 0, "sophos-endpoint")
    ledger.learn_names({})
    ledger.learn_names({name: 48})
    ledger.learn_names({name: 99})
    assert ledger.names() == {name: 48}


def test_a_plan_is_found_by_its_digest_with_what_is_done_of_it(ledger: Ledger) -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).uses(ALDER, "CEMA-MSP", 3).plan(adopt=True)
    run = begin(ledger)
    ledger.store_plan(run, plan, "{}")
    first, second = ledger.begin_applying(run, plan.digest, plan.changes)
    ledger.record_sending(first, [7])
    ledger.record_done(first, run, LINE)
    ledger.record_outcome(second, "failed", "no", "req-1")
    stored = ledger.plan(plan.digest)
    assert stored is not None
    assert stored.options.adopt
    assert stored.writes == tuple(change.writes for change in plan.changes)
    assert stored.done == {plan.changes[0].writes}
    assert ledger.plan("nothing") is None


def test_a_change_is_open_from_before_its_request_until_after_its_answer(ledger: Ledger) -> None:
    plan, run = planned(), begin(ledger)
    (change,) = ledger.begin_applying(run, plan.digest, plan.changes)
    assert ledger.open_changes() == ()
    ledger.record_sending(change, [7, 5])
    (opened,) = ledger.open_changes()
    assert (opened.kind, opened.key, opened.after) == ("create", ALDER_ENDPOINT, Decimal(12))
    assert opened.seen == {5, 7}
    assert opened.sent_at == NOW
    assert (opened.mark, opened.effective) == ("sophos-sync:118:48", date(2026, 10, 1))
    ledger.record_outcome(change, "unclear", "time-out")
    assert len(ledger.open_changes()) == 1
    ledger.record_done(change, run, LINE)
    assert ledger.open_changes() == ()


def test_a_change_that_was_only_planned_when_the_run_died_was_not_tried(ledger: Ledger) -> None:
    plan = planned()
    ledger.begin_applying(begin(ledger), plan.digest, plan.changes)
    begin(ledger)
    assert read(ledger, "SELECT outcome FROM changes") == [("not_tried",)]


def test_an_addition_is_known_with_its_key_quantity_and_who_feeds_it(ledger: Ledger) -> None:
    plan, run = planned("0.10"), begin(ledger)
    (change,) = ledger.begin_applying(run, plan.digest, plan.changes)
    ledger.record_done(change, run, LINE)
    assert ledger.known_additions() == {
        9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal("0.1"), plan.changes[0].parts)
    }
    ledger.record_feeds(run, [Feed(9001, ALDER_ENDPOINT, Decimal(5), PARTS)])
    assert ledger.known_additions()[9001].parts == PARTS


def test_an_addition_that_we_ended_is_known_as_ended_by_us(ledger: Ledger) -> None:
    plan, run = planned(), begin(ledger)
    ending = replace(plan.changes[0], kind="end", addition_id=9001, effective=date(2026, 9, 30))
    (change,) = ledger.begin_applying(run, plan.digest, [ending])
    ledger.record_done(change, run, LINE)
    assert ledger.known_additions()[9001].ended == date(2026, 9, 30)


def test_a_new_line_makes_history_of_the_earlier_ones_of_its_key(ledger: Ledger) -> None:
    plan, run = planned(), begin(ledger)
    ledger.record_feeds(
        run, [Feed(1, ALDER_ENDPOINT, Decimal(5), ()), Feed(2, BIRCH_ENDPOINT, Decimal(5), ())]
    )
    (change,) = ledger.begin_applying(run, plan.digest, plan.changes)
    ledger.record_done(change, run, LINE, closes=[3])
    closed = {number for number, known in ledger.known_additions().items() if known.closed}
    assert closed == {1, 3}


def test_a_line_that_a_new_one_replaces_keeps_what_it_billed_and_which_run_wrote_it(ledger: Ledger) -> None:
    plan, run = planned(), begin(ledger)
    ledger.record_feeds(run, [Feed(1, ALDER_ENDPOINT, Decimal(5), PARTS)])
    later = begin(ledger)
    (change,) = ledger.begin_applying(later, plan.digest, plan.changes)
    ledger.record_done(change, later, LINE, closes=[1])
    assert ledger.known_additions()[1] == KnownAddition(1, ALDER_ENDPOINT, Decimal(5), PARTS, closed=True)
    assert read(ledger, "SELECT run FROM additions ORDER BY id") == [(run,), (later,)]


def test_the_newest_period_counts_only_once_its_guards_were_passed(ledger: Ledger) -> None:
    plan = planned()
    run = begin(ledger)
    take_in(ledger, run, OCTOBER, "sophos-api", [])
    assert ledger.newest_applied() is None
    ledger.begin_applying(run, plan.digest, plan.changes)
    assert ledger.newest_applied() == OCTOBER


def test_folder_and_file_are_the_owners_alone(ledger: Ledger) -> None:
    if os.name == "nt":
        assert ledger.path.exists()
        return
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


def test_a_new_file_has_every_step_and_an_older_one_is_brought_up_to_date(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        assert {step.name for step in migrations.applied(ledger._db)} == KNOWN_STEPS
        begin(ledger)
    with Ledger(tmp_path) as ledger:
        assert begin(ledger) == 2


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, sqlite3.connect(ledger.path) as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('connector', 'later', '')"
        )
    database.close()
    with pytest.raises(StateFault, match=r"newer version.*later"):
        Ledger(tmp_path)


@pytest.mark.parametrize(
    "content", [b"this is no database, it is a letter" * 100, b"SQLite format 3\x00" + b"x" * 4000]
)
def test_a_damaged_file_is_refused_with_a_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "connector.db").write_bytes(content)
    with pytest.raises(StateFault) as caught:
        Ledger(tmp_path)
    assert "connector.db" in caught.value.message
    assert "connector state rebuild" in caught.value.next_step


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("", encoding="utf-8")
    with pytest.raises(StateFault, match="cannot be used"):
        Ledger(tmp_path / "state")


def test_what_cannot_be_written_is_said_and_leaves_nothing_half_written(ledger: Ledger) -> None:
    plan = planned()
    run = begin(ledger)
    ledger._db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON changes BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(StateFault, match="disk full"):
        ledger.begin_applying(run, plan.digest, plan.changes)
    assert ledger.newest_applied() is None
    assert read(ledger, "SELECT applied FROM runs") == [(0,)]


def test_the_doctor_can_try_to_write(ledger: Ledger) -> None:
    before = ledger.path.read_bytes()
    ledger.check_writable()
    assert len(ledger.path.read_bytes()) >= len(before) > 0
    ledger._db.execute("PRAGMA query_only = 1")
    with pytest.raises(StateFault):
        ledger.check_writable()


@pytest.mark.parametrize("older", [False, True])
def test_commands_that_begin_at_the_same_moment_set_a_ledger_up_once(tmp_path: Path, older: bool) -> None:
    if older:
        with sqlite3.connect(tmp_path / "connector.db") as old:
            migrations.apply(Database(old), stop_before="maps_and_codes")
        old.close()
    starting = threading.Barrier(6)

    def begin(_: int) -> int:
        starting.wait(30)
        with Ledger(tmp_path) as ledger:
            return ledger.begin_run("plan", Options(), who="a@b", version="1")

    with ThreadPoolExecutor(6) as commands:
        numbers = list(commands.map(begin, range(6)))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_a_ledger_that_is_being_set_up_for_ever_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.ledger.store.OPENING_SECONDS", 0.05)
    with (
        FileLock(tmp_path / "connector.opening"),
        pytest.raises(StateFault, match="Another command has been setting up"),
    ):
        Ledger(tmp_path)
