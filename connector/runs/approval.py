"""Lets changes go that the nightly job may not make alone, and makes exactly these and what needs nobody."""

from collections.abc import Collection

from connector.errors import CommandFault, PlanMoved
from connector.ledger import StoredPlan
from connector.ledger.approvals import record_approvals
from connector.planning.sources import source_named, source_option
from connector.planning.unattended import NEEDS_APPROVAL, fingerprint
from connector.reports.outcome import Run
from connector.runs.pipeline import Pipeline

_KEY = slice(1, 3)
_HELD = 8

Writes = tuple[str | None, ...]


def approve(pipeline: Pipeline, digest: str, only: Collection[str], why: str) -> Run:
    """Let the waiting changes of a plan go, or those of `only` (`AGREEMENT/ITEM`, ids), and apply them.

    Raises CommandFault where nothing waits, PlanMoved where one of them would not be made any more; that
    they were let go is on record then, for exactly these writes.
    """
    stored = pipeline.stored(digest)
    dated = pipeline.mappings.defaults.effective != "today"
    approved = {fingerprint(stored.period, writes, dated=dated) for writes in _chosen(stored, only)}
    record_approvals(pipeline.ledger, pipeline.run, digest, approved, why)
    plan = pipeline.plan(stored.period, stored.options, source_named(stored.source))
    gone = len(approved - {fingerprint(plan.period, each.writes, dated=dated) for each in plan.changes})
    if gone:
        raise PlanMoved(
            f"Since plan {digest} was made, things have changed: {gone} of the {len(approved)} changes that "
            "are to go would not be made any more. Nothing was written.",
            f"See what a run would do now: connector plan {stored.period}{source_option(stored.source)}",
        )
    return pipeline.apply(plan, plan.digest)


def _chosen(stored: StoredPlan, only: Collection[str]) -> list[Writes]:
    waiting = [writes for writes in stored.writes if writes[_HELD] == NEEDS_APPROVAL]
    if not waiting:
        raise CommandFault(
            f"Nothing in plan {stored.digest} waits for an approval.",
            "See what waits in the last night's run: connector runs, then connector runs show N",
        )
    if not only:
        return waiting
    by_key = {"/".join(str(part) for part in writes[_KEY]): writes for writes in waiting}
    unknown = sorted(set(only) - by_key.keys())
    if unknown:
        raise CommandFault(
            f"--only {unknown[0]}: no change of that key waits in plan {stored.digest}.",
            f"Give agreement and item by id, as in: {', '.join(sorted(by_key)[:5])}",
        )
    return [by_key[key] for key in dict.fromkeys(only)]
