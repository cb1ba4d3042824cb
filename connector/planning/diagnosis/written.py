"""What we wrote last, with what an earlier run left open and ConnectWise shows as asked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.model import Addition, Key
from connector.planning.change import KnownAddition, OpenChange
from connector.planning.settle import settle


@dataclass(frozen=True, slots=True)
class WrittenThen:
    """What was written for a month of which a newer one has been billed since: the lines show that one.

    `stored` says that the month's usage is in the ledger, so that it can be explained.
    """

    quantities: Mapping[Key, Decimal]
    stored: bool = False


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
        if change.release:  # it was given back to people
            found.pop(line.id, None)
            continue
        if change.kind == "create":  # another line bills its key from now on
            for each in [each for each in found.values() if each.key == change.key]:
                found[each.id] = replace(each, closed=True)
        ended = change.effective if change.kind == "end" else None
        found[line.id] = KnownAddition(line.id, line.key, line.quantity, change.parts, ended)
    return found
