"""What pruning removes, or has removed, as text and JSON."""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]


def pruned_text(document: Document) -> str:
    """Return what a person reads: before it is removed (`dry_run`), or afterwards."""
    if document["empty"]:
        return f"Nothing is older than the newest {document['keep']} months with usage. Nothing was removed."
    lines = ["To be removed:" if document["dry_run"] else "Removed:"]
    months = document["months"]
    if months:
        lines.append(f"  usage of     {_range(months)}")
    lines += [
        f"  {name:<12} {document[key]}"
        for name, key in (
            ("rows", "rows"),
            ("states", "snapshots"),
            ("plans", "plans"),
            ("maps", "maps"),
            ("shadow runs", "shadow_runs"),
            ("live counts", "live_days"),
        )
        if document[key]
    ]
    lines.append(
        "Runs, changes, lines, what people let go, and each plan that was carried out stay, however old."
    )
    if document["bytes_after"] is not None:
        lines.append(f"connector.db: {document['bytes_before']} bytes, now {document['bytes_after']}.")
    if document["note"]:
        lines.append(str(document["note"]))
    return "\n".join(lines)


def _range(months: Sequence[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]} ({len(months)} months)"
