"""What mappings.yaml says of the nightly job: when it bills, what it may do alone, and whom it tells."""

from decimal import Decimal
from pathlib import Path

from connector.mappings import load_mappings, parse_mappings
from connector.model import (
    Allowance,
    Mappings,
    NotifyRules,
    Schedule,
    TicketRules,
    Unattended,
)

ACCEPTED = Path(__file__).parent / "accepted"


def test_every_key_of_the_nightly_job_can_be_said() -> None:
    said = load_mappings(ACCEPTED / "nightly.yaml")

    assert said.schedule == Schedule("monthly", "Europe/Dublin", opens=27, alert=4, day=31)
    assert said.unattended == Unattended(
        increase=Allowance(Decimal("0.20"), Decimal(10)),
        decrease=Allowance(Decimal("0.10")),
        create=False,
        adopt=False,
        price=False,
    )
    assert said.notify == NotifyRules(success=True, ticket=TicketRules("OurOwn", "Billing", "Completed"))


def test_a_map_that_says_nothing_of_it_bills_with_the_invoice_and_lets_everything_go() -> None:
    assert parse_mappings(b"version: 1", "m") == Mappings()
    assert Mappings().schedule == Schedule("invoice", "", opens=26, alert=5, day=1)
    assert Mappings().unattended.increase == Allowance()
    assert Mappings().notify.ticket is None


def test_a_kind_of_change_is_let_go_or_kept_back_with_one_word() -> None:
    said = parse_mappings(b"version: 1\nunattended: {increase: true, decrease: false}", "m").unattended

    assert said.increase == Allowance()
    assert said.decrease is None
