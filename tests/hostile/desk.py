"""A desk of its own for each hypothesis example: a world, its servers, and the connector between them."""

import json
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hostile.between import Between, Exchange, Reply
from months.calling import Run
from months.msp import Msp

from connector.simulator import Simulator, World


@dataclass
class Desk:
    """One MSP whose connector talks to the simulator through a server that can lie."""

    world: World
    msp: Msp
    simulator: Simulator
    between: Between
    run: Run

    @property
    def spoil(self) -> Callable[[Exchange], Reply | None] | None:
        """What the server between does to answers."""
        return self.between.spoil

    @spoil.setter
    def spoil(self, spoil: Callable[[Exchange], Reply | None] | None) -> None:
        self.between.spoil = spoil

    @property
    def committed(self) -> int:
        """How many changes ConnectWise has carried out."""
        return len(self.world.history)

    def start_anew(self) -> None:
        """Forget the state folder and every addition; companies, agreements and items stay."""
        shutil.rmtree(self.run.state, ignore_errors=True)
        for addition_id in list(self.world.additions):
            del self.world.additions[addition_id]
        self.world.history.clear()
        self.simulator.clear_requests()
        self.run.said.clear()
        self.spoil = None


@contextmanager
def desk() -> Iterator[Desk]:
    """Serve an empty world; at the end every word and every file is looked at."""
    world = World(today=date(2026, 10, 28))
    msp = Msp(world)
    msp.maps("CIXA-MSP", item="SOPHOS-ENDPOINT")
    msp.maps("CEMA-MSP", item="SOPHOS-EMAIL")
    with (
        Simulator(world) as simulator,
        Between(simulator) as between,
        pytest.MonkeyPatch.context() as monkeypatch,
        tempfile.TemporaryDirectory() as scratch,
    ):
        monkeypatch.setenv("NETRC", f"{scratch}/no-netrc")
        folder = Path(scratch) / "desk"
        folder.mkdir()
        run = Run(simulator, msp, folder, monkeypatch)
        run.settings |= between.settings()
        yield Desk(world, msp, simulator, between, run)
        run.check()


def edited(path: str, edit: Callable[[Any], Any], method: str = "GET") -> Callable[[Exchange], Reply | None]:
    """Return what changes the JSON of good answers whose path matches; what it writes is plain ASCII."""

    def spoil(exchange: Exchange) -> Reply | None:
        if exchange.method != method or not re.search(path, exchange.path) or exchange.status >= 300:
            return None
        body = json.dumps(edit(json.loads(exchange.body))).encode("ascii")
        return Reply(body, exchange.status, exchange.headers)

    return spoil


def assert_harmless(text: str) -> None:
    """No control, direction or zero-width character, and no half of a pair, may reach a terminal."""
    raw = {
        f"U+{ord(letter):04X}"
        for letter in text
        if letter != "\n" and unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    }
    assert not raw, f"raw {sorted(raw)}"
