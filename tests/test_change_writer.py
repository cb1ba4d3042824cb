"""Before a line is made, its agreement is looked at: not long before, and again where it was."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.ledger import Ledger
from connector.model import Key
from connector.planning.change import Change
from connector.planning.findings import Options
from connector.reports.outcome import Result
from connector.runs.change_writer import FRESH_SECONDS, ChangeWriter
from connector.simulator import Simulator
from connector.vendors.connectwise import ConnectWiseClient

TODAY = date(2026, 10, 28)


@dataclass
class Desk:
    """A writer whose requests are made one by one, each as slowly as a test says."""

    ledger: Ledger
    writer: ChangeWriter
    run: int
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def make(self, change: Change, meanwhile: Callable[[int], None]) -> Result:
        """Make a change; `meanwhile` hears after each request how many there were."""
        (change_id,) = self.ledger.begin_applying(self.run, "digest", [change])
        making = self.writer.make(change_id, change)
        asked = 0
        ask = next(making)
        while True:
            answer = ask.call()
            asked += 1
            meanwhile(asked)
            try:
                ask = making.send(answer)
            except StopIteration as made:
                return made.value[0]  # type: ignore[no-any-return]


@pytest.fixture
def alder(msp: Msp) -> Customer:
    return msp.customer("Alder")


@pytest.fixture
def desk(simulator: Simulator, tmp_path: Path) -> Desk:
    told = simulator.settings()
    client = ConnectWiseClient(
        url=told["CONNECTWISE_URL"],
        company=told["CONNECTWISE_COMPANY"],
        public_key=told["CONNECTWISE_PUBLIC_KEY"],
        private_key=told["CONNECTWISE_PRIVATE_KEY"],
        client_id=told["CONNECTWISE_CLIENT_ID"],
    )
    ledger = Ledger(tmp_path / "state")
    run = ledger.begin_run("sync", Options(), who="me", version="1")
    clock: Callable[[], float] = lambda: made.now  # noqa: E731
    made = Desk(ledger, ChangeWriter(client, ledger, run=run, today=TODAY, clock=clock), run)
    return made


def creates(customer: Customer, item: str = ENDPOINT) -> Change:
    key = Key(customer.agreement.id, customer.msp.item(item).id)
    return Change("create", key, None, None, Decimal(12), "usage", effective=TODAY, mark="sophos-sync:1:1")


def sent(simulator: Simulator) -> list[str]:
    return [request.method for request in simulator.requests]


def test_a_line_that_a_person_makes_while_connectwise_has_us_pause_is_seen(
    alder: Customer, desk: Desk, simulator: Simulator
) -> None:
    def a_pause_before_the_turn_comes(asked: int) -> None:
        if asked == 2:
            desk.now += FRESH_SECONDS + 1
            alder.has(ENDPOINT, 12)

    with desk.ledger:
        result = desk.make(creates(alder), a_pause_before_the_turn_comes)

    assert (result.outcome, alder.bills) == ("failed", {ENDPOINT: 12})
    assert "somebody made addition" in (result.message or "")
    assert sent(simulator) == ["GET", "GET"]


def test_after_a_pause_in_which_nothing_happened_the_line_is_made(
    alder: Customer, desk: Desk, simulator: Simulator
) -> None:
    def one_pause(asked: int) -> None:
        desk.now += FRESH_SECONDS + 1 if asked == 2 else 0

    with desk.ledger:
        assert desk.make(creates(alder), one_pause).outcome == "done"

    assert alder.bills == {ENDPOINT: 12}
    assert sent(simulator) == ["GET", "GET", "POST"]


@pytest.mark.parametrize(("seconds", "looks"), [(1, 1), (FRESH_SECONDS + 1, 2)])
def test_lines_of_one_agreement_share_a_look_for_as_long_as_it_is_fresh(
    alder: Customer, desk: Desk, simulator: Simulator, seconds: float, looks: int
) -> None:
    def nothing(_asked: int) -> None:
        pass

    with desk.ledger:
        desk.make(creates(alder), nothing)
        desk.now += seconds
        desk.make(creates(alder, EMAIL), nothing)

    assert alder.bills == {ENDPOINT: 12, EMAIL: 12}
    assert sent(simulator).count("GET") == looks
