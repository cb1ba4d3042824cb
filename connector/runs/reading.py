"""Reads both vendors for one month; what is read here is never written back."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from typing import Protocol

from connector.errors import NotPublished
from connector.ledger import Ledger
from connector.ledger.held import held_keys
from connector.model import (
    Addition,
    Agreement,
    CatalogItem,
    Company,
    Firewall,
    Mappings,
    Period,
    Reference,
    Tenant,
    UsagePage,
    UsageRow,
    UsageRows,
)
from connector.planning.directory import Directory
from connector.planning.findings import Unresolved
from connector.planning.resolve import item_references
from connector.planning.sources import API, Source
from connector.planning.uncounted import Uncounted
from connector.runs.additions import Additions
from connector.runs.beside import Beside
from connector.runs.story import Story
from connector.vendors.connectwise_choice import Found, Length
from connector.vendors.connectwise_lists import AT_ONCE
from connector.vendors.connectwise_report import ReportedAdditions
from connector.vendors.hands import answers
from connector.vendors.sophos_licences import LicenceCount

READERS = AT_ONCE


class Sophos(Protocol):
    """What a run needs of Sophos."""

    def tenants(self) -> tuple[Tenant, ...]:
        """Return every tenant."""
        ...

    def billing_pages(self, period: Period) -> Iterator[UsagePage]:
        """Yield a month page by page; raises NotPublished in place of the first."""
        ...

    def firewalls(self) -> tuple[Firewall, ...]:
        """Return every firewall licence record."""
        ...

    def licence_counts(self, tenant_id: str) -> tuple[LicenceCount, ...] | None:
        """Return what a tenant's monthly licences count today, or None where it may not be seen."""
        ...

    def close(self) -> None:
        """Let nothing more leave."""
        ...


class ReadsAdditions(Protocol):
    """What reading additions needs of ConnectWise."""

    def additions(self, agreement_id: int) -> tuple[Addition, ...]:
        """Return all additions of an agreement."""
        ...


class Reads(ReadsAdditions, Protocol):
    """What reading needs of ConnectWise; nothing here can write to it."""

    def companies(self) -> tuple[Company, ...]:
        """Return every company."""
        ...

    def agreements(self) -> tuple[Agreement, ...]:
        """Return every agreement."""
        ...

    def catalog_items(self, references: Collection[Reference] | None = None) -> tuple[CatalogItem, ...]:
        """Return at least the items that these references name, where they exist."""
        ...


class ReadsChosen(Protocol):
    """What reading only the records that a run needs asks of ConnectWise; nothing here can write to it."""

    def chosen_companies(
        self, references: Collection[Reference], known: Length | None = None
    ) -> Found[Company]:
        """Return at least the companies of these references, where they exist."""
        ...

    def chosen_agreements(
        self,
        company_ids: Collection[int],
        agreement_ids: Collection[int],
        complete: Callable[[Collection[Agreement]], bool],
        known: Length | None = None,
    ) -> Found[Agreement]:
        """Return at least the agreements of these companies and those of these ids."""
        ...

    def chosen_items(
        self, references: Collection[Reference], known: Length | None = None
    ) -> Found[CatalogItem]:
        """Return at least the items of these references, where they exist."""
        ...


class Report(Protocol):
    """The report of all additions."""

    def probe(self) -> None:
        """Raise ReportUnusable unless it is there and has the columns."""
        ...

    def read(self, expected: int, most: int) -> ReportedAdditions:
        """Return every line; raises ReportUnusable."""
        ...


class ReadsReport(ReadsAdditions, Protocol):
    """What reading additions in few requests needs of ConnectWise."""

    @property
    def additions_report(self) -> Report:
        """The report of all additions."""
        ...


class ConnectWise(Reads, ReadsChosen, ReadsReport, Additions, Protocol):
    """What a run needs of ConnectWise."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One month as a source has it.

    `failed` are rows of a file that could not be imported, `uncounted` is what live counts do not tell,
    `restated` what has changed since the month was billed, where `rows` are those that were.
    """

    period: Period
    rows: UsageRows
    tenants: tuple[Tenant, ...]
    firewalls: tuple[Firewall, ...]
    source: Source = API
    failed: tuple[Unresolved, ...] = ()
    restated: tuple[Unresolved, ...] = ()
    uncounted: Uncounted = field(default_factory=Uncounted)


class TakesRows(Protocol):
    """Takes the rows of a month in as they come."""

    def take(self, rows: Sequence[UsageRow]) -> None:
        """Take the next ones."""
        ...

    def whole(self) -> UsageRows:
        """Hear that they have all come, and return them."""
        ...


class InMemory:
    """Keeps the rows of a month for a command that stores nothing."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: list[UsageRow] = []

    def take(self, rows: Sequence[UsageRow]) -> None:
        """Take the next ones."""
        self._rows += rows

    def whole(self) -> tuple[UsageRow, ...]:
        """Return all of them."""
        return tuple(self._rows)


def read_usage(
    sophos: Sophos,
    period: Period | None,
    today: date,
    story: Story,
    *,
    keep: Callable[[Period], TakesRows] = lambda _: InMemory(),
    published: Callable[[], None] = lambda: None,
) -> Usage:
    """Return a month; without a period the newest that Sophos has published. Raises NotPublished.

    `keep` makes what takes the month's rows in; only when all is read does it hear that they are whole.
    `published` hears that the month is there, before the rest of it is read.
    """
    story.stage("Reading Sophos")
    month, pages = published_month(sophos, period, today)
    published()
    with Beside(lambda _: sophos.tenants()) as tenants, Beside(lambda _: sophos.firewalls()) as firewalls:
        tenants.begin()
        firewalls.begin()
        rows = keep(month)
        for page in pages:
            rows.take(page.rows)
            story.progress(page.read, page.expected)
        listed = tenants.result(story), firewalls.result(story)
    return Usage(month, rows.whole(), *listed)


def published_month(sophos: Sophos, period: Period | None, today: date) -> tuple[Period, Iterator[UsagePage]]:
    """Return which month it is and its pages, the first of which has come; raises NotPublished."""
    newest = Period.of(today)
    advice = ""
    for month in (period,) if period is not None else (newest, newest.previous):
        pages = sophos.billing_pages(month)
        try:
            return month, chain((next(pages),), pages)
        except NotPublished as error:
            if period is not None:
                raise
            advice = error.next_step
    raise NotPublished(f"Sophos has published neither {newest} nor {newest.previous}.", advice)


def read_directory(
    connectwise: Reads, ledger: Ledger, maps: Iterable[Mappings], today: date, story: Story
) -> Directory:
    """Return ConnectWise's records, with at least the items that these maps or the ledger name."""
    story.stage("Reading ConnectWise")
    remembered = ledger.names()
    references: set[Reference] = {record_id for name, record_id in remembered.items() if name.kind == "item"}
    for mappings in maps:
        references |= item_references(mappings)
    references |= {key.item_id for key in held_keys(ledger)}
    return Directory(
        companies=connectwise.companies(),
        agreements=connectwise.agreements(),
        items=connectwise.catalog_items(references),
        remembered=remembered,
        today=today,
    )


def agreements_that_matter(ledger: Ledger) -> set[int]:
    """Return the agreements that hold lines of ours, or may hold one whose making was never confirmed."""
    wanted = {key.agreement_id for key in held_keys(ledger)}
    return wanted | {each.key.agreement_id for each in ledger.open_changes()}


def read_additions(
    connectwise: ReadsAdditions, agreement_ids: Collection[int], story: Story
) -> dict[int, tuple[Addition, ...]]:
    """Return the additions of each of these agreements, a few agreements at a time."""
    story.stage("Reading additions")
    found: dict[int, tuple[Addition, ...]] = {}
    reading = {each: partial(connectwise.additions, each) for each in sorted(agreement_ids)}
    for agreement_id, additions in answers(READERS, reading):
        found[agreement_id] = additions
        story.progress(len(found), len(reading))
    return found
