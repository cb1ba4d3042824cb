"""The undoing of a run, as text and as JSON documents."""

from collections import Counter

from connector.planning.change import Change, Plan, plain, plain_or_none
from connector.planning.undo.plan import Undoing
from connector.reports.document import Document, plan_document, run_document
from connector.reports.outcome import Result, Run
from connector.reports.prices import plan_money, signed
from connector.reports.run_history import findings_lines
from connector.reports.runs import counted
from connector.reports.table import Column, table


def undo_document(plan: Plan) -> Document:
    """Return the plan of an undo as `connector.plan/1`, with the run that it takes back."""
    document = plan_document(plan)
    for entry, change in zip(document["changes"], plan.changes, strict=True):
        entry["release"] = change.release
    return {**document, "undoes": plan.undoes}


def undo_run_document(run: Run) -> Document:
    """Return an undo that was carried out as `connector.run/1`, with the run that it took back."""
    return {**run_document(run), "undoes": run.plan.undoes}


def undo_text(undoing: Undoing, run: Run | None) -> str:
    """Return an undo as people read it; without a run it is what it would write."""
    plan, number = undoing.plan, undoing.run.number
    what = f"Undo of run {number} ({undoing.run.kind} of {plan.period})"
    lines = [f"{what}, plan {plan.digest}" if run is None else f"{what}, as run {run.number}", ""]
    if plan.changes:
        made = (
            [(each.change, _outcome(each)) for each in run.results]
            if run
            else [(change, _held(change) or "planned") for change in plan.changes]
        )
        lines += [table(_UNDO_COLUMNS, [_undo_row(*each) for each in made], None), ""]
    lines += findings_lines(undo_document(plan), "Not undone:")
    lines.append(_sum(undoing, run))
    if run is None or plan.objections:
        lines += plan_money(plan)
    if plan.held:
        codes = " ".join(f"--force {code}" for code in sorted({change.held or "" for change in plan.held}))
        lines.append(f"What is held waits for a person. If it is right: {plan.sync} {codes}")
    if plan.objections:
        forced = " ".join(f"--force {objection.name}" for objection in plan.objections)
        lines.append(f"Refused: nothing was written. If it is right after all: {plan.sync} {forced}")
    elif run is None and plan.to_make:
        lines.append(f"Nothing was written. To make these changes: {plan.sync}")
    elif run is not None and run.exit_code == 6:
        lines.append(f"Run the same command again: it tries what is missing. {plan.sync}")
    if undoing.done and not plan.objections:
        lines.append("Mend the map before the next run: the next connector sync bills by it again.")
    return "\n".join(lines)


_UNDO_COLUMNS = (
    Column("Company"),
    Column("Agreement", right=True),
    Column("Item"),
    Column("Addition", right=True),
    Column("Now", right=True),
    Column("Back to", right=True),
    Column("Outcome"),
    Column("Why"),
)


def _undo_row(change: Change, outcome: str) -> tuple[str, ...]:
    why = [change.because]
    for name, moved in (("price", change.unit_price), ("cost", change.unit_cost)):
        if moved is not None:
            why.append(f"{name} {plain_or_none(moved.before) or '?'} -> {plain(moved.after)}")
    if change.money is not None:
        why.append(f"bill {signed(change.money)}")
    return (
        change.company,
        str(change.key.agreement_id),
        change.item,
        str(change.addition_id),
        plain_or_none(change.before) or "",
        plain(change.after),
        outcome,
        "; ".join(why),
    )


def _outcome(result: Result) -> str:
    said = result.outcome.replace("_", " ") + (f": {result.message}" if result.message else "")
    return _held(result.change) or said


def _held(change: Change) -> str:
    return f"held: {change.held}" if change.held is not None else ""


def _sum(undoing: Undoing, run: Run | None) -> str:
    if not undoing.done:
        unsure = undoing.run.outcomes.keys() & {"failed", "unclear", "sending"}
        nothing = "made no change that is known to be done" if unsure else "changed nothing in ConnectWise"
        return f"Nothing to undo: run {undoing.run.number} {nothing}."
    if undoing.already == undoing.done:
        return f"Nothing to undo: all that run {undoing.run.number} changed is taken back already."
    held = len(undoing.plan.held)
    told = f"{len(undoing.plan.to_make)} to undo{f', {held} held' if held else ''}"
    if run is not None:
        told = counted(Counter(result.outcome for result in run.results)) or "0 to undo"
    of = f"Of {undoing.done} changes of run {undoing.run.number}"
    refused = len(undoing.plan.unresolved)
    return f"{of}: {told}, {undoing.already} taken back already, {refused} not undone."
