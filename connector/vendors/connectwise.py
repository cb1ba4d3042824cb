"""The client of ConnectWise PSA: companies, agreements, catalog items, and additions to write."""

from collections.abc import Callable, Collection

from connector.errors import VendorError
from connector.model import Addition, AdditionPatch, Agreement, CatalogItem, Company, NewAddition, Reference
from connector.vendors import connectwise_wire as wire
from connector.vendors.connectwise_choice import Found, Length, all_named, fewest, ids_in, texts_in
from connector.vendors.connectwise_items import ConnectWiseCatalog
from connector.vendors.connectwise_lists import Listing
from connector.vendors.connectwise_report import AdditionsReport
from connector.vendors.connectwise_session import ConnectWiseCredentials, ConnectWiseSession
from connector.vendors.connectwise_writes import NotAsAsked, id_shown, not_as_asked, record_after, sendable
from connector.vendors.fields import Malformed, Record, as_record, required_id
from connector.vendors.transport import Call, Pace, Patience, Throttled, Trace, Unclear

__all__ = ["ConnectWiseClient", "NotAsAsked", "Throttled", "Unclear"]

_COMPANIES = "Companies > Company Maintenance: Inquire ALL"
_AGREEMENTS = "Finance > Agreements: Inquire ALL"
_CREATE = "Finance > Agreements: Add ALL and Edit ALL"
_EDIT = "Finance > Agreements: Edit ALL"
_CATALOG = "Procurement > Product Catalog: Inquire ALL"


class ConnectWiseClient:
    """Reads what is billed, and writes additions one at a time. Fit for several threads at once.

    `catalog` reads and writes catalog items as people see them, `additions_report` reads all additions in
    few requests. POST /system/bundles is not used: nobody has shown that it holds for additions.
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
        pace: Pace | None = None,
    ) -> None:
        credentials = ConnectWiseCredentials(url, company, public_key, private_key, client_id)
        self._session = ConnectWiseSession(credentials, patience=patience, trace=trace, pace=pace)
        self.transport = self._session.transport
        self.catalog = ConnectWiseCatalog(self._session)
        self.additions_report = AdditionsReport(self._session)

    def system_info(self) -> wire.SystemInfo:
        """Return version and zone; a 404 here means that the company or the keys are wrong."""
        return self._session.system_info()

    def companies(self) -> tuple[Company, ...]:
        """Return every company, deleted ones too, by id."""
        return self._companies("")

    def chosen_companies(
        self, references: Collection[Reference], known: Length | None = None
    ) -> Found[Company]:
        """Return at least the companies whose ids or identifiers are given; what is missing is not there."""

        def complete(found: Collection[Company]) -> bool:
            # A deleted one is found by its id alone, so its name says nothing of another of that name.
            return all_named(
                references, ((each.id, None if each.deleted else each.identifier) for each in found)
            )

        wishes = (("id", ids_in(references)), ("identifier", texts_in(references)))
        return fewest(self._companies, wishes, complete, known)

    def agreements(self) -> tuple[Agreement, ...]:
        """Return every agreement, ended ones too, by id."""
        return self._agreements("")

    def chosen_agreements(
        self,
        company_ids: Collection[int],
        agreement_ids: Collection[int],
        complete: Callable[[Collection[Agreement]], bool],
        known: Length | None = None,
    ) -> Found[Agreement]:
        """Return at least all agreements of these companies and those of these ids.

        `complete` says whether nothing is missing: names decide within a company, so it takes more than ids.
        """
        wishes = (("company/id", company_ids), ("id", agreement_ids))
        return fewest(self._agreements, wishes, complete, known)

    def catalog_items(self, references: Collection[Reference] | None = None) -> tuple[CatalogItem, ...]:
        """Return the catalog, or at least those items of it whose ids or identifiers are given.

        What is missing from the result is not in the catalog: that is only ever said after reading
        all of it.
        """
        return self._items("") if references is None else self.chosen_items(references).records

    def chosen_items(
        self, references: Collection[Reference], known: Length | None = None
    ) -> Found[CatalogItem]:
        """Return at least the items whose ids or identifiers are given; what is missing is not there."""

        def complete(found: Collection[CatalogItem]) -> bool:
            return all_named(references, ((each.id, each.identifier) for each in found))

        wishes = (("id", ids_in(references)), ("identifier", texts_in(references)))
        return fewest(self._items, wishes, complete, known)

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

    def _companies(self, conditions: str) -> tuple[Company, ...]:
        listing = Listing("/company/companies", "reading companies", wire.COMPANY_FIELDS, conditions)
        return self._session.every(listing, _COMPANIES, wire.company)

    def _agreements(self, conditions: str) -> tuple[Agreement, ...]:
        listing = Listing("/finance/agreements", "reading agreements", wire.AGREEMENT_FIELDS, conditions)
        return self._session.every(listing, _AGREEMENTS, wire.agreement)

    def _items(self, conditions: str) -> tuple[CatalogItem, ...]:
        listing = Listing("/procurement/catalog", "reading catalog items", wire.CATALOG_FIELDS, conditions)
        return self._session.every(listing, _CATALOG, wire.catalog_item)

    # Writing -------------------------------------------------------------------------------------

    @property
    def pauses(self) -> int:
        """How many times ConnectWise has had too many requests so far."""
        return self.transport.pace.pauses

    def take_turn(self) -> int:
        """Return when one more request may leave; give what it returns to that request."""
        return self.transport.pace.wait()

    def close(self) -> None:
        """Let nothing more leave, not even what waits or would be repeated."""
        self.transport.close()

    def create_addition(self, new: NewAddition, turn: int | None = None) -> Addition:
        """Send one POST and return what ConnectWise made of it, if that is what was asked for.

        Sent once, whatever happens, and with a `turn` at once. Unclear: read the additions before anything
        else. NotAsAsked: something was made. Throttled and every other error: nothing was made.
        """
        doing = f"creating an addition of item {new.item_id} on agreement {new.agreement_id}"
        url, body = _additions(new.agreement_id), sendable(wire.creation, new)
        call = Call(method="POST", url=url, doing=doing, body=body, effect="adds", right=_CREATE, turn=turn)
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


def _additions(agreement_id: int) -> str:
    return f"/finance/agreements/{agreement_id}/additions"


def _addition_in(record: Record, agreement_id: int) -> Addition | None:
    """Return the addition that an answer to a write shows, if it shows one."""
    try:
        return wire.addition(record, agreement_id)
    except Malformed:
        return None
