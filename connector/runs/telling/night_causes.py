"""What of a night needs a person, and how far the night got in looking for it."""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from connector.errors import NotPublished, RunInProgress
from connector.ledger import Ledger
from connector.ledger.recall import listed_last
from connector.ledger.stored_rows import stored_rows
from connector.model import Mappings, Period
from connector.planning.causes.cause import Cause, cause_of_error, cause_of_overdue, once
from connector.planning.causes.charges import Charge, Place, charges_of
from connector.planning.causes.news import Looked
from connector.planning.causes.plan import Unmade, causes_of_plan, causes_of_restated, causes_of_unmade
from connector.planning.sources import API
from connector.planning.tenant_finder import TenantFinder
from connector.reports.night import DONE, TO_DECIDE, NightReport, Step
from connector.reports.outcome import Run

_FIRST = {"fault": 0, "vendor": 0, "overdue": 0, "change": 1, "plan": 2, "restated": 3}


def causes_of_night(report: NightReport, mappings: Mappings, ledger: Ledger | None) -> tuple[Cause, ...]:
    """Return each cause once, as the newest month shows it: what stops the job first, then by money.

    What Sophos charges is read from the ledger, and not known without it.
    """
    found = (cause for step in reversed(report.steps) for cause in _causes_of(step, mappings, ledger))
    return tuple(sorted(once(found), key=_order))


def looked_at(report: NightReport, finished: Collection[Period] = ()) -> Looked:
    """Return what the night looked at, and so may say is gone.

    A month that is `finished` and was looked at again has nothing left that needs anybody but what shows.
    """
    runs = [(step, step.run) for step in report.steps if step.run is not None]
    again = [step.period for step in report.steps if _is_again(step)]
    whole = frozenset((period, str(API)) for period in again if period in finished)
    asked = [step.period for step in report.steps if step.source == API]
    quiet = all(step.error is None and step.exit_code in {DONE, TO_DECIDE} for step in report.steps)
    return Looked(
        planned=frozenset((step.period, step.source) for step, _ in runs) | whole,
        applied=frozenset((step.period, step.source) for step, run in runs if _tried_all(run)) | whole,
        compared=frozenset(step.period for step in report.steps if step.error is None and not step.waits),
        since=min(asked) if again and not report.interrupted else None,
        finished=frozenset(finished),
        worked=any(step.run is not None or step.restated for step in report.steps)
        or (quiet and bool(report.steps)),
        faulted=any(_is_fault(step) for step in report.steps),
    )


def _causes_of(step: Step, mappings: Mappings, ledger: Ledger | None) -> Iterator[Cause]:
    if step.error is not None:
        cause = cause_of_error(step.error, step.period, step.source, overdue=step.overdue)
        if cause is not None:
            yield cause
    yield from _overdue(step)
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


def _overdue(step: Step) -> Iterator[Cause]:
    """Yield that a month is late, where that is not what its error says."""
    if not step.overdue or isinstance(step.error, NotPublished):
        return
    if step.error is not None:
        yield cause_of_overdue(step.period, step.source, step.error.message, step.error.next_step)
    elif step.waits:
        yield cause_of_overdue(step.period, step.source, step.note)
    elif step.run is not None and step.run.exit_code not in {DONE, TO_DECIDE}:
        refused = ", ".join(each.name for each in step.run.plan.objections)
        why = f"it was refused by {refused}" if refused else "not all of its changes were made"
        yield cause_of_overdue(step.period, step.source, why)


def _charges(run: Run, mappings: Mappings, ledger: Ledger | None) -> Mapping[Place, Charge]:
    """Return what the usage that a run was made from costs; nothing is read where all of it is billed."""
    if ledger is None or not any(entry.rows and not entry.billed for entry in run.plan.unresolved):
        return {}
    usage = ledger.query("SELECT usage FROM runs WHERE id = ? AND usage IS NOT NULL", run.number)
    tenants, firewalls = listed_last(ledger)
    known = {tenant.id for tenant in tenants} | mappings.tenants.keys()
    finder = TenantFinder(known, mappings.firewalls, firewalls)
    rows = (row for each in usage for row in stored_rows(ledger, each["usage"]))
    return charges_of(rows, finder.tenant_of, of=run.plan.unresolved)


def _tried_all(run: Run) -> bool:
    return not run.plan.objections and all(each.outcome != "not_tried" for each in run.results)


def _is_again(step: Step) -> bool:
    """Whether it looked at a billed month once more, and got to its end."""
    return step.source == API and step.run is None and step.error is None and not step.waits


def _is_fault(step: Step) -> bool:
    if step.error is None:
        return False
    if isinstance(step.error, RunInProgress):  # it needs nobody, and nothing was looked at
        return True
    cause = cause_of_error(step.error, step.period, step.source)
    return cause is not None and cause.seen == "fault"


def _order(cause: Cause) -> tuple[int, Decimal, str]:
    largest = max((abs(money.amount) for money in cause.charge.money), default=Decimal(0))
    return (_FIRST[cause.seen], -largest, cause.id)
