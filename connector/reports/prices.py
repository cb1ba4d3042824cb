"""Prices that a plan sets and the money it moves, for people and for programs."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from connector.planning.change import Change, Moved, Plan, plain, plain_or_none
from connector.planning.prices import Money
from connector.reports.escape import printable


def moved_document(moved: Moved | None) -> dict[str, str | None] | None:
    """Return a price before and after, None where it stays."""
    return None if moved is None else {"before": plain_or_none(moved.before), "after": plain(moved.after)}


def money_document(money: Money | None) -> dict[str, str | None] | None:
    """Return an amount with its currency, which is null where ConnectWise names none."""
    return None if money is None else {"amount": plain(money.amount), "currency": money.currency or None}


def change_money(change: Change) -> dict[str, Any]:
    """Return what a change sets of prices and moves of money; nothing of it is said without rules."""
    return {
        "unit_price": moved_document(change.unit_price),
        "unit_cost": moved_document(change.unit_cost),
        "money": money_document(change.money),
    }


def change_text(change: Change) -> str:
    """Say what a change sets of prices, and by how much the bill changes; "" where that is not counted."""
    said = [
        f"{name} {'?' if moved.before is None else _amount(moved.before)} -> {_amount(moved.after)}"
        if change.kind != "create"
        else f"{name} {_amount(moved.after)}"
        for name, moved in (("price", change.unit_price), ("cost", change.unit_cost))
        if moved is not None
    ]
    if change.money is not None:
        said.append(f"bill {signed(change.money)}")
    return "".join(f"; {each}" for each in said)


def plan_money(plan: Plan) -> Iterator[str]:
    """Yield by how much bills change in all, one line if it is counted."""
    if plan.money:
        unknown = sum(change.money is None for change in plan.to_make)
        more = f"; of {unknown} more the price is not known" if unknown else ""
        yield f"Bills change by {', '.join(signed(each) for each in plan.money)}{more}."


def signed(money: Money) -> str:
    """Write by how much something changes, its sign in front."""
    sign = "+" if money.amount > 0 else ""
    return f"{sign}{_amount(money.amount)} {printable(money.currency)}".rstrip()


def _amount(amount: Decimal) -> str:
    whole, _, places = plain(amount).partition(".")
    return f"{whole}.{places:0<2}"
