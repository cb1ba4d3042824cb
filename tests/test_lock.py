"""One run at a time for each state folder (contract rule 24)."""

import json
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.errors import RunInProgress, StateFault
from connector.runs.lock import HOLDER_NAME, is_held, one_run_at_a_time

SINCE = datetime(2026, 10, 28, 2, 0, tzinfo=UTC)


def held(folder: Path) -> AbstractContextManager[None]:
    return one_run_at_a_time(folder, who="ada@msp", pid=4711, command="connector sync", now=SINCE)


def test_a_second_run_is_refused_at_once_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(RunInProgress) as caught, held(tmp_path):
        pass
    for word in ("ada@msp", "4711", "connector sync", "2026-10-28T02:00:00+00:00"):
        assert word in caught.value.message
    assert caught.value.exit_code == 4


def test_a_holder_that_has_not_said_who_it_is_refuses_all_the_same(tmp_path: Path) -> None:
    with held(tmp_path):
        (tmp_path / HOLDER_NAME).write_text(json.dumps({"who": "x"}), encoding="utf-8")
        with pytest.raises(RunInProgress, match="has not said"), held(tmp_path):
            pass


def test_the_folder_is_free_again_after_a_run_however_it_ended(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path):
        raise ZeroDivisionError
    with held(tmp_path):
        assert (tmp_path / HOLDER_NAME).exists()
    assert not (tmp_path / HOLDER_NAME).exists()


def test_a_note_that_a_killed_run_left_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / HOLDER_NAME).write_text('{"who": "a ghost"}', encoding="utf-8")
    with held(tmp_path):
        assert "ada@msp" in (tmp_path / HOLDER_NAME).read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_a_fault_of_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StateFault), held(tmp_path / "file" / "state"):
        pass


def test_whether_a_run_holds_the_folder_is_seen_without_a_trace(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert not is_held(folder)
    assert not folder.exists()
    with held(folder):
        assert is_held(folder)
    assert not is_held(folder)
    with held(folder):
        pass
