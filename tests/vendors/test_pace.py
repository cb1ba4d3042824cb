"""Sliding windows over requests, with a clock of our own."""

import heapq
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.vendors.pace import CONNECTWISE_BUCKET, SOPHOS_WINDOWS, Pace, Window


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


def test_what_a_small_customer_base_needs_goes_at_once_and_a_thousand_tenants_take_four_seconds() -> None:
    clock = Clock()
    sent = moments(Pace(SOPHOS_WINDOWS, clock=clock, sleep=clock.sleep), clock, 28)

    assert sent[:8] == [1000.0] * 7 + [1001.02]
    assert sent[-1] - sent[0] < 4


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=30, max_size=90))
def test_however_long_answers_take_and_requests_are_held_up_sophos_meets_no_eleven_in_a_second(
    delays: list[tuple[float, float]],
) -> None:
    clock = Clock()
    pace = Pace(SOPHOS_WINDOWS, clock=clock, sleep=clock.sleep)
    ready = [clock.now] * 3  # usage, tenants and firewalls are read side by side, each page after the last
    came = []
    for on_its_way, answered_after in delays:
        clock.now = heapq.heappop(ready)
        pace.wait()
        came.append(clock.now + on_its_way)
        heapq.heappush(ready, came[-1] + answered_after)

    came.sort()
    assert all(later - earlier > 1 for earlier, later in zip(came, came[10:], strict=False))


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


def test_a_night_of_a_thousand_agreements_never_waits_and_what_goes_on_longer_is_slowed_down() -> None:
    clock = Clock()
    pace = Pace(bucket=CONNECTWISE_BUCKET, clock=clock, sleep=clock.sleep)
    slept = []
    for _ in range(2000):
        before = clock()
        pace.wait()
        slept.append(clock() - before)
        clock.now += 0.025  # four at a time, 100 ms each

    assert set(slept[:1010]) == {0.0}
    assert slept[-1] == pytest.approx(1 / 15 - 0.025)


def test_what_leaves_at_once_is_never_more_than_the_bucket_holds() -> None:
    clock = Clock()
    sent = moments(Pace(bucket=CONNECTWISE_BUCKET, clock=clock, sleep=clock.sleep), clock, 1000)

    assert sent[899] == 1000.0
    assert [sent[900 + n] - 1000.0 for n in (0, 29, 99)] == [pytest.approx((n + 1) / 15) for n in (0, 29, 99)]


@pytest.mark.parametrize("how", [{"windows": SOPHOS_WINDOWS}, {"bucket": CONNECTWISE_BUCKET}])
def test_after_a_pause_everybody_goes_on_one_by_one(how: dict[str, Any]) -> None:
    clock = Clock()
    pace = Pace(**how, clock=clock, sleep=clock.sleep)
    turn = pace.wait()
    clock.now += 0.5

    pace.pause(7, turn)
    sent = moments(pace, clock, 5)

    assert sent[0] == pytest.approx(1007.5, abs=0.1)
    assert all(later - earlier >= 0.125 for earlier, later in pairwise(sent))
    clock.now += 600
    assert len(set(moments(pace, clock, 2))) == 1, "once it is long ago, they go together again"


def test_the_vendor_s_bucket_is_thought_empty_after_a_pause() -> None:
    clock = Clock()
    pace = Pace(bucket=CONNECTWISE_BUCKET, clock=clock, sleep=clock.sleep)
    pace.pause(1, pace.wait())

    sent = moments(pace, clock, 301)

    assert sent[-1] - sent[0] == pytest.approx(300 / 15, abs=0.5)


def test_a_refusal_that_names_no_time_means_thirty_seconds() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    pace.pause(None, pace.wait())

    assert moments(pace, clock, 1) == [1030.0]


def test_those_who_are_refused_together_make_one_pause_and_the_longest_time_counts() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    turns = [pace.wait() for _ in range(4)]
    for turn, seconds in zip(turns, (3, 9, 1, 2), strict=True):
        pace.pause(seconds, turn)

    assert pace.pauses == 1
    turn = pace.wait()
    assert clock() == 1009.0
    pace.pause(1, turn)
    assert pace.pauses == 2


def test_who_was_about_to_leave_when_the_pause_begins_waits_for_its_end() -> None:
    clock = Clock()
    began: list[float] = []

    def sleep(seconds: float) -> None:
        if not began:
            began.append(clock())
            pace.pause(20, 0)
        clock.now += seconds

    pace = Pace((Window(1, 1.0),), clock=clock, sleep=sleep)

    assert moments(pace, clock, 2) == [1000.0, 1020.0]
