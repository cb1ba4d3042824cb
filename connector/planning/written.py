"""What we wrote last, with what an earlier run left open and ConnectWise shows as asked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connector.model import Addition
from connector.planning.change import KnownAddition, OpenChange
from connector.planning.settle import settle


def settled(
    known: Mapping[int, KnownAddition],
    open_changes: Iterable[OpenChange],
    additions: Mapping[int, tuple[Addition, ...]],
) -> dict[int, KnownAddition]:
    """Return what is known of our lines, taking each open change that shows as asked for written."""
    found = dict(known)
    for change in open_changes:
        verdict = settle(change, additions.get(change.key.agreement_id, ()), found)
        line = verdict.addition
        if verdict.outcome == "missing" or line is None:
            continue
        if change.kind == "create":  # another line bills its key from now on
            for each in [each for each in found.values() if each.key == change.key]:
                found[each.id] = replace(each, closed=True)
        ended = change.effective if change.kind == "end" else None
        found[line.id] = KnownAddition(line.id, line.key, line.quantity, change.parts, ended)
    return found
