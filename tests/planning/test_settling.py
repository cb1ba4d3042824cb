"""What became of a change whose answer nobody saw (contract rule 21)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from building import ALDER_ENDPOINT

from connector.model import Addition
from connector.planning.change import Kind, OpenChange, mark_of
from connector.planning.settle import settle

MARK = mark_of(ALDER_ENDPOINT)
START = date(2026, 10, 1)
SENT = datetime(2026, 10, 28, tzinfo=UTC)
CREATE = OpenChange(1, "create", ALDER_ENDPOINT, None, Decimal(12), START, MARK, (), frozenset({7}), SENT)
LINE = Addition(9, *ALDER_ENDPOINT, Decimal(12), effective=START, serial_number=MARK)
OLD = replace(LINE, id=7)


def test_a_line_that_appeared_with_our_mark_is_ours() -> None:
    verdict = settle(CREATE, [OLD, LINE, replace(LINE, id=10, serial_number="")])
    assert (verdict.outcome, verdict.addition) == ("done", LINE)


@pytest.mark.parametrize("changed", [{"quantity": Decimal(1)}, {"effective": date(2026, 9, 30)}])
def test_a_line_of_ours_that_shows_something_else_is_no_success(changed: dict[str, Any]) -> None:
    verdict = settle(CREATE, [replace(LINE, **changed)])
    assert (verdict.outcome, verdict.addition and verdict.addition.id) == ("differs", 9)


def test_a_line_that_another_change_made_is_not_made_twice() -> None:
    assert settle(CREATE, [LINE], {9}).outcome == "missing"


def test_a_line_that_did_not_appear_was_not_made() -> None:
    assert (
        settle(CREATE, [OLD, replace(LINE, item_id=1), replace(LINE, serial_number="PO 1")]).outcome
        == "missing"
    )


def test_without_marks_the_new_line_with_our_quantity_and_date_is_ours() -> None:
    unmarked = replace(CREATE, mark="")
    lines = [OLD, replace(LINE, serial_number=""), replace(LINE, id=10, quantity=Decimal(1))]
    assert settle(unmarked, lines).addition == lines[1]
    assert settle(unmarked, [replace(LINE, effective=date(2026, 9, 1))]).outcome == "missing"


def test_two_new_lines_that_could_be_ours_are_left_to_a_person() -> None:
    verdict = settle(replace(CREATE, mark=""), [LINE, replace(LINE, id=10)])
    assert (verdict.outcome, verdict.addition) == ("missing", None)
    assert "ids 9, 10" in verdict.message


@pytest.mark.parametrize("field", ["unit_price", "unit_cost"])
def test_a_line_that_shows_another_price_than_was_asked_is_no_success(field: str) -> None:
    asked: dict[str, Any] = {field: Decimal("3.50")}
    shown: list[dict[str, Any]] = [{}, {field: Decimal("3.49")}, {field: Decimal("3.5")}]

    created = [settle(replace(CREATE, **asked), [replace(LINE, **said)]).outcome for said in shown]
    update = replace(CREATE, kind="update", addition_id=9, **asked)
    updated = [settle(update, [replace(LINE, **said)]).outcome for said in shown]

    assert created == ["differs", "differs", "done"]
    assert updated == ["missing", "missing", "done"]


def test_without_marks_a_new_line_is_ours_though_its_price_was_rounded() -> None:
    asked = replace(CREATE, mark="", unit_price=Decimal("1.867"))
    rounded = replace(LINE, serial_number="", unit_price=Decimal("1.87"))

    verdict = settle(asked, [OLD, rounded])

    assert (verdict.outcome, verdict.addition) == ("differs", rounded)


@pytest.mark.parametrize("kind", ["update", "zero", "adopt"])
def test_a_line_that_shows_the_new_quantity_was_changed(kind: Kind) -> None:
    change = replace(CREATE, kind=kind, addition_id=9, mark=MARK if kind == "adopt" else "")
    assert settle(change, [OLD, LINE]).outcome == "done"
    assert settle(change, [replace(LINE, quantity=Decimal(11))]).outcome == "missing"
    assert settle(change, [OLD]).outcome == "missing"


def test_a_line_that_was_to_be_marked_and_is_not_was_not_changed() -> None:
    change = replace(CREATE, kind="adopt", addition_id=9)
    assert settle(change, [replace(LINE, serial_number="")]).outcome == "missing"


def test_a_line_that_shows_our_end_date_was_ended() -> None:
    change = replace(CREATE, kind="end", addition_id=9, effective=date(2026, 9, 30))
    assert settle(change, [replace(LINE, cancelled=date(2026, 9, 30))]).outcome == "done"
    assert settle(change, [LINE]).outcome == "missing"
