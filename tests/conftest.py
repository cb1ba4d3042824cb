"""A small world, both vendors serving it, and the connector's commands run against them."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import figures
import pytest
import stamina
from hypothesis import HealthCheck, settings
from months.calling import Processes, Run
from months.msp import Msp
from waiting import pause_briefly

from connector.simulator import Simulator, World

# A machine that is busy with other tests is slow, and that is no fault of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_configure() -> None:
    """Make a place for the figures of the crash and fault suites."""
    figures.begin()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the crash and fault suites did, if they ran."""
    figures.tell(terminalreporter)


@pytest.fixture
def world() -> World:
    """An empty world on 28 October 2026, when Sophos has published October."""
    return World(today=date(2026, 10, 28))


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    """Both vendors, serving this world."""
    with Simulator(world) as serving:
        yield serving


@pytest.fixture
def msp(world: World) -> Msp:
    """An MSP without customers yet, which bills endpoint and e-mail protection."""
    made = Msp(world)
    made.maps("CIXA-MSP", item="SOPHOS-ENDPOINT")
    made.maps("CEMA-MSP", item="SOPHOS-EMAIL")
    return made


@pytest.fixture
def run(simulator: Simulator, msp: Msp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in a scratch folder; after the test, every request and every word is looked at."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    stamina.set_testing(True, attempts=3, cap=True)  # nothing waits between attempts
    pause_briefly(monkeypatch)
    running = Run(simulator, msp, folder, monkeypatch)
    yield running
    stamina.set_testing(False)
    running.check()


@pytest.fixture
def run_process(run: Run) -> Iterator[Processes]:
    """Runs a command as a real process, where locks, signals or a kill matter."""
    processes = Processes(run)
    yield processes
    processes.end()
