"""Lets the connector, where it runs in this process, wait for no vendor's limits."""

import time
from types import SimpleNamespace

import pytest

SHORTEST = 0.02
"""Seconds that a run really waits where it keeps below a vendor's limits or pauses for one."""


def pause_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every wait for a vendor's limits a short one."""
    short = SimpleNamespace(monotonic=time.monotonic, sleep=lambda wait: time.sleep(min(wait, SHORTEST)))
    monkeypatch.setattr("connector.vendors.pace.time", short)
