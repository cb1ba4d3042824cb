"""What of a night needs a person, and how far the night got in looking for it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from connector.ledger import Ledger
from connector.ledger.months import snapshot_rows
from connector.ledger.recall import listed_last
from connector.model import Mappings
from connector.planning.causes import Cause, cause_of_error, once
from connector.planning.charges import Charge, Place, charges_of
from connector.planning.news import Looked
from connector.planning.plan_causes import Unmade, causes_of_plan, causes_of_restated, causes_of_unmade
from connector.planning.resolve import TenantFinder
from connector.reports.night import DONE, TO_DECIDE, NightReport, Step
from connector.reports.outcome import Run

_FIRST = {"fault": 0, "vendor": 0, "overdue": 0, "change": 1, "plan": 2, "restated": 3}


def causes_of_night(report: NightReport, mappings: Mappings, ledger: Ledger | None) -> tuple[Cause, ...]:
    """Return each cause once, as the newest month shows it: what stops the job first, then by money.

    What Sophos charges is read from the ledger, and not known without it.
    """
    found = (cause for step in reversed(report.steps) for cause in _causes_of(step, mappings, ledger))
    return tuple(sorted(once(found), key=_order))


def looked_at(report: NightReport) -> Looked:
    """Return what the night looked at, and so may say is gone."""
    runs = [(step, step.run) for step in report.steps if step.run is not None]
    quiet = all(step.error is None and step.exit_code in {DONE, TO_DECIDE} for step in report.steps)
    return Looked(
        planned=frozenset((step.period, step.source) for step, _ in runs),
        applied=frozenset((step.period, step.source) for step, run in runs if _tried_all(run)),
        compared=frozenset(step.period for step in report.steps if step.error is None and not step.waits),
        worked=any(step.run is not None or step.restated for step in report.steps)
        or (quiet and bool(report.steps)),
        faulted=any(_is_fault(step) for step in report.steps),
    )


def _causes_of(step: Step, mappings: Mappings, ledger: Ledger | None) -> Iterator[Cause]:
    if step.error is not None:
        cause = cause_of_error(step.error, step.period, step.source, overdue=step.overdue)
        if cause is not None:
            yield cause
    if step.run is not None:
        plan = step.run.plan
        results = step.run.results
        yield from causes_of_plan(plan, _charges(step.run, mappings, ledger))
        if not plan.objections:
            yield from causes_of_unmade(
                plan,
                (
                    Unmade(each.change, each.outcome, each.message or "")
                    for each in results
                    if each.outcome in {"failed", "unclear"}
                ),
                sum(each.outcome == "not_tried" for each in results),
            )
    yield from causes_of_restated(step.restated, step.period, step.source)


def _charges(run: Run, mappings: Mappings, ledger: Ledger | None) -> Mapping[Place, Charge]:
    """Return what the usage that a run was made from costs; nothing is read where all of it is billed."""
    if ledger is None or not any(entry.rows and not entry.billed for entry in run.plan.unresolved):
        return {}
    usage = ledger.query("SELECT usage FROM runs WHERE id = ? AND usage IS NOT NULL", run.number)
    tenants, firewalls = listed_last(ledger)
    known = {tenant.id for tenant in tenants} | mappings.tenants.keys()
    finder = TenantFinder(known, mappings.firewalls, firewalls)
    rows = (row for each in usage for row in snapshot_rows(ledger, each["usage"]))
    return charges_of(rows, finder.tenant_of)


def _tried_all(run: Run) -> bool:
    return not run.plan.objections and all(each.outcome != "not_tried" for each in run.results)


def _is_fault(step: Step) -> bool:
    if step.error is None:
        return False
    cause = cause_of_error(step.error, step.period, step.source)
    return cause is not None and cause.seen == "fault"


def _order(cause: Cause) -> tuple[int, Decimal, str]:
    largest = max((abs(money.amount) for money in cause.charge.money), default=Decimal(0))
    return (_FIRST[cause.seen], -largest, cause.id)
