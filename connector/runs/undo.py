"""Takes a run back: reads the lines that it changed, plans the way back, and stores that plan."""

from connector.errors import CommandFault
from connector.ledger import Ledger
from connector.ledger.runs import changes_of_run, histories, past_run, record_undoing
from connector.model import Period
from connector.planning.findings import Options
from connector.planning.pricing import uses_prices
from connector.planning.undo.line import Aftermath
from connector.planning.undo.past import PastRun
from connector.planning.undo.plan import Undoing, plan_undo
from connector.reports.document import json_text
from connector.reports.undo import undo_document
from connector.runs.pipeline import Pipeline
from connector.runs.reading import agreements_that_matter, read_additions


def run_to_undo(ledger: Ledger, number: int) -> PastRun:
    """Return the run of that number; raises CommandFault where it wrote nothing that could be taken back."""
    run = past_run(ledger, number)
    if run is None:
        raise CommandFault(
            f"There is no run {number} in {ledger.path}.", "See which there are: connector runs"
        )
    if not run.applied or run.period is None:
        raise CommandFault(
            f"Run {number} ({run.kind}) wrote nothing to ConnectWise, so there is nothing to undo.",
            "See which runs did: connector runs",
        )
    return run


def plan_back(pipeline: Pipeline, number: int, options: Options, *, dry_run: bool) -> Undoing:
    """Return and store the plan that takes a run back, from its lines as they are now.

    What an earlier run left open is settled first, for it may be a change of the very run.
    """
    ledger = pipeline.ledger
    run = run_to_undo(ledger, number)
    period = Period.parse(run.period or "")
    record_undoing(ledger, pipeline.run, run, period, dry_run=dry_run)
    pipeline.story.stage("Reading ConnectWise")
    wanted = {change.key.agreement_id for change in changes_of_run(ledger, number)}
    wanted |= agreements_that_matter(ledger)  # guards measure by all lines of ours
    agreements = pipeline.connectwise.agreements() if wanted else ()
    currencies = {agreement.id: agreement.currency for agreement in agreements}
    additions = read_additions(pipeline.connectwise, wanted & currencies.keys(), pipeline.story)
    pipeline.settle_open(additions)
    after = Aftermath(
        run=run,
        period=period,
        changes=changes_of_run(ledger, number),  # again: settling may have told what became of one
        histories=histories(ledger, number),
        additions=additions,
        known=ledger.known_additions(),
        today=pipeline.today,
        source=run.source or "",
        currencies=currencies,
        priced=uses_prices(pipeline.mappings),
    )
    undoing = plan_undo(after, options, pipeline.mappings.guards)
    ledger.store_plan(pipeline.run, undoing.plan, json_text(undo_document(undoing.plan)))
    return undoing
