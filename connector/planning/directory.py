"""ConnectWise's companies, agreements and items, found by what mappings.yaml calls them (rules 7 to 9).

A text is looked up by name and its id is remembered; from then on the id decides, so that a rename on
either side never moves anybody's bill.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from connector.model import Agreement, CatalogItem, Company, Reference
from connector.planning.findings import Warn


class Name(NamedTuple):
    """A text of mappings.yaml: its kind, the company it is read within (0 for none), and the text."""

    kind: str
    company_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why a reference, or usage, finds no place; `code` is the contract's."""

    code: str
    message: str


def folded(text: str) -> str:
    """Return a name as ConnectWise compares it: trimmed, in any case."""
    return text.strip().casefold()


def inactive_because(agreement: Agreement, today: date) -> str | None:
    """Say why an agreement does not bill today, or None when it is active (contract rule 7).

    A status we do not know counts as not active: nothing is written on a guess.
    """
    if agreement.cancelled:
        return "is cancelled"
    if agreement.end is not None and agreement.end < today:
        return f"ended on {agreement.end}"
    if agreement.status:
        return None if folded(agreement.status) == "active" else f"is {agreement.status}"
    if agreement.start is not None and agreement.start > today:
        return f"starts on {agreement.start}"
    return None


class Directory:
    """Finds records by id or name, remembers what names meant, and collects what it noticed."""

    def __init__(
        self,
        *,
        companies: Iterable[Company],
        agreements: Iterable[Agreement],
        items: Iterable[CatalogItem],
        remembered: Mapping[Name, int],
        today: date,
    ) -> None:
        """Index the records once; `remembered` is what the ledger knows of earlier runs."""
        self.today = today
        self.companies = {company.id: company for company in companies}
        self.agreements = {agreement.id: agreement for agreement in agreements}
        self.items = {item.id: item for item in items}
        self.learned: dict[Name, int] = {}
        self._remembered = remembered
        self._warnings: dict[Name, Warn] = {}
        self._found_companies: dict[Reference, Company | Unplaced] = {}
        self._found_items: dict[Reference, CatalogItem | Unplaced] = {}
        self._found_agreements: dict[tuple[int, Reference], Agreement | Unplaced] = {}
        self._companies_named: dict[str, list[Company]] = defaultdict(list)
        self._items_named: dict[str, list[CatalogItem]] = defaultdict(list)
        self._agreements_named: dict[tuple[int, str], list[Agreement]] = defaultdict(list)
        for company in self.companies.values():
            if not company.deleted:
                self._companies_named[folded(company.identifier)].append(company)
        for item in self.items.values():
            self._items_named[folded(item.identifier)].append(item)
        for agreement in self.agreements.values():
            self._agreements_named[agreement.company_id, folded(agreement.name)].append(agreement)

    def anew(self) -> "Directory":
        """Return a directory of the same records that has noticed nothing yet."""
        return Directory(
            companies=self.companies.values(),
            agreements=self.agreements.values(),
            items=self.items.values(),
            remembered=self._remembered,
            today=self.today,
        )

    @property
    def warnings(self) -> tuple[Warn, ...]:
        """What was noticed about names, in a stable order."""
        return tuple(self._warnings[name] for name in sorted(self._warnings))

    def company(self, reference: Reference) -> Company | Unplaced:
        """Find a company that is not deleted."""
        if reference not in self._found_companies:
            self._found_companies[reference] = self._find_company(reference)
        return self._found_companies[reference]

    def item(self, reference: Reference) -> CatalogItem | Unplaced:
        """Find a catalog item that an addition may sell (contract rule 8)."""
        if reference not in self._found_items:
            found = self._find_item(reference)
            if isinstance(found, CatalogItem) and folded(found.product_class) == "bundle":
                found = Unplaced(
                    "ITEM_IS_BUNDLE",
                    f"item {found.identifier} is of class Bundle, which an agreement cannot carry",
                )
            self._found_items[reference] = found
        return self._found_items[reference]

    def agreement(self, company: Company, reference: Reference) -> Agreement | Unplaced:
        """Find an active agreement of this company."""
        at = (company.id, reference)
        if at not in self._found_agreements:
            found = self._find_agreement(company, reference)
            if isinstance(found, Agreement):
                reason = inactive_because(found, self.today)
                if reason is not None:
                    found = Unplaced("AGREEMENT_INACTIVE", f'agreement "{found.name}" ({found.id}) {reason}')
            self._found_agreements[at] = found
        return self._found_agreements[at]

    def _find_company(self, reference: Reference) -> Company | Unplaced:
        if isinstance(reference, int):
            return self._undeleted(reference, f"company {reference}")
        name = Name("company", 0, folded(reference))
        matches = self._companies_named.get(name.text, [])
        settled = self._settle(name, reference, {match.id for match in matches})
        if isinstance(settled, Unplaced):
            return settled
        company = self._undeleted(settled, f'company "{reference}"')
        if isinstance(company, Company) and not matches:
            self._renamed(name, reference, company.identifier, company.id)
        return company

    def _undeleted(self, company_id: int | None, shown: str) -> Company | Unplaced:
        company = self.companies.get(company_id) if company_id is not None else None
        if company is None:
            return Unplaced("COMPANY_NOT_FOUND", f"{shown} is not in ConnectWise")
        if company.deleted:
            return Unplaced(
                "COMPANY_NOT_FOUND", f"{shown} was deleted in ConnectWise, or merged into another"
            )
        return company

    def _find_item(self, reference: Reference) -> CatalogItem | Unplaced:
        missing = Unplaced("ITEM_NOT_FOUND", f"item {reference!r} is not in ConnectWise's catalog")
        if isinstance(reference, int):
            return self.items.get(reference, missing)
        name = Name("item", 0, folded(reference))
        matches = self._items_named.get(name.text, [])
        settled = self._settle(name, reference, {match.id for match in matches})
        if isinstance(settled, Unplaced):
            return settled
        item = self.items.get(settled) if settled is not None else None
        if item is None:
            return missing
        if not matches:
            self._renamed(name, reference, item.identifier, item.id)
        return item

    def _find_agreement(self, company: Company, reference: Reference) -> Agreement | Unplaced:
        missing = Unplaced(
            "AGREEMENT_NOT_FOUND",
            f"agreement {reference!r} is not among those of company {company.identifier}",
        )
        if isinstance(reference, int):
            agreement = self.agreements.get(reference)
            return agreement if agreement is not None and agreement.company_id == company.id else missing
        name = Name("agreement", company.id, folded(reference))
        matches = self._agreements_named.get((company.id, name.text), [])
        active = {match.id for match in matches if inactive_because(match, self.today) is None}
        settled = self._settle(name, reference, active)
        if isinstance(settled, Unplaced):
            return settled
        agreement = self.agreements.get(settled) if settled is not None else None
        if agreement is None:
            return matches[0] if matches else missing
        if agreement.company_id != company.id:
            return missing
        if folded(agreement.name) != name.text:
            self._renamed(name, reference, agreement.name, agreement.id)
        return agreement

    def _settle(self, name: Name, shown: str, matches: set[int]) -> int | Unplaced | None:
        """Decide between what a text finds now and what it once meant (contract rule 9)."""
        once = self._remembered.get(name)
        kind = name.kind.upper()
        if once is None:
            if len(matches) > 1:
                listed = ", ".join(str(match) for match in sorted(matches))
                which = "active ones are" if name.kind == "agreement" else "records are"
                return Unplaced(
                    f"{kind}_AMBIGUOUS",
                    f'several {which} called "{shown}" (ids {listed}); write the id of the right one',
                )
            for match in matches:
                self.learned[name] = match
            return next(iter(matches), None)
        if once in matches:
            if len(matches) > 1:
                self._warnings[name] = Warn(
                    f"{kind}_AMBIGUOUS",
                    f'{name.kind} "{shown}" is now the name of {len(matches)} records; '
                    f"id {once} goes on, as before. Write that id into mappings.yaml to settle it.",
                )
            return once
        if matches:
            found = ", ".join(str(match) for match in sorted(matches))
            return Unplaced(
                f"{kind}_CHANGED",
                f'{name.kind} "{shown}" meant id {once} until now and means id {found} today; '
                "write the id of the right one",
            )
        return once

    def _renamed(self, name: Name, shown: str, now: str, record_id: int) -> None:
        self._warnings[name] = Warn(
            f"{name.kind.upper()}_RENAMED",
            f'{name.kind} "{shown}" is called "{now.strip()}" in ConnectWise now; id {record_id} goes on, '
            f"as before. Write the new name, or the id, into mappings.yaml.",
        )
