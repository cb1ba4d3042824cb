"""The additions of a key, sorted by what we may do with them (contract rules 10 and 14)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    read: dict[Key, list[Addition]] = {}
    for addition_id in sorted(by_id):
        line, remembered = by_id[addition_id], known.get(addition_id)
        at = (line.agreement_id, line.item_id)
        # The key that the ledger holds already, where it is the same.
        key = remembered.key if remembered is not None and remembered.key == at else Key(*at)
        read.setdefault(key, []).append(line)
    missing: dict[Key, list[KnownAddition]] = defaultdict(list)
    for addition_id in sorted(known):
        remembered = known[addition_id]
        if remembered.key.agreement_id in additions and not remembered.closed and remembered.ended is None:
            here = by_id.get(addition_id)
            if here is None or (here.agreement_id, here.item_id) != remembered.key:
                missing[remembered.key].append(remembered)

    def managed(line: Addition) -> bool:
        remembered = known.get(line.id)
        return (remembered is not None and remembered.key == line.key) or carries_mark(line)

    def ended_by_us(line: Addition) -> bool:
        remembered = known.get(line.id)
        return remembered is not None and (remembered.ended is not None or remembered.closed)

    def sorted_out(lines: Sequence[Addition], lost: Sequence[KnownAddition]) -> Lines:
        if len(lines) == 1 and not lost and lines[0].cancelled is None and lines[0].id in known:
            line, remembered = lines[0], known[lines[0].id]
            if remembered.key == (line.agreement_id, line.item_id):  # as nearly all are, and fast
                return Lines(managed=(line,), was=remembered.parts)
        ours = [line for line in lines if managed(line)]
        live = tuple(line for line in ours if line.live(today))
        return Lines(
            managed=live,
            others=tuple(line for line in lines if line.live(today) and not managed(line)),
            ended_by_hand=tuple(line for line in ours if not line.live(today) and not ended_by_us(line)),
            gone=tuple(each for each in lost if each.id not in by_id),
            moved=tuple(each for each in lost if each.id in by_id),
            was=tuple(part for line in live if line.id in known for part in known[line.id].parts),
        )

    found = {key: sorted_out(lines, missing.get(key, ())) for key, lines in read.items()}
    return found | {key: sorted_out((), lost) for key, lost in missing.items() if key not in read}
