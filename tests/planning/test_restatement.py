"""What a billed month's changes move, by value and against a small sum of our own."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connector.model import Period, UsageRow
from connector.planning.prices import Money
from connector.planning.restatement import Restated, find_restated, restatement_findings

OCTOBER = Period(2026, 10)


def row(tenant: str | None, code: str, quantity: object, serial: str | None = None, **said: str) -> UsageRow:
    prices = {"unitPrice": "1.40", "unitPriceCurrency": "EUR", "unitMsrp": "2", "unitMsrpCurrency": "USD"}
    return UsageRow(
        code, Decimal(str(quantity)), tenant, None, serial, received=json.dumps({**prices, **said})
    )


def restated(billed: Sequence[UsageRow], now: Sequence[UsageRow]) -> tuple[Restated, ...]:
    return find_restated(billed, now, lambda each: each.account_id)


def message(billed: Sequence[UsageRow], now: Sequence[UsageRow]) -> str:
    (finding,) = restatement_findings(restated(billed, now), OCTOBER, "sophos-api", {"a": "Alder"})
    return finding.message


def test_order_splitting_words_and_prices_are_no_restatement() -> None:
    billed = [row("a", "X", 10, "S"), row("b", "X", 3)]
    assert restated(billed, [row("b", "X", 3), row("a", "X", 4, "S"), row("a", "X", 6, "S")]) == ()
    assert restated(billed, [row("a", "X", 10, "S", unitPrice="9"), row("b", "X", 3)]) == ()
    assert restated(billed, [*billed, row("c", "Y", 0)]) == ()


def test_each_currency_that_moves_is_told() -> None:
    billed = [row("a", "X", 10), row("a", "X", 5, unitPrice="2", unitPriceCurrency="USD")]
    (found,) = restated(billed, [row("a", "X", 12)])
    assert found == Restated(
        "a",
        "X",
        Decimal(15),
        Decimal(12),
        (Money(Decimal("2.8"), "EUR"), Money(Decimal(-10), "USD")),
        (Money(Decimal(-6), "USD"),),
    )


def test_what_has_no_price_is_not_told_as_moving_no_money() -> None:
    bare = UsageRow("X", Decimal(4), "a")
    told = "Alder (a), X: 0 of 2026-10 were billed, and it is 4 now; no price says what that moves"
    assert message([], [bare]) == told
    assert message([row("a", "X", 4)], [bare, row("a", "X", 1)]).endswith(
        "; -4.2 EUR at cost, -6 USD at list price, rows without a price are not in it"
    )
    free = row("a", "X", 4, unitPrice="0", unitMsrp="0")
    assert message([], [free]).endswith("it is 4 now; no money moves")


def test_less_usage_is_told_with_a_minus() -> None:
    told = message([row("a", "X", 4)], [])
    assert "4 of 2026-10 were billed, and it is 0 now; -5.6 EUR at cost, -8 USD at list price" in told


def test_the_same_quantity_on_another_device_is_told_as_such() -> None:
    told = message([row("a", "X", 1, "S1")], [row("a", "X", 1, "S2")])
    assert told == "Alder (a), X: 1 of 2026-10 are on other serial numbers than were billed; no money moves"


def test_a_device_of_nobody_is_told_and_a_file_is_named_in_the_command() -> None:
    found = restated([], [row(None, "X", 1, "S1")])
    (finding,) = restatement_findings(found, OCTOBER, "file", {})
    assert finding.message.startswith("devices of nobody, X: ")
    assert (finding.rows, finding.tenant_id, finding.quantity) == (0, None, Decimal(1))
    assert finding.next_step.endswith("connector sync 2026-10 --source file --restate")


def test_a_month_whose_lines_bill_a_newer_one_is_settled_by_people_and_never_by_a_run() -> None:
    found = restated([row("a", "X", 4)], [row("a", "X", 9)])
    (passed,) = restatement_findings(
        found, OCTOBER, "sophos-api", {}, newer=Period(2026, 11), compare="connector usage compare 3 7"
    )
    assert passed.next_step == (
        "the lines bill 2026-11 now, so settle the difference on the next invoice or by a credit; "
        "to see it: connector usage compare 3 7"
    )
    (newest,) = restatement_findings(found, OCTOBER, "sophos-api", {}, newer=OCTOBER)
    assert newest.next_step.endswith("connector sync 2026-10 --restate")


ROWS = st.lists(
    st.builds(
        lambda tenant, code, quantity, serial, price, currency: row(
            tenant, code, quantity, serial, unitPrice=price, unitPriceCurrency=currency
        ),
        st.sampled_from([None, "a", "b"]),
        st.sampled_from(["X", "Y"]),
        st.decimals(-50, 50, places=2),
        st.sampled_from([None, "S1", "S2"]),
        st.sampled_from(["1.40", "1.400001", "0", "nonsense"]),
        st.sampled_from(["EUR", "USD"]),
    ),
    max_size=8,
)


def cost(rows: Iterable[UsageRow], pairs: set[tuple[str | None, str]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in rows:
        said = json.loads(each.received)
        if (each.account_id, each.product_code) in pairs and said["unitPrice"] != "nonsense":
            sums[said["unitPriceCurrency"]] += each.quantity * Decimal(said["unitPrice"])
    return sums


@given(ROWS, ROWS)
def test_what_moves_sums_to_the_difference(billed: list[UsageRow], now: list[UsageRow]) -> None:
    found = restated(billed, now)
    pairs = {(each.tenant_id, each.product_code) for each in found}
    before, after = cost(billed, pairs), cost(now, pairs)
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for each in found:
        for money in each.cost:
            moved[money.currency] += money.amount
    assert {currency: moved[currency] for currency in ("EUR", "USD")} == {
        currency: after.get(currency, Decimal(0)) - before.get(currency, Decimal(0))
        for currency in ("EUR", "USD")
    }
    units = sum((each.now - each.before for each in found), Decimal(0))
    assert units == sum((each.quantity for each in now), Decimal(0)) - sum(
        (each.quantity for each in billed), Decimal(0)
    )


@given(ROWS, st.randoms(use_true_random=False))
def test_the_same_rows_in_any_order_are_no_restatement(rows: list[UsageRow], chance: object) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert restated(rows, shuffled) == ()


def test_where_prices_make_the_bill_only_what_they_move_is_told() -> None:
    billed = [row("a", "X", 10), row("b", "X", 3), row("c", "X", 4)]
    now = [row("a", "X", 10), row("b", "X", 3, unitPrice="1.50"), row("c", "X", 5)]
    found = find_restated(billed, now, lambda each: each.account_id, priced=True)
    assert [(each.tenant_id, each.before, each.now, each.other_devices) for each in found] == [
        ("b", 3, 3, False),
        ("c", 4, 5, True),
    ]
    unpriced = find_restated(billed, now, lambda each: each.account_id)
    assert [each.tenant_id for each in unpriced] == ["c"]
