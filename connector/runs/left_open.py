"""What an earlier run left open: changes whose request may have left and whose answer was never seen."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.ledger import Ledger
from connector.model import Addition
from connector.planning.change import OpenChange
from connector.planning.settle import Settlement, settle
from connector.runs.additions import Additions

LOOK_AGAIN_SECONDS = 1.0
KEPT_OPEN = timedelta(days=1)
LATELY = timedelta(minutes=15)
"""Longer than reading both vendors takes."""


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """Settles them for a run, before anything is planned."""

    connectwise: Additions
    ledger: Ledger
    run: int
    sleep: Callable[[float], None]
    now: Callable[[], datetime]
    in_flight_seconds: float

    def settle(self, additions: dict[int, tuple[Addition, ...]]) -> None:
        """Decide every one by what ConnectWise shows now (rule 21).

        A create that does not show may still be under way: it is waited for before anything is planned
        again, and kept open for a day, so that a line which comes late is known as ours.
        """
        left_open = self.ledger.open_changes()
        if not left_open:
            return
        known = set(self.ledger.known_additions())
        self._await(left_open, additions, known)
        for change in left_open:
            verdict = _verdict(change, additions, known)
            if verdict.outcome != "missing" and verdict.addition is not None:
                self.ledger.record_done(change.id, self.run, verdict.addition)
                known.add(verdict.addition.id)
            else:
                late = change.kind == "create" and self.now() - change.sent_at <= KEPT_OPEN
                self.ledger.record_outcome(change.id, "unclear" if late else "failed", verdict.message)

    def _await(
        self,
        left_open: Iterable[OpenChange],
        additions: dict[int, tuple[Addition, ...]],
        known: Collection[int],
    ) -> None:
        """Read the agreements of creates that may have come late again, until they show or their time is up.

        All of them together: a run that was killed may have had several under way. What was read before
        the last one's time was up says nothing, so each is read once more after it.
        """
        late = [
            each
            for each in left_open
            if each.kind == "create"
            and each.key.agreement_id in additions
            and abs(self.now() - each.sent_at) <= LATELY
            and _verdict(each, additions, known).outcome == "missing"
        ]
        while late:
            under_way = [each for each in late if self._under_way(each)]
            if under_way:
                self.sleep(LOOK_AGAIN_SECONDS)
            for agreement_id in sorted({each.key.agreement_id for each in late}):
                additions[agreement_id] = self.connectwise.additions(agreement_id)
            late = [each for each in under_way if _verdict(each, additions, known).outcome == "missing"]

    def _under_way(self, change: OpenChange) -> bool:
        """Whether ConnectWise may yet carry out a create that it was sent a moment ago."""
        return 0 <= (self.now() - change.sent_at).total_seconds() < self.in_flight_seconds


def _verdict(
    change: OpenChange, additions: Mapping[int, tuple[Addition, ...]], known: Collection[int]
) -> Settlement:
    return settle(change, additions.get(change.key.agreement_id, ()), known)
