"""One ConnectWise ticket for each cause: opened once, noted on when it changes, closed when it is gone."""

from datetime import timedelta

import pytest
from months.msp import ENDPOINT, Msp
from notify.listening import Hook
from notify.nights import Nights

from connector.simulator import Fault, Simulator, World
from connector.simulator.tickets import Ticket

NIGHT = timedelta(days=1)
TICKETS = "/service/tickets"


@pytest.fixture
def ticketed(nights: Nights, msp: Msp) -> Nights:
    """Nights whose map asks for tickets on the Billing board, and tells nobody else."""
    msp.world.add_company("OurMsp", "Our MSP")
    msp.mappings["notify"] = {"ticket": {"company": "OurMsp", "board": "Billing", "closed": ">Closed"}}
    nights.addresses = []
    return nights


def tickets(world: World) -> list[Ticket]:
    return list(world.tickets.values())


def sent(simulator: Simulator) -> list[str]:
    found = [it.method for it in simulator.requests if TICKETS in it.path]
    simulator.clear_requests()
    return found


def test_nothing_is_asked_of_the_service_desk_unless_the_map_says_so(
    nights: Nights, msp: Msp, simulator: Simulator
) -> None:
    msp.customer("Alder", {"NDR-MSP": 2})
    nights.night()
    assert sent(simulator) == []


def test_a_ticket_lives_as_long_as_its_cause(ticketed: Nights, msp: Msp, simulator: Simulator) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    assert ticketed.night() == ()

    (ticket,) = tickets(msp.world)
    assert ticket.summary == "Sophos billing of examplemsp: UNMAPPED_PRODUCT, NDR-MSP"
    assert (ticket.board, ticket.status) == ("Billing", "New")
    assert msp.world.companies[ticket.company_id].identifier == "OurMsp"
    assert ticket.external_xref is not None
    assert ticket.external_xref.endswith(":UNMAPPED_PRODUCT:NDR-MSP")
    assert "Next: connector products map NDR-MSP" in ticket.description
    assert sent(simulator) == ["GET", "POST"]

    ticketed.night(msp.world.today + NIGHT)
    assert sent(simulator) == []  # nothing new: nothing is asked

    alder.uses("NDR-MSP", 5)
    ticketed.night(msp.world.today + NIGHT)
    assert sent(simulator) == ["GET", "POST"]
    assert "(5 in 2026-10)" in ticket.notes[0].text
    assert ticket.notes[0].internal

    msp.maps("NDR-MSP", "SOPHOS-NDR")
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert sent(simulator) == ["GET", "POST", "PATCH"]
    assert ticket.closed
    assert "settled" in ticket.notes[1].text
    ticketed.night(msp.world.today + NIGHT)
    assert sent(simulator) == []


def test_a_cause_that_comes_back_gets_a_new_ticket(ticketed: Nights, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    ticketed.night(msp.world.today + NIGHT)
    msp.next_month()
    alder.uses("NDR-MSP", 2)
    ticketed.night()

    first, second = tickets(msp.world)
    assert (first.closed, second.closed) == (True, False)
    assert first.external_xref == second.external_xref


def test_a_ticket_that_people_closed_stays_closed_and_a_change_opens_another(
    ticketed: Nights, msp: Msp
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    (ticket,) = tickets(msp.world)
    ticket.status = ">Closed"
    ticketed.night(msp.world.today + NIGHT)
    assert len(tickets(msp.world)) == 1

    alder.uses("NDR-MSP", 3)
    ticketed.night(msp.world.today + NIGHT)
    assert [each.closed for each in tickets(msp.world)] == [True, False]
    assert ticket.notes == []


def test_a_ticket_that_people_closed_or_deleted_needs_no_farewell(ticketed: Nights, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2, "XDR-MSP": 1})
    ticketed.night()
    first, second = tickets(msp.world)
    first.status = ">Closed"
    del msp.world.tickets[second.id]
    alder.stops("NDR-MSP")
    alder.stops("XDR-MSP")
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert first.notes == []


@pytest.mark.parametrize("kind", ["cut-after", "error-after", "timeout-after"])
def test_a_ticket_whose_answer_was_lost_is_found_and_not_opened_twice(
    ticketed: Nights, msp: Msp, simulator: Simulator, kind: str
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    simulator.faults.add(Fault(kind, vendor="connectwise", method="POST", path=TICKETS, delay=5))  # type: ignore[arg-type]
    assert ticketed.night() == ()

    assert len(tickets(msp.world)) == 1
    assert sent(simulator) == ["GET", "POST", "GET"]
    ticketed.night(msp.world.today + NIGHT)
    assert sent(simulator) == []


def test_a_post_that_never_arrived_is_sent_the_next_night(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    simulator.faults.add(Fault("cut-before", vendor="connectwise", method="POST", path=TICKETS))
    (warning,) = ticketed.night()
    assert warning.startswith("The ticket of UNMAPPED_PRODUCT, NDR-MSP: ConnectWise")
    assert tickets(msp.world) == []
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert len(tickets(msp.world)) == 1


def test_a_note_whose_answer_was_lost_is_not_written_again(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.uses("NDR-MSP", 3)
    simulator.faults.add(Fault("cut-after", vendor="connectwise", method="POST", path="/notes"))
    (warning,) = ticketed.night(msp.world.today + NIGHT)
    assert "The note on ticket" in warning
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert len(tickets(msp.world)[0].notes) == 1


def test_a_note_that_was_refused_is_written_the_next_night(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.uses("NDR-MSP", 3)
    simulator.faults.add(Fault("409", vendor="connectwise", method="POST", path="/notes"))
    assert len(ticketed.night(msp.world.today + NIGHT)) == 1
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert len(tickets(msp.world)[0].notes) == 1


def test_a_ticket_is_found_again_when_the_state_folder_is_lost(ticketed: Nights, msp: Msp) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    for path in ticketed.state.iterdir():
        path.unlink()
    ticketed.night(msp.world.today + NIGHT)
    assert len(tickets(msp.world)) == 1


def test_a_status_that_the_board_lacks_leaves_the_ticket_open_with_its_note(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    msp.mappings["notify"]["ticket"]["closed"] = "Done"
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    (warning,) = ticketed.night(msp.world.today + NIGHT)

    (ticket,) = tickets(msp.world)
    assert warning.startswith(f"Ticket {ticket.id} stays open: ConnectWise refused closing ticket")
    assert (ticket.closed, len(ticket.notes)) == (False, 1)
    sent(simulator)
    ticketed.night(msp.world.today + NIGHT)
    assert sent(simulator) == []

    msp.next_month()
    alder.uses("NDR-MSP", 9)
    ticketed.night()
    assert len(tickets(msp.world)) == 1  # it is still open, and about the same


def test_a_farewell_is_said_once_although_closing_takes_two_nights(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    simulator.faults.add(Fault("503", vendor="connectwise", method="PATCH", path=TICKETS, times=2))
    assert "stays open" in ticketed.night(msp.world.today + NIGHT)[0]
    (ticket,) = tickets(msp.world)
    assert not ticket.closed
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert (ticket.closed, len(ticket.notes)) == (True, 1)


def test_twenty_tickets_are_opened_in_a_night_and_one_for_the_rest(ticketed: Nights, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12} | {f"P{number:02}-MSP": 1 for number in range(23)})
    ticketed.night()
    assert len(tickets(msp.world)) == 21
    rest = msp.world.ticket_about("MORE_CAUSES")
    assert "3 causes more have no ticket yet: at most 20 are opened in a night" in rest.description

    ticketed.night(msp.world.today + NIGHT)
    assert len(tickets(msp.world)) == 24
    assert rest.closed
    assert alder.bills == {ENDPOINT: 12}


def test_a_service_desk_that_refuses_is_asked_three_times_and_the_run_stands(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    msp.mappings["notify"]["ticket"]["board"] = "Nowhere"
    alder = msp.customer("Alder", {"CIXA-MSP": 12} | {f"P{number:02}-MSP": 1 for number in range(9)})
    warnings = ticketed.night()

    assert len(warnings) == 3
    assert all("board" in warning for warning in warnings)
    assert sent(simulator) == ["GET", "POST"] * 3
    assert alder.bills == {ENDPOINT: 12}
    assert ticketed.report is not None
    assert ticketed.report.exit_code == 3


def test_an_outage_of_the_service_desk_ends_it_for_tonight_and_settles_nothing(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    simulator.faults.add(Fault("503", vendor="connectwise", path=TICKETS, times=2))
    (warning,) = ticketed.night(msp.world.today + NIGHT)
    assert "ConnectWise failed" in warning
    assert [ticket.closed for ticket in tickets(msp.world)] == [False]
    ticketed.night(msp.world.today + NIGHT)  # an idle night: what was settled is not forgotten
    assert [ticket.closed for ticket in tickets(msp.world)] == [True]


def test_a_cause_that_is_back_before_its_ticket_was_closed_keeps_it(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    alder.uses("XDR-MSP", 2)
    simulator.faults.add(Fault("503", vendor="connectwise", method="GET", path=TICKETS, times=2))
    ticketed.night(msp.world.today + NIGHT)
    alder.uses("NDR-MSP", 2)
    ticketed.night(msp.world.today + NIGHT)
    assert [(ticket.closed, len(ticket.notes)) for ticket in tickets(msp.world)] == [(False, 1), (False, 0)]


def test_a_farewell_whose_answer_was_lost_is_said_once(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    simulator.faults.add(Fault("cut-after", vendor="connectwise", method="POST", path="/notes"))
    (warning,) = ticketed.night(msp.world.today + NIGHT)
    assert "The note on ticket" in warning
    assert [(ticket.closed, len(ticket.notes)) for ticket in tickets(msp.world)] == [(True, 1)]


def test_a_role_without_the_right_is_one_warning_that_names_it(
    ticketed: Nights, msp: Msp, hook: Hook
) -> None:
    ticketed.addresses = [hook.address("json")]
    msp.world.rights.discard("tickets")
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2, "XDR-MSP": 1})
    (warning,) = ticketed.night()
    assert "security permission" in warning
    assert len(hook.posted) == 1


def test_the_ticket_of_a_month_that_was_passed_is_closed_and_says_that_it_stays_unbilled(
    ticketed: Nights, msp: Msp
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    msp.next_month()
    alder.stops("NDR-MSP")
    ticketed.night()
    (ticket,) = tickets(msp.world)
    assert not ticket.closed  # this night billed October once more, and it still shows
    ticketed.night(msp.world.today + NIGHT)

    assert ticket.closed
    (note,) = ticket.notes
    assert "not settled" in note.text
    assert "no run bills what is missing of 2026-10 any more" in note.text


def test_a_fleet_names_the_profile_on_its_tickets_and_in_their_commands(ticketed: Nights, msp: Msp) -> None:
    ticketed.profile = "north"
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    (ticket,) = tickets(msp.world)
    assert ticket.summary == "Sophos billing of north: UNMAPPED_PRODUCT, NDR-MSP"
    assert "Next: connector --profile north products map NDR-MSP" in ticket.description


def test_the_ticket_of_a_restated_month_is_closed_when_nobody_looks_at_it_any_more(
    ticketed: Nights, msp: Msp
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    ticketed.night()
    alder.uses("CIXA-MSP", 15)
    ticketed.night(msp.world.today + NIGHT)
    (ticket,) = tickets(msp.world)
    for _ in range(3):
        msp.next_month()
        ticketed.night()
        ticketed.night(msp.world.today + NIGHT)
    assert ticket.closed
    assert ticket.notes[-1].text == "Nobody looks at 2026-10 any more: it stays as it was billed."


def test_two_installations_keep_their_tickets_apart(ticketed: Nights, msp: Msp) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    ticketed.folder = ticketed.folder / "another"
    ticketed.folder.mkdir()
    ticketed.night(msp.world.today + NIGHT)
    names = {str(ticket.external_xref).partition(":")[0] for ticket in tickets(msp.world)}
    assert len(names) == 2


def test_a_status_that_is_taken_without_effect_leaves_the_ticket_to_people(
    ticketed: Nights, msp: Msp, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    simulator.faults.add(Fault("false-200", vendor="connectwise", method="PATCH", path=TICKETS))
    (warning,) = ticketed.night(msp.world.today + NIGHT)
    assert "status is New, not >Closed" in warning
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert [(ticket.closed, len(ticket.notes)) for ticket in tickets(msp.world)] == [(False, 1)]


def test_a_farewell_that_was_refused_is_tried_again(ticketed: Nights, msp: Msp, simulator: Simulator) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NDR-MSP": 2})
    ticketed.night()
    alder.stops("NDR-MSP")
    simulator.faults.add(Fault("409", vendor="connectwise", method="POST", path="/notes"))
    assert "stays open" in ticketed.night(msp.world.today + NIGHT)[0]
    assert ticketed.night(msp.world.today + NIGHT) == ()
    assert [(ticket.closed, len(ticket.notes)) for ticket in tickets(msp.world)] == [(True, 1)]
