"""What was found out about ConnectWise is believed for so long, and no longer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.ledger import Ledger
from connector.ledger.facts import fact, learn

NOON = datetime(2026, 10, 28, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize(
    ("later", "believed"),
    [
        (timedelta(0), True),
        (WEEK - timedelta(seconds=1), True),
        (WEEK, False),
        (timedelta(days=-1), False),
    ],
)
def test_a_fact_is_believed_while_it_is_young(tmp_path: Path, later: timedelta, believed: bool) -> None:
    clock = Clock()
    with Ledger(tmp_path, now=clock) as ledger:
        learn(ledger, "pages", {"pages": 3})
        clock.now = NOON + later

        assert fact(ledger, "pages", WEEK) == ({"pages": 3} if believed else None)


def test_what_is_learned_again_takes_the_place_of_what_was_so(tmp_path: Path) -> None:
    with Ledger(tmp_path, now=Clock()) as ledger:
        learn(ledger, "pages", 3)
        learn(ledger, "pages", 4)

        assert fact(ledger, "pages", WEEK) == 4


def test_what_nobody_found_out_is_not_known(tmp_path: Path) -> None:
    with Ledger(tmp_path, now=Clock()) as ledger:
        assert fact(ledger, "pages", WEEK) is None
