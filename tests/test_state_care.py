"""`state check`, `state backup` and `state rebuild`: the ledger's file is looked after."""

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from months.calling import Processes, Run
from months.msp import Msp

from connector.errors import CommandFault, StateFault
from connector.ledger import Ledger
from connector.ledger.care import back_up_file, check_file
from connector.planning.findings import Options


def spoil(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "connector.db")) as database, database:
        database.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            database.execute(statement)


def test_a_ledger_that_months_have_gone_into_is_whole(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 15)
    run("sync")
    checked = run("state", "check")
    assert (checked.exit_code, checked.json["findings"]) == (0, [])
    assert checked.json["schema"] == "connector.state/1"
    assert run.text("state", "check").stdout == "ok       the ledger is whole\n"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE changes SET outcome = 'dunno'", "an outcome that does not exist"),
        ("UPDATE changes SET outcome = 'unclear', sent_at = NULL", "nobody wrote down when"),
        ("DELETE FROM additions", "its addition is not on record"),
        ("DELETE FROM usage_rows", "a month's rows are not all there"),
        ("UPDATE plans SET run = 99", "refers to something that is not there"),
        ("UPDATE additions SET ended = 'soon'", "no end date that can be read"),
        ("UPDATE additions SET quantity = 'NaN'", "additions.quantity holds 'NaN', which is no quantity"),
        ("UPDATE additions SET quantity = 'many'", "which is no quantity"),
        ("UPDATE plans SET document = '{'", "plans.document holds '{', which is no JSON"),
    ],
)
def test_a_ledger_that_does_not_fit_together_is_found_out(
    msp: Msp, run: Run, statement: str, found: str
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    spoil(run.state, statement)
    checked = run("state", "check")
    assert checked.exit_code == 3
    assert found in " ".join(checked.json["findings"])
    assert "do: put a backup back" in run.text("state", "check").stdout


def test_a_page_of_the_file_that_is_gone_is_found_out(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    path = run.state / "connector.db"
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    path.write_bytes(content)
    assert run("state", "check").exit_code in {2, 3}


def test_there_must_be_a_ledger_to_check_or_copy(tmp_path: Path) -> None:
    with pytest.raises(StateFault, match="There is no ledger"):
        check_file(tmp_path)
    with pytest.raises(StateFault, match="There is no ledger"):
        back_up_file(tmp_path, tmp_path / "copy.db")
    (tmp_path / "connector.db").write_bytes(b"a letter, not a ledger" * 100)
    with pytest.raises(StateFault, match="cannot be used"):
        check_file(tmp_path)


def test_a_copy_made_in_the_middle_of_a_transaction_is_whole_and_of_one_moment(tmp_path: Path) -> None:
    with Ledger(tmp_path / "state") as ledger:
        ledger.begin_run("sync", Options(), who="me", version="1")
        with ledger._db.atomic():
            ledger._db.execute("UPDATE runs SET who = 'half-way'")
            assert back_up_file(tmp_path / "state", tmp_path / "copy.db") > 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT who FROM runs").fetchall() == [("me",)]
    assert not list(tmp_path.glob("copy.db?*"))
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_a_copy_can_be_made_while_a_run_holds_the_folder(msp: Msp, run: Run, run_process: Processes) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    copies: list[int] = []

    def copy(vendor: str, *_: object) -> None:
        if vendor == "connectwise" and not copies:
            copies.append(back_up_file(run.state, run.folder / "copy.db"))

    run.simulator.before_request = copy
    assert run_process("sync").exit_code == 0
    run.simulator.before_request = None
    assert copies
    shutil.rmtree(run.state)
    run.state.mkdir()
    shutil.copy(run.folder / "copy.db", run.state / "connector.db")
    assert run("state", "check").exit_code == 0
    assert (run("sync").exit_code, run("sync").writes) == (0, [])


def test_a_backup_never_replaces_a_file(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    made = run("state", "backup", "my copy.db")
    assert (made.exit_code, made.json["path"]) == (0, str(run.folder / "my copy.db"))
    assert made.json["bytes"] == (run.folder / "my copy.db").stat().st_size
    again = run("state", "backup", "my copy.db")
    assert (again.exit_code, again.json["error"]["code"]) == (2, "COMMAND")
    with pytest.raises(CommandFault):
        back_up_file(run.state, run.folder / "my copy.db")


def test_a_backup_that_cannot_be_written_leaves_nothing(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    assert run("state", "backup", "no such folder/copy.db").exit_code == 2
    assert not list(run.folder.glob("**/*.part"))


def test_a_rebuilt_state_knows_its_lines_also_where_the_map_no_longer_leads(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    line = alder.line()
    alder.has("SOPHOS-EMAIL", 5)
    del msp.mappings["tenants"][alder.tenant]
    shutil.rmtree(run.state)
    lost = run("plan")
    assert lost.warnings == []

    rebuilt = run("state", "rebuild")
    assert (rebuilt.exit_code, rebuilt.writes) == (0, [])
    assert [it["addition_id"] for it in rebuilt.json["additions"]] == [line.id]
    assert run("plan").warnings == ["OFF_STILL_BILLING"]
    assert run.text("state", "rebuild").stdout.startswith("0 additions of ours")


def test_the_group_alone_shows_its_help(run: Run) -> None:
    shown = run.text("state")
    assert shown.exit_code == 0
    assert all(name in shown.stdout for name in ("check", "backup", "rebuild"))
