"""What holds for every month, not only for those that somebody thought of."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal

from building import ALDER, ALDER_AGREEMENT, BIRCH, EMAIL, ENDPOINT, TODAY, Month
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Addition, Defaults, Key, ProductEntry
from connector.planning.change import Change, KnownAddition, Plan, mark_of

KEYS = [Key(agreement, item) for agreement in (ALDER_AGREEMENT, 204) for item in (ENDPOINT, EMAIL)]
PAIRS = [
    (tenant, code) for tenant in (ALDER, BIRCH, "nobody") for code in ("CIXA-MSP", "CEMA-MSP", "CDE-MSP", "X")
]

quantities = st.one_of(
    st.integers(0, 300).map(Decimal),
    st.decimals("0.01", "99", places=2, allow_nan=False, allow_infinity=False),
)
rows = st.lists(st.tuples(st.sampled_from(PAIRS), quantities), max_size=12)
dates = st.one_of(st.none(), st.sampled_from([date(2026, 9, 30), TODAY, date(2026, 12, 31)]))
lines = st.lists(
    st.tuples(st.sampled_from(KEYS), quantities, st.booleans(), st.booleans(), dates), max_size=6
)
absents = st.sampled_from(["zero", "end", "keep"])
adopts = st.sampled_from(["ask", "auto", "never"])


def month_of(
    used: list[tuple[tuple[str, str], Decimal]],
    billed: list[tuple[Key, Decimal, bool, bool, date | None]],
    absent: str,
    adopt: str,
) -> Month:
    month = Month(defaults=Defaults(absent=absent, adopt=adopt))  # type: ignore[arg-type]
    month.products["CDE-MSP"] = ProductEntry("Encryption", "SOPHOS-ENDPOINT")
    for pair, quantity in used:
        month.uses(pair[0], pair[1], quantity)
    for number, (key, quantity, ours, known, cancelled) in enumerate(billed, start=1):
        mark = mark_of(key) if ours else ""
        month.bills(key, quantity, addition_id=number, serial_number=mark, cancelled=cancelled)
        if ours and known:
            month.known[number] = KnownAddition(number, key, quantity)
    return month


def carried_out(month: Month, plan: Plan) -> Month:
    """Do to the additions what the plan says, as ConnectWise would."""
    additions = {addition.id: addition for addition in month.additions}
    for change in plan.to_make:
        after = made(change, additions, new_id=1000 + len(additions))
        additions[after.id] = after
        ended = after.cancelled if change.kind == "end" else None
        month.known[after.id] = KnownAddition(after.id, after.key, after.quantity, change.parts, ended)
    month.additions = list(additions.values())
    return month


def made(change: Change, additions: dict[int, Addition], new_id: int) -> Addition:
    if change.kind == "create":
        return Addition(
            new_id, *change.key, change.after, effective=change.effective, serial_number=change.mark
        )
    assert change.addition_id is not None
    before = additions[change.addition_id]
    if change.kind == "end":
        return replace(before, cancelled=change.effective)
    return replace(before, quantity=change.after, serial_number=before.serial_number or change.mark)


months = st.builds(month_of, rows, lines, absents, adopts)


@given(months)
def test_applying_a_plan_leaves_nothing_to_do(month: Month) -> None:
    carried_out(month, month.plan(force=frozenset({"all"})))
    assert month.plan(force=frozenset({"all"})).changes == ()


@given(months)
def test_what_is_billed_is_what_was_used_wherever_nobody_has_to_decide(month: Month) -> None:
    plan = month.plan(force=frozenset({"all"}))
    decide = {entry.key for entry in plan.unresolved}
    used: dict[Key, Decimal] = defaultdict(Decimal)
    for row in month.rows:
        if row.account_id in {ALDER, BIRCH} and row.product_code != "X":
            item = EMAIL if row.product_code == "CEMA-MSP" else ENDPOINT
            used[Key(ALDER_AGREEMENT if row.account_id == ALDER else 204, item)] += row.quantity
    carried_out(month, plan)
    for key, quantity in used.items():
        if key not in decide and quantity > 0:
            live = [line for line in month.additions if line.key == key and line.live(TODAY)]
            ours = [line for line in live if line.id in month.known or line.serial_number]
            assert [line.quantity for line in ours] == [quantity]


@given(months)
def test_no_key_ever_gets_a_second_line(month: Month) -> None:
    def live() -> dict[Key, int]:
        counts: dict[Key, int] = defaultdict(int)
        for line in month.additions:
            counts[line.key] += line.live(TODAY)
        return counts

    before = live()
    carried_out(month, month.plan(force=frozenset({"all"}), recreate=True))
    assert all(count <= max(before[key], 1) for key, count in live().items())


@given(months)
def test_lines_that_people_made_stay_as_they_are_unless_they_are_adopted(month: Month) -> None:
    people = {line.id: line for line in month.additions if not line.serial_number}
    plan = month.plan()
    adopted = {change.addition_id for change in plan.to_make if change.kind == "adopt"}
    carried_out(month, plan)
    after = {line.id: line for line in month.additions}
    assert all(after[number] == line for number, line in people.items() if number not in adopted)


@given(months)
def test_rows_are_accounted_for_to_the_last_one(month: Month) -> None:
    coverage = month.plan().coverage
    assert coverage.rows == len(month.rows)
    assert coverage.billed + coverage.off + coverage.unresolved == coverage.rows
    assert min(coverage.billed, coverage.off, coverage.unresolved) >= 0


@given(months)
def test_losing_the_state_never_makes_a_new_line(month: Month) -> None:
    known_creates = {change.key for change in month.plan().changes if change.kind == "create"}
    month.lose_state()
    assert {change.key for change in month.plan().changes if change.kind == "create"} <= known_creates
