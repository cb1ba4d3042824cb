"""A month that arrives page by page: what is stored of it, and what a run that breaks off leaves."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from building import ALDER, OCTOBER

from connector.errors import StateFault
from connector.ledger import Ledger
from connector.ledger.arrival import Arrival, take_in
from connector.ledger.billed import usage_read
from connector.ledger.months import snapshot_rows, snapshots
from connector.ledger.stored_rows import StoredRows, stored_rows
from connector.model import Firewall, UsageRow
from connector.planning.findings import Options
from connector.planning.summing import usage_parts
from connector.planning.tenant_finder import TenantFinder

API = "sophos-api"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "state") as opened:
        yield opened


def begin(ledger: Ledger) -> int:
    return ledger.begin_run("sync", Options(), who="me@here", version="1")


def row(number: int, quantity: object = 1, **said: str | None) -> UsageRow:
    received = (
        f'{{"line":{number},"productDescription":"Endpoint","productGroup":"User","units":"{quantity}"}}'
    )
    return replace(
        UsageRow("CIXA-MSP", Decimal(str(quantity)), ALDER, None, "0042", "Endpoint", "User", received),
        **said,  # type: ignore[arg-type]
    )


def month(count: int) -> list[UsageRow]:
    return [row(number) for number in range(count)]


def arrive(ledger: Ledger, rows: list[UsageRow], page: int = 2) -> StoredRows:
    arrival = Arrival(ledger, begin(ledger), OCTOBER, API)
    for first in range(0, len(rows), page):
        arrival.take(rows[first : first + page])
    return arrival.whole()


def kept_aside(ledger: Ledger) -> int:
    ((count,),) = ledger.tuples("SELECT count(*) FROM arriving_rows")
    return int(count)


def written(ledger: Ledger) -> int:
    """Return how many rows of any table this connection has written."""
    with ledger.transaction() as db:
        return db.conn.total_changes


def test_a_month_that_arrived_is_read_back_as_it_came(ledger: Ledger) -> None:
    rows = month(5)
    stored = arrive(ledger, rows)
    assert (len(stored), list(stored), list(stored)) == (5, rows, rows)
    assert [hash(each) for each in stored] == [hash(each) for each in rows]
    assert next(iter(stored)) != rows[1]
    assert kept_aside(ledger) == 0
    assert usage_read(ledger, 1) == stored.number


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_the_same_month_again_writes_only_that_it_was_read(ledger: Ledger, count: int) -> None:
    rows = month(count)
    first = arrive(ledger, rows, page=1000)
    run = begin(ledger)
    arrival = Arrival(ledger, run, OCTOBER, API)
    before = written(ledger)
    for start in range(0, count, 700):
        arrival.take(rows[start : start + 700])
    assert written(ledger) == before
    assert arrival.whole().number == first.number
    assert written(ledger) - before <= 2  # the run, and what its one product is called
    assert usage_read(ledger, run) == first.number


@pytest.mark.parametrize(
    "now",
    [
        pytest.param([*month(4)[:2], row(2, 9), row(3)], id="one row changed in the middle"),
        pytest.param(month(3), id="a row fewer"),
        pytest.param(month(7), id="more rows"),
        pytest.param([], id="no rows at all"),
        pytest.param([row(9), *month(4)], id="a row before all others"),
        pytest.param([*month(3), row(3, account_id=None)], id="the same text for another tenant"),
    ],
)
def test_a_month_that_changed_is_stored_beside_what_it_was(ledger: Ledger, now: list[UsageRow]) -> None:
    before = arrive(ledger, month(4))
    after = arrive(ledger, now)
    assert after.number != before.number
    assert (list(before), list(after)) == (month(4), now)
    assert kept_aside(ledger) == 0
    assert arrive(ledger, now).number == after.number
    assert len(snapshots(ledger)) == 2


def test_a_month_that_goes_back_to_what_it_was_is_not_stored_again(ledger: Ledger) -> None:
    first, second = arrive(ledger, month(4)), arrive(ledger, [*month(3), row(3, 8)])
    assert arrive(ledger, month(4)).number == first.number
    before = written(ledger)
    assert arrive(ledger, month(4)).number == first.number
    assert written(ledger) - before <= 4  # it is compared with what was read last, not with what is newest
    assert arrive(ledger, [*month(3), row(3, 8)]).number == second.number
    assert len(snapshots(ledger)) == 2


def test_a_month_that_breaks_off_counts_for_nothing(ledger: Ledger) -> None:
    before = arrive(ledger, month(4))
    run = begin(ledger)
    arrival = Arrival(ledger, run, OCTOBER, API)
    arrival.take([row(0, 7), row(1)])
    assert kept_aside(ledger) == 2
    assert usage_read(ledger, run) is None
    assert [each.number for each in snapshots(ledger)] == [before.number]
    assert list(stored_rows(ledger, before.number)) == month(4)


def test_what_a_killed_run_left_is_gone_before_the_next_begins(tmp_path: Path) -> None:
    with Ledger(tmp_path) as killed:
        arrive(killed, month(6))
        left = Arrival(killed, begin(killed), OCTOBER, API)
        left.take([row(0), row(1, 5)])
        left.take([row(2, 5), row(3, 5)])
    with Ledger(tmp_path) as ledger:
        assert kept_aside(ledger) == 4
        now = arrive(ledger, [row(0), row(1), row(2, 6)])
        assert list(now) == [row(0), row(1), row(2, 6)]
        assert kept_aside(ledger) == 0


def test_each_page_that_is_news_is_on_the_disk_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, Ledger(tmp_path) as other:
        arrive(ledger, month(4))
        arrival = Arrival(ledger, begin(ledger), OCTOBER, API)
        arrival.take([row(0), row(1)])
        assert kept_aside(other) == 0
        arrival.take([row(2), row(3), row(4)])
        assert kept_aside(other) == 5
        arrival.take([row(5)])
        assert kept_aside(other) == 6


def test_two_sources_of_a_month_are_kept_apart(ledger: Ledger) -> None:
    one = take_in(ledger, begin(ledger), OCTOBER, API, month(2))
    other = take_in(ledger, begin(ledger), OCTOBER, "sophos-live", month(2))
    assert one.number != other.number


def test_a_stored_row_says_what_it_was_received_as(ledger: Ledger) -> None:
    arrive(ledger, [row(0, group="Device")])
    (stored,) = stored_rows(ledger, 1)
    assert (stored.group, stored.description) == ("User", "Endpoint")
    assert (stored,) == snapshot_rows(ledger, 1)
    assert snapshot_rows(ledger, 1) == (stored,)


def test_rows_are_not_read_from_a_ledger_that_is_closed(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        rows = arrive(ledger, month(2))
    with pytest.raises(StateFault):
        list(rows)


def test_memory_grows_with_what_is_added_up_and_not_with_rows(ledger: Ledger) -> None:
    finder = TenantFinder([], {}, [Firewall("S1", billing_tenant_id=ALDER)])

    def most(period_rows: int) -> int:
        """Take a month in page by page and add it up; return the most memory that this took."""
        tracemalloc.start()
        try:
            arrival = Arrival(ledger, begin(ledger), OCTOBER, API)
            for first in range(0, period_rows, 500):
                page = [row(number, number % 7) for number in range(first, first + 500)]
                arrival.take(page)
            rows = arrival.whole()
            assert sum(part.quantity for part in usage_parts(rows, finder)) > period_rows
            assert len(rows) == period_rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most(500)  # what is made once
    assert most(24_000) < 1.5 * most(6_000)


def test_a_month_that_was_pruned_is_stored_anew_though_all_its_rows_were_kept(ledger: Ledger) -> None:
    pruned = arrive(ledger, month(4))
    with ledger.transaction() as db:
        db.execute(
            "UPDATE usage SET pruned_at = '2026-11-01', hash = 'pruned' WHERE id = ?", (pruned.number,)
        )
    again = arrive(ledger, month(4))
    assert again.number != pruned.number
    assert list(again) == month(4)


def test_a_month_is_added_up_from_its_own_rows_wherever_others_lie_between(ledger: Ledger) -> None:
    first, second = arrive(ledger, month(4)), arrive(ledger, [*month(3), row(3, 8)])
    with ledger.transaction() as db:  # the first row of the first month lies behind the second month now
        db.execute(
            "CREATE TEMP TABLE moved AS SELECT * FROM usage_rows WHERE usage = ? AND number = 0",
            (first.number,),
        )
        db.execute("DELETE FROM usage_rows WHERE usage = ? AND number = 0", (first.number,))
        db.execute("INSERT INTO usage_rows SELECT * FROM moved")
    finder = TenantFinder({ALDER}, {}, ())
    assert usage_parts(first, finder) == usage_parts(month(4), finder)
    assert usage_parts(second, finder) == usage_parts([*month(3), row(3, 8)], finder)
