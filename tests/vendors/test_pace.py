"""Sliding windows over requests, with a clock of our own."""

import threading

import pytest

from connector.vendors.pace import SOPHOS_WINDOWS, Pace, Window


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def moments(pace: Pace, clock: Clock, count: int) -> list[float]:
    found = []
    for _ in range(count):
        pace.wait()
        found.append(clock())
    return found


def test_eight_go_at_once_and_the_ninth_waits() -> None:
    clock = Clock()

    assert moments(Pace(SOPHOS_WINDOWS, clock=clock, sleep=clock.sleep), clock, 9) == [1000.0] * 8 + [1001.0]


@pytest.mark.parametrize("window", SOPHOS_WINDOWS)
def test_no_window_is_ever_overfull(window: Window) -> None:
    clock = Clock()
    sent = moments(Pace(SOPHOS_WINDOWS, clock=clock, sleep=clock.sleep), clock, 400)

    assert all(
        later - earlier >= window.seconds - 1e-6
        for earlier, later in zip(sent, sent[window.requests :], strict=False)
    )
    assert sent[-1] - sent[0] < 60 * 5


def test_who_is_slow_anyway_never_waits() -> None:
    clock = Clock()
    pace = Pace(SOPHOS_WINDOWS, clock=clock, sleep=lambda seconds: pytest.fail(f"slept {seconds}"))
    for _ in range(200):
        pace.wait()
        clock.now += 0.7


def test_threads_get_different_moments() -> None:
    waits: list[float] = []
    pace = Pace((Window(1, 1.0),), clock=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=pace.wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waits) == [1.0, 2.0, 3.0, 4.0]


def test_the_real_clock_is_the_default() -> None:
    Pace((Window(10, 0.001),)).wait()
