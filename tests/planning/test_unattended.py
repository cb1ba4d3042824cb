"""What the nightly job may do alone, as `unattended:` of the map says."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from building import ALDER_ENDPOINT

from connector.model import Allowance, Unattended
from connector.planning.change import Change, Kind, Moved
from connector.planning.unattended import fingerprint, goes_alone

CAREFUL = Unattended(
    increase=Allowance(Decimal("0.20"), Decimal(10)), decrease=Allowance(Decimal("0.10")), create=False
)


def change(kind: Kind, before: int | None, after: int) -> Change:
    return Change(
        kind,
        ALDER_ENDPOINT,
        None if before is None else 9001,
        None if before is None else Decimal(before),
        Decimal(after),
        "",
    )


@pytest.mark.parametrize(
    ("made", "alone"),
    [
        (change("update", 40, 48), True),  # 20 %, 8 units
        (change("update", 40, 49), False),  # more than 20 %
        (change("update", 100, 110), True),  # 10 units
        (change("update", 100, 111), False),  # more than 10 units
        (change("update", 40, 36), True),  # 10 %
        (change("update", 40, 35), False),
        (change("zero", 40, 0), False),  # all it has
        (change("end", 40, 40), False),
        (change("create", None, 1), False),
        (change("adopt", 12, 12), True),
        (change("adopt", 12, 14), True),
        (change("adopt", 12, 15), False),  # 25 %
        (change("update", 0, 1), False),  # from zero any share is too much
        (change("update", 12, 12), True),  # only prices, which are let go
    ],
)
def test_a_change_goes_alone_within_its_limits_and_no_further(made: Change, *, alone: bool) -> None:
    assert goes_alone(made, CAREFUL) is alone


def test_a_map_that_says_nothing_lets_everything_go() -> None:
    for made in (change("create", None, 900), change("zero", 900, 0), change("adopt", 1, 900)):
        assert goes_alone(made, Unattended())


def test_a_kind_that_is_not_let_go_waits_however_small_it_is() -> None:
    nothing = Unattended(increase=None, decrease=None, create=False, adopt=False)
    for made in (change("update", 100, 101), change("update", 100, 99), change("adopt", 12, 12)):
        assert not goes_alone(made, nothing)


def test_a_price_waits_where_prices_are_not_let_go() -> None:
    priced = replace(change("update", 12, 12), unit_price=Moved(Decimal(3), Decimal(4)))
    assert goes_alone(priced, Unattended())
    assert not goes_alone(priced, Unattended(price=False))


def test_an_approval_is_for_exactly_this_write_and_whatever_holds_it() -> None:
    made = change("update", 40, 60)
    assert fingerprint(made) == fingerprint(replace(made, held="NEEDS_APPROVAL", because="another month"))
    assert fingerprint(made) != fingerprint(change("update", 40, 61))
    assert fingerprint(made) != fingerprint(replace(made, effective=date(2026, 10, 1)))
    priced = replace(made, unit_price=Moved(None, Decimal(4)))
    assert fingerprint(made) != fingerprint(priced)
