"""What a line's quantity is made of is found again, and only what is sure is said to be so."""

from decimal import Decimal

import pytest
from building import ALDER, BIRCH, OCTOBER

from connector.model import Firewall, Key, Mappings, Period, ProductEntry, UsageRow
from connector.planning.explanation import (
    Event,
    EventKind,
    LineStory,
    PlacedBy,
    add_up,
    bars,
    first_that_adds_up,
    maker_of,
    placed_by,
    rows_of_part,
    told_history,
)
from connector.planning.findings import Part
from connector.planning.tenant_finder import TenantFinder

NOVEMBER = Period(2026, 11)
XGS = "XGS-MSP"


def used(quantity: int, tenant: str | None = ALDER, code: str = "CIXA-MSP", **said: str) -> UsageRow:
    return UsageRow(code, Decimal(quantity), tenant, **said)


def numbered(*rows: UsageRow) -> tuple[tuple[int, UsageRow], ...]:
    return tuple(enumerate(rows, start=2))


def finder(*firewalls: Firewall) -> TenantFinder:
    return TenantFinder({ALDER, BIRCH}, {}, firewalls)


def part(quantity: int, tenant: str = ALDER, code: str = "CIXA-MSP", serials: tuple[str, ...] = ()) -> Part:
    return Part(tenant, code, Decimal(quantity), serials)


def event(
    kind: EventKind,
    after: int,
    period: Period = OCTOBER,
    outcome: str = "done",
    run: int = 1,
    undoes: int | None = None,
    moment: Period | None = None,
) -> Event:
    return Event(
        period=period, run=run, kind=kind, before=None, after=Decimal(after), outcome=outcome, at="",
        who="", version="", digest="", because="", source="sophos-api", undoes=undoes, moment=moment,
    )  # fmt: skip


def test_a_part_is_made_of_the_rows_of_its_tenant_and_code() -> None:
    rows = numbered(
        used(3),
        used(4, BIRCH),
        used(5, code="CEMA-MSP"),
        used(6),
        used(7, None, external_id=ALDER),
    )

    found = rows_of_part(part(16), rows, finder())

    assert [number for number, _ in found] == [2, 5, 6]


def test_a_firewall_that_counts_for_another_today_still_explains_the_month_it_was_counted_in() -> None:
    rows = numbered(used(1, None, XGS, serial="X1"), used(1, None, XGS, serial="X2"))
    moved = finder(Firewall("X1", tenant_id=BIRCH), Firewall("X2", tenant_id=ALDER))

    found = rows_of_part(part(2, code=XGS, serials=("X1", "X2")), rows, moved)

    assert [row.serial for _, row in found] == ["X1", "X2"]


def test_a_serial_number_on_rows_of_two_tenants_goes_to_whom_it_counts_for() -> None:
    rows = numbered(used(1, ALDER, XGS, serial="X1"), used(1, None, XGS, serial="X1"))
    birchs = finder(Firewall("X1", tenant_id=BIRCH))

    assert [n for n, _ in rows_of_part(part(1, ALDER, XGS, ("X1",)), rows, birchs)] == [2]
    assert [n for n, _ in rows_of_part(part(1, BIRCH, XGS, ("X1",)), rows, birchs)] == [3]


@pytest.mark.parametrize(
    ("row", "source", "mapped", "firewall", "by"),
    [
        (used(1), "sophos-api", {}, None, "accountId"),
        (used(1), "file", {}, None, "import"),
        (used(1, None, external_id=ALDER), "sophos-api", {}, None, "externalId"),
        (
            used(1, None, serial="X1"),
            "sophos-api",
            {"X1": ALDER},
            Firewall("X1", tenant_id=BIRCH),
            "firewalls",
        ),
        (
            used(1, None, serial="X1"),
            "sophos-api",
            {},
            Firewall("X1", tenant_id=BIRCH, billing_tenant_id=ALDER),
            "billingTenant",
        ),
        (used(1, None, serial="X1"), "sophos-api", {}, Firewall("X1", tenant_id=ALDER), "tenant"),
        (
            used(1, None, serial="X1"),
            "sophos-api",
            {},
            Firewall("X1", tenant_id=ALDER, billing_tenant_id=BIRCH),
            "serial",
        ),
        (used(1, None, serial="X1"), "sophos-api", {}, None, "serial"),
    ],
)
def test_what_placed_a_row_is_named_in_the_order_of_the_rules(
    row: UsageRow, source: str, mapped: dict[str, str], firewall: Firewall | None, by: PlacedBy
) -> None:
    listed = {"X1": [firewall]} if firewall is not None else {}

    assert placed_by(row, ALDER, source=source, mapped=mapped, firewalls=listed) == by


def test_of_several_accounts_the_one_whose_rows_come_to_the_quantity_is_the_one() -> None:
    rows = numbered(used(3), used(4, BIRCH))
    both = (part(3), part(4, BIRCH))

    found = first_that_adds_up([(part(7),), both], Decimal(7), rows, finder(), Mappings())
    unsure = first_that_adds_up([(part(7),)], Decimal(7), rows, finder(), Mappings())

    assert found == (both, True)
    assert unsure == ((part(7),), False)
    assert first_that_adds_up([], Decimal(7), rows, finder(), Mappings()) == ((), False)


def test_units_of_the_map_count_in_whether_it_adds_up() -> None:
    by_ten = Mappings(products={"CIXA-MSP": ProductEntry(item=1, per=10)})
    rows = numbered(used(11), used(10))

    assert add_up((part(21),), Decimal(3), rows, finder(), by_ten)
    assert not add_up((part(21),), Decimal(21), rows, finder(), by_ten)


def test_of_quiet_runs_only_the_last_of_a_month_counts_and_none_beside_a_change() -> None:
    listed = [
        event("create", 40),
        event("carried", 40, outcome="unchanged", run=2),
        event("carried", 40, NOVEMBER, "unchanged", run=3),
        event("carried", 40, NOVEMBER, "unchanged", run=4),
    ]

    assert [each.run for each in told_history(listed)] == [1, 4]


def test_a_change_replaces_the_quiet_runs_before_it_and_one_not_made_keeps_those_after() -> None:
    listed = [
        event("carried", 40, outcome="unchanged", run=1),
        event("zero", 40, outcome="held", run=2),
        event("carried", 40, outcome="unchanged", run=3),
        event("update", 43, outcome="done", run=4),
    ]

    assert [each.run for each in told_history(listed)] == [2, 4]


def test_each_month_has_one_bar_with_its_last_quantity() -> None:
    listed = [
        event("create", 40),
        event("update", 41),
        event("update", 99, NOVEMBER, "failed"),
        event("carried", 41, NOVEMBER, "unchanged"),
    ]

    assert bars(listed, Decimal(45)) == (("2026-10", 41), ("2026-11", 41), ("now", 45))
    assert bars(listed, None)[-1] == ("2026-11", 41)


def test_a_run_that_was_taken_back_later_leaves_the_bar_of_its_own_month() -> None:
    listed = [
        event("create", 40),
        event("carried", 40, NOVEMBER, "unchanged", run=2),
        event("zero", 0, OCTOBER, run=3, undoes=1, moment=NOVEMBER),
    ]

    assert told_history(listed) == tuple(listed)
    assert bars(listed, Decimal(0)) == (("2026-10", 40), ("2026-11", 0), ("now", 0))
    assert maker_of(listed, OCTOBER) == listed[0]
    assert maker_of(listed) == listed[2]


def test_what_a_run_finds_right_after_an_undo_counts_beside_it() -> None:
    listed = [
        event("update", 20, run=1),
        event("update", 12, run=2, undoes=1, moment=OCTOBER),
        event("carried", 12, outcome="unchanged", run=3),
    ]

    assert [each.run for each in told_history(listed)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("billed_by", "adds_up", "told"),
    [
        (3, True, "20 CIXA-MSP"),
        (3, False, "20 CIXA-MSP"),
        (4, True, "20 CIXA-MSP"),
        (4, False, ""),
        (2, True, ""),
        (None, True, ""),
    ],
)
def test_a_sum_tells_a_quantity_only_where_the_run_that_made_it_or_found_it_right_billed_that_usage(
    billed_by: int | None, adds_up: bool, told: str
) -> None:
    line = LineStory(
        addition_id=9001,
        key=Key(101, 41),
        company="Alder",
        agreement="Managed Security",
        item="SOPHOS-ENDPOINT",
        mark="",
        ours=True,
        connectwise=None,
        gone=False,
        ended=False,
        written=Decimal(20),
        usage=Decimal(20),
        sum="20 CIXA-MSP",
        origin=None,
        billed=billed_by is not None,
        adds_up=adds_up,
        parts=(),
        mapping=(),
        history=(event("create", 12, run=1), event("update", 20, run=3)),
        now=None,
        run=billed_by,
    )

    assert line.fitting == told
