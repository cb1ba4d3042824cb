"""Service tickets of ConnectWise: found by their externalXRef, opened, noted on and closed.

What a note's body and a closed ticket look like is inferred; section 8 of the reference has the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connector.vendors.conditions import equal
from connector.vendors.connectwise_json import encoded
from connector.vendors.connectwise_lists import Listing
from connector.vendors.connectwise_session import ConnectWiseSession
from connector.vendors.connectwise_writes import not_as_asked, record_after
from connector.vendors.fields import Record, as_record, flag_in, name_in, required_id, text_in
from connector.vendors.redaction import shown
from connector.vendors.transport import Call

RIGHT = "Service Desk > Service Tickets: Add/Edit/Inquire ALL"
LONGEST_SUMMARY = 100
_TICKETS = "/service/tickets"
_FIELDS = "id,summary,externalXRef,closedFlag,status/name"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is now; `xref` is what finds it again."""

    id: int
    xref: str = ""
    status: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class NewTicket:
    """All that a POST of a ticket says; without a board ConnectWise takes its own."""

    summary: str
    text: str
    company: str
    xref: str
    board: str = ""


class ConnectWiseTickets:
    """Reads and writes service tickets, one at a time."""

    def __init__(self, session: ConnectWiseSession) -> None:
        self._session = session
        self._transport = session.transport

    def open_with(self, xref: str) -> tuple[Ticket, ...]:
        """Return the tickets with this externalXRef that are not closed, by id."""
        doing = f"looking for the ticket {shown(xref)}"
        listing = Listing(_TICKETS, doing, _FIELDS, equal("externalXRef", xref))
        found = self._session.every(listing, RIGHT, _ticket)
        # ConnectWise compares in any case; we do not.
        return tuple(each for each in found if each.xref == xref and not each.closed)

    def ticket(self, number: int) -> Ticket | None:
        """Return one ticket as it is now, or None where it is gone."""
        doing = f"reading ticket {number}"
        params = {"fields": _FIELDS}
        answer = self._session.find(Call(url=f"{_TICKETS}/{number}", doing=doing, params=params, right=RIGHT))
        if answer is None:
            return None
        with self._transport.failures.reading(doing, answer):
            return _ticket(as_record(answer.document, "the answer"))

    def open(self, new: NewTicket) -> Ticket:
        """Send one POST and return the ticket. Unclear: look for its externalXRef before anything else."""
        body: dict[str, object] = {
            "summary": new.summary[:LONGEST_SUMMARY],
            "recordType": "ServiceTicket",
            "company": {"identifier": new.company},
            "initialDescription": new.text,
            "externalXRef": new.xref,
        }
        if new.board:
            body["board"] = {"name": new.board}
        doing = f"opening the ticket {shown(new.xref)}"
        answer = self._session.send(self._adding(_TICKETS, doing, body))
        with self._transport.failures.reading(doing, answer):
            return _ticket(as_record(answer.document, "the answer"))

    def add_note(self, number: int, text: str) -> None:
        """Send one POST of a note for people who work on the ticket; it is mailed to no contact."""
        body = {"text": text, "internalAnalysisFlag": True}
        self._session.send(self._adding(f"{_TICKETS}/{number}/notes", f"noting on ticket {number}", body))

    def close(self, number: int, status: str) -> None:
        """Set a status of the ticket's board; NotAsAsked where the ticket does not show it."""
        doing = f"closing ticket {number}"
        body = encoded([{"op": "replace", "path": "status", "value": {"name": status}}])
        url = f"{_TICKETS}/{number}"
        call = Call(method="PATCH", url=url, doing=doing, body=body, effect="sets", right=RIGHT)
        record = record_after(self._session, call)
        with self._transport.failures.reading(doing):
            has = text_in(record, "status/name")
        if has and has.casefold() != status.strip().casefold():
            raise not_as_asked(
                self._transport, doing, (f"status is {shown(has)}, not {shown(status)}",), "ticket"
            )

    @staticmethod
    def _adding(url: str, doing: str, body: Mapping[str, object]) -> Call:
        return Call(method="POST", url=url, doing=doing, body=encoded(body), effect="adds", right=RIGHT)


def _ticket(record: Record) -> Ticket:
    return Ticket(
        id=required_id(record, "id"),
        xref=name_in(record, "externalXRef") or "",
        status=text_in(record, "status/name"),
        closed=flag_in(record, "closedFlag"),
    )
