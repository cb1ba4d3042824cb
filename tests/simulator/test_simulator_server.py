"""The simulator as a server: settings, log, hooks, faults, steering over HTTP."""

import socket
import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from connector.simulator import Fault, Simulator, World, generated_world, small_world
from connector.simulator.faults import Kind

ADDITIONS = "/finance/agreements/101/additions"
NEW = {"product": {"id": 41}, "billCustomer": "Billable", "effectiveDate": "2026-09-01T00:00:00Z"}


class Client:
    """Talks to both vendors over connections kept alive."""

    def __init__(self, simulator: Simulator) -> None:
        settings = simulator.settings()
        self.simulator = simulator
        self.url, self.base = simulator.url, settings["CONNECTWISE_URL"]
        self.sophos, self.connectwise = requests.Session(), requests.Session()
        user = f"{settings['CONNECTWISE_COMPANY']}+{settings['CONNECTWISE_PUBLIC_KEY']}"
        self.connectwise.auth = (user, settings["CONNECTWISE_PRIVATE_KEY"])
        self.connectwise.headers["clientId"] = settings["CONNECTWISE_CLIENT_ID"]
        self.sign_in()

    def sign_in(self) -> None:
        settings = self.simulator.settings()
        form = {
            "grant_type": "client_credentials",
            "scope": "token",
            "client_id": settings["SOPHOS_CLIENT_ID"],
            "client_secret": settings["SOPHOS_CLIENT_SECRET"],
        }
        token = self.sophos.post(settings["SOPHOS_AUTH_URL"], data=form, timeout=10).json()["access_token"]
        self.sophos.headers["Authorization"] = f"Bearer {token}"
        self.sophos.headers["X-Partner-ID"] = self.simulator.world.partner_id

    def usage(self, **query: Any) -> requests.Response:
        return self.sophos.get(f"{self.url}/partner/v1/billing/usage/2026/9", params=query, timeout=10)

    def additions(self) -> requests.Response:
        return self.connectwise.get(self.base + ADDITIONS, timeout=10, allow_redirects=False)

    def create(self, timeout: float = 10) -> requests.Response:
        return self.connectwise.post(self.base + ADDITIONS, json=NEW, timeout=timeout)

    def set_quantity(self, addition_id: int, quantity: int) -> requests.Response:
        operations = [{"op": "replace", "path": "quantity", "value": quantity}]
        return self.connectwise.patch(f"{self.base}{ADDITIONS}/{addition_id}", json=operations, timeout=10)


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    made = Client(simulator)
    with made.sophos, made.connectwise:
        yield made


def test_the_settings_are_those_of_the_contract(simulator: Simulator) -> None:
    settings = simulator.settings()
    assert set(settings) == {
        "SOPHOS_CLIENT_ID",
        "SOPHOS_CLIENT_SECRET",
        "SOPHOS_AUTH_URL",
        "SOPHOS_API_URL",
        "CONNECTWISE_URL",
        "CONNECTWISE_COMPANY",
        "CONNECTWISE_PUBLIC_KEY",
        "CONNECTWISE_PRIVATE_KEY",
        "CONNECTWISE_CLIENT_ID",
        "CONNECTOR_TODAY",
    }
    assert settings["CONNECTWISE_URL"] == f"{simulator.url}/v4_6_release/apis/3.0"
    assert settings["CONNECTOR_TODAY"] == "2026-09-28"


def test_a_given_port_is_used_and_a_taken_one_is_an_error(simulator: Simulator) -> None:
    port = int(simulator.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"), Simulator(small_world(), port=port):
        pass


def test_a_connection_serves_many_requests(simulator: Simulator) -> None:
    host, port = simulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        for _ in range(3):
            connection.sendall(f"GET /login/companyinfo/x HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            answer = connection.recv(65536).decode()
            assert answer.startswith("HTTP/1.1 200 OK\r\n")
            assert answer.endswith("\r\n\r\nnull")


def test_nothing_listens_after_the_end() -> None:
    with Simulator(small_world()) as simulator:
        url = simulator.url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)


def test_requests_are_logged_without_secrets(client: Client, simulator: Simulator, world: World) -> None:
    client.usage(pageSize=5)
    client.create()
    token, usage, create = simulator.requests
    assert (token.vendor, token.method, token.path, token.status) == (
        "sophos",
        "POST",
        "/api/v2/oauth2/token",
        200,
    )
    assert (usage.query, usage.body, usage.headers["x-partner-id"]) == (
        {"pageSize": "5"},
        None,
        world.partner_id,
    )
    assert (create.vendor, create.body, create.status) == ("connectwise", NEW, 201)
    assert create.headers["authorization"] == "Basic"
    assert list(simulator.writes) == [create]
    text = repr(simulator.requests)
    assert not any(
        secret in text for secret in (world.sophos_client_secret, world.private_key, *world.tokens)
    )
    simulator.clear_requests()
    assert not simulator.requests
    client.additions()
    assert [request.number for request in simulator.requests] == [4]


def test_hooks_see_a_request_before_and_after_it_is_committed(
    client: Client, simulator: Simulator, world: World
) -> None:
    seen: list[tuple[str, str, int, int]] = []
    simulator.before_request = lambda v, m, _p, n: seen.append((v, m, n, len(world.history)))
    simulator.after_commit = lambda v, m, _p, n: seen.append((v, m, n, len(world.history)))
    client.create()
    assert seen == [("connectwise", "POST", 2, 0), ("connectwise", "POST", 2, 1)]


# Faults answered instead of processing


@pytest.mark.parametrize(
    ("kind", "sophos", "connectwise"),
    [
        ("429", 429, 429),
        ("500", 500, 500),
        ("500-timeout", 500, 500),
        ("502-html", 502, 502),
        ("503", 503, 503),
        ("401-expired-token", 401, 401),
        ("403", 403, 403),
        ("409", 409, 409),
        ("redirect", 302, 302),
        ("html-200", 200, 200),
    ],
)
def test_a_fault_hits_once_and_in_the_vendor_s_own_form(
    client: Client, simulator: Simulator, kind: Kind, sophos: int, connectwise: int
) -> None:
    simulator.faults.add(Fault(kind, vendor="sophos"), Fault(kind, vendor="connectwise"))
    url = f"{client.url}/whoami/v1"
    first = client.sophos.get(url, timeout=10, allow_redirects=False)
    second = client.additions()
    assert (first.status_code, second.status_code) == (sophos, connectwise)
    assert simulator.faults.injected == {kind: 2}
    assert [request.fault for request in simulator.requests[-2:]] == [kind, kind]
    client.sign_in()
    assert client.usage().status_code == 200
    assert client.additions().headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("kind", ["429", "500", "502-html", "503", "403", "409", "html-200", "redirect"])
def test_a_fault_before_processing_commits_nothing(
    client: Client, simulator: Simulator, world: World, kind: Kind
) -> None:
    simulator.faults.add(Fault(kind))
    client.connectwise.post(client.base + ADDITIONS, json=NEW, timeout=10, allow_redirects=False)
    assert world.history == []


def test_rate_limits_have_each_vendor_s_body(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("429", retry_after=7), Fault("429"), Fault("429", retry_after=9))
    told, untold = client.additions(), client.additions()
    assert told.json() == {
        "error": "ConnectWiseAPI",
        "message": "Too many requests. Please try again in 7 seconds.",
    }
    assert told.headers["Retry-After"] == "7"
    assert "Retry-After" not in untold.headers
    sophos = client.usage()
    assert (sophos.headers["Retry-After"], sophos.json()["error"]) == ("9", "TooManyRequests")


def test_a_timeout_of_the_server_says_so(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("500-timeout"), Fault("500"))
    assert client.additions().json()["message"] == "A timeout has occured. Please try again."
    assert "timeout" not in client.additions().text.casefold()


def test_an_expired_token_can_be_renewed(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("401-expired-token", path="billing"))
    assert [client.usage().status_code for _ in range(2)] == [401, 401]
    client.sign_in()
    assert client.usage().status_code == 200


def test_a_redirect_leads_to_another_host(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("redirect"))
    assert client.additions().headers["Location"] == "http://login.example/"


# Which requests a fault is for


def test_faults_choose_by_vendor_method_and_path(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(
        Fault("500", vendor="sophos"),
        Fault("503", method="post"),
        Fault("409", path=r"/additions/\d+$"),
        Fault("403", path="pageSize=7"),
    )
    assert client.additions().status_code == 200
    assert client.create().status_code == 503
    assert client.set_quantity(9001, 1).status_code == 409
    assert client.usage().status_code == 500
    assert client.usage(pageSize=7).status_code == 403
    assert simulator.faults.waiting == ()


def test_faults_count_times_and_skip_after(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("503", times=2, after=1, path=ADDITIONS))
    assert [client.additions().status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    simulator.faults.add(Fault("500", times=None))
    assert {client.additions().status_code for _ in range(5)} == {500}
    simulator.faults.clear()
    assert client.additions().status_code == 200
    assert simulator.faults.injected == {"503": 2, "500": 5}


def test_faults_by_chance_repeat_with_the_seed() -> None:
    def statuses() -> list[int]:
        with Simulator(small_world(seed=4)) as simulator:
            simulator.faults.add(Fault("503", rate=0.5, times=None, vendor="connectwise"))
            client = Client(simulator)
            with client.sophos, client.connectwise:
                return [client.additions().status_code for _ in range(20)]

    first = statuses()
    assert set(first) == {200, 503}
    assert statuses() == first


@pytest.mark.parametrize(
    "said", [{"kind": "nonsense"}, {"kind": "body"}, {"kind": "500", "path": "("}, {"kind": "500", "x": 1}]
)
def test_a_fault_that_makes_no_sense_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Fault(**said)


# Faults without an answer


@pytest.mark.parametrize(("kind", "committed"), [("cut-before", 0), ("cut-after", 1)])
def test_a_cut_connection_before_or_after_the_commit(
    client: Client, simulator: Simulator, world: World, kind: Kind, committed: int
) -> None:
    simulator.faults.add(Fault(kind, method="POST"))
    with pytest.raises(requests.ConnectionError):
        client.create()
    assert len(world.history) == committed
    assert (simulator.requests[-1].status, simulator.requests[-1].fault) == (0, kind)
    assert client.additions().status_code == 200


@pytest.mark.parametrize(("kind", "committed"), [("timeout-before", 0), ("timeout-after", 1)])
def test_a_client_that_gives_up_before_or_after_the_commit(
    client: Client, simulator: Simulator, world: World, kind: Kind, committed: int
) -> None:
    simulator.faults.add(Fault(kind, method="POST"))
    with pytest.raises(requests.Timeout):
        client.create(timeout=0.1)
    assert len(world.history) == committed


def test_a_hanging_answer_ends_after_its_delay(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("timeout-before", delay=0.05))
    with pytest.raises(requests.ConnectionError):
        client.additions()


def test_other_requests_go_on_while_one_hangs(client: Client, simulator: Simulator) -> None:
    arrived = threading.Event()
    simulator.before_request = lambda *_: arrived.set()
    simulator.faults.add(Fault("timeout-before", method="POST"))
    hanging = threading.Thread(target=_ignore_failure, args=(client,))
    hanging.start()
    assert arrived.wait(10)
    with requests.Session() as other:
        assert other.get(f"{simulator.url}/login/companyinfo/x", timeout=10).status_code == 200
    simulator.close()
    hanging.join(10)
    assert not hanging.is_alive(), "closing the simulator ends what hangs"


def _ignore_failure(client: Client) -> None:
    with pytest.raises(requests.ConnectionError):
        client.create(timeout=60)


# Faults of the answer


def test_an_error_after_the_commit(client: Client, simulator: Simulator, world: World) -> None:
    simulator.faults.add(Fault("error-after", method="POST"))
    assert client.create().status_code == 500
    assert len(world.history) == 1


def test_a_false_200_saves_nothing(client: Client, simulator: Simulator, world: World) -> None:
    simulator.faults.add(Fault("false-200"))
    answer = client.set_quantity(9001, 99)
    assert (answer.status_code, answer.json()["quantity"]) == (200, 20)
    assert world.additions[9001].quantity == 20
    assert world.history == []
    assert simulator.requests[-1].method == "PATCH"


def test_truncated_json_and_a_body_cut_off(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("truncated-json"), Fault("cut-body"))
    with pytest.raises(requests.JSONDecodeError):
        client.additions().json()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.additions()


def test_a_slow_body_arrives_whole(client: Client, simulator: Simulator) -> None:
    expected = client.additions().json()
    simulator.faults.add(Fault("slow-body", delay=0.1))
    assert client.additions().json() == expected


def test_a_wrong_shape(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("wrong-shape"), Fault("wrong-shape"))
    assert isinstance(client.additions().json(), dict)
    assert isinstance(client.usage().json(), list)


def test_rows_twice_and_rows_missing(client: Client, simulator: Simulator) -> None:
    expected = client.additions().json()
    simulator.faults.add(Fault("row-twice"), Fault("row-missing"), Fault("row-twice"))
    assert client.additions().json() == [*expected, expected[-1]]
    assert client.additions().json() == expected[:-1]
    twice = client.usage(pageTotal="true").json()
    assert len(twice["items"]) == twice["pages"]["items"] + 1


def test_wrong_totals_wait_for_an_answer_that_has_some(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("wrong-items"))
    assert "items" not in client.usage().json()["pages"]
    assert simulator.faults.injected["wrong-items"] == 0
    wrong = client.usage(pageTotal="true").json()
    assert wrong["pages"]["items"] == len(wrong["items"]) + 1


def test_shuffled_pages_have_the_same_rows(simulator: Simulator) -> None:
    with Simulator(generated_world(30, seed=1)) as other:
        client = Client(other)
        with client.sophos, client.connectwise:
            url = f"{client.base}/finance/agreements"
            plain = [
                it["id"] for it in client.connectwise.get(url, params={"pageSize": 30}, timeout=10).json()
            ]
            other.faults.add(Fault("shuffle-pages"))
            mixed = [
                it["id"] for it in client.connectwise.get(url, params={"pageSize": 30}, timeout=10).json()
            ]
    assert mixed != plain
    assert sorted(mixed) == plain


def test_a_test_can_write_the_payload_itself(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("body", path=ADDITIONS, edit=lambda rows: [{**rows[0], "quantity": "NaN"}]))
    assert [row["quantity"] for row in client.additions().json()] == ["NaN"]


# Steering over HTTP


def test_the_overview_says_what_is_there(simulator: Simulator) -> None:
    overview = requests.get(f"{simulator.url}/simulator/", timeout=10).json()
    assert overview["today"] == "2026-09-28"
    assert overview["months"] == {"2026-09": "published", "2026-10": "not yet"}
    assert overview["tenants"] == 12
    assert simulator.requests == ()


def test_the_day_can_be_set_over_http(simulator: Simulator, world: World) -> None:
    url = f"{simulator.url}/simulator/today"
    assert requests.post(url, json={"today": "2026-10-28"}, timeout=10).json() == {"today": "2026-10-28"}
    assert world.today == date(2026, 10, 28)
    assert world.is_published("2026-10")
    wrongs: tuple[Any, ...] = ({"today": "soon"}, {}, [], "x")
    for wrong in wrongs:
        assert requests.post(url, json=wrong, timeout=10).status_code == 400


def test_faults_can_be_armed_and_cleared_over_http(client: Client, simulator: Simulator) -> None:
    url = f"{simulator.url}/simulator/faults"
    said = {"kind": "429", "vendor": "connectwise", "times": 2, "retry_after": 1}
    armed = requests.post(url, json=said, timeout=10)
    assert (armed.status_code, armed.json()["kind"]) == (201, "429")
    assert client.additions().status_code == 429
    assert requests.delete(url, timeout=10).status_code == 204
    assert client.additions().status_code == 200
    wrongs: tuple[Any, ...] = ({"kind": "nonsense"}, {"word": 1}, [])
    for wrong in wrongs:
        assert requests.post(url, json=wrong, timeout=10).status_code == 400


def test_the_log_can_be_read_over_http(client: Client, simulator: Simulator) -> None:
    client.additions()
    log = requests.get(f"{simulator.url}/simulator/requests", timeout=10).json()
    assert [entry["method"] for entry in log] == ["POST", "GET"]
    assert log[1]["path"].endswith(ADDITIONS)


def test_a_body_sent_in_chunks_is_read_to_its_end(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    chunks = iter([b'{"product": {"id": 41}, ', b'"billCustomer": "Billable"}'])
    made = client.connectwise.post(client.base + ADDITIONS, data=chunks, headers=headers, timeout=10)
    assert made.status_code == 201
    assert client.additions().status_code == 200


def test_an_expired_token_is_not_spent_on_the_token_request(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("401-expired-token", vendor="sophos"))
    client.sign_in()
    assert client.usage().status_code == 401


def test_a_false_200_waits_for_a_patch(client: Client, simulator: Simulator) -> None:
    simulator.faults.add(Fault("false-200"))
    assert client.create().status_code == 201
    assert client.set_quantity(9001, 99).json()["quantity"] == 20


def test_many_clients_at_once_lose_nothing(client: Client, simulator: Simulator, world: World) -> None:
    def create_ten() -> None:
        own = Client(simulator)
        with own.sophos, own.connectwise:
            for _ in range(10):
                own.create()

    threads = [threading.Thread(target=create_ten) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({write.addition_id for write in world.history}) == len(world.history) == 80
    assert len(simulator.writes) == 80
    assert [request.number for request in simulator.requests] == list(range(1, 80 + 8 + 1 + 1))
