"""What we would bill beside what is there, as values: for MSPs whose lines another tool or people keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from connector.model import Key, Period
from connector.planning.findings import Part
from connector.planning.prices import Money, totals
from connector.planning.sources import source_option

State = Literal["SAME", "OTHER_QUANTITY", "NO_LINE", "WAITS", "NOTHING_FEEDS", "SEVERAL_LINES"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Compared:
    """One key: what we would bill, and what its live lines bill together.

    Where it WAITS, there is no line, and a run would make none before a person decides; `waits_for` is why
    a run would not do what we would bill, empty where it would. `ours` says that all lines there are ours
    already. `money` is by how much the bill would change, None where that is not known; `message` is empty
    where both agree.
    """

    key: Key
    state: State
    wanted: Decimal | None
    there: Decimal | None
    message: str = ""
    addition_ids: tuple[int, ...] = ()
    ours: bool = False
    parts: tuple[Part, ...] = ()
    money: Money | None = None
    company: str = ""
    agreement: str = ""
    item: str = ""
    waits_for: str = ""

    @property
    def same(self) -> bool:
        """Whether both agree."""
        return self.state == "SAME"

    @property
    def difference(self) -> Decimal:
        """By how much the quantity would change."""
        return (self.wanted or ZERO) - (self.there or ZERO)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many usage rows are compared, off, unmapped, or cannot be placed; the four add up to `rows`."""

    rows: int
    compared: int
    off: int
    unmapped: int
    unplaced: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """A month, compared line by line; `off` counts lines of products or tenants that are off.

    `adopts` says whether mappings.yaml lets lines of people be taken over.
    """

    period: Period
    source: str
    lines: tuple[Compared, ...]
    rows: RowCounts
    off: int = 0
    adopts: bool = True

    @property
    def agreed(self) -> int:
        """On how many lines both agree."""
        return sum(line.same for line in self.lines)

    @property
    def differing(self) -> tuple[Compared, ...]:
        """The lines on which they do not."""
        return tuple(line for line in self.lines if not line.same)

    @property
    def all_agree(self) -> bool:
        """Whether something was compared, and both agree on all of it."""
        return bool(self.lines) and not self.differing

    @property
    def share(self) -> Decimal | None:
        """The share of lines that both agree on, in percent, cut so that 100 means all of them."""
        if not self.lines:
            return None
        exact = Decimal(100 * self.agreed) / len(self.lines)
        return exact.quantize(Decimal("0.1"), ROUND_DOWN)

    @property
    def waiting(self) -> int:
        """How many rows a person has to map or place before they can be compared."""
        return self.rows.unmapped + self.rows.unplaced

    @property
    def money(self) -> tuple[Money, ...]:
        """By how much bills would change, up and down counted alike, by currency."""
        return totals((line.money for line in self.lines), absolute=True)

    @property
    def exit_code(self) -> int:
        """0 where all of the month's usage is off or agreed on; else 3, because a person decides."""
        return 0 if self.all_agree and not self.waiting else 3

    @property
    def adoption(self) -> str:
        """The command that takes the lines over."""
        return f"connector adopt {self.period}{source_option(self.source)}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier shadow run found of each key: its state, and for how many runs both had agreed."""

    run: int
    states: Mapping[Key, State]
    agreed: Mapping[Key, int] = field(default_factory=dict)
    all_agreed: int = 0
    labels: Mapping[Key, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trend:
    """What has changed since the last shadow run of the month, `since`, which is None for the first one.

    `new` differ since now, `gone` no longer do; `agreed` is for how many runs in a row both have agreed on
    a key, `all_agreed` on every key.
    """

    since: int | None
    new: frozenset[Key]
    gone: tuple[Key, ...]
    agreed: Mapping[Key, int]
    all_agreed: int
    labels: Mapping[Key, str] = field(default_factory=dict)


def trend(shadow: Shadow, earlier: Earlier | None) -> Trend:
    """Say what has changed since an earlier run; with none, nothing is new."""
    before = earlier.states if earlier is not None else {}
    agreed_before = earlier.agreed if earlier is not None else {}
    now = {line.key: line for line in shadow.lines}
    differ = {line.key for line in shadow.differing}
    differed = {key for key, state in before.items() if state != "SAME"}
    streak = (earlier.all_agreed if earlier is not None else 0) + 1
    return Trend(
        since=earlier.run if earlier is not None else None,
        new=frozenset(differ - differed) if earlier is not None else frozenset(),
        gone=tuple(sorted(differed - differ)),
        agreed={key: agreed_before.get(key, 0) + 1 for key, line in now.items() if line.same},
        all_agreed=streak if shadow.all_agree else 0,
        labels=earlier.labels if earlier is not None else {},
    )
