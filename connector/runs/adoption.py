"""Takes lines over that people or another tool made, in one plan and nothing else (contract rule 13)."""

from collections.abc import Callable

from connector.model import Period
from connector.planning.change import Plan
from connector.planning.findings import Options
from connector.planning.sources import Source
from connector.reports.outcome import Run
from connector.runs.apply import untried
from connector.runs.pipeline import Pipeline


def adoption_options(tenant: str | None, product: str | None, force: frozenset[str]) -> Options:
    """Return the wish for a plan that takes lines over, and makes no other change."""
    return Options(tenant=tenant, product=product, adopt=True, force=force, only=frozenset({"adopt"}))


def take_over(
    pipeline: Pipeline,
    period: Period | None,
    options: Options,
    source: Source,
    agreed: Callable[[Plan], bool],
) -> tuple[Plan, Run | None]:
    """Plan, and apply what was `agreed`; where it was not, there is no run and nothing was written."""
    plan = pipeline.plan(period, options, source)
    if not agreed(plan):
        return plan, None
    if not plan.to_make and not plan.objections:  # else the month would count as begun to be billed
        held = [untried(change, "") for change in plan.changes]
        return plan, Run(pipeline.run, plan.digest, plan, held)
    return plan, pipeline.apply(plan, plan.digest)
