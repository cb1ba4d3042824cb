"""`adopt`: takes lines over that people or another tool made, and does nothing else."""

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.asking import can_ask, confirm
from connector.cli.invocation import (
    Common,
    Invocation,
    Json,
    MappingsPath,
    StateFolder,
    Verbose,
    invocation,
)
from connector.cli.listing import period_of, source_of
from connector.cli.plan import DryRun, Force, PeriodText, ProductCode, SourceName, TenantId
from connector.cli.running import begun_run
from connector.cli.terminal import answer, tell

if TYPE_CHECKING:
    from connector.planning.change import Plan
    from connector.reports.outcome import Run

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("adopt")(adopt)


def adopt(
    ctx: typer.Context,
    period: PeriodText = None,
    tenant: TenantId = None,
    product: ProductCode = None,
    source: SourceName = "api",
    dry_run: DryRun = False,
    force: Force = None,
    yes: Yes = False,
    as_json: Json = False,
    verbose: Verbose = False,
    mappings: MappingsPath = None,
    state: StateFolder = None,
) -> None:
    """Take over lines that others made, in one plan.

    Lines of people or of another tool, each set to what is used. Makes no other change. On a terminal it
    shows the plan and asks once.
    """
    from connector.model import tenant_id_of
    from connector.planning.codes import checked_force
    from connector.reports.text import plan_text
    from connector.runs.adoption import adoption_options, take_over

    called = invocation(ctx, Common(as_json, verbose, mappings, state))
    tenant_id = tenant_id_of(tenant) if tenant is not None else None
    options = adoption_options(tenant_id, product, checked_force(force or []))
    month, chosen = period_of(period), source_of(source)
    asked = False

    def agreed(plan: "Plan") -> bool:
        nonlocal asked
        if dry_run or yes or plan.objections or not plan.to_make or not can_ask():
            return not dry_run
        asked = True
        tell(plan_text(plan))
        lines = "this line" if len(plan.to_make) == 1 else f"these {len(plan.to_make)} lines"
        return confirm(f"Take {lines} over?")

    with begun_run(called, "plan" if dry_run else "adopt", options, chosen, asks=True) as pipeline:
        made, run = take_over(pipeline, month, options, chosen, agreed)
        code = made.exit_code if run is None else run.exit_code
        pipeline.finish(code)
    _show(called, made, run, shown=asked)
    raise typer.Exit(code)


def _show(called: Invocation, plan: "Plan", run: "Run | None", *, shown: bool) -> None:
    """Print what was done and how to undo it, or the plan where nothing was."""
    from connector.reports.document import json_text, plan_document, run_document
    from connector.reports.text import plan_text, run_text

    if run is None:
        if called.json:
            answer(json_text(plan_document(plan)))
        else:
            answer("Nothing was written." if shown else plan_text(plan))
        return
    done = any(result.outcome == "done" for result in run.results)
    undo = f"connector runs undo {run.number}" if done else None
    if called.json:
        answer(json_text({**run_document(run), "undo": undo}))
        return
    answer(run_text(run))
    if not run.results and not plan.unresolved and not plan.objections:
        answer("There is no line that people made and that usage would be billed on.")
    if undo is not None:
        answer(f"To undo: {undo}")
