"""Read, of a long list, only the records that are wanted; the whole list where that takes fewer requests.

What is missing from chosen records is not believed: only the whole list can tell that a record is not there.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from urllib.parse import quote_plus

from connector.errors import RequestRefused
from connector.model import Reference
from connector.vendors.conditions import chunks, one_of
from connector.vendors.connectwise_lists import PAGE


class _HasId(Protocol):
    @property
    def id(self) -> int: ...


_Record = TypeVar("_Record", bound=_HasId)

_LONGEST = 1700
_CONDITION_REFUSED = frozenset({400, 414})


@dataclass(frozen=True, slots=True)
class Length:
    """What is known of a whole list: its pages, and whether all that is wanted could be chosen out of it."""

    pages: int
    choosable: bool = True


@dataclass(frozen=True, slots=True)
class Found(Generic[_Record]):
    """Records of a list by id; `length` is news of the whole list, None where it was not read."""

    records: tuple[_Record, ...]
    length: Length | None = None


Wish = tuple[str, Collection[Reference]]
"""A field, and the values of it that are wanted."""


def fewest(
    read: Callable[[str], tuple[_Record, ...]],
    wishes: Sequence[Wish],
    complete: Callable[[Collection[_Record]], bool],
    known: Length | None,
) -> Found[_Record]:
    """Return at least the records that are wished for, in the fewest requests.

    `read` reads what a condition chooses, all without one. `complete` says whether nothing is missing.
    """
    try:
        conditions = conditions_for(wishes)
    except ValueError:  # a text that cannot be quoted
        conditions = None
    refused = False
    if conditions is not None and _spares(len(conditions), known):
        try:
            chosen = {record.id: record for condition in conditions for record in read(condition)}
        except RequestRefused as error:
            if error.status not in _CONDITION_REFUSED:
                raise
            refused = True
        else:
            if complete(chosen.values()):
                return Found(tuple(chosen[record_id] for record_id in sorted(chosen)))
    records = read("")
    pages = max(1, -(-len(records) // PAGE))
    return Found(records, Length(pages, not refused and complete(records)))


def conditions_for(wishes: Sequence[Wish]) -> tuple[str, ...]:
    """Return the fewest conditions that choose all of it; raises ValueError for text that has no quotes."""
    parts = []
    for field, values in wishes:
        parts += [one_of(field, chunk) for chunk in chunks(ids_in(values))]
        parts += [one_of(field, chunk) for chunk in chunks(texts_in(values))]
    both = " or ".join(f"({part})" for part in parts)  # precedence is not documented
    return (both,) if parts and len(quote_plus(both)) <= _LONGEST else tuple(parts)


def all_named(references: Iterable[Reference], records: Iterable[tuple[int, str | None]]) -> bool:
    """Whether every reference is an id or a name among the records; names compare as the server does."""
    ids: set[int] = set()
    names: set[str] = set()
    for record_id, name in records:
        ids.add(record_id)
        if name is not None:
            names.add(_folded(name))
    return all(
        reference in ids if isinstance(reference, int) else _folded(reference) in names
        for reference in references
    )


def ids_in(references: Iterable[Reference]) -> tuple[int, ...]:
    """Return the references that are ids, in order."""
    return tuple(sorted({reference for reference in references if isinstance(reference, int)}))


def texts_in(references: Iterable[Reference]) -> tuple[str, ...]:
    """Return the references that are names, in order."""
    return tuple(sorted({reference for reference in references if isinstance(reference, str)}))


def _spares(requests: int, known: Length | None) -> bool:
    """Whether choosing takes fewer requests than the whole list, as far as anybody knows."""
    if requests == 0:
        return True
    if known is None:
        return requests == 1
    return known.choosable and requests < known.pages


def _folded(name: str) -> str:
    return name.strip().casefold()
