"""Service tickets of the simulated ConnectWise (reference/connectwise-api.md, section 8)."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connector.simulator import Simulator, World

TICKETS = "/service/tickets"
NEW = {
    "summary": "A month is missing",
    "recordType": "ServiceTicket",
    "company": {"identifier": "alderdental"},
    "externalXRef": "ours:1",
    "initialDescription": "one\ntwo",
}


class Desk:
    """Asks the service desk anything."""

    def __init__(self, simulator: Simulator) -> None:
        settings = simulator.settings()
        self.url = settings["CONNECTWISE_URL"]
        self.session = requests.Session()
        user = f"{settings['CONNECTWISE_COMPANY']}+{settings['CONNECTWISE_PUBLIC_KEY']}"
        self.session.auth = (user, settings["CONNECTWISE_PRIVATE_KEY"])
        self.session.headers["clientId"] = settings["CONNECTWISE_CLIENT_ID"]

    def get(self, path: str, /, **query: Any) -> Any:
        return self.session.get(self.url + path, params=query, timeout=10).json()

    def send(self, method: str, path: str, body: object) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=10)

    def set(self, number: int, name: str, value: object) -> requests.Response:
        return self.send("PATCH", f"{TICKETS}/{number}", [{"op": "replace", "path": name, "value": value}])


@pytest.fixture
def desk(simulator: Simulator) -> Iterator[Desk]:
    client = Desk(simulator)
    with client.session:
        yield client


def fields(answer: requests.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [error["field"] for error in answer.json()["errors"]]


def test_a_ticket_is_made_with_the_defaults_of_its_board(desk: Desk, world: World) -> None:
    answer = desk.send("POST", TICKETS, NEW)

    assert answer.status_code == 201
    made = answer.json()
    assert (made["board"]["name"], made["status"]["name"], made["closedFlag"]) == (
        "Help Desk",
        "New (not responded)",
        False,
    )
    assert made["company"]["identifier"] == "AlderDental"
    assert "initialDescription" not in made
    assert world.tickets[made["id"]].description == "one\ntwo"


def test_tickets_are_listed_counted_and_found_by_reference(desk: Desk) -> None:
    desk.send("POST", TICKETS, NEW)
    made = desk.send("POST", TICKETS, NEW | {"externalXRef": "ours:2", "company": {"id": 251}}).json()

    assert [row["id"] for row in desk.get(TICKETS, conditions='externalXRef = "ours:2"')] == [made["id"]]
    assert desk.get(f"{TICKETS}/count", conditions="closedFlag = false") == {"count": 2}
    assert desk.get(f"{TICKETS}/{made['id']}", fields="externalXRef") == {"externalXRef": "ours:2"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"summary": None}, "summary"),
        ({"summary": "s" * 101}, "summary"),
        ({"externalXRef": "x" * 101}, "externalXRef"),
        ({"company": {"identifier": "Nobody"}}, "company/identifier"),
        ({"board": {"name": "Nowhere"}}, "board/name"),
        ({"status": {"name": "Done"}}, "status/name"),
    ],
)
def test_what_a_ticket_may_not_say_is_refused(desk: Desk, said: dict[str, Any], field: str) -> None:
    assert field in fields(desk.send("POST", TICKETS, NEW | said))


def test_a_ticket_needs_a_company_and_text_of_the_right_type(desk: Desk) -> None:
    assert fields(desk.send("POST", TICKETS, {"summary": "s"})) == ["company"]
    assert desk.send("POST", TICKETS, NEW | {"initialDescription": 1}).status_code == 500
    assert desk.send("POST", TICKETS, NEW | {"board": {"name": 1}}).status_code == 500


def test_a_status_is_changed_by_name_and_closes(desk: Desk, world: World) -> None:
    made = desk.send("POST", TICKETS, NEW | {"board": {"name": "billing"}}).json()

    assert fields(desk.set(made["id"], "status", {"name": "Closed"})) == ["status/name"]
    closed = desk.set(made["id"], "status", {"name": ">closed"}).json()
    assert (closed["status"]["name"], closed["closedFlag"]) == (">closed", True)
    assert desk.set(made["id"], "status/name", "New").status_code == 200  # a sub-path: no effect
    assert world.tickets[made["id"]].closed
    assert desk.set(4711, "status", {"name": "New"}).status_code == 404


def test_notes_are_added_and_listed(desk: Desk) -> None:
    made = desk.send("POST", TICKETS, NEW).json()
    notes = f"{TICKETS}/{made['id']}/notes"

    assert desk.send("POST", notes, {"text": "hello", "internalAnalysisFlag": True}).status_code == 201
    assert [(note["text"], note["internalAnalysisFlag"]) for note in desk.get(notes)] == [("hello", True)]
    assert fields(desk.send("POST", notes, {"text": "hello"})) == ["detailDescriptionFlag"]
    assert fields(desk.send("POST", notes, {"internalAnalysisFlag": True})) == ["text"]


def test_tickets_are_a_right_of_their_own(desk: Desk, world: World) -> None:
    world.rights.discard("tickets")
    assert desk.send("GET", TICKETS, None).status_code == 403
    assert desk.send("POST", TICKETS, NEW).status_code == 403
