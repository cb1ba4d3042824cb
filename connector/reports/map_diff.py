"""What another mappings.yaml would change in a plan, as text and as JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from connector.planning.change import Change, plain
from connector.planning.comparison import Comparison
from connector.planning.findings import Unresolved
from connector.reports.document import change_document, unresolved_document
from connector.reports.escape import printable


def map_diff_document(run: int | None, comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as `connector.mapdiff/1`; `run` is the one whose map was last used to write."""
    return {
        "schema": "connector.mapdiff/1",
        "period": str(comparison.after.period),
        "against_run": run,
        "new": [change_document(change) for change in comparison.new],
        "no_more": [change_document(change) for change in comparison.no_more],
        "unresolved_new": [unresolved_document(entry) for entry in comparison.unsettled],
        "unresolved_no_more": [unresolved_document(entry) for entry in comparison.settled],
    }


def map_diff_text(run: int | None, comparison: Comparison) -> str:
    """Return a comparison as a billing admin reads it."""
    against = f"with the map of run {run}" if run is not None else "with an empty map: no run has written yet"
    lines = [f"The plan for {comparison.after.period}, compared {against}:", ""]
    if comparison.same:
        return "\n".join([*lines, "Nothing would change."])
    lines += _changes("It would also make", comparison.new)
    lines += _changes("It would no longer make", comparison.no_more)
    lines += _unresolved("Unresolved with this map only", comparison.unsettled)
    lines += _unresolved("No longer unresolved", comparison.settled)
    return "\n".join(lines).rstrip()


def _changes(title: str, changes: Iterable[Change]) -> Iterator[str]:
    listed = list(changes)
    if listed:
        yield f"{title}:"
        for change in listed:
            before = "new" if change.before is None else plain(change.before)
            held = f"  [held: {change.held}]" if change.held is not None else ""
            where = f'{change.item} on "{change.agreement}" ({change.key.agreement_id}) of {change.company}'
            moves = f"{before} -> {plain(change.after)}"
            yield f"  {change.kind:<6} {printable(where)}: {moves}  {printable(change.because)}{held}"
        yield ""


def _unresolved(title: str, entries: Iterable[Unresolved]) -> Iterator[str]:
    listed = list(entries)
    if listed:
        yield f"{title}:"
        yield from (
            f"  {entry.code}  {plain(entry.quantity)}  {printable(entry.message)}" for entry in listed
        )
        yield ""
