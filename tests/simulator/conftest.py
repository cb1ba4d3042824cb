"""The demo's world, served."""

from collections.abc import Iterator

import pytest

from connector.simulator import Simulator, World, small_world


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world) as running:
        yield running
