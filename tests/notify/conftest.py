"""What every test of telling people needs: nothing waits between attempts, and an MSP with a nightly job."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from months.calling import is_ours
from months.msp import Msp
from notify.listening import PASSWORD, Hook, http
from notify.nights import Nights

from connector.simulator import Simulator


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in [name for name in os.environ if is_ours(name) or is_ours(name.upper())]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    stamina.set_testing(True, attempts=2, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Where people are told: a JSON hook."""
    with http() as serving:
        yield serving


@pytest.fixture
def nights(
    simulator: Simulator, msp: Msp, hook: Hook, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[Nights]:
    """An MSP's nights; afterwards nothing kept or said may hold a secret."""
    made = Nights(simulator, msp, tmp_path, [hook.address("json")])
    yield made
    kept = b"".join(path.read_bytes() for path in made.state.rglob("*") if path.is_file())
    said = "".join([*made.said, *capfd.readouterr()])
    world = msp.world
    for secret in (PASSWORD, world.private_key, world.public_key, world.sophos_client_secret, "secret-path"):
        assert secret.encode() not in kept, "a secret is in the state folder"
        assert secret not in said, "a secret was said"
