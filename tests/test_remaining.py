"""How long the rest takes: by what was really done lately, and nothing before that can be known."""

import pytest

from connector.cli.terminal import Terminal
from connector.reports.remaining import Milestones, Remaining, time_left


def after(*marks: tuple[float, int], total: int = 800) -> Remaining:
    """Something that was so far at these moments."""
    remaining = Remaining()
    remaining.heard(0, total, 0.0)
    for at, done in marks:
        remaining.heard(done, total, at)
    return remaining


def steady(seconds: int, each_second: int, total: int) -> list[tuple[float, int]]:
    return [(float(at), at * each_second) for at in range(1, seconds + 1)]


def test_a_steady_pace_goes_on_as_it_was() -> None:
    assert after(*steady(30, 8, 800)).seconds(30.0) == 70


def test_before_there_is_something_to_judge_by_nothing_is_said() -> None:
    assert after((0.5, 2)).seconds(1.0) is None
    assert after((5.0, 2)).seconds(5.0) is None
    assert after((1.0, 10)).seconds(1.0) is None
    assert Remaining().seconds(9.0) is None


def test_a_pause_makes_it_grow() -> None:
    remaining = after(*steady(30, 8, 800))

    assert [remaining.seconds(at) for at in (30.0, 60.0, 90.0)] == [70, 140, 210]


def test_a_pause_long_ago_is_forgotten() -> None:
    marks = [(1.0, 10), (120.0, 20), *((120.0 + at, 20 + 4 * at) for at in range(1, 100))]

    assert after(*marks).seconds(219.0) == 96


def test_it_is_never_nothing_while_something_is_left() -> None:
    assert after((10.0, 100_000), total=100_001).seconds(10.0) == 1
    assert after((10.0, 100), total=100).seconds(10.0) is None


def test_what_was_done_before_it_began_does_not_make_it_look_quick() -> None:
    remaining = Remaining()
    for at, done in ((0.0, 700), (10.0, 710)):
        remaining.heard(done, 800, at)

    assert remaining.seconds(10.0) == 90


def test_nobody_knows_how_long_where_nobody_knows_how_much() -> None:
    remaining = Remaining()
    remaining.heard(50, None, 10.0)

    assert remaining.seconds(10.0) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "about 1 s left"),
        (119, "about 119 s left"),
        (121, "about 3 min left"),
        (7200, "about 2 h 0 min left"),
        (8000, "about 2 h 14 min left"),
    ],
)
def test_it_is_said_as_exactly_as_it_can_be(seconds: int, said: str) -> None:
    assert time_left(seconds) == said


def test_a_line_comes_each_tenth_but_not_twice_in_five_seconds_and_every_half_minute_anyway() -> None:
    milestones = Milestones(0.0)
    heard = [(1.0, 400), (6.0, 410), (9.0, 700), (12.0, 720), (20.0, 721), (42.0, 721), (50.0, 721)]

    assert [milestones.due(done, 800, at) for at, done in heard] == [
        False, True, False, True, False, True, False,
    ]  # fmt: skip
    assert not milestones.due(5, None, 1000.0)


def test_people_who_asked_for_it_are_told_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    terminal = Terminal(verbose=True, clock=lambda: now[0])
    terminal.stage("Writing to ConnectWise")
    for second in range(31):
        now[0] = float(second)
        terminal.progress(8 * second, 800)

    told = capsys.readouterr().err.splitlines()

    assert told[0] == "Writing to ConnectWise ..."
    assert told[1] == "Writing to ConnectWise: 80 of 800, about 90 s left"
    assert told[-1] == "Writing to ConnectWise: 240 of 800, about 70 s left"
    assert len(told) == 4
