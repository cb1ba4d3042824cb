"""What people have not been told yet, and what of that which they were told is gone (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from connector.model import Period
from connector.planning.causes.cause import Cause, Seen, cause_id
from connector.planning.causes.charges import UNKNOWN, Charge
from connector.planning.sources import API

PASSED = "PASSED"

Fate = Literal["open", "gone", "passed", "closed"]
"""What became of a cause that did not show itself tonight.

It is `passed` where a newer month was billed before its own was done, so that nothing bills it any more, and
`closed` where nobody looks at its month any more.
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A cause as it was when people were told of it."""

    id: str
    code: str
    label: str
    fingerprint: str
    seen: Seen
    period: Period | None = None
    source: str = ""
    message: str = ""
    charge: Charge = UNKNOWN


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a night got: what it did not look at, it cannot say is gone.

    `planned` are the months that were planned, `applied` those of them whose changes were all tried, and
    `compared` those whose rows were held against what was billed; nobody looks at a month before `since` any
    more. `finished` are the months of which a run left nothing to do. It `worked` if it did any of that, and
    was `faulted` where the map, a setting or the state stopped it.
    """

    planned: frozenset[tuple[Period, str]] = frozenset()
    applied: frozenset[tuple[Period, str]] = frozenset()
    compared: frozenset[Period] = frozenset()
    since: Period | None = None
    finished: frozenset[Period] = frozenset()
    worked: bool = False
    faulted: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """Tonight's causes beside what people know."""

    new: tuple[Cause, ...] = ()
    changed: tuple[Cause, ...] = ()
    same: tuple[Cause, ...] = ()
    gone: tuple[Told, ...] = ()
    passed: tuple[Told, ...] = ()
    closed: tuple[Told, ...] = ()

    @property
    def to_tell(self) -> tuple[Cause, ...]:
        """What people do not know yet."""
        return (*self.new, *self.changed, *map(cause_of_passed, self.passed))


def news_of(causes: Iterable[Cause], told: Mapping[str, Told], looked: Looked) -> News:
    """Sort tonight's causes by what was told of them; a cause that nobody looked for is not gone."""
    new: list[Cause] = []
    changed: list[Cause] = []
    same: list[Cause] = []
    ids = set()
    for cause in causes:
        ids.add(cause.id)
        known = told.get(cause.id)
        kind = new if known is None else same if known.fingerprint == cause.fingerprint else changed
        kind.append(cause)
    fates: dict[Fate, list[Told]] = {"open": [], "gone": [], "passed": [], "closed": []}
    for known in told.values():
        if known.id not in ids:
            fates[fate_of(known, looked)].append(known)
    return News(
        tuple(new),
        tuple(changed),
        tuple(same),
        tuple(fates["gone"]),
        tuple(fates["passed"]),
        tuple(fates["closed"]),
    )


def fate_of(known: Told, looked: Looked) -> Fate:
    """Return whether a cause that did not show itself tonight is gone, or merely out of sight."""
    match known.seen:
        case "plan" | "overdue":
            return _reached(known, looked.planned, looked)
        case "change":
            return _reached(known, looked.applied, looked)
        case "restated":
            if known.period in looked.compared:
                return "gone"
            past = looked.since is not None and known.period is not None and known.period < looked.since
            return "closed" if past else "open"
        case "vendor":
            return "gone" if looked.worked else "open"
        case _:  # a fault of the map, a setting or the state
            return "open" if looked.faulted else "gone"


def cause_of_passed(known: Told) -> Cause:
    """Return what a month leaves unbilled that a newer one went before, to be told once."""
    return Cause(
        id=cause_id(PASSED, str(known.period), known.id),
        code=PASSED,
        label=f"{known.code} {known.label} of {known.period}",
        message=(
            f"a newer month is billed, so no run bills this of {known.period} any more: "
            f"{known.message or f'{known.code}, {known.label}'}"
        ),
        next=f"connector usage show {known.period}",
        fingerprint=known.fingerprint,
        seen=known.seen,
        period=known.period,
        source=known.source,
        charge=known.charge,
        advice=f"bill by hand what is missing of {known.period}, or let it go",
    )


def _reached(known: Told, months: Iterable[tuple[Period, str]], looked: Looked) -> Fate:
    """Say whether its month was looked at, or a later one; an invoice tells more than live counts do."""
    reached = {
        period
        for period, source in months
        if (known.period is None or period >= known.period) and source in {API, known.source}
    }
    if not reached:
        return "open"
    mine = known.period
    if mine is None or known.source != API or mine in reached or mine in looked.finished:
        return "gone"
    return "passed" if any((period, API) in looked.applied for period in reached) else "open"
