"""Pull the plug while a run is undone: the next undo ends it, and no line is lost or billed twice."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from crash.killing import DYING, NEVER
from figures import note
from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.simulator import Simulator, World

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")


class Undone:
    """One customer whom run 2 billed: a line adopted, one created, one raised; and the undoing of that."""

    def __init__(self, run: Run, msp: Msp) -> None:
        """Bill the month twice."""
        self.run = run
        self.alder = msp.customer("Alder", {"CIXA-MSP": 14})
        self.birch = msp.customer("Birch", {"CIXA-MSP": 40})
        self.theirs = self.alder.has(ENDPOINT, 12)
        assert run("sync").exit_code == 3
        self.alder.uses("CEMA-MSP", 3)
        self.birch.uses("CIXA-MSP", 43)
        assert run("sync", "--adopt").exit_code == 0

    @property
    def customers(self) -> tuple[Customer, Customer]:
        """Both of them."""
        return self.alder, self.birch

    def dies_at(self, moment: int) -> list[str]:
        """Undo run 2 in a process that dies at this moment of the ledger; return the moments it had."""
        log = self.run.folder / "moments.txt"
        settings = {name: value for name, value in self.run.environment({}).items() if value is not None}
        self.run.prepare()
        subprocess.run(
            [sys.executable, str(DYING), "runs", "undo", "2"],
            cwd=self.run.folder,
            env={
                "PATH": "",
                **settings,
                "DIE_AT": str(moment),
                "DIE_LOG": str(log),
                "PYTHONPATH": ":".join(sys.path),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return log.read_text(encoding="utf-8").splitlines()

    def recovers(self) -> None:
        """Undo again, and bill again; look at everything after each."""
        assert self.run("runs", "undo", "2").exit_code == 0
        assert [each.bills for each in self.customers] == [{ENDPOINT: 12, EMAIL: 0}, {ENDPOINT: 40}]
        assert not self.theirs.serial_number
        assert self.run("runs", "undo", "2").writes == []
        assert self.run("plan").held == ["NEEDS_ADOPTION"]
        assert self.run("sync", "--adopt").exit_code == 0
        assert [each.bills for each in self.customers] == [{ENDPOINT: 14, EMAIL: 3}, {ENDPOINT: 43}]
        assert self.run("sync").writes == []
        assert self.run("state", "check").exit_code == 0


@contextmanager
def undone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Undone]:
    """Set up a world of its own."""
    folder.mkdir()
    world = World(today=date(2026, 10, 28))
    with Simulator(world) as simulator:
        msp = Msp(world)
        msp.maps("CIXA-MSP", item=ENDPOINT)
        msp.maps("CEMA-MSP", item=EMAIL)
        run = Run(simulator, msp, folder, monkeypatch)
        yield Undone(run, msp)
        run.check()


def commits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the moments before and after each commit of an undo that lives."""
    with undone(folder, monkeypatch) as scene:
        moments = scene.dies_at(NEVER)
        scene.recovers()
    found = [int(line.split()[0]) for line in moments if "COMMIT" in line]
    assert len(found) > 16
    return found


def kill_and_recover(folder: Path, monkeypatch: pytest.MonkeyPatch, moments: list[int]) -> None:
    """Kill an undo at each of these moments, each in a world of its own."""
    for moment in moments:
        with undone(folder / str(moment), monkeypatch) as scene:
            assert len(scene.dies_at(moment)) == moment
            note("crash suite", kill_points_tried=1, runs_killed=1)
            scene.recovers()


def test_an_undo_killed_as_it_writes_down_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = commits(tmp_path / "whole", monkeypatch)

    kill_and_recover(tmp_path, monkeypatch, [found[len(found) // 2], found[-3]])


@pytest.mark.crash
def test_an_undo_killed_at_any_commit_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_and_recover(tmp_path, monkeypatch, commits(tmp_path / "whole", monkeypatch))
