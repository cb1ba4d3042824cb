"""Catalog items of ConnectWise as people see them: look for one, read it, create it, change it."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote_plus

from connector.errors import RequestRefused, VendorError
from connector.model import CatalogRecord, Choice, ItemPatch, NewItem
from connector.vendors import connectwise_item_wire as wire
from connector.vendors.conditions import containing, equal
from connector.vendors.connectwise_lists import Listing
from connector.vendors.connectwise_session import ConnectWiseSession
from connector.vendors.connectwise_writes import id_shown, not_as_asked, record_after, unsendable
from connector.vendors.fields import Malformed, Record, as_record, required_id
from connector.vendors.redaction import shown
from connector.vendors.transport import Call

_ITEMS = "/procurement/catalog"
_READ = "Procurement > Product Catalog: Inquire ALL"
_WRITE = "Procurement > Product Catalog: Add/Edit ALL"
_TABLES = "System > Table Setup: Inquire ALL"
_LONGEST = 1700
_SAY_OTHERWISE = "Say it otherwise and run the same command again."


class ConnectWiseCatalog:
    """Reads catalog items and their set-up tables, and writes one item at a time."""

    def __init__(self, session: ConnectWiseSession) -> None:
        self._session = session
        self._transport = session.transport

    def catalog_records(self) -> tuple[CatalogRecord, ...]:
        """Return every catalog item, inactive ones too, by id."""
        return self._every("")

    def search_items(self, text: str) -> tuple[CatalogRecord, ...]:
        """Return the items whose identifier or description contains the text, in any case, by id."""
        sought = _line(text)
        return self._chosen(
            lambda: containing(("identifier", "description"), text.strip()),
            lambda item: any(sought in _line(said) for said in (item.identifier, item.description)),
        )

    def items_named(self, identifier: str) -> tuple[CatalogRecord, ...]:
        """Return the items with this identifier, in any case and less blanks around it, by id."""
        identifier = identifier.strip()
        sought = identifier.casefold()
        return self._chosen(
            lambda: equal("identifier", identifier), lambda item: item.identifier.casefold() == sought
        )

    def item(self, item_id: int) -> CatalogRecord | None:
        """Return one item as it is now, or None where it is gone."""
        record = self._record(item_id)
        return None if record is None else wire.catalog_record(record)

    def subcategories(self) -> tuple[Choice, ...]:
        """Return every subcategory, inactive ones too, by id."""
        return self._table("/procurement/subcategories", "reading subcategories")

    def product_types(self) -> tuple[Choice, ...]:
        """Return every product type, inactive ones too, by id."""
        return self._table("/procurement/types", "reading product types")

    def units(self) -> tuple[Choice, ...]:
        """Return every unit of measure, inactive ones too, by id."""
        return self._table("/procurement/unitOfMeasures", "reading units of measure")

    # Writing -------------------------------------------------------------------------------------

    def create_item(self, new: NewItem) -> CatalogRecord:
        """Send one POST and return what ConnectWise made of it, if that is what was asked for.

        Sent once, whatever happens. Unclear: read `items_named` before anything else. NotAsAsked:
        something was made. Throttled and every other error: nothing was made.
        """
        _refuse_faults(new)
        body = wire.creation(new)
        doing = f"creating the catalog item {shown(new.identifier)}"
        call = Call(method="POST", url=_ITEMS, doing=doing, body=body, effect="adds", right=_WRITE)
        answer = self._session.send(call)
        record = answer.document if isinstance(answer.document, dict) else {}
        made = _item_in(record)
        differences = wire.differences(record, new)
        if made is None or differences:
            differences = differences or ("it is no catalog item",)
            error = not_as_asked(self._transport, doing, differences, "item", answer)
            error.item, error.item_id = made, id_shown(record)
            error.contradicted = bool(wire.contradictions(record, new))
            raise error
        return made

    def patch_item(self, item_id: int, patch: ItemPatch) -> CatalogRecord:
        """Set the patch's fields and return the item, once ConnectWise shows them as asked.

        Repeated after passing failures, as the values are absolute; Unclear where those do not pass. An
        answer that leaves it open is followed by a fresh read; NotAsAsked where either shows otherwise.
        """
        _refuse_faults(patch)
        body = wire.operations(patch)
        doing, url = f"changing catalog item {item_id}", f"{_ITEMS}/{item_id}"
        call = Call(method="PATCH", url=url, doing=doing, body=body, effect="sets", right=_WRITE)
        record = record_after(self._session, call)
        changed = _item_in(record)
        if changed is not None and changed.id == item_id:
            contradictions = wire.contradictions(record, patch)
            if contradictions:
                # A 200 that shows something else is a failure, whatever a later read may show.
                contradicted = not_as_asked(self._transport, doing, contradictions, "item")
                contradicted.item, contradicted.item_id = changed, item_id
                raise contradicted
            if not wire.differences(record, patch):
                return changed
        return self._read_back(doing, item_id, patch)

    def _read_back(self, doing: str, item_id: int, patch: ItemPatch) -> CatalogRecord:
        """Return the item if a fresh read shows what the answer to the change did not."""
        try:
            record = self._record(item_id)
        except VendorError as failed:
            raise self._transport.failures.unclear(failed, f"after {doing}, reading back failed: ") from None
        now = None if record is None else wire.catalog_record(record)
        differences = ("it is gone",) if record is None else wire.differences(record, patch)
        if now is None or differences:
            error = not_as_asked(self._transport, doing, differences, "item")
            error.item, error.item_id = now, item_id
            raise error
        return now

    # Reading -------------------------------------------------------------------------------------

    def _record(self, item_id: int) -> Record | None:
        """Return one item as it came, once it is known to be readable and that one."""
        doing = f"reading catalog item {item_id}"
        params = {"fields": wire.RECORD_FIELDS}
        answer = self._session.find(Call(url=f"{_ITEMS}/{item_id}", doing=doing, params=params, right=_READ))
        if answer is None:
            return None
        with self._transport.failures.reading(doing, answer):
            record = as_record(answer.document, "the answer")
            if required_id(record, "id") != item_id:
                raise Malformed("id is that of another item")
            wire.catalog_record(record)
        return record

    def _chosen(
        self, conditions: Callable[[], str], wanted: Callable[[CatalogRecord], bool]
    ) -> tuple[CatalogRecord, ...]:
        """Return what is wanted: by condition where one can tell, and never "nothing" by condition alone."""
        found = tuple(filter(wanted, self._by_condition(conditions)))
        return found or tuple(filter(wanted, self.catalog_records()))

    def _by_condition(self, conditions: Callable[[], str]) -> tuple[CatalogRecord, ...]:
        try:
            text = conditions()
        except ValueError:  # a text that cannot be quoted
            return ()
        if len(quote_plus(text)) > _LONGEST:
            return ()
        try:
            return self._every(text)
        except RequestRefused as error:
            if error.status not in {400, 414}:
                raise
            return ()

    def _every(self, conditions: str) -> tuple[CatalogRecord, ...]:
        listing = Listing(_ITEMS, "reading catalog items", wire.RECORD_FIELDS)
        return self._session.every(replace(listing, conditions=conditions), _READ, wire.catalog_record)

    def _table(self, path: str, doing: str) -> tuple[Choice, ...]:
        return self._session.every(Listing(path, doing, wire.CHOICE_FIELDS), _TABLES, wire.choice)


def _refuse_faults(what: NewItem | ItemPatch) -> None:
    faults = wire.faults(what)
    if faults:
        raise unsendable("; ".join(faults), _SAY_OTHERWISE)


def _line(text: str) -> str:
    return " ".join(text.split()).casefold()


def _item_in(record: Record) -> CatalogRecord | None:
    """Return the item that an answer to a write shows, if it shows one."""
    try:
        return wire.catalog_record(record)
    except Malformed:
        return None
