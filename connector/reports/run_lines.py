"""What a plan and its changes have to say, as lines of a log."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from connector.planning.causes.charges import Charge, Place, charged_for
from connector.planning.change import Change, Plan, plain, plain_or_none
from connector.reports.log_line import LogLine
from connector.reports.outcome import Result


def plan_lines(plan: Plan, charges: Mapping[Place, Charge]) -> Iterator[LogLine]:
    """Return what a plan comes to, and each thing in it that a person should know or decide."""
    period = str(plan.period)
    yield LogLine(
        "plan",
        f"Plan {plan.digest}: {len(plan.to_make)} to make, {len(plan.held)} held, "
        f"{len(plan.unchanged)} unchanged, {len(plan.unbilled)} unresolved.",
        period=period,
    )
    yield from counted_lines(plan.to_make, "planned", period)
    for entry in plan.unresolved:
        yield LogLine(
            "unresolved",
            entry.message,
            "warning",
            period=period,
            tenant=entry.tenant_id,
            agreement=entry.key.agreement_id if entry.key else None,
            item=entry.key.item_id if entry.key else None,
            code=entry.code,
            money=_money(charged_for([entry], charges)),
            next=entry.next_step or None,
        )
    for change in plan.held:
        yield _change(change, "held", "held", f"{_told(change)}: held, {change.held}", period)
    for warning in plan.warnings:
        yield LogLine(
            "notice",
            warning.message,
            "warning",
            period=period,
            agreement=warning.key.agreement_id if warning.key else None,
            item=warning.key.item_id if warning.key else None,
            code=warning.code,
        )
    for objection in plan.objections:
        yield LogLine("guard", objection.message, "warning", period=period, code=objection.name)


def counted_lines(changes: Iterable[Change], outcome: str, period: str, why: str = "") -> Iterator[LogLine]:
    """Return a line for each kind among changes that share one fate."""
    for kind, count in sorted(Counter(change.kind for change in changes).items()):
        message = f"{count} {kind}: {outcome.replace('_', ' ')}{f', {why}' if why else ''}"
        yield LogLine("changes", message, period=period, kind=kind, outcome=outcome, count=count)


def change_line(result: Result, period: str, request_id: str | None = None) -> LogLine:
    """Return what became of one write."""
    message = f"{_told(result.change)}: {result.outcome}"
    if result.message:
        message += f", {result.message}"
    return _change(result.change, "change", result.outcome, message, period, result.addition_id, request_id)


def _change(  # noqa: PLR0913, PLR0917
    change: Change,
    event: str,
    outcome: str,
    message: str,
    period: str,
    addition: int | None = None,
    request_id: str | None = None,
) -> LogLine:
    tenants = {part.tenant_id for part in change.parts}
    return LogLine(
        event,
        message,
        "info" if outcome == "done" else "warning",
        period=period,
        tenant=next(iter(tenants)) if len(tenants) == 1 else None,
        agreement=change.key.agreement_id,
        addition=addition or change.addition_id,
        item=change.key.item_id,
        code=change.held,
        kind=change.kind,
        before=plain_or_none(change.before),
        after=plain(change.after),
        outcome=outcome,
        request_id=request_id,
    )


def _told(change: Change) -> str:
    before = "new" if change.before is None else plain(change.before)
    return (
        f"{change.kind} {change.item or change.key.item_id} on agreement {change.key.agreement_id}, "
        f"{before} -> {plain(change.after)}"
    )


def _money(charge: Charge) -> tuple[tuple[str, str], ...]:
    return tuple((each.currency, plain(each.amount)) for each in charge.money)
