"""How much of a month was checked: compared with ConnectWise, or deliberately off. Pure."""

from collections import defaultdict
from collections.abc import Container
from decimal import Decimal

from connector.model import Key
from connector.planning.discrepancies import Checked, MoneyChecked
from connector.planning.plan import Inputs
from connector.planning.resolve import Off
from connector.planning.stakes import Costs
from connector.planning.usage_views import EXACT


def checked_of(inputs: Inputs, costs: Costs, unread: Container[int]) -> Checked:
    """Count rows, tenants and money; `unread` are the agreements whose additions could not be read.

    A tenant is checked where all of its rows are.
    """
    resolved = inputs.resolved

    def compared(pair: tuple[str, str]) -> bool:
        place = inputs.placer.place(*pair)
        if not isinstance(place, Key):
            return isinstance(place, Off)
        return place.agreement_id not in unread and not resolved.desired[place].conflict

    checked = {pair for pair in resolved.rows_by_pair if compared(pair)}
    tenants = {tenant_id for tenant_id, _ in resolved.rows_by_pair}
    unchecked = {tenant_id for tenant_id, _ in resolved.rows_by_pair.keys() - checked}
    return Checked(
        tenants=len(tenants),
        tenants_checked=len(tenants - unchecked),
        rows=resolved.rows,
        rows_checked=sum(resolved.rows_by_pair[pair] for pair in checked),
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
