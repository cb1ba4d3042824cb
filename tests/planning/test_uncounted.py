"""What live counts do not tell leaves every key alone that it may feed, and sources are not mixed."""

from decimal import Decimal

import pytest
from building import (
    ALDER,
    ALDER_AGREEMENT,
    ALDER_ENDPOINT,
    BIRCH,
    EMAIL,
    ENDPOINT,
    STRANGER,
    Month,
    told,
    warned,
)

from connector.errors import CommandFault
from connector.model import CatalogItem, Key, ProductEntry
from connector.planning.codes import checked_force
from connector.planning.sources import OPTIONS, source_named, source_option, told_source
from connector.planning.uncounted import Uncounted

OURS = {(ALDER, "CIXA-MSP"): 12}
SHARED = {(ALDER, "CIXA-MSP"): 12, (BIRCH, "CIXA-MSP"): 3}
HIDDEN = Uncounted(tenants=frozenset({ALDER}))


def live(uncounted: Uncounted) -> Month:
    return Month(source="live", uncounted=uncounted)


@pytest.mark.parametrize("now", [1, 3, 30])
def test_a_line_that_a_hidden_tenant_feeds_neither_falls_nor_rises(now: int) -> None:
    month = live(HIDDEN).maps(BIRCH, company="AlderDental").manages(ALDER_ENDPOINT, 15, SHARED)
    month.uses(BIRCH, "CIXA-MSP", now)
    assert month.change().held == "NOT_COUNTED"
    assert month.change(force=frozenset({"all"})).held == "NOT_COUNTED"
    assert told(month.plan()) == [("NOT_COUNTED", None)]
    assert month.plan().exit_code == 3


def test_a_line_that_a_hidden_tenant_may_feed_is_not_made_nor_taken_over_without_it() -> None:
    month = live(HIDDEN).maps(BIRCH, company="AlderDental").uses(BIRCH, "CIXA-MSP", 3)
    assert (month.change().kind, month.change().held) == ("create", "NOT_COUNTED")
    month.bills(ALDER_ENDPOINT, 9)
    assert month.change(adopt=True).held == "NOT_COUNTED"


def test_the_lines_of_others_are_written() -> None:
    month = live(HIDDEN).uses(BIRCH, "CIXA-MSP", 3)
    assert month.change().held is None
    assert month.plan().coverage.unresolved == 0


def test_a_tenant_that_nobody_mapped_is_told_when_it_is_hidden_and_one_that_is_off_is_not() -> None:
    month = live(Uncounted(tenants=frozenset({STRANGER, BIRCH}))).maps(BIRCH, sync=False)
    assert [entry.tenant_id for entry in month.uses(ALDER, "CIXA-MSP", 1).plan().unresolved] == [STRANGER]


def test_a_share_that_is_off_need_not_be_counted() -> None:
    month = live(HIDDEN).maps(BIRCH, company="AlderDental").maps(ALDER, sync=False)
    month.manages(ALDER_ENDPOINT, 15, SHARED).uses(BIRCH, "CIXA-MSP", 4)
    assert (month.change().held, month.plan().exit_code) == (None, 0)


def test_only_the_code_without_a_count_is_held() -> None:
    month = live(Uncounted(pairs=frozenset({(ALDER, "CIXA-MSP"), (ALDER, "CPHISH-MSP")})))
    month.manages(ALDER_ENDPOINT, 12, OURS).uses(ALDER, "CEMA-MSP", 2)
    plan = month.plan()
    assert [(change.kind, change.held) for change in plan.changes] == [
        ("zero", "NOT_COUNTED"),
        ("create", None),
    ]
    assert told(plan) == [("NOT_COUNTED", "CIXA-MSP")]


def test_lines_that_firewalls_feed_are_left_alone_whatever_else_feeds_them() -> None:
    month = live(Uncounted(devices=frozenset({"XGS-MSP"}), firewalls=True))
    month.products["XGS-MSP"] = ProductEntry("Firewall", "SOPHOS-EMAIL")
    month.manages(Key(ALDER_AGREEMENT, EMAIL), 4, {(ALDER, "XGS-MSP"): 1, (ALDER, "CEMA-MSP"): 3})
    month.uses(ALDER, "CEMA-MSP", 9).uses(ALDER, "CIXA-MSP", 2)
    plan = month.plan()
    assert [change.key.item_id for change in plan.changes] == [ENDPOINT]
    assert warned(plan) == ["LIVE_WITHOUT_FIREWALLS"]
    assert "1 line that firewalls feed" in plan.warnings[0].message


def test_a_firewalls_code_that_live_counts_lack_is_not_taken_for_replaced() -> None:
    month = live(Uncounted(devices=frozenset({"XGS-MSP"})))
    month.products["XGS-MSP"] = ProductEntry("Firewall", "SOPHOS-XGS")
    month.items.append(CatalogItem(50, "SOPHOS-XGS"))
    for number, tenant in enumerate((ALDER, BIRCH)):
        agreement = (118, 204)[number]
        month.manages(Key(agreement, 50), 2, {(tenant, "XGS-MSP"): 2}, addition_id=9001 + number)
        month.uses(tenant, "NEW-MSP", 2)
    assert warned(month.plan()) == ["LIVE_WITHOUT_FIREWALLS"]
    assert "2 lines that firewalls feed" in month.plan().warnings[0].message


def test_without_firewalls_there_is_nothing_to_say_of_them() -> None:
    assert warned(live(Uncounted(devices=frozenset({"XGS-MSP"}))).uses(ALDER, "CIXA-MSP", 1).plan()) == []


def test_nothing_releases_what_nobody_counted() -> None:
    with pytest.raises(CommandFault, match="nobody has counted"):
        checked_force(["NOT_COUNTED"])


# Sources ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "applied", "guards"),
    [
        ("sophos-api", None, []),
        ("sophos-api", "sophos-api", []),
        ("sophos-api", "live", []),
        ("file", "live", []),
        ("live", "live", []),
        ("file", "sophos-api", ["source"]),
        ("sophos-api", "file", ["source"]),
        ("live", "file", ["source"]),
    ],
)
def test_a_month_comes_from_one_source(source: str, applied: str | None, guards: list[str]) -> None:
    month = Month(source=source, applied_source=applied).uses(ALDER, "CIXA-MSP", 1)
    assert [each.name for each in month.plan().objections] == guards
    assert month.plan(force=frozenset({"source"})).objections == ()


def test_what_a_guard_says_to_run_names_the_source() -> None:
    (empty,) = Month(source="file").plan().objections
    assert empty.message.endswith("connector sync 2026-10 --source file --force empty_month")
    (usual,) = Month().plan().objections
    assert usual.message.endswith("connector sync 2026-10 --force empty_month")


def test_every_source_has_its_name_and_its_option() -> None:
    for option, source in OPTIONS.items():
        assert source_named(source) == source
        assert source_option(source) == ("" if option == "api" else f" --source {option}")
        assert f"--source {option}" in told_source(source)


def test_restating_makes_another_plan_of_the_same_writes() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 1)
    assert month.plan(restate=True).digest != month.plan().digest
    assert month.plan(restate=True).changes == month.plan().changes
    assert month.plan().changes[0].after == Decimal(1)
