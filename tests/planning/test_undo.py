"""The plan that takes a run back, and the lines that it leaves alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH_ENDPOINT, EMAIL, OCTOBER, TODAY
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Addition, GuardLimits, Key
from connector.planning.change import (
    Change,
    KnownAddition,
    Moved,
    OpenChange,
    digest_of,
    mark_of,
    prices_asked,
    prices_moved,
    released,
)
from connector.planning.findings import Options, Part, Unresolved
from connector.planning.prices import Money
from connector.planning.settle import settle
from connector.planning.undo.line import Aftermath
from connector.planning.undo.past import PastChange, PastRun, Trace, standing_after, taken_back, undone_by
from connector.planning.undo.plan import Undoing, plan_undo

MARK = mark_of(ALDER_ENDPOINT)
NOW = datetime(2026, 10, 28, tzinfo=UTC)
THEN = (Part(ALDER, "CIXA-MSP", Decimal(40)),)
SINCE = (Part(ALDER, "CIXA-MSP", Decimal(43)),)
RUN = PastRun(31, "sync", "2026-10", "sophos-api", NOW, NOW, "me@here", "1", 0, None, applied=True)


def past(kind: Any, before: object, after: object, **said: Any) -> PastChange:
    """Return a change that run 31 made to addition 9001."""
    values: dict[str, Any] = {
        "id": 1, "run": 31, "key": ALDER_ENDPOINT, "addition_id": 9001, "outcome": "done",
        "parts": SINCE, "was": THEN, "item": "SOPHOS-ENDPOINT", "company": "AlderDental",
    }  # fmt: skip
    left = None if before is None else Decimal(str(before))
    return PastChange(kind=kind, before=left, after=Decimal(str(after)), **(values | said))


def line(quantity: object, *, number: int = 9001, key: Key = ALDER_ENDPOINT, **said: Any) -> Addition:
    """Return addition 9001, or another one, as ConnectWise shows it now."""
    return Addition(number, key.agreement_id, key.item_id, Decimal(str(quantity)), **said)


def undo(
    changes: PastChange | Sequence[PastChange],
    *lines: Addition,
    later: Sequence[PastChange] = (),
    known: Mapping[int, KnownAddition] | None = None,
    agreements: Sequence[int] = (ALDER_ENDPOINT.agreement_id,),
    force: Sequence[str] = (),
    limits: GuardLimits | None = None,
    priced: bool = False,
) -> Undoing:
    """Plan to take run 31 back."""
    made = [changes] if isinstance(changes, PastChange) else list(changes)
    additions = {each: tuple(it for it in lines if it.agreement_id == each) for each in agreements}
    history = [change for change in (*made, *later) if change.addition_id == 9001]
    after = Aftermath(
        run=RUN,
        period=OCTOBER,
        changes=made,
        histories={9001: history},
        additions=additions,
        known=known or {},
        today=TODAY,
        source="sophos-api",
        currencies={118: "USD"},
        priced=priced,
    )
    return plan_undo(after, Options(force=frozenset(force)), limits or GuardLimits())


def change(*args: Any, **said: Any) -> Change:
    """Return the only change of an undo that refuses nothing."""
    undoing = undo(*args, **said)
    assert undoing.plan.unresolved == ()
    (made,) = undoing.plan.changes
    return made


def refused(*args: Any, **said: Any) -> Unresolved:
    """Return the only refusal of an undo that changes nothing."""
    undoing = undo(*args, **said)
    assert undoing.plan.changes == ()
    (entry,) = undoing.plan.unresolved
    assert undoing.plan.exit_code == 3
    return entry


# The way back ------------------------------------------------------------------------------------


def test_an_update_goes_back_and_so_does_who_feeds_the_line() -> None:
    made = change(past("update", 40, 43), line(43, less_included=Decimal(5)))

    assert (made.kind, made.before, made.after) == ("update", Decimal(43), Decimal(40))
    assert (made.parts, made.was, made.included) == (THEN, SINCE, Decimal(5))
    assert (made.mark, made.release, made.item) == ("", False, "SOPHOS-ENDPOINT")


def test_what_went_to_zero_is_used_again() -> None:
    made = change(past("zero", 12, 0), line(0))

    assert (made.kind, made.before, made.after) == ("update", 0, 12)


def test_what_was_created_goes_to_zero_and_stays_ours() -> None:
    undoing = undo(past("create", None, 12, mark=MARK), line(12, serial_number=MARK))

    (made,) = undoing.plan.changes
    assert (made.kind, made.after, made.mark, made.release) == ("zero", 0, "", False)
    (warning,) = undoing.plan.warnings
    assert warning.code == "STAYS_OURS"
    assert "1 line that run 31 created goes to 0" in warning.message


def test_what_rose_from_zero_goes_to_zero_so_that_the_guard_counts_it() -> None:
    assert change(past("update", 0, 12), line(12)).kind == "zero"


def test_an_adopted_line_is_given_back_without_our_mark() -> None:
    made = change(past("adopt", 12, 14, mark=MARK), line(14, serial_number=MARK))

    assert (made.kind, made.after, made.mark, made.release) == ("update", 12, MARK, True)


@pytest.mark.parametrize(("mark", "serial"), [("", ""), ("", "PO 4711"), (MARK, "PO 4711"), (MARK, "")])
def test_a_line_that_does_not_hold_our_mark_is_only_forgotten(mark: str, serial: str) -> None:
    made = change(past("adopt", 12, 12, mark=mark), line(12, serial_number=serial))

    assert (made.before, made.after, made.mark, made.release) == (12, 12, "", True)


@pytest.mark.parametrize(("serial", "mark"), [("", MARK), ("PO 4711", "")])
def test_what_was_given_back_is_taken_over_again(serial: str, mark: str) -> None:
    given_back = past("update", 14, 12, mark=MARK, release=True)

    made = change(given_back, line(12, serial_number=serial))

    assert (made.kind, made.before, made.after, made.mark, made.release) == ("adopt", 12, 14, mark, False)


def test_prices_go_back_where_they_are_known() -> None:
    moved = past(
        "update", 40, 40, unit_price=Moved(Decimal(5), Decimal(6)), unit_cost=Moved(None, Decimal(2))
    )

    made = change(moved, line(40, unit_price=Decimal(6), unit_cost=Decimal(2)))

    assert made.unit_price == Moved(Decimal(6), Decimal(5))
    assert made.unit_cost is None
    assert "not known" in made.because


def test_a_line_without_a_name_is_called_by_its_ids() -> None:
    assert change(past("update", 40, 43, item="", company=""), line(43)).item == "item 48"
    entry = refused(past("update", 40, 43, item="", company=""))
    assert entry.message.startswith("item 48 on agreement 118: ")
    named = refused(past("update", 40, 43, agreement="Managed Security"))
    assert named.message.startswith('SOPHOS-ENDPOINT on "Managed Security" (118) of AlderDental: ')


@given(st.integers(0, 99), st.integers(0, 99))
def test_what_was_undone_by_hand_needs_nothing(before: int, after: int) -> None:
    undoing = undo(past("update", before, after), line(before))

    assert (undoing.plan.changes, undoing.plan.unresolved, undoing.already) == ((), (), 1)
    assert undoing.plan.exit_code == 0


# What moved --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (line(50), "addition 9001 shows 50, and run 31 left it at 43"),
        (line(43, cancelled=date(2026, 10, 1)), "ended on 2026-10-01"),
        (line(43, key=Key(118, EMAIL)), "another product"),
        (line(43, number=9002), "addition 9001 is gone from ConnectWise"),
    ],
)
def test_a_line_that_moved_since_is_refused_and_what_moved_is_said(now: Addition, said: str) -> None:
    entry = refused(past("update", 40, 43), now)

    assert (entry.code, entry.tenant_id, entry.product_code) == ("MOVED_SINCE", ALDER, "CIXA-MSP")
    assert said in entry.message
    assert entry.message.endswith("so 40 -> 43 is not undone")
    assert "addition 9001 in ConnectWise" in entry.next_step


def test_an_end_that_is_still_to_come_does_not_stop_the_way_back() -> None:
    assert change(past("update", 40, 43), line(43, cancelled=date(2026, 12, 31))).after == 40


def test_a_line_whose_agreement_is_gone_is_refused() -> None:
    assert "the agreement of addition 9001 is gone" in refused(past("update", 40, 43), agreements=()).message


def test_a_line_that_another_one_has_replaced_is_refused() -> None:
    known = {9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal(43), closed=True)}

    assert "another line has replaced" in refused(past("update", 40, 43), line(43), known=known).message


def test_nothing_rises_from_zero_beside_a_line_that_bills_the_item_now() -> None:
    entry = refused(past("zero", 12, 0), line(0), line(12, number=9002))
    assert "addition 9002 bills the item now" in entry.message

    ended, empty = line(12, number=9002, cancelled=date(2026, 10, 1)), line(0, number=9003)
    assert change(past("zero", 12, 0), line(0), ended, empty).after == 12


def test_a_mark_that_people_wrote_beside_is_left_to_them() -> None:
    entry = refused(past("adopt", 12, 14, mark=MARK), line(14, serial_number=f"{MARK} PO 4711"))

    assert "wrote beside our mark" in entry.message


@pytest.mark.parametrize(("now", "shown"), [(Decimal(7), "7"), (None, "none")])
def test_a_price_that_people_set_since_is_left_to_them(now: Decimal | None, shown: str) -> None:
    moved = past("update", 40, 43, unit_price=Moved(Decimal(5), Decimal(6)))

    assert f"the price of addition 9001 is {shown}" in refused(moved, line(43, unit_price=now)).message


def test_an_end_date_is_left_to_people_unless_they_took_it_back() -> None:
    ended = past("end", 12, 0, effective=date(2026, 9, 30))

    entry = refused(ended, line(12, cancelled=date(2026, 9, 30)))
    assert entry.code == "END_STAYS"
    assert "connector sync --recreate" in entry.next_step
    assert undo(ended, line(12)).already == 1


def test_one_that_moved_does_not_keep_the_others_from_going_back() -> None:
    other = past("update", 7, 9, id=2, addition_id=9002, key=BIRCH_ENDPOINT)

    undoing = undo(
        [past("update", 40, 43), other],
        line(50),
        line(9, number=9002, key=BIRCH_ENDPOINT),
        agreements=(118, 204),
    )

    assert [made.addition_id for made in undoing.plan.changes] == [9002]
    assert [entry.code for entry in undoing.plan.unresolved] == ["MOVED_SINCE"]


def test_a_line_of_several_tenants_names_none_of_them() -> None:
    fed = (*SINCE, Part("birch-id", "CIXA-MSP", Decimal(1)))

    assert refused(past("update", 40, 43, parts=fed)).tenant_id is None


def test_what_the_run_did_not_make_is_not_undone() -> None:
    undoing = undo([past("update", 40, 43, outcome="failed"), past("create", None, 1, outcome="not_tried")])

    assert (undoing.plan.changes, undoing.done) == ((), 0)
    (warning,) = undoing.plan.warnings
    assert warning.code == "NOT_DONE"
    assert warning.message.endswith("1 failed, 1 not tried")


# Created otherwise than asked --------------------------------------------------------------------


def test_a_line_that_was_created_with_another_quantity_than_asked_goes_to_zero() -> None:
    known = {9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal(99))}

    undoing = undo(past("create", None, 12, outcome="failed"), line(99), known=known)

    (made,) = undoing.plan.changes
    assert (made.kind, made.before, made.after) == ("zero", 99, 0)
    assert (undoing.done, [warning.code for warning in undoing.plan.warnings]) == (1, ["STAYS_OURS"])


def test_one_that_people_have_changed_since_is_left_to_them() -> None:
    known = {9001: KnownAddition(9001, ALDER_ENDPOINT, Decimal(99))}

    entry = refused(past("create", None, 12, outcome="failed"), line(50), known=known)

    assert "addition 9001 shows 50, and run 31 left it at 99" in entry.message


def test_one_that_nobody_remembers_is_taken_back_only_at_the_quantity_that_was_asked_for() -> None:
    failed = past("create", None, 12, outcome="failed")

    assert change(failed, line(12)).after == 0
    assert "left it at 12" in refused(failed, line(99)).message


def test_a_failed_change_of_a_line_that_was_there_before_is_not_undone() -> None:
    assert undo(past("update", 40, 43, outcome="failed"), line(40)).done == 0
    assert undo(past("create", None, 12, outcome="failed", addition_id=None)).done == 0


# Later runs --------------------------------------------------------------------------------------


def test_what_a_later_run_changed_names_that_run() -> None:
    entry = refused(past("update", 40, 43), line(45), later=[past("update", 43, 45, id=2, run=33)])

    assert "run 33 changed addition 9001 since, to 45" in entry.message
    assert entry.next_step.endswith("connector runs undo 33")


def test_of_several_later_runs_the_newest_is_to_be_undone_first() -> None:
    later = [past("update", 43, 45, id=2, run=33), past("update", 45, 46, id=3, run=34)]

    assert refused(past("update", 40, 43), line(46), later=later).next_step.endswith("runs undo 34")


def test_a_later_run_that_was_undone_is_no_hindrance() -> None:
    later = [past("update", 43, 45, id=2, run=33), past("update", 45, 43, id=3, run=34, undoes=33)]

    assert change(past("update", 40, 43), line(43), later=later).after == 40


def test_what_is_undone_is_not_undone_again_until_the_undo_is_undone() -> None:
    made, back = past("update", 40, 43), past("update", 43, 40, id=2, run=32, undoes=31)
    assert undo(made, line(40), later=[back]).already == 1

    again = past("update", 40, 43, id=3, run=33, undoes=32)
    assert change(made, line(43), later=[back, again]).after == 40


@given(st.lists(st.booleans(), max_size=8))
def test_an_undo_pairs_with_what_it_took_back_however_long_the_chain(flips: list[bool]) -> None:
    history = [past("update", 40, 43)]
    for number, undo_newest in enumerate(flips, start=2):
        standing = [it for it in history if it.id not in undone_by(history)]
        undoes = standing[-1].run if undo_newest and standing else None
        history.append(past("update", 0, 0, id=number, run=30 + number, undoes=undoes))

    undone = undone_by(history)

    assert all(history[by.id - 1].undoes == history[target - 1].run for target, by in undone.items())
    assert len({by.id for by in undone.values()}) == len(undone)
    assert not any(later.id in undone for it in history for later in standing_after(history, it))


def test_an_undo_of_a_run_that_never_touched_the_line_pairs_with_nothing() -> None:
    assert undone_by([past("update", 40, 43), past("update", 43, 40, id=2, run=32, undoes=7)]) == {}


# What still stands of runs -----------------------------------------------------------------------


def test_a_run_is_taken_back_when_all_of_its_changes_are() -> None:
    alder = [Trace(1, 31, None), Trace(3, 32, 31)]
    birch = [Trace(2, 31, None), Trace(4, 32, 31)]

    assert taken_back([alder, birch]) == {31}
    assert taken_back([alder, birch[:1]]) == frozenset()
    assert taken_back([]) == frozenset()


def test_a_run_counts_again_when_its_undo_is_taken_back() -> None:
    history = [Trace(1, 31, None), Trace(2, 32, 31), Trace(3, 33, 32)]

    assert taken_back([history]) == {32}
    assert taken_back([[*history, Trace(4, 34, 31)]]) == {31, 32}


def test_what_two_undos_took_back_counts_again_when_the_later_one_is_undone() -> None:
    history = [Trace(1, 31, None), Trace(2, 32, 31), Trace(3, 33, 31)]

    assert undone_by(history) == {1: history[2]}
    assert taken_back([history]) == {31}
    assert taken_back([[*history, Trace(4, 34, 33), Trace(5, 35, 32)]]) == {32, 33}


# Guards, digests and what is written down --------------------------------------------------------


def test_guards_measure_an_undo_by_what_we_manage_and_name_its_command() -> None:
    known = {9001 + n: KnownAddition(9001 + n, ALDER_ENDPOINT, Decimal(12)) for n in range(4)}
    lines = (
        line(12),
        line(20, number=9002, key=Key(118, EMAIL), serial_number=mark_of(Key(118, EMAIL))),
        line(12, number=9003, cancelled=date(2026, 10, 1)),
        line(7, number=9004, key=Key(118, EMAIL)),
    )
    limits = GuardLimits(at_least=1)
    created = past("create", None, 12)

    plan = undo(created, *lines, known=known, limits=limits).plan
    assert (plan.managed, plan.managed_quantity, plan.exit_code) == (2, 32, 4)
    assert [objection.name for objection in plan.objections] == ["removals"]
    assert plan.objections[0].message.endswith("connector runs undo 31 --force removals")
    assert undo(created, *lines, known=known, limits=limits, force=["removals"]).plan.exit_code == 0


def test_an_undo_tells_what_it_moves_on_the_bill_beyond_the_units_that_are_included() -> None:
    shown = line(43, unit_price=Decimal(3), less_included=Decimal(41))

    assert change(past("update", 40, 43), shown, priced=True).money == Money(Decimal(-6), "USD")
    assert change(past("update", 40, 43), shown).money is None
    assert change(past("update", 40, 43), line(43), priced=True).money is None


def test_a_price_that_goes_back_counts_even_where_no_rule_is_left() -> None:
    moved = past("update", 40, 40, unit_price=Moved(Decimal(5), Decimal(6)))

    undoing = undo(moved, line(40, unit_price=Decimal(6)))

    assert undoing.plan.money == (Money(Decimal(-40), "USD"),)


def test_money_is_guarded_in_an_undo_as_in_a_plan() -> None:
    shown, limits = line(43, unit_price=Decimal(3)), GuardLimits(money=Decimal(8))

    plan = undo(past("update", 40, 43), shown, limits=limits).plan
    assert ([it.name for it in plan.objections], plan.exit_code) == (["money"], 4)
    assert undo(past("update", 40, 43), shown, limits=GuardLimits(money=Decimal(9))).plan.exit_code == 0


def test_a_line_that_would_rise_too_far_is_held_until_a_person_releases_it() -> None:
    fallen = past("update", 400, 10)

    held = undo(fallen, line(10))
    assert ([it.held for it in held.plan.changes], held.plan.exit_code) == (["LARGE_INCREASE"], 3)
    assert change(fallen, line(10), force=["LARGE_INCREASE"]).held is None
    assert change(past("zero", 400, 0), line(0)).held is None
    assert change(past("update", 40, 30), line(30)).held is None


def test_the_plan_of_an_undo_is_never_taken_for_a_months_plan() -> None:
    plan = undo(past("update", 40, 43), line(40)).plan

    assert plan.changes == ()
    assert plan.digest != digest_of(OCTOBER, "sophos-api", Options(), ())
    assert plan.digest != replace(plan, undoes=32).digest


def test_giving_back_is_another_write_than_only_setting_the_quantity() -> None:
    given = change(past("adopt", 12, 14, mark=MARK), line(14, serial_number=MARK))

    assert replace(given, release=False).writes != given.writes
    assert (released(given.writes), released(replace(given, release=False).writes)) == (True, False)


def test_prices_are_read_from_what_was_written_down_also_of_a_line_that_is_given_back() -> None:
    given = change(past("adopt", 12, 14), line(14))
    priced = replace(given, unit_price=Moved(None, Decimal("3.50")))

    assert prices_moved(priced.writes) == (Moved(None, Decimal("3.50")), None)
    assert prices_asked(priced.writes) == {"unit_price": Decimal("3.50"), "unit_cost": None}
    assert prices_moved(given.writes) == (None, None)


@pytest.mark.parametrize(("serial", "outcome"), [("", "done"), (MARK, "missing"), ("PO 4711", "done")])
def test_a_line_was_given_back_when_our_mark_is_out_of_it(serial: str, outcome: str) -> None:
    opened = OpenChange(
        id=1, kind="update", key=ALDER_ENDPOINT, addition_id=9001, after=Decimal(12), effective=None,
        mark=MARK, parts=(), seen=frozenset(), sent_at=NOW, release=True,
    )  # fmt: skip

    assert settle(opened, [line(12, serial_number=serial)]).outcome == outcome
