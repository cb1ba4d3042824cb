"""A plan -> the reasons not to apply it (contract rule 18)."""

from decimal import Decimal

from connector.model import GuardLimits, Period
from connector.planning.change import Plan, plain
from connector.planning.findings import Objection
from connector.planning.prices import totals
from connector.planning.sources import API, replaces, told_source

GUARDS = ("removals", "decrease", "empty_month", "period_order", "money", "source")


def objections(
    plan: Plan,
    limits: GuardLimits,
    *,
    rows: int,
    newest_applied: Period | None,
    applied_source: str | None = None,
) -> tuple[Objection, ...]:
    """Return what stops this plan, less what a person has released.

    Held changes are not made, so they are not counted. `applied_source` is where the usage came from that
    a run has applied for this period last.
    """
    found = (
        _removals(plan, limits),
        _decrease(plan, limits),
        _empty_month(plan, rows),
        _period_order(plan, newest_applied),
        _money(plan, limits),
        _source(plan, applied_source),
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
    figures = f"Sophos has published {plan.period} with no usage row at all"
    if plan.source != API:
        figures = f"{told_source(plan.source)} of {plan.period}: no usage row at all"
    return _objection(plan, "empty_month", figures)


def _period_order(plan: Plan, newest_applied: Period | None) -> Objection | None:
    if newest_applied is None or plan.period >= newest_applied:
        return None
    return _objection(
        plan,
        "period_order",
        f"{plan.period} is older than {newest_applied}, which has been applied: "
        "older quantities would replace newer ones",
    )


def _money(plan: Plan, limits: GuardLimits) -> Objection | None:
    """Object where bills of one currency move too far, up and down counted alike."""
    if limits.money is None:
        return None
    moved = totals((change.money for change in plan.to_make), absolute=True)
    beyond = [each for each in moved if each.amount > limits.money]
    if not beyond:
        return None
    told = " and ".join(f"{plain(each.amount)} {each.currency}".rstrip() for each in beyond)
    unknown = sum(change.money is None for change in plan.to_make)
    more = f", and {unknown} changes by what is not known" if unknown else ""
    return _objection(
        plan, "money", f"bills would change by {told}{more} (the limit is {plain(limits.money)})"
    )


def _source(plan: Plan, applied_source: str | None) -> Objection | None:
    """Object where a period was billed from elsewhere: what one source misses would look like a fall."""
    if applied_source is None or replaces(plan.source, applied_source):
        return None
    return _objection(
        plan,
        "source",
        f"{plan.period} was billed from {told_source(applied_source)}, and this plan is from "
        f"{told_source(plan.source)}; two sources of one month are never mixed",
    )


def _objection(plan: Plan, name: str, figures: str) -> Objection:
    return Objection(name, f"{figures}. Nothing was written. If that is right: {plan.sync} --force {name}")


def _percent(part: Decimal, whole: Decimal = Decimal(1)) -> str:
    return f"{plain((100 * part / whole).quantize(Decimal('0.1')))} %"
