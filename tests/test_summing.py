"""A month is added up in one pass, whatever form its rows come in, and the plan is the same."""

import gc
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, OCTOBER, TODAY, Month
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger import Ledger
from connector.ledger.arrival import take_in
from connector.model import Firewall, Mappings, PriceRule, Pricing, ProductEntry, Tenant, UsageRow
from connector.planning.change import Plan
from connector.planning.findings import Options
from connector.planning.resolve import Placer, resolve
from connector.planning.summing import Sum, summed
from connector.planning.tenant_finder import TenantFinder
from connector.runs.draft import draft, no_cycles
from connector.runs.reading import Usage

FIREWALLS = (Firewall("S1", billing_tenant_id=ALDER), Firewall("S2", tenant_id=BIRCH))
quantities = st.decimals(min_value=-5, max_value=500, places=6)
rows = st.lists(
    st.builds(
        UsageRow,
        product_code=st.sampled_from(["CIXA-MSP", "CEMA-MSP", "X"]),
        quantity=quantities,
        account_id=st.sampled_from([None, ALDER, BIRCH]),
        external_id=st.sampled_from([None, ALDER, "nobody"]),
        serial=st.sampled_from([None, "S1", "S2", "S3", "S4"]),
        group=st.sampled_from(["User", "Device"]),
    )
)


@given(rows)
def test_every_sum_is_that_of_its_rows_added_up_one_by_one(used: list[UsageRow]) -> None:
    finder = TenantFinder({ALDER, BIRCH}, {}, FIREWALLS)
    quantity: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    count: dict[tuple[str, str], int] = defaultdict(int)
    serials: dict[tuple[str, str], set[str]] = defaultdict(set)
    heard = []
    for row in used:
        tenant_id = finder.tenant_of(row)
        if tenant_id is not None:
            pair = (tenant_id, row.product_code)
            quantity[pair] += row.quantity
            count[pair] += 1
            serials[pair] |= {row.serial} - {None}  # type: ignore[arg-type]
            heard.append((tenant_id, row))

    told: list[tuple[str, UsageRow]] = []
    resolved = resolve(used, finder, Month().placer(), {}, also=lambda *each: told.append(each))

    assert [(part.pair, part.quantity, part.serials) for part in resolved.used] == [
        (pair, quantity[pair], tuple(sorted(serials[pair]))) for pair in sorted(quantity)
    ]
    assert resolved.rows_by_pair == count
    assert resolved.rows == len(used)
    assert told == heard


@given(rows)
def test_a_device_is_named_where_all_that_is_told_of_a_pair_stands_on_it(used: list[UsageRow]) -> None:
    finder = TenantFinder({ALDER, BIRCH}, {}, FIREWALLS)
    mine = [row for row in used if row.product_code == "X" and finder.tenant_of(row) == ALDER and row.serial]
    resolved = resolve(used, finder, Month().placer(), {})
    found = [entry.serial for entry in resolved.unresolved if entry.tenant_id == ALDER]
    alone = len({row.serial for row in mine}) == 1 and any(row.group == "Device" for row in mine)
    assert found in ([], [mine[0].serial if alone else None])


class Counted:
    """The rows of a month, and how often they were gone through."""

    def __init__(self, rows: list[UsageRow]) -> None:
        self.rows = rows
        self.passes = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[UsageRow]:
        self.passes += 1
        return iter(self.rows)


def received(code: str, quantity: str, tenant_id: str | None, serial: str | None = None) -> UsageRow:
    said = {"unitPrice": "1.40", "unitPriceCurrency": "USD", "productGroup": "Device"}
    text = json.dumps(said | {"productCode": code, "billableQuantity": quantity, "serial": serial})
    return UsageRow(code, Decimal(quantity), tenant_id, None, serial, "", "Device", text)


USED = [
    received("CIXA-MSP", "12.5", ALDER),
    received("CEMA-MSP", "3", BIRCH),
    received("CIXA-MSP", "0.000001", ALDER, "S9"),
    received("CIXA-MSP", "4", None, "S2"),
    received("X", "1", ALDER, "S7"),
    received("X", "1", None, "S404"),
]


def planned(ledger: Ledger, usage: Usage, placer: Placer) -> Plan:
    return draft(usage, placer, {118: (), 204: ()}, ledger, options=Options(), today=TODAY)


def month_of(rows: Counted | list[UsageRow]) -> Usage:
    return Usage(OCTOBER, rows, (Tenant(ALDER, "Alder"),), FIREWALLS)


def priced(mappings: Mappings) -> Mappings:
    """Return the map with a price rule for everything."""
    pricing = Pricing(cost="sophos", price=PriceRule("markup", Decimal("0.2")))
    return replace(mappings, defaults=replace(mappings.defaults, pricing=pricing))


@pytest.mark.parametrize("with_prices", [False, True])
def test_a_plan_takes_one_pass_over_the_month(tmp_path: Path, *, with_prices: bool) -> None:
    placer = Month().placer()
    if with_prices:
        placer = Placer(priced(placer.mappings), placer.directory)
    used = Counted([row for row in USED if row.product_code != "X"])
    with Ledger(tmp_path) as ledger:
        plan = planned(ledger, month_of(used), placer)
    assert used.passes == 1
    moves = [change.unit_cost is not None for change in plan.changes]
    assert moves == [with_prices] * len(plan.changes)
    assert len(plan.changes) == 3


def test_stored_rows_give_the_same_plan_to_the_digest(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        run = ledger.begin_run("sync", Options(), who="me", version="1")
        rows = take_in(ledger, run, OCTOBER, "sophos-api", USED)
        stored = planned(ledger, Usage(OCTOBER, rows, (), FIREWALLS), Month().placer())
        direct = planned(ledger, Usage(OCTOBER, USED, (), FIREWALLS), Month().placer())
    assert stored == direct
    assert stored.digest == direct.digest
    assert stored.changes[0].key == ALDER_ENDPOINT
    assert stored.changes[0].after == Decimal("12.500001")
    assert [entry.serial for entry in stored.unresolved] == ["S7", "S404"]


amounts = st.one_of(
    st.integers(-3, 400).map(Decimal),
    st.sampled_from([Decimal(999_999_999_999), Decimal(2**63 - 1), Decimal("0.000001"), Decimal("1E+3")]),
    quantities,
)


@settings(max_examples=60)
@given(st.lists(st.builds(replace, rows.map(lambda some: some[0] if some else USED[0]), quantity=amounts)))
def test_the_ledger_adds_up_to_the_last_digit_what_is_added_up_one_by_one(used: list[UsageRow]) -> None:
    used = [*used, *used[:3]]  # often two that are alike to the quantity
    finder = TenantFinder({ALDER, BIRCH}, {}, FIREWALLS)
    with TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        run = ledger.begin_run("sync", Options(), who="me", version="1")
        stored = summed(take_in(ledger, run, OCTOBER, "sophos-api", used), finder)
    direct = summed(used, finder)
    assert [told_of(sums) for sums in stored] == [told_of(sums) for sums in direct]


def told_of(sums: Mapping[Any, Sum]) -> dict[Any, tuple[Decimal, int, tuple[str, ...]]]:
    return {whose: (total.quantity, total.rows, total.serials) for whose, total in sums.items()}


def test_the_collector_is_as_it_was_after_a_plan() -> None:
    with no_cycles():
        assert not gc.isenabled()
        with no_cycles():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_code_that_is_off_for_one_tenant_alone_is_placed_for_the_others() -> None:
    month = Month().excepts(ALDER, "CIXA-MSP", sync=False)
    month.products = {**month.products, "NEW": ProductEntry(item="SOPHOS-EMAIL")}
    month.excepts(BIRCH, "NEW", item="SOPHOS-ENDPOINT")
    placer = month.placer()
    places = {pair: placer.place(*pair) for pair in [(ALDER, "CIXA-MSP"), (BIRCH, "CIXA-MSP")]}
    assert str(places[ALDER, "CIXA-MSP"]) == "Off()"
    assert places[BIRCH, "CIXA-MSP"] == (204, ALDER_ENDPOINT.item_id)
    assert placer.place(BIRCH, "NEW") == (204, ALDER_ENDPOINT.item_id)
    assert placer.place_pair((ALDER, "NEW")) != (118, ALDER_ENDPOINT.item_id)


def test_only_what_people_are_told_of_is_looked_up_once_more(tmp_path: Path) -> None:
    used = Counted(USED)
    with Ledger(tmp_path) as ledger:
        plan = planned(ledger, month_of(used), Month().placer())
    assert used.passes == 2
    assert {(entry.code, entry.serial) for entry in plan.unresolved} == {
        ("UNMAPPED_PRODUCT", "S7"),
        ("FIREWALL_UNASSIGNED", "S404"),
    }
