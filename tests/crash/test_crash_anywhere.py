"""Pull the plug at every moment of a run: the next one bills each key once and right (rules 21 and 23).

The whole of it runs with `pytest -m crash`; a representative part runs always.
"""

import random
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from crash.killing import Point, Scene, scene

SHARDS = 8
Stage = Callable[..., AbstractContextManager[Scene]]
Record = Callable[[str, object], None]

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


@dataclass
class Figures:
    """What a test did and found."""

    tried: int = 0
    killed: int = 0
    duplicates: int = 0
    lost: int = 0

    def look_at(self, scene: Scene) -> None:
        """Let the scene recover, count what is wrong then, and insist that nothing is."""
        try:
            scene.recovered()
        finally:
            self.duplicates += scene.restless.duplicates()
            self.lost += scene.restless.lost()

    def note(self, record_property: Record) -> None:
        """Keep the figures for the end of the suite."""
        record_property("kill points tried", self.tried)
        record_property("runs killed", self.killed)
        record_property("duplicates", self.duplicates)
        record_property("lost", self.lost)


def kill_and_recover(stage: Stage, absent: str, points: Iterable[Point]) -> Figures:
    """Kill a run at each of these points, each in a world of its own."""
    figures = Figures()
    for point in points:
        with stage(absent) as scene:
            figures.tried += 1
            assert scene.killed_at(point), f"{point} was never reached"
            figures.killed += 1
            figures.look_at(scene)
    return figures


@pytest.mark.parametrize(
    ("absent", "chosen"),
    [
        ("zero", [Point("before request", 13), Point("after request", 16), Point("ledger", 70)]),
        ("end", [Point("after request", 13), Point("before request", 20), Point("ledger", 95)]),
    ],
)
def test_a_run_killed_at_chosen_moments_is_finished_by_the_next(
    stage: Stage, record_property: Record, absent: str, chosen: list[Point]
) -> None:
    kill_and_recover(stage, absent, chosen).note(record_property)


@pytest.mark.crash
@pytest.mark.parametrize("absent", ["zero", "end"])
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_run_killed_anywhere_is_finished_by_the_next(
    stage: Stage, record_property: Record, absent: str, shard: int
) -> None:
    points = all_points(stage, absent)
    kill_and_recover(stage, absent, points[shard::SHARDS]).note(record_property)


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(6))
def test_power_lost_within_a_transaction_of_the_ledger_leaves_it_as_it_was_before(
    stage: Stage, record_property: Record, seed: int
) -> None:
    choose = random.Random(seed)
    with stage("zero") as whole:
        moments = len(whole.moments())
    points = [Point("ledger", choose.randint(1, moments)) for _ in range(8)]
    kill_and_recover(stage, "zero", points).note(record_property)


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(8))
def test_a_larger_month_that_is_killed_again_and_again_is_finished_in_the_end(
    stage: Stage, record_property: Record, seed: int
) -> None:
    choose = random.Random(seed)
    with stage(choose.choice(["zero", "end"]), 24) as scene:
        figures = Figures()
        for _ in range(6):
            kind = choose.choice(["before request", "after request", "ledger"])
            figures.tried += 1
            figures.killed += scene.killed_at(Point(kind, choose.randint(1, 120)))
        assert figures.killed
        figures.look_at(scene)
    figures.note(record_property)
