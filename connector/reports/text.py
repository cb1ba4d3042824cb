"""Plans and runs as text for people: grouped as they bill, each line with its reason, the next step last.

Only ASCII of our own, so that every console can show it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from connector.planning.change import Change, Plan, plain
from connector.planning.findings import Unresolved
from connector.planning.restatement import RESTATED
from connector.planning.sources import API, told_source
from connector.planning.unattended import NEEDS_APPROVAL
from connector.planning.uncounted import NOT_COUNTED
from connector.reports.escape import printable
from connector.reports.outcome import Result, Run
from connector.reports.prices import change_text, plan_money

SIGNS = {"create": "+", "update": "~", "zero": "-", "end": "x", "adopt": "="}
PLURALS = {"create": "creates", "update": "updates", "zero": "zeroes", "end": "ends", "adopt": "adoptions"}


def plan_text(plan: Plan) -> str:
    """Return a plan as a billing admin reads it; ends with the command that makes it so."""
    lines = [f"Plan {plan.digest} for {plan.period}{_source(plan)}    {_coverage(plan)}", ""]
    lines += _changes((change, "") for change in plan.to_make)
    lines += _held(plan)
    lines += _findings(plan)
    lines.append(_counts(plan))
    lines += plan_money(plan)
    if plan.objections:
        lines.append(f"Refused: nothing was written. If it is right after all: {_forced(plan)}")
    elif plan.to_make:
        lines.append(f"Nothing was written. To make exactly these changes: connector apply {plan.digest}")
    else:
        lines.append("Nothing was written, and there is nothing to write.")
    return "\n".join(lines)


def run_text(run: Run) -> str:
    """Return what a run did, change by change, and what is left to do."""
    plan = run.plan
    lines = [f"Run {run.number}, plan {run.digest} for {plan.period}{_source(plan)}    {_coverage(plan)}", ""]
    made = [result for result in run.results if result.outcome != "held"]
    lines += _changes((result.change, _outcome(result)) for result in made)
    lines += _held(plan)
    lines += _findings(plan)
    if plan.objections:
        lines.append(f"Refused: nothing was written. If it is right after all: {_forced(plan)}")
        return "\n".join(lines)
    outcomes = Counter(result.outcome for result in made)
    if not made:
        bill = _plural(len(plan.unchanged), "addition bills", "additions bill")
        lines.append(f"Nothing to write: {bill} what is used.")
    else:
        told = ", ".join(
            f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items())
        )
        lines.append(f"{_plural(len(made), 'change', 'changes')}: {told}. {len(plan.unchanged)} unchanged.")
    if run.exit_code == 6:
        lines.append(f"Run the same command again: it tries what is missing. {plan.sync}")
    elif run.exit_code == 3:
        lines.append("A person must decide what is held or unresolved above; all else is billed.")
    return "\n".join(lines)


def _outcome(result: Result) -> str:
    words = result.outcome.replace("_", " ")
    return f"  [{words}]" if result.message is None else f"  [{words}: {printable(result.message)}]"


def _source(plan: Plan) -> str:
    return "" if plan.source == API else f" from {told_source(plan.source)}"


def _forced(plan: Plan) -> str:
    return " ".join([plan.sync, *(f"--force {objection.name}" for objection in plan.objections)])


def _coverage(plan: Plan) -> str:
    rows = plan.coverage
    count = _plural(rows.rows, "usage row", "usage rows")
    return f"{count}: {rows.billed} billed, {rows.off} off, {rows.unresolved} unresolved"


def _counts(plan: Plan) -> str:
    kinds = Counter(change.kind for change in plan.to_make)
    told = ", ".join(f"{count} {kind if count == 1 else PLURALS[kind]}" for kind, count in kinds.items())
    return (
        f"{_plural(len(plan.to_make), 'change', 'changes')}{f' ({told})' if told else ''}, "
        f"{len(plan.held)} held, {len(plan.unchanged)} unchanged, {len(plan.unbilled)} unresolved."
    )


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _changes(shown: Iterable[tuple[Change, str]]) -> Iterator[str]:
    """Group changes by company and agreement, in one order whatever order they came in."""
    ordered = sorted(shown, key=lambda pair: (pair[0].company.casefold(), pair[0].key))
    for (company, agreement, agreement_id), group in groupby(ordered, key=lambda pair: _billed_to(pair[0])):
        yield f'{printable(company)}, agreement "{printable(agreement)}" ({agreement_id})'
        listed = list(group)
        width = min(max(len(change.item) for change, _ in listed), 40)
        for change, note in listed:
            yield f"  {_line(change, width)}{note}"
        yield ""


def _billed_to(change: Change) -> tuple[str, str, int]:
    return (change.company, change.agreement, change.key.agreement_id)


def _line(change: Change, width: int) -> str:
    before = "new" if change.before is None else plain(change.before)
    item = printable(change.item).ljust(width)
    starts = f" from {change.effective}" if change.kind == "create" else ""
    moves = f"{before:>6} -> {plain(change.after):<6}"
    because = f"{printable(change.because)}{starts}{_included(change)}{change_text(change)}"
    return f"{SIGNS[change.kind]} {item}  {moves}  {because}"


def _included(change: Change) -> str:
    """Say how much of a quantity ConnectWise does not bill, as people have set it (lessIncluded)."""
    if change.included <= 0 or change.after <= 0:
        return ""
    return f"; {plain(change.after)}, of which {plain(min(change.included, change.after))} included"


def _held(plan: Plan) -> Iterator[str]:
    if plan.held:
        yield "Held, so not written until a person decides:"
        width = min(max(len(change.item) for change in plan.held), 40)
        for change in plan.held:
            where = f"{printable(change.company)} ({change.key.agreement_id})"
            yield f"  ! {change.held}  {where}  {_line(change, width)}"
        held = dict.fromkeys(change.held for change in plan.held)
        codes = [code for code in held if code not in {NOT_COUNTED, NEEDS_APPROVAL}]
        if NEEDS_APPROVAL in held:
            yield f"      {NEEDS_APPROVAL}: if they are right, let them go: connector approve {plan.digest}"
        if codes:
            forced = " ".join(f"--force {code}" for code in codes)
            yield f"      If they are right, release them: {plan.sync} {forced}"
        yield ""


def _findings(plan: Plan) -> Iterator[str]:
    apart = {RESTATED: "Changed since the month was billed:", NOT_COUNTED: "Not counted, so left as it is:"}
    unbilled = [entry for entry in plan.unbilled if entry.code not in apart]
    yield from _unresolved("Unresolved, so billed to nobody:", unbilled)
    for code, title in apart.items():
        yield from _unresolved(title, [entry for entry in plan.unbilled if entry.code == code])
    waiting = [entry for entry in plan.unresolved if entry.billed]
    yield from _unresolved("Billed, but the price waits until a person decides:", waiting)
    if plan.warnings:
        yield "Worth knowing:"
        yield from (f"  * {warning.code}  {printable(warning.message)}" for warning in plan.warnings)
        yield ""
    if plan.objections:
        yield "Guards refuse the run:"
        yield from (f"  ! {guard.name}  {printable(guard.message)}" for guard in plan.objections)
        yield ""


def _unresolved(title: str, entries: Sequence[Unresolved]) -> Iterator[str]:
    if entries:
        yield title
        for entry in entries:
            yield f"  ! {entry.code}  {plain(entry.quantity)}  {printable(_about(entry))}"
            yield f"      do: {printable(entry.next_step)}"
        yield ""


def _about(entry: Unresolved) -> str:
    return entry.message if entry.key is None else f"{entry.product_code}: {entry.message}"
