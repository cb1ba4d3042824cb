"""What people have not been told yet, and what of that which they were told is gone (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.model import Period
from connector.planning.causes import Cause, Seen
from connector.planning.sources import API


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


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a night got: what it did not look at, it cannot say is gone.

    `planned` are the months that were planned, `applied` those of them whose changes were all tried, and
    `compared` those whose rows were held against what was billed. It `worked` if it did any of that, and was
    `faulted` where the map, a setting or the state stopped it.
    """

    planned: frozenset[tuple[Period, str]] = frozenset()
    applied: frozenset[tuple[Period, str]] = frozenset()
    compared: frozenset[Period] = frozenset()
    worked: bool = False
    faulted: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """Tonight's causes beside what people know."""

    new: tuple[Cause, ...] = ()
    changed: tuple[Cause, ...] = ()
    same: tuple[Cause, ...] = ()
    gone: tuple[Told, ...] = ()

    @property
    def to_tell(self) -> tuple[Cause, ...]:
        """What people do not know yet."""
        return (*self.new, *self.changed)


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
    gone = (known for known in told.values() if known.id not in ids and is_gone(known, looked))
    return News(tuple(new), tuple(changed), tuple(same), tuple(gone))


def is_gone(known: Told, looked: Looked) -> bool:
    """Whether a cause that did not show itself tonight is gone, and not merely out of sight."""
    match known.seen:
        case "plan" | "overdue":
            return _reached(known, looked.planned)
        case "change":
            return _reached(known, looked.applied)
        case "restated":
            return known.period in looked.compared
        case "vendor":
            return looked.worked
        case _:  # a fault of the map, a setting or the state
            return not looked.faulted


def _reached(known: Told, months: Iterable[tuple[Period, str]]) -> bool:
    """Whether its month was looked at, or a later one; an invoice tells more than live counts do."""
    return any(
        (known.period is None or period >= known.period) and source in {API, known.source}
        for period, source in months
    )
