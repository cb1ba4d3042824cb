"""The additions of a key, sorted by what we may do with them (contract rules 10 and 14)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connector.model import Addition, Key
from connector.planning.change import KnownAddition, carries_mark
from connector.planning.findings import Part


@dataclass(frozen=True, slots=True)
class Lines:
    """What bills a key today, and what we know of lines that no longer do.

    `managed` and `others` are live: ours, and people's. `ended_by_hand` were ours until somebody ended
    them; `gone` are no longer in ConnectWise; `moved` sell another item now. `was` is who fed our line.
    """

    managed: tuple[Addition, ...] = ()
    others: tuple[Addition, ...] = ()
    ended_by_hand: tuple[Addition, ...] = ()
    gone: tuple[KnownAddition, ...] = ()
    moved: tuple[KnownAddition, ...] = ()
    was: tuple[Part, ...] = ()

    @property
    def live(self) -> tuple[Addition, ...]:
        """Every line that bills, in id order."""
        return tuple(sorted((*self.managed, *self.others), key=lambda line: line.id))


def lines_by_key(
    additions: Mapping[int, tuple[Addition, ...]], known: Mapping[int, KnownAddition], today: date
) -> dict[Key, Lines]:
    """Sort every addition that was read, and every one the ledger knows on those agreements, by key."""
    by_id = {addition.id: addition for lines in additions.values() for addition in lines}
    read: dict[Key, list[Addition]] = defaultdict(list)
    for addition_id in sorted(by_id):
        read[by_id[addition_id].key].append(by_id[addition_id])
    expected: dict[Key, list[KnownAddition]] = defaultdict(list)
    for addition_id in sorted(known):
        remembered = known[addition_id]
        if remembered.key.agreement_id in additions and not remembered.closed and remembered.ended is None:
            expected[remembered.key].append(remembered)

    def managed(line: Addition) -> bool:
        remembered = known.get(line.id)
        return (remembered is not None and remembered.key == line.key) or carries_mark(line)

    def ended_by_us(line: Addition) -> bool:
        remembered = known.get(line.id)
        return remembered is not None and (remembered.ended is not None or remembered.closed)

    found = {}
    for key in read.keys() | expected.keys():
        ours = [line for line in read[key] if managed(line)]
        live = tuple(line for line in ours if line.live(today))
        found[key] = Lines(
            managed=live,
            others=tuple(line for line in read[key] if line.live(today) and not managed(line)),
            ended_by_hand=tuple(line for line in ours if not line.live(today) and not ended_by_us(line)),
            gone=tuple(each for each in expected[key] if each.id not in by_id),
            moved=tuple(each for each in expected[key] if each.id in by_id and by_id[each.id].key != key),
            was=tuple(part for line in live if line.id in known for part in known[line.id].parts),
        )
    return found
