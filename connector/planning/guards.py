"""A plan -> the reasons not to apply it (contract rule 18)."""

from decimal import Decimal

from connector.model import GuardLimits, Period
from connector.planning.change import Plan, plain
from connector.planning.findings import Objection

GUARDS = ("removals", "decrease", "empty_month", "period_order")


def objections(
    plan: Plan, limits: GuardLimits, *, rows: int, newest_applied: Period | None
) -> tuple[Objection, ...]:
    """Return what stops this plan, less what a person has released.

    Held changes are not made, so they are not counted.
    """
    found = (
        _removals(plan, limits),
        _decrease(plan, limits),
        _empty_month(plan, rows),
        _period_order(plan, newest_applied),
    )
    return tuple(
        objection
        for objection in found
        if objection is not None and not plan.options.releases(objection.name)
    )


def _removals(plan: Plan, limits: GuardLimits) -> Objection | None:
    removed = sum(change.kind in {"zero", "end"} for change in plan.to_make)
    if plan.managed < limits.at_least or removed <= limits.removals * plan.managed:
        return None
    return _objection(
        plan,
        "removals",
        f"{removed} of {plan.managed} managed additions would go to zero or end "
        f"({_percent(Decimal(removed), Decimal(plan.managed))}; the limit is {_percent(limits.removals)})",
    )


def _decrease(plan: Plan, limits: GuardLimits) -> Objection | None:
    ours = (change for change in plan.to_make if change.kind != "adopt")
    fall = sum(((change.before or Decimal(0)) - change.after for change in ours), Decimal(0))
    before = plan.managed_quantity
    if plan.managed < limits.at_least or before <= 0 or fall <= limits.decrease * before:
        return None
    return _objection(
        plan,
        "decrease",
        f"the managed quantity would fall from {plain(before)} to {plain(before - fall)} "
        f"({_percent(fall, before)}; the limit is {_percent(limits.decrease)})",
    )


def _empty_month(plan: Plan, rows: int) -> Objection | None:
    if rows:
        return None
    return _objection(plan, "empty_month", f"Sophos has published {plan.period} with no usage row at all")


def _period_order(plan: Plan, newest_applied: Period | None) -> Objection | None:
    if newest_applied is None or plan.period >= newest_applied:
        return None
    return _objection(
        plan,
        "period_order",
        f"{plan.period} is older than {newest_applied}, which has been applied: "
        "older quantities would replace newer ones",
    )


def _objection(plan: Plan, name: str, figures: str) -> Objection:
    return Objection(
        name,
        f"{figures}. Nothing was written. If that is right: connector sync {plan.period} --force {name}",
    )


def _percent(part: Decimal, whole: Decimal = Decimal(1)) -> str:
    return f"{plain((100 * part / whole).quantize(Decimal('0.1')))} %"
