"""Worlds in which things go wrong, quickly."""

import time
from datetime import date

import pytest
from waiting import SHORTEST

from connector.simulator import World


@pytest.fixture
def seed() -> int:
    """The seed of the world; tests of chance give their own."""
    return 0


@pytest.fixture
def world(seed: int) -> World:
    """An empty world on 28 October 2026, when Sophos has published October."""
    return World(seed=seed, today=date(2026, 10, 28))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no wait of the connector, which runs in this process, last."""
    wait = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: wait(min(seconds, SHORTEST)))
