"""Each stored month added up by product code, from the snapshot in force."""

import json
from collections import defaultdict
from decimal import Decimal

from connector.ledger.months import every_snapshot
from connector.ledger.store import Ledger
from connector.model import Period, UsageRow
from connector.planning.change import plain
from connector.planning.month_trends import CodeSum, MonthSums
from connector.planning.prices import Money, unit_prices
from connector.planning.snapshots import Snapshot
from connector.planning.usage_views import EXACT, money_of


def months_before(ledger: Ledger, period: Period, source: str) -> dict[Period, Snapshot]:
    """Return the snapshot in force of each month before one: of this source, else what was found last.

    Of a pruned one only the sums are left.
    """
    found: dict[Period, Snapshot] = {}
    for each in every_snapshot(ledger):
        if each.in_force and each.period < period:
            known = found.setdefault(each.period, each)
            if known.source != source and each.source == source:
                found[each.period] = each
    return found


def month_sums(ledger: Ledger, snapshot: Snapshot) -> MonthSums:
    """Return a snapshot added up, exactly.

    SQLite gathers the rows that are alike in code, quantity and price, so that years are quickly read.
    """
    if snapshot.pruned_at is not None:
        return _sums_kept(ledger, snapshot)
    alike = ledger.query(
        "SELECT product_code, quantity, "
        "json_extract(received, '$.unitPrice', '$.unitPriceCurrency') AS price, count(*) AS many "
        "FROM usage_rows WHERE usage = ? GROUP BY 1, 2, 3",
        snapshot.number,
    )
    quantities: dict[str, Decimal] = defaultdict(Decimal)
    costs: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in alike:
        code = row["product_code"]
        quantity = EXACT.multiply(Decimal(row["quantity"]), Decimal(row["many"]))
        quantities[code] = EXACT.add(quantities[code], quantity)
        amount, currency = json.loads(row["price"])
        said = json.dumps({"unitPrice": amount, "unitPriceCurrency": currency})
        price = unit_prices(UsageRow(code, quantity, received=said)).cost
        if price is not None:
            value = EXACT.multiply(quantity, price.amount)
            costs[code][price.currency] = EXACT.add(costs[code][price.currency], value)
    return MonthSums(
        snapshot.period,
        snapshot.source,
        {code: CodeSum(quantities[code], money_of(costs[code])) for code in sorted(quantities)},
    )


def sums_text(sums: MonthSums) -> str:
    """Write what a month came to as JSON."""
    listed = {
        code: [plain(each.quantity), [[plain(money.amount), money.currency] for money in each.cost]]
        for code, each in sums.codes.items()
    }
    return json.dumps(listed)


def _sums_kept(ledger: Ledger, snapshot: Snapshot) -> MonthSums:
    """Return what a snapshot came to, as it was written down when its rows were removed."""
    found = ledger.query("SELECT sums FROM pruned_sums WHERE usage = ?", snapshot.number)
    said = json.loads(found[0]["sums"]) if found else {}
    codes = {
        code: CodeSum(Decimal(quantity), tuple(Money(Decimal(amount), currency) for amount, currency in cost))
        for code, (quantity, cost) in said.items()
    }
    return MonthSums(snapshot.period, snapshot.source, codes)
