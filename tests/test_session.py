"""What a run is made of: one limit for each vendor, and a wait for lost requests that nobody shortens."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from months.msp import Msp

from connector.mappings.load import parse_mappings
from connector.planning.findings import Options
from connector.runs.session import IN_FLIGHT_SECONDS, Setup, begun
from connector.runs.story import Silence
from connector.settings import Surroundings, read_settings
from connector.simulator import Simulator


@pytest.fixture
def setup(simulator: Simulator, msp: Msp, tmp_path: Path) -> Setup:
    text = msp.text()
    environment = simulator.settings() | {"CONNECTOR_TIMEOUT": "1"}
    return Setup(
        settings=read_settings(Surroundings(environment, tmp_path)),
        mappings=parse_mappings(text.encode(), "mappings.yaml"),
        state=tmp_path / "state",
        today=date(2026, 10, 28),
        now=lambda: datetime(2026, 10, 28, 2, tzinfo=UTC),
        who="me@here",
        pid=1,
        command="connector sync",
        story=Silence(),
    )


def test_all_clients_of_a_night_keep_one_limit_of_each_vendor(setup: Setup) -> None:
    assert setup.sophos().transport.pace is setup.sophos().transport.pace
    assert setup.connectwise().transport.pace is setup.connectwise().transport.pace


def test_a_short_time_out_does_not_shorten_the_wait_for_a_lost_request(setup: Setup) -> None:
    with begun(setup, "sync", Options()) as pipeline:
        assert pipeline.in_flight_seconds == IN_FLIGHT_SECONDS == 10
