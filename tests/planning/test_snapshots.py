"""Which stored state of a month is in force."""

from connector.model import Period
from connector.planning.snapshots import Snapshot, ranked

OCTOBER = Period(2026, 10)


def kept(number: int, source: str = "sophos-api", *, at: int = 1, last_run: int = 0) -> Snapshot:
    """Return a snapshot that was found so at a second."""
    stamp = f"2026-11-01T00:00:{at:02}+00:00"
    return Snapshot(number, OCTOBER, source, 3, stamp, stamp, last_run=last_run)


def in_force(*found: Snapshot) -> list[int]:
    """Return the numbers of those in force."""
    return [each.number for each in ranked(found) if each.in_force]


def test_what_was_read_last_is_in_force_also_where_sophos_went_back_to_it() -> None:
    assert in_force(kept(1, at=1), kept(2, at=2)) == [2]
    assert in_force(kept(1, at=3), kept(2, at=2)) == [1]


def test_within_one_second_the_later_run_tells() -> None:
    assert in_force(kept(1, last_run=9), kept(2, last_run=8)) == [1]


def test_a_file_that_was_imported_later_is_in_force_whichever_file_a_run_used() -> None:
    assert in_force(kept(1, "file", last_run=9), kept(2, "file")) == [2]


def test_each_source_has_one_in_force_and_only_several_states_are_a_restatement() -> None:
    stored = ranked([kept(1), kept(2, at=2), kept(3, "file")])
    assert [(each.number, each.in_force, each.restated) for each in stored] == [
        (2, True, True),
        (3, True, False),
        (1, False, True),
    ]


def test_the_newest_month_comes_first() -> None:
    old = Snapshot(7, Period(2026, 9), "file", 1, "2026-12-01", "2026-12-01")
    assert [each.number for each in ranked([old, kept(1)])] == [1, 7]
