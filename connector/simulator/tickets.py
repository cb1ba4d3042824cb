"""Service tickets: records, rules of writing and shapes (reference/connectwise-api.md, section 8).

What a note looks like, what a board refuses and that text keeps its line breaks is inferred.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .connectwise_answers import Fault400, InvalidObjectError, WrongTypeError
from .connectwise_records import Trace
from .lists import Shape
from .record_writing import Writable, apply, operations, record_of, required, text, too_long, write_body
from .world import World

RESOURCE = "ticket"
_LIMITS = {"summary": ("summary", 100), "external_xref": ("externalXRef", 100)}
_DERIVED = frozenset({"id", "closedFlag", "company", "board", "recordType", "_info"})
_FLAGS = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")


@dataclass(frozen=True, slots=True)
class Note:
    """One note of a ticket."""

    id: int
    text: str
    internal: bool


@dataclass(slots=True)
class Ticket:
    """A service ticket; what it says first is never returned."""

    id: int
    trace: Trace
    summary: str = ""
    company_id: int = 0
    board: str = ""
    status: str = ""
    external_xref: str | None = None
    description: str = ""
    notes: list[Note] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        """Whether its status is one that closes."""
        return "closed" in self.status.casefold()


class TicketRules:
    """Opens, changes and closes tickets of one world as the API member."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._writables = {
            "summary": Writable("summary", text),
            "externalXRef": Writable("external_xref", text),
            "company": Writable("company_id", self._company),
            "board": Writable("board", self._board),
            "status": Writable("status", _name),
            "initialDescription": Writable("description", _long_text),
        }

    def create(self, body: Any) -> Ticket:
        """Open a ticket; summary and company are required, board and status have defaults."""
        ticket = Ticket(0, self.world.trace(self.world.api_member), board=next(iter(self.world.boards)))
        write_body(ticket, record_of(body), self._writables, RESOURCE)
        ticket.status = ticket.status or self.world.boards.get(ticket.board, ("",))[0]
        self._check(ticket)
        ticket.id = self.world.new_id("ticket")
        self.world.tickets[ticket.id] = ticket
        return ticket

    def change(self, ticket: Ticket, body: Any) -> Ticket:
        """PATCH: all operations as one save, validating the whole record."""
        strict = self.world.unknown_paths_refused
        found = operations(body, self._writables, _DERIVED, RESOURCE, strict=strict)
        changed = replace(ticket)
        apply(changed, found, self._writables, RESOURCE)
        self._check(changed)
        ticket.summary, ticket.external_xref, ticket.status = (
            changed.summary,
            changed.external_xref,
            changed.status,
        )
        self.world.touch(ticket, self.world.api_member)
        return ticket

    def add_note(self, ticket: Ticket, body: Any) -> Note:
        """Add a note; one without text, or for nobody, is refused."""
        said = record_of(body)
        words = _long_text(said.get("text"), "text")
        faults = [] if words else [Fault400("MissingRequiredField", "The text field is required.", "text")]
        if not any(said.get(flag) is True for flag in _FLAGS):
            faults.append(
                Fault400("InvalidObject", "A note needs one of its flags.", "detailDescriptionFlag")
            )
        if faults:
            raise InvalidObjectError("serviceNote", faults)
        note = Note(self.world.new_id("note"), words, internal=said.get("internalAnalysisFlag") is True)
        ticket.notes.append(note)
        self.world.touch(ticket, self.world.api_member)
        return note

    def _check(self, ticket: Ticket) -> None:
        faults = required(ticket, {"summary": "summary"}) + too_long(ticket, _LIMITS)
        if ticket.company_id == 0:
            faults.append(Fault400("MissingRequiredField", "The company field is required.", "company"))
        if ticket.company_id == -1:
            faults.append(Fault400("NotFound", "company not found", "company/identifier"))
        statuses = self.world.boards.get(ticket.board)
        if statuses is None:
            faults.append(Fault400("NotFound", "board not found", "board/name"))
        elif ticket.status.casefold() not in {status.casefold() for status in statuses}:
            faults.append(Fault400("NotFound", "status not found", "status/name"))
        if faults:
            raise InvalidObjectError(RESOURCE, faults)

    def _company(self, value: Any, path: str) -> int:
        """Read a company's identifier or id; -1 stands for one that does not exist."""
        said = record_of(value, path)
        wanted = str(said.get("identifier") or "").casefold()
        return next(
            (
                company.id
                for company in self.world.companies.values()
                if company.id == said.get("id") or company.identifier.casefold() == wanted
            ),
            -1,
        )

    def _board(self, value: Any, path: str) -> str:
        wanted = _name(value, path)
        return next((name for name in self.world.boards if name.casefold() == wanted.casefold()), wanted)


def ticket_shape(world: World) -> Shape[Ticket]:
    """Tickets as they are written out; the first description is not."""

    def company(ticket: Ticket) -> dict[str, Any]:
        found = world.companies[ticket.company_id]
        return {"id": found.id, "identifier": found.identifier, "name": found.name}

    properties: dict[str, Callable[[Ticket], Any]] = {
        "id": lambda t: t.id,
        "summary": lambda t: t.summary,
        "recordType": lambda _: "ServiceTicket",
        "board": lambda t: {"name": t.board},
        "status": lambda t: {"name": t.status},
        "company": company,
        "severity": lambda _: "Medium",
        "impact": lambda _: "Medium",
        "externalXRef": lambda t: t.external_xref,
        "closedFlag": lambda t: t.closed,
        "_info": lambda t: {"lastUpdated": t.trace.updated_at, "updatedBy": t.trace.updated_by},
    }
    return Shape(RESOURCE, properties)


def note_written(ticket: Ticket, note: Note) -> Mapping[str, Any]:
    """Write out one note."""
    return {
        "id": note.id,
        "ticketId": ticket.id,
        "text": note.text,
        "detailDescriptionFlag": not note.internal,
        "internalAnalysisFlag": note.internal,
        "resolutionFlag": False,
    }


def _name(value: Any, path: str) -> str:
    name = record_of(value, path).get("name")
    if not isinstance(name, str):
        raise WrongTypeError(value, "Reference", path)
    return name


def _long_text(value: Any, path: str) -> str:
    """Read a text of several lines."""
    if value is None or isinstance(value, str):
        return value or ""
    raise WrongTypeError(value, "System.String", path)
