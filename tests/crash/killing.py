"""Runs `connector sync` as a real process and kills it at a chosen point."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from crash.restless import Restless
from months.calling import Processes, Run
from months.msp import Msp

from connector.simulator import Simulator, World

DYING = Path(__file__).with_name("dying.py")
ATTEMPTS = 3
NEVER = 10**9


@dataclass(frozen=True)
class Point:
    """A moment to die at: the n-th request (before or after it counts), or the n-th moment of the ledger."""

    kind: str
    number: int


@dataclass
class Scene:
    """One world, one state folder, and the processes that work on them."""

    restless: Restless
    run: Run
    processes: Processes

    def killed_at(self, point: Point) -> bool:
        """Run a sync that dies at this point; return whether it lived to reach it."""
        if point.kind == "ledger":
            return self._killed_by_the_ledger(point.number)[0] == -signal.SIGKILL
        seen = 0

        def kill(*_: object) -> None:
            nonlocal seen
            seen += 1
            if seen == point.number:
                process.kill()
                process.wait()

        simulator = self.run.simulator
        if point.kind == "before request":
            simulator.before_request = kill
        else:
            simulator.after_commit = kill
        process = self.processes.start("sync")
        process.communicate(timeout=60)
        simulator.before_request = simulator.after_commit = None
        return process.returncode == -signal.SIGKILL

    def moments(self) -> list[str]:
        """Run a sync to its end; return every moment of the ledger that it went through."""
        code, moments = self._killed_by_the_ledger(NEVER)
        assert code == 0
        return moments

    def requests(self) -> int:
        """Run a sync to its end; return how many requests it sent."""
        before = len(self.run.simulator.requests)
        assert self.run("sync").exit_code == 0
        return len(self.run.simulator.requests) - before

    def recovered(self) -> None:
        """Run again until it is done, as a nightly job would, and look at everything."""
        codes = []
        for _ in range(ATTEMPTS):
            codes.append(self.run("sync", CONNECTOR_TIMEOUT="1").exit_code)
            if codes[-1] == 0:
                break
        assert codes[-1] == 0, codes
        self.restless.check()
        assert self.run("sync").writes == []
        assert self.run("state", "check").exit_code == 0

    def _killed_by_the_ledger(self, die_at: int) -> tuple[int, list[str]]:
        log = self.run.folder / "moments.txt"
        log.unlink(missing_ok=True)
        settings = {name: value for name, value in self.run.environment({}).items() if value is not None}
        self.run.prepare()
        done = subprocess.run(
            [sys.executable, str(DYING), "sync"],
            cwd=self.run.folder,
            env={
                "PATH": "",
                **settings,
                "DIE_AT": str(die_at),
                "DIE_LOG": str(log),
                "PYTHONPATH": ":".join(sys.path),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode, log.read_text(encoding="utf-8").splitlines()


@contextmanager
def scene(folder: Path, monkeypatch: pytest.MonkeyPatch, absent: str, customers: int = 0) -> Iterator[Scene]:
    """Set up a fresh world whose restless month has come, and look at every word and request afterwards."""
    folder.mkdir(parents=True)
    world = World(today=date(2026, 10, 28))
    with Simulator(world) as simulator:
        msp = Msp(world)
        msp.maps("CIXA-MSP", item="SOPHOS-ENDPOINT")
        msp.maps("CEMA-MSP", item="SOPHOS-EMAIL")
        run = Run(simulator, msp, folder, monkeypatch)
        processes = Processes(run)
        restless = Restless(msp, run, absent, crowd=customers)
        restless.begin()
        try:
            yield Scene(restless, run, processes)
        finally:
            processes.end()
        run.check()
