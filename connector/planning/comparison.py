"""Two plans of one month, made with two maps: what the one would do that the other would not."""

from collections.abc import Iterable
from dataclasses import dataclass

from connector.planning.change import Change, Plan
from connector.planning.findings import Unresolved


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two plans; what both would do alike is left out."""

    before: Plan
    after: Plan

    @property
    def no_more(self) -> tuple[Change, ...]:
        """The changes that only the earlier map makes."""
        return _without(self.before.changes, self.after.changes)

    @property
    def new(self) -> tuple[Change, ...]:
        """The changes that only the later map makes."""
        return _without(self.after.changes, self.before.changes)

    @property
    def settled(self) -> tuple[Unresolved, ...]:
        """What only the earlier map leaves unresolved."""
        return _unsettled(self.before.unresolved, self.after.unresolved)

    @property
    def unsettled(self) -> tuple[Unresolved, ...]:
        """What only the later map leaves unresolved."""
        return _unsettled(self.after.unresolved, self.before.unresolved)

    @property
    def same(self) -> bool:
        """Whether both maps come to the same."""
        return not (self.no_more or self.new or self.settled or self.unsettled)


def _without(changes: Iterable[Change], others: Iterable[Change]) -> tuple[Change, ...]:
    known = {change.writes for change in others}
    return tuple(change for change in changes if change.writes not in known)


def _unsettled(entries: Iterable[Unresolved], others: Iterable[Unresolved]) -> tuple[Unresolved, ...]:
    known = {_named(entry) for entry in others}
    return tuple(entry for entry in entries if _named(entry) not in known)


def _named(entry: Unresolved) -> tuple[object, ...]:
    return (entry.code, entry.tenant_id, entry.product_code, entry.serial, entry.quantity)
