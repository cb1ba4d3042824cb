"""Find catalog items by reference with few requests, and know when only the whole list can tell."""

from collections.abc import Collection, Iterable, Iterator
from urllib.parse import quote_plus

from connector.model import CatalogItem, Reference
from connector.vendors.conditions import chunks, one_of

MOST_REFERENCES = 200
_LONGEST = 1700


def conditions_for(references: Collection[Reference]) -> Iterator[str]:
    """Yield the conditions that choose these items; raises ValueError for text that cannot be quoted."""
    ids = sorted({reference for reference in references if isinstance(reference, int)})
    texts = sorted({reference for reference in references if isinstance(reference, str)})
    parts = [one_of("id", chunk) for chunk in chunks(ids)]
    parts += [one_of("identifier", chunk) for chunk in chunks(texts)]
    both = " or ".join(f"({part})" for part in parts)  # precedence is not documented
    if parts and len(quote_plus(both)) <= _LONGEST:
        yield both
    else:
        yield from parts


def all_found(references: Iterable[Reference], items: Collection[CatalogItem]) -> bool:
    """Whether every reference is among the items; identifiers compare as the server does."""
    ids = {item.id for item in items}
    identifiers = {_folded(item.identifier) for item in items}
    return all(
        reference in ids if isinstance(reference, int) else _folded(reference) in identifiers
        for reference in references
    )


def _folded(identifier: str) -> str:
    return identifier.strip().casefold()
