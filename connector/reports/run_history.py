"""One run with all of it, as text and as a JSON document."""

from collections.abc import Iterator, Mapping
from typing import Any

from connector.planning.change import plain, plain_or_none
from connector.planning.undo.past import PastChange, PastRun, RunHistory
from connector.reports.document import Document
from connector.reports.escape import printable
from connector.reports.prices import moved_document
from connector.reports.runs import counted, ended, minute, options_text, run_entry, took
from connector.reports.table import Column, table


def history_document(history: RunHistory, *, map_is_todays: bool | None) -> Document:
    """Return a run with all of it as `connector.run_history/1`.

    A run that began to write tells what became of its changes, any other what it planned.
    """
    run, plan = history.run, history.plan
    return {
        "schema": "connector.run_history/1",
        **run_entry(run),
        "today": run.today,
        "map": None if run.map is None else {"hash": run.map, "is_todays": map_is_todays},
        "usage": None if history.usage is None else dict(history.usage),
        "undone_by": list(history.undone_by),
        "planned_by": history.planned_by,
        "changes": [_made(change) for change in history.changes]
        if run.applied
        else [_planned(change) for change in plan.get("changes", ())],
        **{name: plan.get(name, []) for name in ("unresolved", "warnings", "guards")},
    }


def _made(change: PastChange) -> Document:
    return {
        "kind": change.kind,
        "agreement_id": change.key.agreement_id,
        "item_id": change.key.item_id,
        "addition_id": change.addition_id,
        "item": change.item,
        "company": change.company,
        "agreement": change.agreement,
        "before": plain_or_none(change.before),
        "after": plain(change.after),
        "effective": str(change.effective) if change.effective else None,
        "unit_price": moved_document(change.unit_price),
        "unit_cost": moved_document(change.unit_cost),
        "held": change.held,
        "because": change.because,
        "outcome": change.outcome,
        "message": change.message,
        "request_id": change.request_id,
        "sent": change.sent,
        "answered": change.answered,
    }


def _planned(change: Mapping[str, Any]) -> Document:
    names = (
        "kind agreement_id item_id addition_id item company agreement before after effective unit_price "
        "unit_cost held because"
    )
    shown = {name: change.get(name) for name in names.split()}
    unmade = "held" if change.get("held") else "planned"
    return {**shown, "outcome": unmade, "message": None, "request_id": None, "sent": None, "answered": None}


def history_text(document: Document, history: RunHistory) -> str:
    """Return a run as people read it: what it was, each change, what it could not do, how to go on."""
    run, changes = history.run, history.changes
    lines = [f"Run {run.number}, {run.kind}{f' of {run.period}' if run.period else ''}: {ended(run)}", ""]
    lines += [f"  {name:<9}{printable(text)}" for name, text in _facts(document, run) if text]
    lines.append("")
    if document["changes"]:
        lines += [table(_CHANGE_COLUMNS, [_change_row(each) for each in document["changes"]], None), ""]
    lines += findings_lines(document)
    if document["planned_by"] not in {None, run.number}:
        lines += [
            f"Run {document['planned_by']} made the same plan again; what is said is as it said it.",
            "",
        ]
    if run.digest is not None and not history.plan:
        lines += ["Its plan is not here any more: connector state prune has removed it.", ""]
    if document["undone_by"]:
        numbers = ", ".join(str(each) for each in document["undone_by"])
        lines.append(f"Undone, as far as nothing had moved, by run {numbers}.")
    if run.applied and any(change.made for change in changes):
        lines.append(f"See what taking it back would write: connector runs undo {run.number} --dry-run")
    elif not document["changes"]:
        lines.append("It changed nothing in ConnectWise.")
    return "\n".join(lines).rstrip("\n")


def _facts(document: Document, run: PastRun) -> Iterator[tuple[str, str]]:
    yield "started", f"{minute(run.started)} UTC{f', took {took(run)}' if took(run) else ''}"
    yield "who", f"{run.who}, connector {run.version}"
    yield "plan", run.digest or ""
    yield "options", options_text(run.options)
    usage, used = document["usage"], document["map"]
    if usage is not None:
        file = f", file {usage['file']}" if usage["file"] else ""
        told = f"snapshot {usage['snapshot']}: {usage['rows']} rows from {usage['source']}{file}"
        pruned = f", pruned {usage['pruned_at'][:10]}" if usage.get("pruned_at") else ""
        yield "usage", f"{told}, stored {usage['fetched_at']}{pruned}"
    if used is not None:
        same = {True: "the same as today's", False: "not today's", None: "there is none today"}
        yield "map", f"{used['hash'][:12]}, {same[used['is_todays']]}"
    yield "changes", counted(run.outcomes)


_CHANGE_COLUMNS = (
    Column("Company"),
    Column("Agreement", right=True),
    Column("Item"),
    Column("Addition", right=True),
    Column("Change"),
    Column("Before", right=True),
    Column("After", right=True),
    Column("Outcome"),
    Column("Why"),
)


def _change_row(change: Mapping[str, Any]) -> tuple[str, ...]:
    why = [change["because"]]
    for name in ("price", "cost"):
        moved = change[f"unit_{name}"]
        if moved is not None:
            why.append(f"{name} {moved['before'] or '?'} -> {moved['after']}")
    if change["message"]:
        why.append(change["message"])
    if change["request_id"]:
        why.append(f"request id {change['request_id']}")
    held = f": {change['held']}" if change["held"] else ""
    return (
        change["company"] or "",
        str(change["agreement_id"]),
        change["item"] or f"item {change['item_id']}",
        str(change["addition_id"] or ""),
        change["kind"],
        "new" if change["before"] is None else change["before"],
        change["after"],
        f"{change['outcome'].replace('_', ' ')}{held}",
        "; ".join(why),
    )


def findings_lines(document: Mapping[str, Any], title: str = "Unresolved:") -> Iterator[str]:
    """Yield what a plan's document tells people beside its changes."""
    if document["unresolved"]:
        yield title
        for entry in document["unresolved"]:
            yield f"  ! {entry['code']}  {printable(entry['message'])}"
            if entry.get("next"):
                yield f"      do: {printable(entry['next'])}"
        yield ""
    if document["warnings"]:
        yield "Good to know:"
        yield from (f"  * {each['code']}  {printable(each['message'])}" for each in document["warnings"])
        yield ""
    if document["guards"]:
        yield "Guards refused the run:"
        yield from (f"  ! {each['name']}  {printable(each['message'])}" for each in document["guards"])
        yield ""
