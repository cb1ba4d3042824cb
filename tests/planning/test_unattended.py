"""What the nightly job may do alone, as `unattended:` of the map says."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, BIRCH_ENDPOINT, OCTOBER, Month

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


def test_an_approval_is_for_exactly_this_write_of_this_month_and_whatever_holds_it() -> None:
    made = change("update", 40, 60)
    mark = fingerprint(OCTOBER, made.writes)
    assert mark == fingerprint(OCTOBER, replace(made, held="NEEDS_APPROVAL", because="other words").writes)
    priced = replace(made, unit_price=Moved(None, Decimal(4)))
    for other in (change("update", 40, 61), replace(made, effective=date(2026, 10, 1)), priced):
        assert mark != fingerprint(OCTOBER, other.writes)
    assert mark != fingerprint(OCTOBER.previous, made.writes)


def test_what_does_not_go_alone_waits_until_somebody_lets_it_go() -> None:
    month = Month(unattended=CAREFUL).uses(ALDER, "CIXA-MSP", 60).uses(BIRCH, "CIXA-MSP", 8)
    month.manages(ALDER_ENDPOINT, 40, {(ALDER, "CIXA-MSP"): 40})
    month.manages(BIRCH_ENDPOINT, 7, {(BIRCH, "CIXA-MSP"): 7}, addition_id=9002)
    alone = month.plan(unattended=True)
    assert [(each.key, each.held) for each in alone.changes] == [
        (ALDER_ENDPOINT, "NEEDS_APPROVAL"),
        (BIRCH_ENDPOINT, None),
    ]
    assert alone.exit_code == 3
    month.approved = frozenset({fingerprint(OCTOBER, alone.held[0].writes)})
    assert month.plan(unattended=True).held == ()


def test_a_line_that_begins_when_it_is_made_stays_approved_on_a_later_day_and_no_other_does() -> None:
    month = Month(unattended=CAREFUL).uses(ALDER, "CIXA-MSP", 4)
    (made,) = month.plan(unattended=True).held
    on_another_day = replace(made, effective=date(2026, 10, 3))
    month.approved = frozenset({fingerprint(OCTOBER, on_another_day.writes)})
    assert month.change(unattended=True).held == "NEEDS_APPROVAL"
    month.approved = frozenset({fingerprint(OCTOBER, on_another_day.writes, dated=False)})
    assert month.change(unattended=True).held is None
    month.approved = frozenset({fingerprint(OCTOBER, replace(made, after=Decimal(5)).writes, dated=False)})
    assert month.change(unattended=True).held == "NEEDS_APPROVAL"


def test_where_a_person_runs_it_the_person_is_there() -> None:
    month = Month(unattended=CAREFUL).uses(ALDER, "CIXA-MSP", 60)
    month.manages(ALDER_ENDPOINT, 40, {(ALDER, "CIXA-MSP"): 40})
    assert month.change().held is None


def test_what_waits_for_another_reason_keeps_its_reason() -> None:
    month = Month(unattended=CAREFUL).uses(ALDER, "CIXA-MSP", 14).bills(ALDER_ENDPOINT, 12)
    assert month.change(unattended=True).held == "NEEDS_ADOPTION"
