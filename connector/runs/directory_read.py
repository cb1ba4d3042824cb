"""Reads of ConnectWise's companies, agreements and items what the map and the ledger name, in few requests.

What the ledger knows goes in and what was learned comes out, so that the reading itself fits any thread.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from connector.ledger import Ledger
from connector.ledger.facts import fact, learn
from connector.ledger.held import held_keys
from connector.model import Agreement, Company, Mappings, Reference
from connector.planning.directory import Directory, Name, folded
from connector.planning.resolve import item_references
from connector.runs.reading import ReadsChosen, agreements_that_matter
from connector.vendors.connectwise_choice import Length

KEPT = timedelta(days=30)
"""So long the length of a list is believed."""

Lengths = Mapping[str, Length]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run must find in ConnectWise.

    `held` are the agreements that hold lines of ours, `items` the items of the map and of those lines.
    `lengths` is what is known of the whole lists.
    """

    mappings: Mappings
    remembered: Mapping[Name, int]
    held: frozenset[int]
    items: frozenset[Reference]
    lengths: Lengths


def records_wanted(ledger: Ledger, mappings: Mappings) -> Wanted:
    """Return what a run with this map must find."""
    remembered = ledger.names()
    items = item_references(mappings)
    items |= {
        remembered[name] for text in items if isinstance(text, str) if (name := _item(text)) in remembered
    }
    items |= {key.item_id for key in held_keys(ledger)}
    lengths = {}
    for each in ("companies", "agreements", "catalog"):
        known = fact(ledger, _fact(each), KEPT)
        if known is not None:
            lengths[each] = Length(known["pages"], known["choosable"])
    return Wanted(mappings, remembered, frozenset(agreements_that_matter(ledger)), frozenset(items), lengths)


def remember_lengths(ledger: Ledger, learned: Lengths) -> None:
    """Keep what was learned of the whole lists."""
    for name, length in learned.items():
        learn(ledger, _fact(name), asdict(length))


def read_named(connectwise: ReadsChosen, wanted: Wanted, today: date) -> tuple[Directory, Lengths]:
    """Return what finds each record of the map as whole lists would, and what was learned of those."""
    learned: dict[str, Length] = {}
    known = wanted.lengths

    found = connectwise.chosen_companies(_companies(wanted), known.get("companies"))
    companies = {each.id: each for each in found.records}
    if found.length is not None:
        learned["companies"] = found.length

    places = _Places(wanted, companies.values(), today)
    agreements = connectwise.chosen_agreements(
        places.company_ids, places.agreement_ids, places.complete, known.get("agreements")
    )
    if agreements.length is not None:
        learned["agreements"] = agreements.length

    # What we bill elsewhere than the map says must have a company's name, too.
    others = {each.company_id for each in agreements.records if each.id in wanted.held} - {0, *companies}
    if others and "companies" not in learned:
        more = connectwise.chosen_companies(others, known.get("companies"))
        companies |= {each.id: each for each in more.records}
        if more.length is not None:
            learned["companies"] = more.length

    items = connectwise.chosen_items(wanted.items, known.get("catalog"))
    if items.length is not None:
        learned["catalog"] = items.length
    directory = Directory(
        companies=companies.values(),
        agreements=agreements.records,
        items=items.records,
        remembered=wanted.remembered,
        today=today,
    )
    return directory, learned


class _Places:
    """Which agreements the map names within which companies, and so which must be read."""

    def __init__(self, wanted: Wanted, companies: Collection[Company], today: date) -> None:
        self._named: set[tuple[int, str]] = set()
        self.company_ids: set[int] = set()
        self.agreement_ids: set[int] = set(wanted.held)
        directory = Directory(
            companies=companies, agreements=(), items=(), remembered=wanted.remembered, today=today
        )
        for company_reference, reference in _agreements(wanted.mappings):
            company = directory.company(company_reference)
            if not isinstance(company, Company):
                continue
            self.company_ids.add(company.id)
            if isinstance(reference, int):
                self.agreement_ids.add(reference)
                continue
            name = Name("agreement", company.id, folded(reference))
            self._named.add((company.id, name.text))
            if name in wanted.remembered:
                self.agreement_ids.add(wanted.remembered[name])

    def complete(self, found: Collection[Agreement]) -> bool:
        """Whether nothing that the map or the ledger names is missing."""
        ids = {each.id for each in found}
        named = {(each.company_id, folded(each.name)) for each in found}
        return self.agreement_ids <= ids and self._named <= named


def _companies(wanted: Wanted) -> set[Reference]:
    """Return every company that the map names, also by what its text once meant."""
    references: set[Reference] = set()
    for reference, _ in _agreements(wanted.mappings):
        references.add(reference)
        if isinstance(reference, str):
            name = Name("company", 0, folded(reference))
            references |= {wanted.remembered[name]} if name in wanted.remembered else set()
    return references


def _agreements(mappings: Mappings) -> Iterator[tuple[Reference, Reference]]:
    """Yield every company that the map names, with each agreement that it names within."""
    for entry in mappings.tenants.values():
        if entry.company is None:
            continue
        for agreement in (entry.agreement, *(said.agreement for said in entry.products.values())):
            if agreement is not None:
                yield entry.company, agreement


def _item(text: str) -> Name:
    return Name("item", 0, folded(text))


def _fact(name: str) -> str:
    return f"connectwise.{name}"
