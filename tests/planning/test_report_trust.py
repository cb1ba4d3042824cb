"""What of the report of all additions must be read of the agreement itself before it is believed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    BIRCH_AGREEMENT,
    BIRCH_ENDPOINT,
    EMAIL,
    OCTOBER,
    TODAY,
    Month,
)

from connector.model import Addition, Key
from connector.planning.change import KnownAddition, mark_of
from connector.planning.report_trust import (
    disagreement_warning,
    disagreements,
    in_doubt,
    sample_of,
    sample_size,
)
from connector.planning.wording import Wording

FED = {(ALDER, "CIXA-MSP"): 12}
BOTH = (ALDER_AGREEMENT, BIRCH_AGREEMENT)


def quiet() -> Month:
    """Return a month in which both tenants are billed what they use, as the ledger knows."""
    month = Month().uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 7)
    month.manages(ALDER_ENDPOINT, 12, FED, addition_id=1)
    return month.manages(BIRCH_ENDPOINT, 7, {(BIRCH, "CIXA-MSP"): 7}, addition_id=2)


def doubted(month: Month) -> set[int]:
    shown = {
        agreement: tuple(line for line in month.additions if line.agreement_id == agreement)
        for agreement in BOTH
    }
    return set(in_doubt(month.plan(), shown, month.known, TODAY))


def test_where_nothing_changes_nothing_is_read() -> None:
    assert doubted(quiet()) == set()


def test_where_a_line_would_be_changed_its_agreement_is_read() -> None:
    assert doubted(quiet().uses(ALDER, "CIXA-MSP", 1)) == {ALDER_AGREEMENT}


def test_where_a_line_would_be_made_its_agreement_is_read() -> None:
    assert doubted(quiet().uses(BIRCH, "CEMA-MSP", 1)) == {BIRCH_AGREEMENT}


def test_where_something_is_unresolved_the_agreement_is_read() -> None:
    month = quiet().uses(BIRCH, "CEMA-MSP", 5)
    month.bills(Key(BIRCH_AGREEMENT, EMAIL), 1, addition_id=8).bills(
        Key(BIRCH_AGREEMENT, EMAIL), 2, addition_id=9
    )
    assert not month.plan().changes
    assert doubted(month) == {BIRCH_AGREEMENT}


def test_where_something_is_told_the_agreement_is_read() -> None:
    month = quiet().bills(ALDER_ENDPOINT, 3, addition_id=9)
    assert [each.code for each in month.plan().warnings] == ["OTHER_LINES"]
    assert doubted(month) == {ALDER_AGREEMENT}


def test_an_agreement_without_any_line_may_hide_them() -> None:
    month = quiet()
    month.rows = [row for row in month.rows if row.account_id == ALDER]
    month.additions = [line for line in month.additions if line.agreement_id == ALDER_AGREEMENT]
    del month.known[2]
    assert not month.plan().changes
    assert doubted(month) == {BIRCH_AGREEMENT}


def test_a_line_with_our_mark_that_the_ledger_does_not_know_is_looked_at() -> None:
    month = quiet().bills(Key(ALDER_AGREEMENT, EMAIL), 0, serial_number=mark_of(Key(ALDER_AGREEMENT, EMAIL)))
    assert doubted(month) == {ALDER_AGREEMENT}


def known(line: Addition | None, **said: object) -> set[int]:
    """Return what is doubted of an e-mail line of Alder's that the ledger knows so, and that is shown so."""
    month = quiet()
    key = Key(ALDER_AGREEMENT, EMAIL)
    month.known[50] = replace(KnownAddition(50, key, Decimal(0)), **said)  # type: ignore[arg-type]
    month.additions += [] if line is None else [line]
    return doubted(month)


E_MAIL = Addition(50, ALDER_AGREEMENT, EMAIL, Decimal(0))
LAST = date(2026, 9, 30)
ENDED = replace(E_MAIL, cancelled=LAST)


@pytest.mark.parametrize(
    ("shown", "said", "believed"),
    [
        (E_MAIL, {}, True),
        (None, {}, False),
        (replace(E_MAIL, quantity=Decimal(-1)), {}, False),
        (replace(E_MAIL, item_id=777), {}, False),
        (ENDED, {}, True),
        (replace(ENDED, quantity=Decimal(3)), {"quantity": Decimal(3)}, False),
        (ENDED, {"ended": LAST}, True),
        (E_MAIL, {"ended": LAST}, False),
        (replace(E_MAIL, cancelled=date(2026, 8, 31)), {"ended": LAST}, False),
        (None, {"ended": LAST}, False),
        (ENDED, {"closed": True}, True),
        (None, {"closed": True}, True),
        (E_MAIL, {"closed": True}, False),
    ],
)
def test_a_line_of_ours_is_believed_only_as_the_ledger_last_knew_it(
    shown: Addition | None, said: dict[str, object], believed: bool
) -> None:
    assert known(shown, **said) == (set() if believed else {ALDER_AGREEMENT})


def test_a_line_of_ours_that_shows_up_elsewhere_puts_both_agreements_in_doubt() -> None:
    assert known(replace(E_MAIL, agreement_id=BIRCH_AGREEMENT)) == set(BOTH)


def test_agreements_that_were_read_already_are_not_read_again() -> None:
    month = quiet().uses(ALDER, "CIXA-MSP", 1)
    shown = {BIRCH_AGREEMENT: tuple(line for line in month.additions if line.agreement_id == BIRCH_AGREEMENT)}
    assert in_doubt(month.plan(), shown, month.known, TODAY) == frozenset()


# What is looked at although it is quiet ----------------------------------------------------------


def test_every_quiet_agreement_has_its_turn() -> None:
    seen: list[int] = []
    for _ in range(4):
        seen += sample_of({30, 10, 20, 40, 50, 60, 70}, seen[-1] if seen else 0, 2)
    assert seen == [10, 20, 30, 40, 50, 60, 70, 10]


def test_no_more_are_looked_at_than_there_are() -> None:
    assert sample_of({10, 20}, 10, 5) == (20, 10)
    assert sample_of((), 10, 5) == ()


@pytest.mark.parametrize(
    ("quiet_ones", "reads", "size"), [(5, 8, 1), (1000, 39, 3), (20_000, 400, 40), (1000, 500, 10), (0, 0, 1)]
)
def test_one_in_a_hundred_is_looked_at_and_never_a_tenth_of_all_reads_more(
    quiet_ones: int, reads: int, size: int
) -> None:
    assert sample_size(quiet_ones, reads) == size


# What is otherwise -------------------------------------------------------------------------------

LINE = Addition(
    7, ALDER_AGREEMENT, EMAIL, Decimal("4.50"), None, date(2026, 10, 1), "NAS", "Billable", Decimal(2), None
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"quantity": Decimal(3)}, "quantity 3, not 4.5"),
        ({"item_id": 48}, "item 48, not 49"),
        ({"cancelled": LAST}, "last day 2026-09-30, not none"),
        ({"effective": None}, "first day none, not 2026-10-01"),
        ({"serial_number": ""}, "serial number none, not NAS"),
        ({"unit_price": Decimal("2.5")}, "unit price 2.5, not 2"),
        ({"unit_cost": Decimal(1)}, "unit cost 1, not none"),
        ({"less_included": Decimal(1)}, "less included 1, not 0"),
        ({"bill_customer": "NoCharge"}, ""),
    ],
)
def test_each_value_that_a_plan_goes_by_is_compared(said: dict[str, object], told: str) -> None:
    found = disagreements({ALDER_AGREEMENT: (replace(LINE, **said),)}, {ALDER_AGREEMENT: (LINE,)})  # type: ignore[arg-type]
    assert found == (((LINE, told),) if told else ())


def test_lines_that_only_one_of_them_shows_are_told() -> None:
    other = replace(LINE, id=8)
    found = disagreements({1: (LINE,), 3: (LINE,)}, {1: (other,), 2: (other,)})
    assert found == (
        (LINE, "the report lists it, and the agreement does not have it"),
        (other, "the report does not list it"),
    )


def test_the_warning_says_what_where_and_what_to_do() -> None:
    words = Wording(Month().placer(), {}, OCTOBER)

    warning = disagreement_warning([(LINE, "quantity 3, not 4.5")], words, 7)

    assert warning.key == LINE.key
    assert warning.message.startswith('SOPHOS-EMAIL on "Managed Security" (118) of AlderDental: ')
    assert "addition 7: quantity 3, not 4.5. Either the report is behind or somebody" in warning.message
    assert "more lines" not in warning.message
    several = disagreement_warning([(LINE, "x"), (LINE, "y"), (LINE, "z")], words, 7)
    assert "x, and 2 more lines are shown otherwise." in several.message
