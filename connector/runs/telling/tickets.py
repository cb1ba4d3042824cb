"""One ConnectWise ticket for each cause: opened once, noted on when it changes, closed when it is gone."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connector.errors import RequestRefused, VendorError
from connector.ledger import Ledger
from connector.ledger.notices import (
    KnownTicket,
    forget_ticket,
    installation_name,
    known_tickets,
    record_ticket,
    record_ticket_noted,
    record_ticket_settled,
)
from connector.model import TicketRules
from connector.planning.causes.cause import Cause, print_of
from connector.planning.causes.news import Fate, Looked, Told, fate_of
from connector.reports.escape import printable
from connector.reports.notice import NOBODY, Whose, closed_text, passed_text, ticket_summary, ticket_text
from connector.runs.session import Setup
from connector.vendors.connectwise_session import ConnectWiseCredentials, ConnectWiseSession
from connector.vendors.connectwise_tickets import ConnectWiseTickets, NewTicket, Ticket
from connector.vendors.connectwise_writes import NotAsAsked
from connector.vendors.transport import Patience, Unclear

MOST_NEW = 20
_MOST_REFUSED = 3
MORE = "MORE_CAUSES"
_REFUSALS = (RequestRefused, NotAsAsked)
_GONE = "This is settled: the last run did not find it any more."


class TicketDesk(Protocol):
    """What is needed of ConnectWise."""

    def open_with(self, xref: str) -> tuple[Ticket, ...]:
        """Return the tickets with this externalXRef that are not closed."""
        ...

    def ticket(self, number: int) -> Ticket | None:
        """Return one ticket as it is now, or None where it is gone."""
        ...

    def open(self, new: NewTicket) -> Ticket:
        """Send one POST and return the ticket."""
        ...

    def add_note(self, number: int, text: str) -> None:
        """Send one POST of a note."""
        ...

    def close(self, number: int, status: str) -> None:
        """Set the status that closes it."""
        ...


def ticket_desk(setup: Setup) -> ConnectWiseTickets:
    """Return the desk; it waits less than a run does, because nothing depends on it."""
    said = setup.settings.connectwise
    credentials = ConnectWiseCredentials(
        said.url, said.company, said.public_key, said.private_key, said.client_id
    )
    seconds = min(setup.settings.timeout_seconds, 15.0)
    patience = Patience(
        attempts=2, total_seconds=30.0, timeout_read=seconds, timeouts=1, retry_after_cap=15.0
    )
    return ConnectWiseTickets(ConnectWiseSession(credentials, patience=patience, trace=setup.trace))


def proposed_name(setup: Setup) -> str:
    """Return a name for this installation that a lost state folder gets again."""
    said = setup.settings
    parts = (said.connectwise.company, said.sophos.client_id, str(setup.state.resolve()))
    return f"sophos-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:8]}"


@dataclass(slots=True)
class Tickets:
    """Brings the tickets in line with tonight's causes. What fails is a warning, and tried the next night."""

    desk: TicketDesk
    ledger: Ledger
    rules: TicketRules
    proposed: str
    warnings: list[str] = field(default_factory=list)
    whose: Whose = NOBODY
    _opened: int = 0
    _refused: int = 0

    def settle(self, causes: Iterable[Cause], looked: Looked) -> None:
        """Open, note on and close, as far as ConnectWise takes it."""
        name = installation_name(self.ledger, self.proposed)
        known = known_tickets(self.ledger)
        current = list(causes)
        ids = {cause.id for cause in current} | {MORE}
        gone = (each.told for each in known.values() if each.told.id not in ids and not each.settled)
        fates = ((told, fate_of(told, looked)) for told in gone)
        record_ticket_settled(
            self.ledger, {told.id: _farewell(told, fate) for told, fate in fates if fate != "open"}
        )
        try:
            left = [cause for cause in current if not self._brought(cause, known, name)]
            if left:
                self._brought(_more(left), known, name, beyond=True)
            known = known_tickets(self.ledger)
            if not left and MORE in known:
                self._end(known[MORE])
            for each in known.values():
                if each.settled and each.told.id != MORE:
                    self._end(each)
        except _Stopped:
            return

    def _brought(
        self, cause: Cause, known: Mapping[str, KnownTicket], name: str, *, beyond: bool = False
    ) -> bool:
        """Bring one cause's ticket in line; False where it would be one new ticket too many."""
        mine = known.get(cause.id)
        if mine is not None and not mine.settled and mine.told.fingerprint == cause.fingerprint:
            return True
        if mine is None and self._opened >= MOST_NEW and not beyond:
            return False
        try:
            if mine is not None and self._noted(cause, mine):
                return True
            self._open(cause, f"{name}:{cause.id}")
        except VendorError as error:
            self._warn(f"The ticket of {cause.code}, {cause.label}", error)
        return True

    def _noted(self, cause: Cause, mine: KnownTicket) -> bool:
        """Say on its ticket what has changed; False where people have closed it, so that it needs another."""
        now = self.desk.ticket(mine.number)
        if now is None or now.closed:
            forget_ticket(self.ledger, cause.id)
            return False
        try:
            self.desk.add_note(mine.number, ticket_text(cause, self.whose))
        except Unclear as error:  # a note too few does less harm than the same one every night
            self._warn(f"The note on ticket {mine.number}", error, stops=False)
        record_ticket(self.ledger, cause, mine.number)
        return True

    def _open(self, cause: Cause, xref: str) -> None:
        """Open a ticket, never before a look for one: an earlier night may have, and lost its answer."""
        found = self.desk.open_with(xref)
        if not found:
            new = NewTicket(
                ticket_summary(cause, self.whose),
                ticket_text(cause, self.whose),
                self.rules.company,
                xref,
                self.rules.board,
            )
            try:
                found = (self.desk.open(new),)
            except Unclear:
                found = self.desk.open_with(xref)
                if not found:
                    raise
            self._opened += 1
        record_ticket(self.ledger, cause, found[0].id)

    def _end(self, known: KnownTicket) -> None:
        """Close a ticket whose cause is gone, with a note; where that is refused, people close it."""
        number, cause_id, closing = known.number, known.told.id, False
        try:
            now = self.desk.ticket(number)
            if now is not None and not now.closed:
                if not known.noted:
                    try:
                        self.desk.add_note(number, known.farewell or _GONE)
                    except Unclear as error:
                        self._warn(f"The note on ticket {number}", error, stops=False)
                    record_ticket_noted(self.ledger, cause_id)
                closing = True
                self.desk.close(number, self.rules.closed)
            forget_ticket(self.ledger, cause_id)
        except VendorError as error:
            if closing and isinstance(error, _REFUSALS):  # it will be refused again: people close it
                forget_ticket(self.ledger, cause_id)
            self._warn(f"Ticket {number} stays open", error)

    def _warn(self, what: str, error: VendorError, *, stops: bool = True) -> None:
        """Tell what failed; an outage, or one refusal after another, ends it for tonight."""
        self.warnings.append(printable(f"{what}: {' '.join(error.message.split())}", width=500))
        self._refused += isinstance(error, _REFUSALS)
        if stops and (not isinstance(error, _REFUSALS) or self._refused >= _MOST_REFUSED):
            raise _Stopped


class _Stopped(Exception):
    """ConnectWise takes no more of it tonight."""


def _farewell(told: Told, fate: Fate) -> str:
    """Return what a ticket is closed with; "" where its cause is mended."""
    if fate == "passed":
        return passed_text(told)
    return closed_text(told) if fate == "closed" else ""


def _more(left: list[Cause]) -> Cause:
    return Cause(
        id=MORE,
        code=MORE,
        label=f"{len(left)} more",
        message=f"{len(left)} causes more have no ticket yet: at most {MOST_NEW} are opened in a night",
        next="connector diagnose",
        fingerprint=print_of(len(left)),
        seen="fault",
    )
