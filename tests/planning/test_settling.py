"""What became of a change whose answer nobody saw (contract rule 21)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from building import ALDER_ENDPOINT

from connector.model import Addition
from connector.planning.change import OpenChange, mark_of
from connector.planning.settle import settle

MARK = mark_of(ALDER_ENDPOINT)
START = date(2026, 10, 1)
CREATE = OpenChange(1, "create", ALDER_ENDPOINT, None, Decimal(12), START, MARK, (), frozenset({7}))
LINE = Addition(9, *ALDER_ENDPOINT, Decimal(12), effective=START, serial_number=MARK)
OLD = replace(LINE, id=7)


def test_a_line_that_appeared_with_our_mark_is_ours_whatever_it_bills_by_now() -> None:
    verdict = settle(
        CREATE, [OLD, replace(LINE, quantity=Decimal(13)), replace(LINE, id=10, serial_number="")]
    )
    assert (verdict.outcome, verdict.addition and verdict.addition.id) == ("done", 9)


def test_a_line_that_did_not_appear_was_not_made() -> None:
    assert (
        settle(CREATE, [OLD, replace(LINE, item_id=1), replace(LINE, serial_number="PO 1")]).outcome
        == "failed"
    )


def test_without_marks_the_new_line_with_our_quantity_and_date_is_ours() -> None:
    unmarked = replace(CREATE, mark="")
    lines = [OLD, replace(LINE, serial_number=""), replace(LINE, id=10, quantity=Decimal(1))]
    assert settle(unmarked, lines).addition == lines[1]
    assert settle(unmarked, [replace(LINE, effective=date(2026, 9, 1))]).outcome == "failed"


def test_two_new_lines_that_could_be_ours_are_left_to_a_person() -> None:
    verdict = settle(replace(CREATE, mark=""), [LINE, replace(LINE, id=10)])
    assert (verdict.outcome, verdict.addition) == ("failed", None)
    assert "ids 9, 10" in verdict.message


@pytest.mark.parametrize("kind", ["update", "zero", "adopt"])
def test_a_line_that_shows_the_new_quantity_was_changed(kind: str) -> None:
    change = replace(CREATE, kind=kind, addition_id=9, mark=MARK if kind == "adopt" else "")
    assert settle(change, [OLD, LINE]).outcome == "done"
    assert settle(change, [replace(LINE, quantity=Decimal(11))]).outcome == "failed"
    assert settle(change, [OLD]).outcome == "failed"


def test_a_line_that_was_to_be_marked_and_is_not_was_not_changed() -> None:
    change = replace(CREATE, kind="adopt", addition_id=9)
    assert settle(change, [replace(LINE, serial_number="")]).outcome == "failed"


def test_a_line_that_shows_our_end_date_was_ended() -> None:
    change = replace(CREATE, kind="end", addition_id=9, effective=date(2026, 9, 30))
    assert settle(change, [replace(LINE, cancelled=date(2026, 9, 30))]).outcome == "done"
    assert settle(change, [LINE]).outcome == "failed"
