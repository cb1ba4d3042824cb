"""Pull the plug at every moment of a run: the next one bills each key once and right (rules 21 and 23).

The whole of it runs with `pytest -m crash`; a representative part runs always.
"""

import random
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from crash.killing import Point, Scene, scene
from figures import note

SHARDS = 8
Stage = Callable[..., AbstractContextManager[Scene]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Sets up a fresh scene in a folder of its own."""
    made = iter(range(10**6))

    def set_up(absent: str, customers: int = 0) -> AbstractContextManager[Scene]:
        return scene(tmp_path / f"scene{next(made)}", monkeypatch, absent, customers)

    return set_up


def all_points(stage: Stage, absent: str) -> list[Point]:
    """Return every request, before and after it counts, and the ledger's commits, before and after each."""
    with stage(absent) as whole:
        requests = whole.requests()
        whole.restless.check()
    with stage(absent) as whole:
        moments = whole.moments()
    commits = [int(line.split()[0]) for line in moments if "COMMIT" in line]
    assert requests > 15
    assert len(commits) > 20
    return [
        *(
            Point(kind, number)
            for number in range(1, requests + 1)
            for kind in ("before request", "after request")
        ),
        *(Point("ledger", number) for number in commits),
    ]


def recovers(scene: Scene) -> None:
    """Let the scene recover, count what is wrong then, and insist that nothing is."""
    try:
        scene.recovered()
    finally:
        note("crash suite", duplicates=scene.restless.duplicates(), lost=scene.restless.lost())


def kill_and_recover(stage: Stage, absent: str, points: Iterable[Point]) -> None:
    """Kill a run at each of these points, each in a world of its own."""
    for point in points:
        with stage(absent) as scene:
            note("crash suite", kill_points_tried=1)
            assert scene.killed_at(point), f"{point} was never reached"
            note("crash suite", runs_killed=1)
            recovers(scene)


@pytest.mark.parametrize(
    ("absent", "chosen"),
    [
        ("zero", [Point("before request", 13), Point("after request", 16), Point("ledger", 70)]),
        ("end", [Point("after request", 13), Point("before request", 20), Point("ledger", 95)]),
    ],
)
def test_a_run_killed_at_chosen_moments_is_finished_by_the_next(
    stage: Stage, absent: str, chosen: list[Point]
) -> None:
    kill_and_recover(stage, absent, chosen)


@pytest.mark.crash
@pytest.mark.parametrize("absent", ["zero", "end"])
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_run_killed_anywhere_is_finished_by_the_next(stage: Stage, absent: str, shard: int) -> None:
    points = all_points(stage, absent)
    kill_and_recover(stage, absent, points[shard::SHARDS])


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(6))
def test_power_lost_within_a_transaction_of_the_ledger_leaves_it_as_it_was_before(
    stage: Stage, seed: int
) -> None:
    choose = random.Random(seed)
    with stage("zero") as whole:
        moments = len(whole.moments())
    points = [Point("ledger", choose.randint(1, moments)) for _ in range(8)]
    kill_and_recover(stage, "zero", points)


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(8))
def test_a_larger_month_that_is_killed_again_and_again_is_finished_in_the_end(
    stage: Stage, seed: int
) -> None:
    choose = random.Random(seed)
    with stage(choose.choice(["zero", "end"]), 24) as scene:
        killed = 0
        for _ in range(6):
            kind = choose.choice(["before request", "after request", "ledger"])
            killed += scene.killed_at(Point(kind, choose.randint(1, 120)))
        note("crash suite", kill_points_tried=6, runs_killed=killed)
        assert killed
        recovers(scene)
