"""What pruning removes, or has removed, as text and JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

Document = dict[str, Any]


def pruned_text(document: Document) -> str:
    """Return what a person reads: before it is removed (`dry_run`), or afterwards."""
    lines = list(_nothing(document) if document["empty"] else _removed(document))
    if document["bytes_after"] != document["bytes_before"]:
        lines.append(f"connector.db: {document['bytes_before']} bytes, now {document['bytes_after']}.")
    if document["note"]:
        lines.append(str(document["note"]))
    return "\n".join(lines)


def _nothing(document: Document) -> Iterator[str]:
    yield (
        f"Nothing is old enough: the newest {document['keep']} months with usage stay, and the one before "
        "them. Nothing was removed."
    )


def _removed(document: Document) -> Iterator[str]:
    yield "To be removed:" if document["dry_run"] else "Removed:"
    months = document["months"]
    if months:
        yield f"  usage of     {_range(months)}"
    for name, key in (
        ("rows", "rows"),
        ("states", "snapshots"),
        ("plans", "plans"),
        ("maps", "maps"),
        ("shadow runs", "shadow_runs"),
        ("live counts", "live_days"),
    ):
        if document[key]:
            yield f"  {name:<12} {document[key]}"
    yield "Runs, changes, lines, what people let go, and each plan that was carried out stay, however old."


def _range(months: Sequence[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]} ({len(months)} months)"
