"""How far the report of all additions is believed: nothing is written, and nothing is told, on its word.

Pure: `shown` is what the report says of agreements that were not read themselves.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal

from connector.model import Addition
from connector.planning.change import KnownAddition, Plan, carries_mark, plain
from connector.planning.findings import Warn
from connector.planning.wording import Wording

DISAGREES = "REPORT_DISAGREES"
_LONGEST = 50
_UNSAID = {"id", "agreement_id", "bill_customer"}
_COMPARED = tuple(each.name for each in fields(Addition) if each.name not in _UNSAID)
_WORDS = {
    "item_id": "item",
    "cancelled": "last day",
    "effective": "first day",
    "serial_number": "serial number",
    "unit_price": "unit price",
    "unit_cost": "unit cost",
    "less_included": "less included",
}


def in_doubt(
    plan: Plan,
    shown: Mapping[int, tuple[Addition, ...]],
    known: Mapping[int, KnownAddition],
    today: date,
) -> frozenset[int]:
    """Return the agreements that must be read themselves before the plan is believed.

    `plan` is made from what is shown. An agreement is left as shown where the plan would do and say nothing
    there, and every line of ours is as the ledger last knew it: what we wrote is never believed undone.
    """
    concerned = [
        *(change.key for change in plan.changes),
        *(entry.key for entry in plan.unresolved if entry.key is not None),
        *(warning.key for warning in plan.warnings if warning.key is not None),
    ]
    found = {key.agreement_id for key in concerned}
    # No line at all may mean that they are hidden from us, which only the agreement itself says.
    found |= {agreement_id for agreement_id, lines in shown.items() if not lines}
    by_id = {line.id: line for lines in shown.values() for line in lines}
    found |= {line.agreement_id for line in by_id.values() if line.id not in known and carries_mark(line)}
    for each in known.values():
        line = by_id.get(each.id)
        if not _as_known(each, line, today):
            found.add(each.key.agreement_id)
            found |= set() if line is None else {line.agreement_id}
    return frozenset(found & shown.keys())


def _as_known(each: KnownAddition, line: Addition | None, today: date) -> bool:
    """Whether a line that we manage, or have managed, is shown as the ledger last knew it."""
    if each.closed:
        return line is None or not line.live(today)
    if line is None or line.key != each.key:
        return False
    if each.ended is not None:
        return line.cancelled == each.ended
    # One that bills by the ledger and is shown as ended may bill on, with nobody left who uses it.
    return line.quantity == each.quantity and (line.live(today) or each.quantity == 0)


def sample_of(quiet: Collection[int], after: int, size: int) -> tuple[int, ...]:
    """Return the next agreements to look at behind the one looked at last, so that all have their turn."""
    ordered = sorted(quiet)
    turn = [each for each in ordered if each > after] + [each for each in ordered if each <= after]
    return tuple(turn[:size])


def sample_size(quiet: int, reads: int) -> int:
    """Return how many agreements are looked at: one in a hundred, yet few beside all that is read."""
    return max(1, min(quiet // 100, reads // 10))


def disagreements(
    shown: Mapping[int, tuple[Addition, ...]], read: Mapping[int, tuple[Addition, ...]]
) -> tuple[tuple[Addition, str], ...]:
    """Return each line that the report shows otherwise than its agreement, with what is otherwise."""
    found = []
    for agreement_id in sorted(read.keys() & shown.keys()):
        there = {line.id: line for line in read[agreement_id]}
        said = {line.id: line for line in shown[agreement_id]}
        for line_id in sorted(there.keys() | said.keys()):
            if line_id not in said:
                found.append((there[line_id], "the report does not list it"))
            elif line_id not in there:
                found.append((said[line_id], "the report lists it, and the agreement does not have it"))
            elif otherwise := _otherwise(said[line_id], there[line_id]):
                found.append((there[line_id], otherwise))
    return tuple(found)


def disagreement_warning(found: Sequence[tuple[Addition, str]], words: Wording, days: int) -> Warn:
    """Say where the report was wrong, what was left unchanged and what to do."""
    line, otherwise = found[0]
    more = f", and {len(found) - 1} more lines are shown otherwise" if len(found) > 1 else ""
    return Warn(
        DISAGREES,
        f"{words.key(line.key)}: ConnectWise's report AgreementAdditions is not what the agreement says of "
        f"addition {line.id}: {otherwise}{more}. Either the report is behind or somebody changed the line a "
        "moment ago. Nothing was written on the report's word: every agreement was read itself, and will be "
        f"for the next {days} days. There is nothing to do unless this comes again then: ask ConnectWise's "
        "support why the report is behind.",
        line.key,
    )


def _otherwise(said: Addition, there: Addition) -> str:
    told = (
        f"{_WORDS.get(name, name)} {_told(getattr(said, name))}, not {_told(getattr(there, name))}"
        for name in _COMPARED
        if getattr(said, name) != getattr(there, name)
    )
    return "; ".join(told)


def _told(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return "none" if value is None or value == "" else f"{value}"[:_LONGEST]
