"""Checks what a run needs, one thing after the other, each with a remedy (contract section 3)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

from connector.errors import ConnectorError, NotPublished
from connector.ledger import Ledger
from connector.model import (
    Addition,
    Agreement,
    CatalogItem,
    Company,
    Firewall,
    Mappings,
    Period,
    Tenant,
    UsageRow,
)
from connector.planning.change import KnownAddition
from connector.planning.directory import Directory, Name
from connector.planning.successors import SUSPECTED
from connector.planning.tenant_finder import TenantFinder
from connector.planning.wording import succession
from connector.reports.checkup import Check
from connector.reports.escape import printable
from connector.runs.map_check import missing_names
from connector.runs.survey import suspected_successors
from connector.vendors.connectwise import ConnectWiseClient
from connector.vendors.connectwise_report import RIGHT, ReportUnusable
from connector.vendors.sophos import SophosClient

SKEW_SECONDS = 300
UNRESOLVED = 3


class Clients(Protocol):
    """What makes the two clients; raises SettingsFault."""

    def sophos(self) -> SophosClient:
        """Return a client of Sophos."""
        ...

    def connectwise(self) -> ConnectWiseClient:
        """Return a client of ConnectWise."""
        ...


@dataclass(slots=True)
class _Seen:
    """What earlier checks found, for later ones to use."""

    mappings: Mappings | None = None
    companies: tuple[Company, ...] | None = None
    agreements: tuple[Agreement, ...] | None = None
    items: tuple[CatalogItem, ...] | None = None
    remembered: dict[Name, int] = field(default_factory=dict)
    tenants: tuple[Tenant, ...] = ()
    firewalls: tuple[Firewall, ...] = ()
    rows: tuple[UsageRow, ...] | None = None
    known: tuple[KnownAddition, ...] = ()


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks at one installation and changes nothing in it, but for creating an empty state folder."""

    settings: Callable[[], Clients]
    mappings: Callable[[], Mappings]
    ledger: Callable[[], Ledger]
    today: date
    now: Callable[[], datetime]

    def examine(self) -> Iterator[Check]:
        """Yield every check in the contract's order; what cannot be checked after a fault is skipped."""
        seen = _Seen()
        clocks: list[Check] = []
        try:
            clients = self.settings()
            sophos, connectwise = clients.sophos(), clients.connectwise()
        except ConnectorError as error:
            yield _fault("Settings", error)
            yield from (
                Check(name, "skipped", "the settings must be right first")
                for name in ("Sophos", "ConnectWise")
            )
        else:
            yield Check("Settings", "ok", "all present and well-formed")
            yield from self._sophos(sophos, seen)
            yield from self._connectwise(connectwise, seen)
            clocks += self._clock("Sophos", sophos.transport.server_date)
            clocks += self._clock("ConnectWise", connectwise.transport.server_date)
        state = self._state(seen)  # first, because the map is read with the names it remembers
        yield from self._map(seen)
        yield state
        yield from clocks

    # The vendors ---------------------------------------------------------------------------------

    def _sophos(self, client: SophosClient, seen: _Seen) -> Iterator[Check]:
        def tenants() -> None:
            seen.tenants = client.tenants()

        def firewalls() -> None:
            seen.firewalls = client.firewalls()

        checks: tuple[tuple[str, Callable[[], object], str], ...] = (
            ("Sophos sign-in", client.sign_in, "the credentials are accepted"),
            ("Sophos partner", client.whoami, "the credentials are a partner's"),
            ("Sophos tenants", tenants, "tenants can be read"),
            ("Sophos firewalls", firewalls, "firewall licences can be read"),
        )
        for name, call, good in checks:
            try:
                call()
            except ConnectorError as error:
                yield _fault(name, error)
                yield Check("Sophos billing", "skipped", f"after the fault in: {name}")
                return
            yield Check(name, "ok", good)
        yield self._billing(client, seen)

    def _billing(self, client: SophosClient, seen: _Seen) -> Check:
        newest = Period.of(self.today)
        for period in (newest, newest.previous):
            try:
                rows = client.billing_usage(period)
            except NotPublished:
                continue
            except ConnectorError as error:
                return _fault("Sophos billing", error)
            seen.rows = rows
            return Check("Sophos billing", "ok", f"readable; the newest month is {period}, {len(rows)} rows")
        message = f"readable, but neither {newest} nor {newest.previous} is published yet"
        return Check("Sophos billing", "warning", message, "Sophos publishes a month near its 26th.")

    def _connectwise(self, client: ConnectWiseClient, seen: _Seen) -> Iterator[Check]:
        try:
            info = client.system_info()
        except ConnectorError as error:
            yield _fault("ConnectWise sign-in", error)
            yield Check("ConnectWise rights", "skipped", "after the fault in: ConnectWise sign-in")
            return
        yield Check("ConnectWise sign-in", "ok", f"signed in, version {info.version}")

        def companies() -> str:
            seen.companies = client.companies()
            return f"{len(seen.companies)} companies can be read"

        def agreements() -> str:
            seen.agreements = client.agreements()
            return f"{len(seen.agreements)} agreements can be read"

        def additions() -> str:
            if not seen.agreements:
                return "no agreement there to try it on"
            found: tuple[Addition, ...] = client.additions(seen.agreements[0].id)
            return f"can be read ({len(found)} on agreement {seen.agreements[0].id}); writing cannot be tried"

        def catalog() -> str:
            seen.items = client.catalog_items()
            return f"{len(seen.items)} catalog items can be read"

        rights = {
            "companies": companies,
            "agreements": agreements,
            "additions": additions,
            "catalog": catalog,
        }
        for name, right in rights.items():
            try:
                yield Check(f"ConnectWise {name}", "ok", right())
            except ConnectorError as error:
                yield _fault(f"ConnectWise {name}", error)
        yield _report(client)

    def _clock(self, vendor: str, server: datetime | None) -> Iterator[Check]:
        if server is None:
            return
        skew = round(abs(self.now().timestamp() - server.timestamp()))
        status: Literal["ok", "warning"] = "ok" if skew <= SKEW_SECONDS else "warning"
        remedy = "" if status == "ok" else "Set this machine's clock: a wrong day bills a wrong month."
        yield Check(f"Clock against {vendor}", status, f"{skew} s apart", remedy)

    # What is here --------------------------------------------------------------------------------

    def _state(self, seen: _Seen) -> Check:
        try:
            with self.ledger() as ledger:
                seen.remembered = ledger.names()
                seen.known = tuple(ledger.known_additions().values())
                ledger.check_writable()
                return Check("State", "ok", f"{ledger.path} can be written and is of this version")
        except ConnectorError as error:
            return _fault("State", error)

    def _map(self, seen: _Seen) -> Iterator[Check]:
        try:
            mappings = self.mappings()
        except ConnectorError as error:
            yield _fault("Mappings", error)
            return
        count = f"{len(mappings.products)} products, {len(mappings.tenants)} tenants"
        yield Check("Mappings", "ok", f"valid: {count}, {len(mappings.firewalls)} firewalls")
        yield from _products(mappings, seen)
        if seen.companies is None or seen.agreements is None or seen.items is None:
            yield Check("Names", "skipped", "ConnectWise must be readable first")
            return
        directory = Directory(
            companies=seen.companies,
            agreements=seen.agreements,
            items=seen.items,
            remembered=seen.remembered,
            today=self.today,
        )
        found = tuple(missing_names(mappings, directory))
        yield from found
        yield from (Check("Names", "warning", warning.message) for warning in directory.warnings)
        if not found:
            yield Check("Names", "ok", "every name in the map is found in ConnectWise")


def _report(client: ConnectWiseClient) -> Check:
    """Say whether lines can be read out of the report; a run without it only makes more requests."""
    name = "ConnectWise report"
    try:
        client.additions_report.probe()
    except ReportUnusable as unusable:
        message = f"it spares requests and cannot be used; each agreement is read instead: {unusable.why}"
        advice = f'To save requests, give the API member\'s security role the right "{RIGHT}".'
        return Check(name, "skipped", message, advice)
    return Check(name, "ok", "AgreementAdditions can be used; it spares requests where nothing changes")


def _products(mappings: Mappings, seen: _Seen) -> Iterator[Check]:
    """Yield a warning for each code of our lines that an unmapped one may have replaced."""
    if seen.rows is None:
        yield Check("Products", "skipped", "Sophos billing must be readable first")
        return
    known_ids = {tenant.id for tenant in seen.tenants} | mappings.tenants.keys()
    finder = TenantFinder(known_ids, mappings.firewalls, seen.firewalls)
    found = suspected_successors(seen.known, seen.rows, finder, mappings)
    for each in found:
        message = f"{printable(succession(each, mappings))} ({SUSPECTED})"
        yield Check("Products", "warning", message, f"If it is so: {each.command}")
    if not found:
        yield Check("Products", "ok", "no code of ours has vanished where an unmapped one appeared")


def _fault(name: str, error: ConnectorError) -> Check:
    return Check(name, "fault", error.message, error.next_step, error.exit_code)
