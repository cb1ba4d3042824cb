"""Service tickets written to and read from the simulated ConnectWise, on good days and bad ones."""

from collections.abc import Iterator

import pytest

from connector.errors import Nonsense, RequestRefused, SignInRefused
from connector.simulator import Fault, Simulator, World, small_world
from connector.vendors.connectwise import NotAsAsked, Unclear
from connector.vendors.connectwise_session import ConnectWiseCredentials, ConnectWiseSession
from connector.vendors.connectwise_tickets import RIGHT, ConnectWiseTickets, NewTicket, Ticket
from connector.vendors.transport import Patience

XREF = "sophos-1f2e3d4c:UNMAPPED_PRODUCT:NDR-MSP"
NEW = NewTicket("NDR-MSP has no item", "Two lines:\nNext: connector plan", "AlderDental", XREF, "billing")
TICKETS = "/service/tickets"


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world) as running:
        yield running


@pytest.fixture
def desk(simulator: Simulator) -> ConnectWiseTickets:
    said = simulator.settings()
    credentials = ConnectWiseCredentials(
        said["CONNECTWISE_URL"],
        said["CONNECTWISE_COMPANY"],
        said["CONNECTWISE_PUBLIC_KEY"],
        said["CONNECTWISE_PRIVATE_KEY"],
        said["CONNECTWISE_CLIENT_ID"],
    )
    return ConnectWiseTickets(
        ConnectWiseSession(credentials, patience=Patience(timeout_read=5.0), trace=None)
    )


def test_a_ticket_is_opened_as_said_and_found_by_its_reference(
    world: World, desk: ConnectWiseTickets
) -> None:
    made = desk.open(NEW)

    assert made == Ticket(made.id, XREF, "New", closed=False)
    kept = world.tickets[made.id]
    assert (kept.summary, kept.board, kept.description) == (NEW.summary, "Billing", NEW.text)
    assert desk.open_with(XREF) == (made,)
    assert desk.ticket(made.id) == made


def test_a_ticket_without_a_board_lands_on_the_usual_one_and_a_long_summary_is_cut(
    world: World, desk: ConnectWiseTickets
) -> None:
    made = desk.open(NewTicket("s" * 150, "", "AlderDental", XREF))
    assert world.tickets[made.id].board == "Help Desk"
    assert world.tickets[made.id].summary == "s" * 100


def test_closed_tickets_and_those_of_another_case_are_not_found(
    world: World, desk: ConnectWiseTickets
) -> None:
    made = desk.open(NEW)
    desk.open(NewTicket("other", "", "AlderDental", XREF.lower()))
    assert desk.open_with(XREF) == (made,)
    desk.close(made.id, ">closed")
    assert world.tickets[made.id].closed
    assert desk.open_with(XREF) == ()
    found = desk.ticket(made.id)
    assert found is not None
    assert found.closed


def test_a_ticket_that_is_gone_is_none(desk: ConnectWiseTickets) -> None:
    assert desk.ticket(4711) is None


def test_a_note_is_for_those_who_work_on_the_ticket(world: World, desk: ConnectWiseTickets) -> None:
    made = desk.open(NEW)
    desk.add_note(made.id, "First.\nSecond.")
    (note,) = world.tickets[made.id].notes
    assert (note.text, note.internal) == ("First.\nSecond.", True)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewTicket("s", "", "Nobody", XREF), "company"),
        (NewTicket("s", "", "AlderDental", XREF, "No Board"), "board"),
        (NewTicket("", "", "AlderDental", XREF), "summary"),
    ],
)
def test_what_connectwise_refuses_is_said_in_its_words(
    desk: ConnectWiseTickets, new: NewTicket, field: str
) -> None:
    with pytest.raises(RequestRefused, match=field):
        desk.open(new)


def test_a_status_that_the_board_lacks_is_refused(desk: ConnectWiseTickets) -> None:
    made = desk.open(NEW)
    with pytest.raises(RequestRefused, match="status"):
        desk.close(made.id, "Done")


def test_a_close_that_changes_nothing_is_no_success(desk: ConnectWiseTickets, simulator: Simulator) -> None:
    made = desk.open(NEW)
    simulator.faults.add(Fault("false-200", method="PATCH", path=TICKETS))
    with pytest.raises(NotAsAsked, match="status is New, not >Closed"):
        desk.close(made.id, ">Closed")


def test_a_close_whose_answer_shows_nothing_is_taken_for_done(
    desk: ConnectWiseTickets, simulator: Simulator, world: World
) -> None:
    made = desk.open(NEW)
    simulator.faults.add(Fault("body", method="PATCH", path=TICKETS, edit=lambda _: {}))
    desk.close(made.id, ">Closed")
    assert world.tickets[made.id].closed


@pytest.mark.parametrize("kind", ["cut-after", "error-after", "503"])
def test_a_post_is_sent_once_whatever_happens(
    desk: ConnectWiseTickets, simulator: Simulator, kind: str
) -> None:
    simulator.faults.add(Fault(kind, method="POST", path=TICKETS))  # type: ignore[arg-type]
    with pytest.raises(Unclear):
        desk.open(NEW)
    assert [it.method for it in simulator.requests if it.path.endswith(TICKETS)] == ["POST"]


def test_an_answer_that_is_no_ticket_is_nonsense(desk: ConnectWiseTickets, simulator: Simulator) -> None:
    made = desk.open(NEW)
    simulator.faults.add(Fault("body", method="GET", path=f"{TICKETS}/", edit=lambda _: {"id": "x"}))
    with pytest.raises(Nonsense, match="id is text"):
        desk.ticket(made.id)
    simulator.faults.add(Fault("body", method="POST", path=TICKETS, edit=lambda _: []))
    with pytest.raises(Nonsense, match="a list"):
        desk.open(NEW)


def test_a_role_without_the_right_is_told_which_one(desk: ConnectWiseTickets, world: World) -> None:
    world.rights.discard("tickets")
    with pytest.raises(SignInRefused) as refused:
        desk.open_with(XREF)
    assert RIGHT in refused.value.next_step
