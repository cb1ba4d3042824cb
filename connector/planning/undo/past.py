"""Runs and changes of the past, as the ledger tells of them: to be listed, looked at and taken back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TypeVar

from connector.model import Key
from connector.planning.change import Kind, Moved
from connector.planning.findings import Part


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run; what it did not come to is None.

    `exit_code` is None where it was killed or has not ended, and `error` says why it ended early. `usage`
    is the snapshot that it read, `map` the hash of mappings.yaml as it used it. `options` are those that a
    person gave, or that its plan was stored with. `outcomes` counts what became of its changes.
    """

    number: int
    kind: str
    period: str | None
    source: str | None
    started: datetime
    finished: datetime | None
    who: str
    version: str
    exit_code: int | None
    error: str | None
    applied: bool
    digest: str | None = None
    usage: int | None = None
    planned_from: int | None = None
    map: str | None = None
    today: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def undoes(self) -> int | None:
        """The run that it takes back, None for every other kind."""
        return self.options.get("undo")

    @property
    def killed(self) -> bool:
        """Whether it ended without a word; nobody knows when."""
        return self.error == "KILLED"


@dataclass(frozen=True, slots=True)
class PastChange:
    """One change of a run, and what became of it; `undoes` is the run that its run took back."""

    id: int
    run: int
    kind: Kind
    key: Key
    addition_id: int | None
    before: Decimal | None
    after: Decimal
    outcome: str
    because: str = ""
    parts: tuple[Part, ...] = ()
    was: tuple[Part, ...] = ()
    effective: date | None = None
    mark: str = ""
    held: str | None = None
    unit_price: Moved | None = None
    unit_cost: Moved | None = None
    release: bool = False
    undoes: int | None = None
    message: str | None = None
    request_id: str | None = None
    sent: str | None = None
    answered: str | None = None
    item: str = ""
    company: str = ""
    agreement: str = ""

    @property
    def made(self) -> bool:
        """Whether it moved its line: it is done, or created a line that is ours though not as asked."""
        created = self.kind == "create" and self.outcome == "failed"
        return self.addition_id is not None and (self.outcome == "done" or created)

    @property
    def label(self) -> str:
        """Name what it bills, for people."""
        item = self.item or f"item {self.key.item_id}"
        company = f" of {self.company}" if self.company else ""
        agreement = f'"{self.agreement}" ({self.key.agreement_id})' if self.agreement else ""
        return f"{item} on {agreement or f'agreement {self.key.agreement_id}'}{company}"


@dataclass(frozen=True, slots=True)
class RunHistory:
    """One run with all that is on record of it.

    `plan` is its plan as `connector.plan/1`, in the words of the run that made the very same plan last,
    which is `planned_by`. `usage` is the snapshot that it was made from. `undone_by` are the runs that took
    changes of it back.
    """

    run: PastRun
    changes: Sequence[PastChange] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    planned_by: int | None = None
    usage: Mapping[str, Any] | None = None
    undone_by: tuple[int, ...] = ()


class Step(Protocol):
    """As much of a change as tells what it took back, and what took it back."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def run(self) -> int: ...  # noqa: D102
    @property
    def undoes(self) -> int | None: ...  # noqa: D102


class Trace(NamedTuple):
    """Such a step, and nothing else of a change."""

    id: int
    run: int
    undoes: int | None


AnyStep = TypeVar("AnyStep", bound=Step)


def undone_by(history: Sequence[AnyStep]) -> dict[int, AnyStep]:
    """Return what took back each change of one addition's history, the oldest first; by the change's id.

    What an undo took back stands again once that undo is itself undone.
    """
    of_run: dict[int, list[AnyStep]] = defaultdict(list)
    for change in history:
        of_run[change.run].append(change)
    found: dict[int, AnyStep] = {}
    for change in reversed(history):
        if change.undoes is None or change.id in found:
            continue
        for earlier in reversed(of_run.get(change.undoes, [])):
            if earlier.id < change.id and earlier.id not in found:
                found[earlier.id] = change
                break
    return found


def standing_after(history: Sequence[PastChange], change: PastChange) -> tuple[PastChange, ...]:
    """Return the later changes of an addition that still stand: not undone, and no undo of such a one."""
    undone = undone_by(history)
    undoing = {by.id: target for target, by in undone.items()}
    return tuple(
        later
        for later in history
        if later.id > change.id and later.id not in undone and undoing.get(later.id, 0) <= change.id
    )


def taken_back(histories: Iterable[Sequence[Step]]) -> frozenset[int]:
    """Return the runs none of whose changes still stands; `histories` are those of each addition."""
    made: set[int] = set()
    standing: set[int] = set()
    for history in histories:
        undone = undone_by(history)
        made.update(change.run for change in history)
        standing.update(change.run for change in history if change.id not in undone)
    return frozenset(made - standing)
