"""A mapped code vanishes from several tenants where an unmapped one appears: nothing is zeroed there."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from building import ENDPOINT, Month, warned
from hypothesis import given
from hypothesis import strategies as st

from connector.model import (
    Agreement,
    Company,
    Defaults,
    Key,
    Mappings,
    ProductEntry,
    ProductException,
    TenantEntry,
    UsageRow,
)
from connector.planning.codes import checked_force
from connector.planning.findings import Part
from connector.planning.successors import Successor, find_successors, held_pairs, not_followed
from connector.planning.summing import usage_parts
from connector.planning.tenant_finder import TenantFinder
from connector.planning.wording import succession

OLD, NEW, OTHER = "CIXA-MSP", "XDR-MSP", "NDR-MSP"
HELD = "SUSPECTED_SUCCESSOR"
RULES = {OLD: ProductEntry("Endpoint", "SOPHOS-ENDPOINT"), "CEMA-MSP": ProductEntry("Email", "SOPHOS-EMAIL")}


def parts(code: str, quantities: Mapping[str, object]) -> list[Part]:
    return [Part(tenant_id, code, Decimal(str(each))) for tenant_id, each in quantities.items()]


def mapped(tenants: str, products: Mapping[str, ProductEntry] = RULES, **said: TenantEntry) -> Mappings:
    entries = {tenant_id: TenantEntry(tenant_id, f"Company {tenant_id}", "Managed") for tenant_id in tenants}
    return Mappings(products=products, tenants={**entries, **said})


def found(
    before: Mapping[str, object], now: Mapping[str, object], *others: Part, mappings: Mappings | None = None
) -> tuple[Successor, ...]:
    """Find what follows OLD where each tenant has a row of something else, too."""
    rows = [*parts(NEW, now), *parts("CEMA-MSP", dict.fromkeys(before, 1)), *others]
    return find_successors(parts(OLD, before), rows, mappings or mapped("abcdef"))


# The rule by itself ------------------------------------------------------------------------------


def test_a_code_that_vanished_where_an_unmapped_one_appeared_alike_has_a_suspected_successor() -> None:
    (only,) = found({"a": 40, "b": 7, "c": 1}, {"a": 41, "b": 7})
    assert only == Successor(
        OLD, NEW, "SOPHOS-ENDPOINT", ("a", "b"), 3, Decimal(47), Decimal(48), held_at=("a", "b")
    )
    assert only.command == "connector products map XDR-MSP SOPHOS-ENDPOINT"
    assert held_pairs([only]) == {("a", OLD), ("b", OLD)}


@pytest.mark.parametrize(
    ("before", "now", "stands"),
    [
        ({"a": 10}, {"a": 10}, False),  # one tenant is not several
        ({"a": 10, "b": 10, "c": 10, "d": 10}, {"a": 10, "b": 10}, True),  # half of them is enough
        ({"a": 10, "b": 10, "c": 10, "d": 10, "e": 10}, {"a": 10, "b": 10}, False),  # less is not
        ({"a": 40, "b": 40, "c": 1}, {"a": 50, "b": 30}, True),  # a quarter
        ({"a": 40, "b": 40, "c": 1}, {"a": 51, "b": 29}, False),  # more than a quarter
        ({"a": 1, "b": 2, "c": 1}, {"a": 3, "b": 4}, True),  # two units
        ({"a": 1, "b": 2, "c": 1}, {"a": 4, "b": 5}, False),
        ({"a": 10, "b": 10}, {"a": 20, "b": 20}, True),  # everywhere, and not more than double
        ({"a": 10, "b": 10}, {"a": 20, "b": 21}, False),
        ({"a": 20, "b": 20}, {"a": 10, "b": 10}, True),  # not less than half
        ({"a": 20, "b": 20}, {"a": 10, "b": 9}, False),
        ({"a": 10, "b": 10}, {"a": 0, "b": 0}, False),  # a row of 0 is no usage
        ({"a": 10, "b": 10}, {"c": 10, "d": 10}, False),  # elsewhere
    ],
)
def test_several_and_similar_mean_this(
    before: dict[str, object], now: dict[str, object], stands: bool
) -> None:
    assert bool(found(before, now)) is stands


def test_once_the_suspicion_stands_a_tenant_with_another_quantity_is_held_too() -> None:
    (only,) = found({"a": 40, "b": 7, "c": 30}, {"a": 41, "b": 7, "c": 90})
    assert (only.tenants, only.before, only.now) == (("a", "b", "c"), 77, 138)


def test_a_tenant_without_any_row_says_nothing_of_codes() -> None:
    rows = parts(NEW, {"a": 10, "b": 10})
    (only,) = find_successors(parts(OLD, dict.fromkeys("abcdef", 10)), rows, mapped("abcdef"))
    assert (only.vanished, only.tenants) == (2, ("a", "b"))


def test_an_old_code_that_is_still_used_has_not_vanished_there() -> None:
    still = Part("a", OLD, Decimal(3))
    assert found({"a": 10, "b": 10}, {"a": 10, "b": 10}, still) == ()
    (only,) = found({"a": 10, "b": 10, "c": 10}, {"a": 10, "b": 10, "c": 10}, still)
    assert only.tenants == ("b", "c")
    nothing = Part("a", OLD, Decimal(0))
    assert found({"a": 10, "b": 10}, {"a": 10, "b": 10}, nothing)[0].tenants == ("a", "b")


@pytest.mark.parametrize(
    "decided",
    [
        mapped("ab", {**RULES, NEW: ProductEntry(sync=False)}),
        mapped("ab", {**RULES, NEW: ProductEntry("Extended detection")}),
        mapped("ab", {**RULES, NEW: ProductEntry(item="SOPHOS-XDR")}),
        mapped("ab", {**RULES, OLD: ProductEntry(sync=False)}),
        mapped("ab", {"CEMA-MSP": RULES["CEMA-MSP"]}),
        mapped("a", b=TenantEntry(sync=False)),
        mapped("a"),
        mapped("a", b=TenantEntry("b", "B", "M", products={NEW: ProductException(sync=False)})),
        mapped("a", b=TenantEntry("b", "B", "M", products={NEW: ProductException(item="B-XDR")})),
        mapped("a", b=TenantEntry("b", "B", "M", products={OLD: ProductException(sync=False)})),
    ],
)
def test_what_a_person_has_decided_is_no_suspect(decided: Mappings) -> None:
    assert found({"a": 10, "b": 10}, {"a": 10, "b": 10}, mappings=decided) == ()


def test_a_code_that_fed_their_lines_before_has_not_appeared() -> None:
    before = [*parts(OLD, {"a": 10, "b": 10}), *parts(NEW, {"a": 10, "b": 10})]
    assert find_successors(before, parts(NEW, {"a": 10, "b": 10}), mapped("ab")) == ()


def test_of_two_suspects_the_one_at_more_tenants_counts_and_both_hold() -> None:
    fewer = parts(OTHER, {"b": 10, "c": 10})
    (only,) = found(dict.fromkeys("abcd", 10), {"a": 9, "b": 9, "d": 9}, *fewer)
    assert (only.new, only.tenants, only.held_at) == (NEW, ("a", "b", "d"), ("a", "b", "c", "d"))


def test_of_two_suspects_at_as_many_tenants_the_nearer_sum_counts_then_the_code() -> None:
    nearer = parts(OTHER, {"a": 10, "b": 10})
    assert found({"a": 10, "b": 10}, {"a": 9, "b": 10}, *nearer)[0].new == OTHER
    assert found({"a": 10, "b": 10}, {"a": 10, "b": 10}, *nearer)[0].new == OTHER
    assert found({"a": 10, "b": 10}, {"a": 10, "b": 10}, *parts("ZZ", {"a": 10, "b": 10}))[0].new == NEW


def test_two_old_codes_follow_to_two_new_ones_and_share_one_only_where_no_other_is_left() -> None:
    before = [*parts(OLD, {"a": 10, "b": 10}), *parts("CEMA-MSP", {"a": 11, "b": 11})]
    both = [*parts(NEW, {"a": 10, "b": 10}), *parts(OTHER, {"a": 11, "b": 11})]
    chosen = find_successors(before, both, mapped("ab"))
    assert [(each.old, each.new, each.item) for each in chosen] == [
        ("CEMA-MSP", OTHER, "SOPHOS-EMAIL"),
        (OLD, NEW, "SOPHOS-ENDPOINT"),
    ]
    shared = find_successors(before, parts(NEW, {"a": 10, "b": 10}), mapped("ab"))
    assert [(each.old, each.new) for each in shared] == [("CEMA-MSP", NEW), (OLD, NEW)]


def test_quantities_that_nobody_knows_are_taken_for_similar() -> None:
    (only,) = found({"a": 0, "b": 10, "c": 10}, {"a": 300, "b": 10})
    assert (only.tenants, only.before, only.now) == (("a", "b"), 0, 310)
    assert "how much of CIXA-MSP there was is not on record" in succession(only, mapped("abc"))


def test_the_item_is_the_one_under_products_or_else_the_one_most_exceptions_name() -> None:
    def excepted(item: str | int) -> TenantEntry:
        return TenantEntry("x", "X", "M", products={OLD: ProductException(item=item)})

    three = {"a": 10, "b": 10, "c": 10}
    exceptions = {"a": excepted("A-EDR"), "b": excepted(7), "c": excepted(7)}
    (only,) = found(three, three, mappings=mapped("", RULES, **exceptions))
    assert (only.item, only.command) == ("SOPHOS-ENDPOINT", f"connector products map {NEW} SOPHOS-ENDPOINT")
    assert "3 of these tenants have exceptions" in succession(only, mapped("", RULES, **exceptions))
    off = {**RULES, OLD: ProductEntry(item="SOPHOS-ENDPOINT", sync=False)}
    (only,) = found(three, three, mappings=mapped("", off, **exceptions))
    assert (only.item, only.command) == (7, f"connector products map {NEW} 7")
    (only,) = found(three, three, mappings=mapped("", {}, **exceptions))
    assert only.item == 7


@pytest.mark.parametrize(
    ("new", "item", "command"),
    [
        ("XDR-MSP", "Endpoint (per user)", 'map XDR-MSP "Endpoint (per user)"'),
        ("XDR MSP", 48, 'map "XDR MSP" 48'),
        ("XDR&MSP", "Größe L", 'map "XDR&MSP" "Größe L"'),
        ("-x", "A", 'map -- "-x" A'),
        ("X", "-1", 'map -- X "-1"'),
        ("$(calc)", "A", "map CODE A"),
        ("X`calc`", 'Rack 19"', "map CODE ITEM"),
        ("%PATH%", "back\\slash", "map CODE ITEM"),
        ("X\nrm -rf ~", "“calc”", "map CODE ITEM"),
        ("", "wow!", "map CODE ITEM"),
    ],
)
def test_the_command_can_be_pasted_into_any_shell_without_harm(
    new: str, item: str | int, command: str
) -> None:
    each = Successor(OLD, new, item, ("a", "b"), 2, Decimal(1), Decimal(1))
    assert each.command == f"connector products {command}"


def test_usage_counts_for_the_tenant_that_its_firewall_is_assigned_to_and_strangers_count_for_nobody() -> (
    None
):
    rows = [
        UsageRow(NEW, Decimal(1), serial="X1"),
        UsageRow(NEW, Decimal(2), "a"),
        UsageRow(NEW, Decimal(9), serial="X2"),
    ]
    finder = TenantFinder({"a"}, {"X1": "a"}, ())
    assert usage_parts(rows, finder) == (Part("a", NEW, Decimal(3), ("X1",)),)


# In a plan ---------------------------------------------------------------------------------------


def recoded(now: Mapping[str, int], before: int = 10, **said: object) -> Month:
    """Return a month in which each of these tenants uses NEW where its line was fed by OLD."""
    month = Month(products=dict(RULES), tenants={}, companies=[], agreements=[], **said)  # type: ignore[arg-type]
    for number, (tenant_id, quantity) in enumerate(now.items(), start=1):
        month.companies.append(Company(number, tenant_id))
        month.agreements.append(Agreement(500 + number, "Managed", number))
        month.tenants[tenant_id] = TenantEntry(tenant_id.title(), tenant_id, "Managed")
        month.manages(line_of(number), before, {(tenant_id, OLD): before}, addition_id=9000 + number)
        month.uses(tenant_id, NEW, quantity).uses(tenant_id, "CEMA-MSP", 0)
    return month


def line_of(number: int) -> Key:
    return Key(500 + number, ENDPOINT)


ALIKE = {"fir": 10, "oak": 11, "yew": 9}


def holds(month: Month, **options: object) -> list[tuple[str, str | None]]:
    return [(change.kind, change.held) for change in month.plan(**options).changes]


@pytest.mark.parametrize(("absent", "kind"), [("zero", "zero"), ("end", "end")])
def test_lines_of_a_code_that_may_have_been_replaced_are_held(absent: str, kind: str) -> None:
    month = recoded(ALIKE, defaults=Defaults(absent=absent))  # type: ignore[arg-type]
    plan = month.plan()
    assert [(change.kind, change.held) for change in plan.changes] == [(kind, HELD)] * 3
    assert (plan.exit_code, plan.objections) == (3, ())
    (warning,) = plan.warnings
    assert warning.code == HELD
    assert warning.message == (
        "CIXA-MSP has vanished from 3 tenants, and at all of them XDR-MSP, which mappings.yaml does not "
        "know, is used (30 before, 30 now): Sophos may have given the product a new code; nothing is zeroed "
        "there meanwhile. If it is so: connector products map XDR-MSP SOPHOS-ENDPOINT"
    )


def test_with_keep_nothing_is_zeroed_anyway_and_the_suspicion_is_told() -> None:
    plan = recoded(ALIKE, defaults=Defaults(absent="keep")).plan()
    assert (plan.changes, warned(plan)) == ((), ["ABSENT_KEPT"] * 3 + [HELD])


def test_a_suspected_fall_is_named_before_any_other_doubt_and_each_is_released_by_itself() -> None:
    month = recoded(ALIKE)
    month.maps("elm", company="fir", agreement="Managed").known[9001] = replace(
        month.known[9001],
        parts=(Part("fir", OLD, Decimal(10)), Part("elm", OLD, Decimal(5))),
    )
    assert holds(month)[0] == ("zero", HELD)
    assert holds(month, force=frozenset({HELD}))[0] == ("zero", "TENANT_VANISHED")
    assert holds(month, force=frozenset({"TENANT_VANISHED"}))[0] == ("zero", HELD)


@pytest.mark.parametrize("force", [HELD, "all"])
def test_a_person_may_release_them(force: str) -> None:
    month = recoded(ALIKE)
    assert holds(month, force=checked_force([force])) == [("zero", None)] * 3
    (warning,) = month.plan(force=frozenset({force})).warnings
    assert "--force has released what was held for it" in warning.message


@pytest.mark.parametrize("options", [{"tenant": "oak"}, {"product": OLD}])
def test_the_suspicion_does_not_depend_on_what_the_plan_was_asked_for(options: dict[str, str]) -> None:
    month = recoded(ALIKE)
    assert {held for _, held in holds(month, **options)} == {HELD}


def test_a_line_that_several_codes_feed_does_not_fall_either() -> None:
    month = recoded(ALIKE)
    month.products["SVR-MSP"] = ProductEntry("Server", "SOPHOS-ENDPOINT")
    month.uses("fir", "SVR-MSP", 4).uses("oak", "SVR-MSP", 40)
    assert holds(month) == [("update", HELD), ("update", None), ("zero", HELD)]


def test_a_code_that_fed_nothing_has_not_vanished() -> None:
    month = recoded(ALIKE)
    month.products["SVR-MSP"] = ProductEntry("Server", "SOPHOS-ENDPOINT")
    for number, tenant_id in enumerate(ALIKE, start=9001):
        fed = (Part(tenant_id, OLD, Decimal(0)), Part(tenant_id, "SVR-MSP", Decimal(10)))
        month.known[number] = replace(month.known[number], parts=fed)
        month.uses(tenant_id, "SVR-MSP", 8)
    assert (holds(month), warned(month.plan())) == ([("update", None)] * 3, [])


def test_a_tenant_that_stopped_without_the_new_code_is_zeroed_as_usual() -> None:
    month = recoded({**ALIKE, "ash": 0})
    assert holds(month) == [("zero", HELD)] * 3 + [("zero", None)]


def test_mapping_the_new_code_to_the_same_item_just_changes_quantities() -> None:
    month = recoded(ALIKE)
    month.products[NEW] = ProductEntry("XDR", "SOPHOS-ENDPOINT")
    plan = month.plan()
    assert [(change.kind, change.after, change.held) for change in plan.changes] == [
        ("update", 11, None),
        ("update", 9, None),
    ]
    assert (plan.exit_code, plan.warnings) == (0, ())


def test_turning_the_new_code_off_lets_the_old_one_go() -> None:
    month = recoded(ALIKE)
    month.products[NEW] = ProductEntry("XDR", sync=False)
    plan = month.plan()
    assert [(change.kind, change.held) for change in plan.changes] == [("zero", None)] * 3
    assert plan.warnings == ()


def test_held_falls_do_not_count_for_the_guards() -> None:
    many = recoded({f"tenant{number:02}": 10 for number in range(12)})
    plan = many.plan()
    assert (len(plan.held), plan.objections) == (12, ())
    assert [objection.name for objection in many.plan(force=frozenset({HELD})).objections] == [
        "removals",
        "decrease",
    ]


def test_with_the_state_lost_the_fall_of_a_marked_line_says_how_much_it_was() -> None:
    plan = recoded(ALIKE).lose_state().plan()
    assert [change.held for change in plan.changes] == [HELD] * 3
    assert "(30 before, 30 now)" in plan.warnings[0].message
    unlike = recoded({"fir": 1, "oak": 90, "yew": 400}).lose_state()
    assert [change.held for change in unlike.plan().changes] == [None] * 3


def test_with_the_state_lost_what_is_still_used_did_not_cause_the_fall() -> None:
    month = recoded(ALIKE, before=14).lose_state()
    month.products["SVR-MSP"] = ProductEntry("Server", "SOPHOS-ENDPOINT")
    for tenant_id in ALIKE:
        month.uses(tenant_id, "SVR-MSP", 4)
    assert holds(month) == [("update", HELD)] * 3
    assert "(30 before, 30 now)" in month.plan().warnings[0].message


def test_with_the_state_lost_and_several_codes_in_question_any_quantity_is_suspicious() -> None:
    month = recoded({"fir": 1, "oak": 90, "yew": 400}).lose_state()
    month.products["SVR-MSP"] = ProductEntry("Server", "SOPHOS-ENDPOINT")
    plan = month.plan()
    assert [change.held for change in plan.changes] == [HELD] * 3
    assert "how much of CIXA-MSP there was is not on record" in plan.warnings[0].message


def test_with_the_state_lost_a_line_that_does_not_fall_is_no_evidence() -> None:
    month = recoded(ALIKE).lose_state()
    for code in ("SVR-MSP", "MOBILE-MSP"):
        month.products[code] = ProductEntry(item="SOPHOS-ENDPOINT")
    for tenant_id in ALIKE:
        month.uses(tenant_id, "SVR-MSP", 12)
    assert (holds(month), warned(month.plan())) == ([("update", None)] * 3, [])


# A code that was split in two --------------------------------------------------------------------


def split(mapped_since: Mapping[str, int]) -> Month:
    """Return a month in which OLD became NEW, unmapped, and OTHER, which a person has mapped since."""
    month = recoded({"fir": 9, "oak": 16, "yew": 7}, before=20)
    month.products[OTHER] = ProductEntry("Half", "SOPHOS-ENDPOINT")
    for tenant_id, quantity in mapped_since.items():
        month.uses(tenant_id, OTHER, quantity)
    return month


def test_one_half_of_a_split_code_stays_held_when_the_other_half_is_mapped() -> None:
    month = split({"fir": 11, "oak": 3, "yew": 12})
    assert holds(month) == [("update", HELD)] * 3
    assert "(34 before, 32 now)" in month.plan().warnings[0].message


def test_a_code_whose_mapped_follower_took_it_over_whole_leaves_no_suspicion() -> None:
    month = split({"fir": 20, "oak": 21, "yew": 22})
    assert (HELD not in [held for _, held in holds(month)], warned(month.plan())) == (True, [])


def test_what_followed_is_taken_off_once_and_only_from_codes_that_are_gone() -> None:
    before = [*parts(OLD, {"a": 10}), *parts("OLDER", {"a": 8, "off": 5}), *parts("STAYS", {"a": 4})]
    now = [*parts("NEXT", {"a": 12, "off": 5}), *parts("STAYS", {"a": 4}), *parts("NEXT", {"stranger": 3})]
    products = {code: ProductEntry(item="ONE") for code in (OLD, "OLDER", "STAYS", "NEXT")}
    rules = mapped("a", products, off=TenantEntry(sync=False))
    rules = replace(rules, products={**products, "OFF": ProductEntry(sync=False)})
    left = not_followed([*before, *parts("OFF", {"a": 1}), *parts(OLD, {"nobody": 2})], now, rules)
    assert {(part.tenant_id, part.product_code): part.quantity for part in left} == {
        ("a", "OLDER"): 6,
        ("a", "STAYS"): 4,
        ("a", "OFF"): 1,
        ("nobody", OLD): 2,
    }


# For every month ---------------------------------------------------------------------------------

tenants = st.sampled_from("abcdef")
codes = st.sampled_from([OLD, "CEMA-MSP", NEW, OTHER, "ZZ"])
quantities = st.integers(0, 60)
usage = st.lists(st.tuples(tenants, codes, quantities), max_size=20)
histories = st.dictionaries(tenants, st.tuples(st.sampled_from([OLD, "CEMA-MSP"]), quantities), max_size=6)


def month_of(before: Mapping[str, tuple[str, int]], rows: list[tuple[str, str, int]], lost: bool) -> Month:
    month = Month(products=dict(RULES), tenants={}, companies=[], agreements=[])
    for number, tenant_id in enumerate("abcdef", start=1):
        month.companies.append(Company(number, tenant_id))
        month.agreements.append(Agreement(500 + number, "Managed", number))
        month.tenants[tenant_id] = TenantEntry(tenant_id, tenant_id, "Managed")
        if tenant_id in before:
            code, quantity = before[tenant_id]
            key = Key(500 + number, 48 if code == OLD else 49)
            month.manages(key, quantity, {(tenant_id, code): quantity}, addition_id=9000 + number)
    for row in rows:
        month.uses(*row)
    return month.lose_state() if lost else month


@given(histories, usage, st.booleans())
def test_where_a_successor_is_suspected_nothing_falls_until_a_person_decides(
    before: dict[str, tuple[str, int]], rows: list[tuple[str, str, int]], lost: bool
) -> None:
    month = month_of(before, rows, lost)
    plan = month.plan()
    used = {(row.account_id, row.product_code) for row in month.rows if row.quantity > 0}
    said = [warning.message for warning in plan.warnings if warning.code == HELD]
    assert bool(said) == any(change.held == HELD for change in plan.changes)
    for message in said:
        old, new = message.split()[0], message.split(" map ")[1].split()[0]
        for change in plan.to_make:
            replaced = [
                part.tenant_id
                for part in change.was
                if part.product_code == old and part.pair not in used and (part.tenant_id, new) in used
            ]
            assert not replaced or change.after >= (change.before or 0)


@given(st.dictionaries(tenants, st.integers(1, 60), min_size=2), usage, st.booleans())
def test_a_code_that_is_replaced_everywhere_never_zeroes_a_line_whatever_else_is_used(
    before: dict[str, int], rows: list[tuple[str, str, int]], lost: bool
) -> None:
    others = [row for row in rows if row[1] not in {OLD, NEW}]
    renamed = [(tenant_id, NEW, quantity) for tenant_id, quantity in before.items()]
    plan = month_of({each: (OLD, before[each]) for each in before}, [*renamed, *others], lost).plan()
    endpoint = [change.held for change in plan.changes if change.key.item_id == ENDPOINT]
    assert endpoint == [HELD] * len(before)


@given(histories, usage, st.booleans())
def test_without_an_unmapped_code_nothing_is_suspected(
    before: dict[str, tuple[str, int]], rows: list[tuple[str, str, int]], lost: bool
) -> None:
    known = [row for row in rows if row[1] in RULES]
    plan = month_of(before, known, lost).plan()
    assert HELD not in {*warned(plan), *(change.held for change in plan.changes)}


@given(histories, usage)
def test_deciding_on_every_code_releases_every_suspicion(
    before: dict[str, tuple[str, int]], rows: list[tuple[str, str, int]]
) -> None:
    month = month_of(before, rows, lost=False)
    for code in (NEW, OTHER, "ZZ"):
        month.products[code] = ProductEntry(sync=False)
    plan = month.plan()
    assert HELD not in {*warned(plan), *(change.held for change in plan.changes)}
