"""What is measured: four nights of one MSP, each prepared, run, and looked at afterwards."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.big_msp import LINES, BigMsp
from bench.bounds import shortest_seconds
from bench.fewest import Mode, Work, fewest
from bench.kinds import WRITES, by_kind
from bench.measured import Cost, Measured, measure
from connector.cli.rehearsal import only_these, write_map
from connector.cli.simulate import simulated_settings
from connector.simulator import Addition, Request, Simulator

Scenario = Literal["quiet", "first", "tenth", "all"]
SCENARIOS: tuple[Scenario, ...] = ("quiet", "first", "tenth", "all")
MODES: tuple[Mode, ...] = ("report", "calls")
PREPARED_BY_RUNS = 1_000
"""Up to so many tenants a real first run bills September; above, marked lines are put there and found."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Weather:
    """How the vendors behave while a scenario is measured."""

    latency: float = 0.1
    """Seconds for each request."""
    limits: bool = True
    patience: float = 900.0
    """A scenario that needs more seconds than that is measured without latency and limits, and marked."""

    @property
    def as_it_is(self) -> bool:
        """Return whether a wall time in it means anything."""
        return self.latency > 0 and self.limits


USUAL_LATENCY = 0.1
CALM = Weather(0, limits=False)


@dataclass(frozen=True, slots=True)
class Night:
    """One scenario that was measured."""

    tenants: int
    scenario: Scenario
    mode: Mode
    cost: Cost
    requests: Mapping[str, int]
    """By kind, throttled ones left out."""
    fewest: Mapping[str, int]
    throttled: int
    """Requests answered with 429."""
    latency: float
    real_time: bool
    """Whether latency and limits were on."""
    faults: tuple[str, ...]
    """What was not as it must be; a figure with a fault is none."""

    @property
    def lines(self) -> int:
        """Return the usage lines of a month."""
        return LINES * self.tenants

    @property
    def shortest_seconds(self) -> float:
        """Return what latency and limits allow at best for these requests, whether they were on or not."""
        return shortest_seconds(self.requests, self.latency)

    @property
    def ratio(self) -> float:
        """Return the requests made for each one that was needed."""
        return sum(self.requests.values()) / sum(self.fewest.values())

    @property
    def share_throttled(self) -> float:
        """Return which part of all answers was a 429."""
        return self.throttled / (sum(self.requests.values()) + self.throttled)


class Bench:
    """One MSP of one size, prepared once for all of its scenarios."""

    def __init__(self, tenants: int, folder: Path, weather: Weather, say: Say) -> None:
        self.msp = BigMsp(tenants)
        self._folder = folder
        self._weather = weather
        self._say = say
        self._others = self.msp.lines()
        self._billed: Sequence[Addition] = ()
        self._states: dict[tuple[str, Mode], Path] = {}
        write_map(self.msp.world, folder)

    def night(self, scenario: Scenario, mode: Mode) -> Night:
        """Measure one scenario, as the run that it is and with what it left behind."""
        msp, weather = self.msp, self._weather
        state = self._state_for(scenario, mode)
        msp.put_back(self._others if scenario == "first" else self._billed)
        work = self._work(scenario)
        least = fewest(msp.size(), work, mode)
        real_time = weather.limits and shortest_seconds(least, weather.latency) <= weather.patience
        self._say(f"{msp.tenants} tenants, {scenario}, {mode}: measuring")
        ended, requests = self._run(state, "2026-10", mode, weather if real_time else CALM)
        seen = Night(
            tenants=msp.tenants,
            scenario=scenario,
            mode=mode,
            cost=ended.cost,
            requests=dict(by_kind(requests)),
            fewest=least,
            throttled=_throttled(requests),
            latency=weather.latency or USUAL_LATENCY,
            real_time=real_time and weather.as_it_is,
            faults=(*_faults_of_run(ended, work), *self._faults_of_writes(requests, work)),
        )
        for fault in seen.faults:
            self._say(f"  not as it must be: {fault}")
        return seen

    def script(self) -> Night | None:
        """Measure an MSP's own script on the same quiet night, or return None if that takes too long."""
        msp, weather = self.msp, self._weather
        sequential = 3 * msp.tenants * weather.latency  # company, agreement, additions of each
        if sequential > weather.patience:
            self._say(
                f"{msp.tenants} tenants: an MSP's own script needs {sequential / 60:,.0f} min; left out"
            )
            return None
        self._september()
        msp.put_back(self._billed)
        msp.october_is_like_september()
        size = msp.size()
        self._say(f"{msp.tenants} tenants, an MSP's own script: measuring")
        with self._served("calls", weather) as simulator:
            settings = simulated_settings(simulator, self._folder)
            command = ["bench.baseline", "2026-10"]
            ended = measure(command, self._folder, only_these(os.environ, settings))
            requests = simulator.requests
        code = ended.cost.exit_code
        failed = [f"it ended with {code}: {ended.stderr[-500:]}"] if code else []
        return Night(
            tenants=msp.tenants,
            scenario="quiet",
            mode="calls",
            cost=ended.cost,
            requests=dict(by_kind(requests)),
            fewest=fewest(size, Work(), "calls"),
            throttled=_throttled(requests),
            latency=weather.latency or USUAL_LATENCY,
            real_time=weather.as_it_is,
            faults=(*failed, *self._faults_of_writes(requests, Work())),
        )

    # Preparing -----------------------------------------------------------------------------------

    def _state_for(self, scenario: Scenario, mode: Mode) -> Path:
        """Return a fresh copy of the state that a scenario begins with, and set October's usage."""
        state = self._folder / f"state-{scenario}-{mode}"
        shutil.rmtree(state, ignore_errors=True)
        if scenario == "first":
            self.msp.october_is_like_september()
            return state
        shutil.copytree(self._prepared("2026-10" if scenario == "quiet" else "2026-09", mode), state)
        if scenario == "quiet":
            self.msp.october_is_like_september()
        else:
            self.msp.october_changes_every(10 if scenario == "tenth" else 1)
        return state

    def _prepared(self, period: str, mode: Mode) -> Path:
        """Return the state after the night that billed a month, and after a quiet one in this mode.

        So what a night learns for the next one (whether it may read the report) has been learned.
        """
        if (period, mode) in self._states:
            return self._states[period, mode]
        state = self._folder / f"prepared-{period}-{mode}"
        shutil.copytree(self._prepared("2026-09", mode) if period == "2026-10" else self._september(), state)
        self.msp.put_back(self._billed)
        self.msp.october_is_like_september()
        self._say(f"{self.msp.tenants} tenants: preparing {period}, {mode}")
        self._prepare(state, period, mode, writes=0)
        self._states[period, mode] = state
        return state

    def _september(self) -> Path:
        """Return the state after September was billed, and let ConnectWise hold its lines."""
        state = self._folder / "september"
        if state.exists():
            return state
        msp = self.msp
        msp.put_back(self._others)
        writes = 0
        if msp.tenants > PREPARED_BY_RUNS:
            msp.bill_september_by_hand()
        else:
            writes = LINES * msp.tenants
        self._say(f"{msp.tenants} tenants: billing 2026-09")
        self._prepare(state, "2026-09", "report", writes)
        self._billed = msp.lines()
        return state

    def _prepare(self, state: Path, period: str, mode: Mode, writes: int) -> None:
        ended, requests = self._run(state, period, mode, CALM)
        made = _writes(requests)
        if ended.cost.exit_code or made != writes:
            raise SystemExit(
                f"Preparing {period} ended with {ended.cost.exit_code} and {made} writes, not {writes}:\n"
                f"{ended.stdout[-1000:]}\n{ended.stderr[-2000:]}"
            )

    # Running -------------------------------------------------------------------------------------

    def _run(
        self, state: Path, period: str, mode: Mode, weather: Weather
    ) -> tuple[Measured, tuple[Request, ...]]:
        with self._served(mode, weather) as simulator:
            settings = simulated_settings(simulator, self._folder) | {"CONNECTOR_STATE": str(state)}
            connector = "connector" if weather.limits else "bench.unhurried"
            ended = measure(
                [connector, "sync", period, "--json"], self._folder, only_these(os.environ, settings)
            )
            return ended, simulator.requests

    def _served(self, mode: Mode, weather: Weather) -> Simulator:
        """Serve the world with fresh limits; the API member may read reports in one of the modes only."""
        world = self.msp.world
        (world.rights.add if mode == "report" else world.rights.discard)("reports")
        world.sophos_limits = world.connectwise_limits = weather.limits
        return Simulator(world, latency=weather.latency)

    # Looking -------------------------------------------------------------------------------------

    def _work(self, scenario: Scenario) -> Work:
        """Return what a scenario has to do, from its words alone."""
        tenants = self.msp.tenants
        match scenario:
            case "quiet":
                return Work()
            case "first":
                return Work(LINES * tenants, tenants, tenants)
            case "tenth":
                changing = -(-tenants // 10)
                return Work(LINES * changing, changing)
            case "all":
                return Work(LINES * tenants, tenants)

    def _faults_of_writes(self, requests: Sequence[Request], work: Work) -> list[str]:
        said = self.msp.faults(self._others)
        made = _writes(requests)
        if made != work.writes or len(self.msp.world.history) != work.writes:
            said.append(f"{made} writes were sent and {len(self.msp.world.history)} made, not {work.writes}")
        return said


def _writes(requests: Sequence[Request]) -> int:
    return sum(
        request.vendor == "connectwise" and request.method in WRITES and request.status != 429
        for request in requests
    )


def _throttled(requests: Sequence[Request]) -> int:
    return sum(request.status == 429 for request in requests)


def _faults_of_run(ended: Measured, work: Work) -> list[str]:
    """Say what the run itself did not tell as it should."""
    if ended.cost.exit_code:
        return [f"it ended with {ended.cost.exit_code}: {ended.stdout[-500:]} {ended.stderr[-500:]}"]
    told = [outcome["outcome"] for outcome in json.loads(ended.stdout)["outcomes"]]
    return (
        [] if told == ["done"] * work.writes else [f"it told of {len(told)} outcomes, not {work.writes} done"]
    )
