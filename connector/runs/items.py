"""Finds the catalog item that a person means, and creates one exactly once."""

import difflib
import re
from dataclasses import dataclass

from connector.errors import CommandFault, VendorError
from connector.mappings.suggest import items_for, search
from connector.model import CatalogRecord, ItemPatch, NewItem
from connector.planning.directory import folded
from connector.planning.new_item import not_as_asked
from connector.vendors import connectwise_item_wire as wire
from connector.vendors.connectwise import NotAsAsked, Unclear
from connector.vendors.connectwise_items import ConnectWiseCatalog

_ID = re.compile(r"(?:id:)?\s*0*([1-9][0-9]{0,17})", re.ASCII)
_IDENTIFIER = "identifier:"
_MOST_NEAR = 5
PARTLY_APPLIED = 6
UNCHANGED = "mappings.yaml was not changed."


@dataclass(frozen=True, slots=True)
class Made:
    """An item that ConnectWise has; `note` says so where its answer did not."""

    item: CatalogRecord
    note: str = ""


def find_item(catalog: ConnectWiseCatalog, text: str) -> CatalogRecord:
    """Return the item of an id or identifier, `id:48` or `identifier:4711` where one is both.

    Raises CommandFault where none or several are meant.
    """
    said = text.strip()
    by_id = _ID.fullmatch(said)
    record = catalog.item(int(by_id[1])) if by_id else None
    if by_id and said.startswith("id:"):
        if record is None:
            raise CommandFault(f"ConnectWise has no catalog item {said}. {UNCHANGED}", _search())
        return record
    identifier = said.removeprefix(_IDENTIFIER).strip()
    named = [each for each in catalog.items_named(identifier) if record is None or each.id != record.id]
    if record is not None and named:
        raise CommandFault(
            f"{said} is the id of {record.identifier} and the identifier of item {named[0].id}. {UNCHANGED}",
            f"Write id:{record.id} or identifier:{identifier} for the one that you mean.",
        )
    found = named if record is None else [record]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"id:{each.id}" for each in found)
        raise CommandFault(
            f"{len(found)} catalog items are called {identifier!r}: {ids}. {UNCHANGED}",
            "Give the id of the right one.",
        )
    near = _near(catalog, identifier)
    hint = f"; near: {', '.join(near)}" if near else ""
    raise CommandFault(f"ConnectWise has no catalog item {identifier!r}{hint}. {UNCHANGED}", _search())


def search_items(catalog: ConnectWiseCatalog, text: str) -> tuple[tuple[CatalogRecord, str], ...]:
    """Return the items whose texts contain this one, best first, each with the reason for its rank.

    Raises CommandFault for less than two letters, before anything is asked for.
    """
    search(text, (), lambda _: (), 0)  # refuses what is too short
    records = _containing(catalog, text)
    hits = search(text, records, lambda item: (item.identifier, item.description), len(records))
    return tuple((hit.record, hit.reason) for hit in hits)


def _containing(catalog: ConnectWiseCatalog, text: str) -> tuple[CatalogRecord, ...]:
    several_words = len(text.split()) > 1  # they may stand apart, which no condition can ask for
    return catalog.catalog_records() if several_words else catalog.search_items(text)


def candidates(catalog: ConnectWiseCatalog, code: str, name: str) -> tuple[tuple[CatalogRecord, str], ...]:
    """Return the items that may sell a product and may be mapped, best first, each with the reason."""
    usable = [item for item in catalog.catalog_records() if not why_not(item)]
    return tuple((hit.record, hit.reason) for hit in items_for(code, name, usable))


def why_not(item: CatalogRecord) -> str:
    """Say why an item cannot be mapped, or nothing where it can."""
    if folded(item.product_class) == "bundle":
        return "is of class Bundle, which an agreement cannot carry"
    return "is inactive in ConnectWise" if item.inactive else ""


def must_be_usable(item: CatalogRecord) -> None:
    """Raise CommandFault for an item that cannot be mapped."""
    reason = why_not(item)
    if reason:
        raise CommandFault(
            f"Item {item.identifier} ({item.id}) {reason}. {UNCHANGED}",
            "Map another item, or change this one in ConnectWise first.",
        )


def must_be_sendable(what: NewItem | ItemPatch) -> None:
    """Raise CommandFault for what ConnectWise would refuse or keep otherwise."""
    faults = wire.faults(what)
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise CommandFault(
            f"ConnectWise cannot take the item as it is.\n{listed}\n\nNothing was sent.",
            "Say it otherwise with the option of that name; see --help.",
        )


def create_item(catalog: ConnectWiseCatalog, new: NewItem) -> Made:
    """Create an item that was not there a moment ago, and return it once ConnectWise shows it as asked.

    One POST is sent, whatever happens; where nobody can tell what became of it, or the answer leaves out
    what was asked for, the catalog is read again.
    """
    look = f"Look for {new.identifier} in ConnectWise before you run this again."
    try:
        return Made(catalog.create_item(new))
    except (NotAsAsked, Unclear) as error:
        error.exit_code = PARTLY_APPLIED  # something may have been made (contract section 5)
        answered = isinstance(error, NotAsAsked)
        error.next_step = f"{look} If it is right after all, map it." if answered else look
        if isinstance(error, NotAsAsked) and error.contradicted:
            raise
        try:
            found = catalog.items_named(new.identifier)
        except VendorError:
            found = ()
        flaws = not_as_asked(found[0], new) if len(found) == 1 else ("there is not exactly one of it",)
        if not flaws:
            lost = "answer did not show it" if answered else "answer got lost"
            said = f"ConnectWise's {lost}, but it has made {found[0].identifier} ({found[0].id})."
            return Made(found[0], said)
        if found:
            error.message += f" {new.identifier} is in ConnectWise now, but {'; '.join(flaws)}."
        raise


def patch_item(catalog: ConnectWiseCatalog, item_id: int, patch: ItemPatch) -> CatalogRecord:
    """Change an item and return it as ConnectWise shows it then."""
    try:
        return catalog.patch_item(item_id, patch)
    except (NotAsAsked, Unclear) as error:
        error.exit_code = PARTLY_APPLIED  # something may have been changed (contract section 5)
        raise


def _near(catalog: ConnectWiseCatalog, identifier: str) -> list[str]:
    known = {folded(each.identifier): each for each in catalog.catalog_records() if not why_not(each)}
    near = difflib.get_close_matches(folded(identifier), known, n=_MOST_NEAR)
    return [f"{known[each].identifier} ({known[each].id})" for each in near]


def _search() -> str:
    return "Look for it with: connector products search TEXT"
