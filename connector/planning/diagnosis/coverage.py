"""How much of a month was checked: compared with ConnectWise, or deliberately off. Pure."""

from collections import defaultdict
from collections.abc import Collection, Container
from decimal import Decimal

from connector.model import Key
from connector.planning.diagnosis.discrepancies import Checked, MoneyChecked
from connector.planning.diagnosis.stakes import Costs
from connector.planning.plan import Inputs
from connector.planning.resolve import Off, Resolved
from connector.planning.usage_views import EXACT


def checked_of(
    inputs: Inputs,
    month: Resolved,
    costs: Costs,
    unread: Container[int],
    restated: Collection[tuple[str | None, str]] = (),
) -> Checked:
    """Count rows, tenants and money of a `month` as its source has it now, and what it costs.

    `unread` are the agreements whose additions could not be read, `restated` the tenants and codes that are
    compared as they were billed, which is not as they are. A tenant is checked where all of its rows are.
    """

    def compared(pair: tuple[str, str]) -> bool:
        if pair in restated:
            return False
        place = inputs.placer.place(*pair)
        if not isinstance(place, Key):
            return isinstance(place, Off)
        return place.agreement_id not in unread and not month.desired[place].conflict

    checked = {pair for pair in month.rows_by_pair if compared(pair)}
    tenants = {tenant_id for tenant_id, _ in month.rows_by_pair}
    unchecked = {tenant_id for tenant_id, _ in month.rows_by_pair.keys() - checked}
    return Checked(
        tenants=len(tenants),
        tenants_checked=len(tenants - unchecked),
        rows=month.rows,
        rows_checked=sum(month.rows_by_pair[pair] for pair in checked),
        money=_money(costs, checked),
    )


def _money(costs: Costs, checked: set[tuple[str, str]]) -> tuple[MoneyChecked, ...]:
    whole: dict[str, Decimal] = defaultdict(Decimal)
    seen: dict[str, Decimal] = defaultdict(Decimal)
    for (tenant_id, code, _), amounts in costs.by_place().items():
        for currency, amount in amounts.items():
            whole[currency] = EXACT.add(whole[currency], amount)
            if (tenant_id, code) in checked:
                seen[currency] = EXACT.add(seen[currency], amount)
    return tuple(MoneyChecked(whole[currency], currency, seen[currency]) for currency in sorted(whole))
