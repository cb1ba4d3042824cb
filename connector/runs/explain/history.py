"""What each run made of one line, as events of its history: written, found right, or taken back."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.ledger.lineage import ChangeMade, RunMade, StoredLine
from connector.model import Key, Period
from connector.planning.explanation import Event, EventKind
from connector.planning.findings import Desired, Part

_LEFT = {"OFF_STILL_BILLING", "ABSENT_KEPT", "AGREEMENT_INACTIVE"}
"""Warnings of a plan that leave a line of ours as it is."""

_KINDS: Mapping[str, EventKind] = {
    "create": "create", "update": "update", "zero": "zero", "end": "end", "adopt": "adopt",
}  # fmt: skip

Billed = Callable[[RunMade], Desired | None]
"""What a run would have billed on the line's key, by the usage and the map that it used."""


@dataclass(frozen=True, slots=True)
class Past:
    """All that is on record of a line: every run, and every change of its key.

    `alone` says that no newer line of the key is on record, so that a change without a line can be its own.
    """

    addition_id: int
    stored: StoredLine | None
    runs: Sequence[RunMade]
    changes: Sequence[ChangeMade]
    alone: bool

    @property
    def begun(self) -> bool:
        """Whether a run on record created it or took it over; else it is known by its mark alone."""
        return any(
            each.addition_id == self.addition_id
            and (each.kind == "create" or (each.kind == "adopt" and each.outcome == "done"))
            for each in self.changes
        )

    def events(self, billed: Billed) -> Iterator[Event]:
        """Yield what the runs made of the line, in their order."""
        stored = self.stored
        unseen = stored is not None and not self.begun and self.alone
        done = any(each.addition_id == self.addition_id and each.outcome == "done" for each in self.changes)
        by_run: dict[int, list[ChangeMade]] = defaultdict(list)
        for change in self.changes:
            by_run[change.run].append(change)
        quantity: Decimal | None = None
        parts: tuple[Part, ...] = ()
        alive = False
        for run, reached in zip(self.runs, _reached(self.runs), strict=True):
            mine = [each for each in by_run[run.number] if self._mine(each)]
            if not done and stored is not None and stored.run == run.number and not stored.closed:
                alive, quantity, parts = True, stored.quantity, stored.parts
            elif unseen and not by_run[run.number]:
                # It billed the right quantity already, or this run would have written to its key.
                found = billed(run)
                if found is not None and looks(run, found.parts):
                    alive, quantity, parts = True, found.quantity, found.parts
            unseen = unseen and not alive
            for change in mine:
                before = quantity
                if change.outcome == "done":
                    quantity, parts = change.after, change.parts or change.was
                    alive, unseen = change.kind != "end", False
                yield _made(run, change, before, quantity, reached)
            if mine:
                continue
            alive = alive and not any(map(_creates, by_run[run.number]))  # else another bills from now on
            if alive and looks(run, parts):
                yield _carried(run, quantity)

    def _mine(self, change: ChangeMade) -> bool:
        return change.addition_id == self.addition_id or (change.addition_id is None and self.alone)


def _reached(runs: Iterable[RunMade]) -> Iterator[Period]:
    """Yield the newest month that had come by each run; an undo, of whatever month, brings none."""
    newest: Period | None = None
    for run in runs:
        if newest is None or (run.undoes is None and run.period > newest):
            newest = run.period
        yield newest


def looks(run: RunMade, parts: Iterable[Part]) -> bool:
    """Whether a run looked at a line that it did not change: an undo or an adoption has not."""
    options = run.options
    chosen = options.whole or any(options.selects(*part.pair) for part in parts)
    return run.kind in {"sync", "apply", "nightly", "approve"} and not options.only and chosen


def left_because(document: Mapping[str, Any], addition_id: int, key: Key) -> str:
    """Say why a plan left a line alone, "" where it did not."""
    for entry in document.get("unresolved", ()):
        if (entry.get("agreement_id"), entry.get("item_id")) == key and not entry.get("billed"):
            return f"{entry['code']}: {entry['message']}"
    for warning in document.get("warnings", ()):
        if warning["code"] in _LEFT and f"addition {addition_id} " in warning["message"]:
            return f"{warning['code']}: {warning['message']}"
    return ""


def _creates(change: ChangeMade) -> bool:
    return change.kind == "create" and change.outcome == "done"


def _made(
    run: RunMade, change: ChangeMade, before: Decimal | None, after: Decimal | None, reached: Period
) -> Event:
    return Event(
        period=run.period,
        run=run.number,
        kind=_KINDS[change.kind],
        before=change.before if change.before is not None else before,
        after=change.after if change.outcome == "done" else after,
        outcome=change.outcome,
        at=change.answered_at or change.sent_at or run.started_at,
        who=run.who,
        version=run.version,
        digest=run.digest,
        because=change.because,
        source=run.source,
        held=change.held,
        message=change.message,
        request_id=change.request_id,
        undoes=run.undoes,
        moment=reached if run.undoes is not None else None,
    )


def _carried(run: RunMade, quantity: Decimal | None) -> Event:
    return Event(
        period=run.period,
        run=run.number,
        kind="carried",
        before=quantity,
        after=quantity,
        outcome="unchanged",
        at=run.started_at,
        who=run.who,
        version=run.version,
        digest=run.digest,
        because="it billed what was used already",
        source=run.source,
    )
