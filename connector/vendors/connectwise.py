"""The client of ConnectWise PSA: companies, agreements, catalog items, and additions to write."""

from collections.abc import Collection
from dataclasses import replace

from connector.errors import RequestRefused, VendorError
from connector.model import Addition, AdditionPatch, Agreement, CatalogItem, Company, NewAddition, Reference
from connector.vendors import connectwise_wire as wire
from connector.vendors.connectwise_catalog import MOST_REFERENCES, all_found, conditions_for
from connector.vendors.connectwise_items import ConnectWiseCatalog
from connector.vendors.connectwise_lists import Listing
from connector.vendors.connectwise_session import ConnectWiseCredentials, ConnectWiseSession
from connector.vendors.connectwise_writes import NotAsAsked, id_shown, not_as_asked, record_after, sendable
from connector.vendors.fields import Malformed, Record, as_record, required_id
from connector.vendors.transport import Call, Patience, Throttled, Trace, Unclear

__all__ = ["ConnectWiseClient", "NotAsAsked", "Throttled", "Unclear"]

_COMPANIES = "Companies > Company Maintenance: Inquire ALL"
_AGREEMENTS = "Finance > Agreements: Inquire ALL"
_CREATE = "Finance > Agreements: Add ALL and Edit ALL"
_EDIT = "Finance > Agreements: Edit ALL"
_CATALOG = "Procurement > Product Catalog: Inquire ALL"


class ConnectWiseClient:
    """Reads what is billed, and writes additions one at a time. Fit for several threads at once.

    `catalog` reads and writes catalog items as people see them.
    """

    def __init__(  # noqa: PLR0913  # one argument for each setting
        self,
        *,
        url: str,
        company: str,
        public_key: str,
        private_key: str,
        client_id: str,
        patience: Patience | None = None,
        trace: Trace | None = None,
    ) -> None:
        credentials = ConnectWiseCredentials(url, company, public_key, private_key, client_id)
        self._session = ConnectWiseSession(credentials, patience=patience, trace=trace)
        self.transport = self._session.transport
        self.catalog = ConnectWiseCatalog(self._session)

    def system_info(self) -> wire.SystemInfo:
        """Return version and zone; a 404 here means that the company or the keys are wrong."""
        return self._session.system_info()

    def companies(self) -> tuple[Company, ...]:
        """Return every company, deleted ones too, by id."""
        listing = Listing("/company/companies", "reading companies", wire.COMPANY_FIELDS)
        return self._session.every(listing, _COMPANIES, wire.company)

    def agreements(self) -> tuple[Agreement, ...]:
        """Return every agreement, ended ones too, by id."""
        listing = Listing("/finance/agreements", "reading agreements", wire.AGREEMENT_FIELDS)
        return self._session.every(listing, _AGREEMENTS, wire.agreement)

    def catalog_items(self, references: Collection[Reference] | None = None) -> tuple[CatalogItem, ...]:
        """Return the catalog, or at least those items of it whose ids or identifiers are given.

        What is missing from the result is not in the catalog: that is only ever said after reading
        all of it.
        """
        listing = Listing("/procurement/catalog", "reading catalog items", wire.CATALOG_FIELDS)
        if references is not None and len(references) <= MOST_REFERENCES:
            found = self._chosen_items(listing, references)
            if found is not None:
                return found
        return self._session.every(listing, _CATALOG, wire.catalog_item)

    def additions(self, agreement_id: int) -> tuple[Addition, ...]:
        """Return every addition of an agreement, ended ones too, by id."""
        doing = f"reading additions of agreement {agreement_id}"
        listing = Listing(_additions(agreement_id), doing, wire.ADDITION_FIELDS)
        return self._session.every(listing, _AGREEMENTS, lambda record: wire.addition(record, agreement_id))

    def addition(self, agreement_id: int, addition_id: int) -> Addition | None:
        """Return one addition as it is now, or None where it is gone."""
        doing = f"reading addition {addition_id} of agreement {agreement_id}"
        url, params = f"{_additions(agreement_id)}/{addition_id}", {"fields": wire.ADDITION_FIELDS}
        answer = self._session.find(Call(url=url, doing=doing, params=params, right=_AGREEMENTS))
        if answer is None:
            return None
        with self.transport.failures.reading(doing, answer):
            record = as_record(answer.document, "the answer")
            if required_id(record, "id") != addition_id:
                raise Malformed("id is that of another addition")
            return wire.addition(record, agreement_id)

    # Writing -------------------------------------------------------------------------------------

    def create_addition(self, new: NewAddition) -> Addition:
        """Send one POST and return what ConnectWise made of it, if that is what was asked for.

        Sent once, whatever happens. Unclear: read the additions before anything else. NotAsAsked:
        something was made. Throttled and every other error: nothing was made.
        """
        doing = f"creating an addition of item {new.item_id} on agreement {new.agreement_id}"
        url, body = _additions(new.agreement_id), sendable(wire.creation, new)
        call = Call(method="POST", url=url, doing=doing, body=body, effect="adds", right=_CREATE)
        answer = self._session.send(call)
        record = answer.document if isinstance(answer.document, dict) else {}
        made = _addition_in(record, new.agreement_id)
        differences = wire.creation_differences(record, new)
        if made is None or differences:
            differences = differences or ("it is no addition of that agreement",)
            error = not_as_asked(self.transport, doing, differences, "agreement", answer)
            error.addition, error.addition_id = made, id_shown(record)
            raise error
        return made

    def patch_addition(self, agreement_id: int, addition_id: int, patch: AdditionPatch) -> Addition:
        """Set the patch's fields and return the addition, once ConnectWise shows them as asked.

        Repeated after passing failures, as the values are absolute; Unclear where those do not pass. An
        answer that leaves it open is followed by a fresh read; NotAsAsked where either shows otherwise.
        """
        doing = f"changing addition {addition_id} of agreement {agreement_id}"
        url, body = f"{_additions(agreement_id)}/{addition_id}", sendable(wire.operations, patch)
        call = Call(method="PATCH", url=url, doing=doing, body=body, effect="sets", right=_EDIT)
        record = record_after(self._session, call)
        changed = _addition_in(record, agreement_id)
        if changed is not None and changed.id == addition_id:
            contradictions = wire.patch_contradictions(record, patch)
            if contradictions:
                # A 200 that shows something else is a failure, whatever a later read may show.
                contradicted = not_as_asked(self.transport, doing, contradictions, "agreement")
                contradicted.addition, contradicted.addition_id = changed, addition_id
                raise contradicted
            if not wire.patch_differences(record, patch):
                return changed
        return self._read_back(doing, agreement_id, addition_id, patch)

    def _read_back(self, doing: str, agreement_id: int, addition_id: int, patch: AdditionPatch) -> Addition:
        """Return the addition if a fresh read shows what the answer to the change did not."""
        try:
            now = self.addition(agreement_id, addition_id)
        except VendorError as failed:
            raise self.transport.failures.unclear(failed, f"after {doing}, reading back failed: ") from None
        differences = ("it is gone",) if now is None else wire.addition_differences(now, patch)
        if now is None or differences:
            error = not_as_asked(self.transport, doing, differences, "agreement")
            error.addition, error.addition_id = now, addition_id
            raise error
        return now

    def _chosen_items(
        self, listing: Listing, references: Collection[Reference]
    ) -> tuple[CatalogItem, ...] | None:
        """Return the items of these references, or None where only the whole list can tell."""
        found: dict[int, CatalogItem] = {}
        try:
            for conditions in conditions_for(references):
                chosen = replace(listing, conditions=conditions)
                items = self._session.every(chosen, _CATALOG, wire.catalog_item)
                found.update((item.id, item) for item in items)
        except ValueError:  # a text that cannot be quoted
            return None
        except RequestRefused as error:
            if error.status not in {400, 414}:
                raise
            return None
        if not all_found(references, found.values()):
            return None
        return tuple(found[item_id] for item_id in sorted(found))


def _additions(agreement_id: int) -> str:
    return f"/finance/agreements/{agreement_id}/additions"


def _addition_in(record: Record, agreement_id: int) -> Addition | None:
    """Return the addition that an answer to a write shows, if it shows one."""
    try:
        return wire.addition(record, agreement_id)
    except Malformed:
        return None
