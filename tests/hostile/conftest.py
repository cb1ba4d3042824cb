"""What every hostile test needs: nothing waits between attempts, and a desk."""

from collections.abc import Iterator

import pytest
import stamina
from hostile.desk import Desk, desk
from waiting import pause_briefly


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pause_briefly(monkeypatch)
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def at_desk() -> Iterator[Desk]:
    """An MSP without customers yet, behind a server that can lie."""
    with desk() as made:
        yield made
