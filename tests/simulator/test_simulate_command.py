"""`connector simulate` as a load to measure against: latency and limits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

Served = Callable[..., dict[str, str]]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serves a small world with these options and returns its settings."""
    started: list[subprocess.Popen[str]] = []

    def serve(*options: str) -> dict[str, str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", "simulate", "--tenants", "2", *options],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        lines = list(iter(process.stdout.readline, "\n"))
        return dict(line.rstrip("\n").split("=", 1) for line in lines)

    yield serve
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def whoami(settings: dict[str, str]) -> int:
    return requests.get(f"{settings['SOPHOS_API_URL']}/whoami/v1", timeout=30).status_code


def test_each_request_takes_the_latency_that_was_asked_for(served: Served) -> None:
    settings = served("--latency", "150")
    began = time.monotonic()
    assert whoami(settings) == 401
    assert time.monotonic() - began >= 0.15


def test_the_vendors_limits_hold_only_when_asked_for(served: Served) -> None:
    free, limited = served(), served("--limits")
    assert {whoami(free) for _ in range(110)} == {401}
    assert {whoami(limited) for _ in range(110)} == {401, 429}
