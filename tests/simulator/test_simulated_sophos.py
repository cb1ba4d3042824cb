"""Sophos Central as simulated, against the published shapes and limits (sophos-api.md, section 10)."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.simulator import LEFT_OUT, Fault, Simulator, World, generated_world, small_world

USAGE = "/partner/v1/billing/usage"
SEPTEMBER = f"{USAGE}/2026/9"
ALDER = "223c98b5-d39e-4c60-afde-892a53de496c"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Clock:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Sophos:
    """The shortest client that can ask anything."""

    def __init__(self, simulator: Simulator) -> None:
        self.settings = simulator.settings()
        self.url = simulator.url
        self.session = requests.Session()
        self.sign_in()
        self.session.headers["X-Partner-ID"] = simulator.world.partner_id

    def token(self, **changed: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings["SOPHOS_CLIENT_ID"],
            "client_secret": self.settings["SOPHOS_CLIENT_SECRET"],
            "scope": "token",
        }
        return self.session.post(self.settings["SOPHOS_AUTH_URL"], data=form | changed, timeout=10)

    def sign_in(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"

    def get(
        self, path: str, headers: dict[str, str | None] | None = None, /, **query: Any
    ) -> requests.Response:
        return self.session.get(self.url + path, params=query, headers=headers, timeout=10)

    def every_row(self, path: str, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        key: str | None = None
        while True:
            page = self.get(path, **query, **({"pageFromKey": key} if key else {})).json()
            rows += page["items"]
            key = page["pages"].get("nextKey")
            if not key:
                return rows


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    made = small_world()
    made.clock = clock
    return made


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world) as running:
        yield running


@pytest.fixture
def sophos(simulator: Simulator) -> Iterator[Sophos]:
    client = Sophos(simulator)
    with client.session:
        yield client


def sample(name: str) -> Any:
    """The shapes of reference/samples, which are not part of this repository: field names only."""
    path = Path(__file__).with_name("published_shapes.json")
    return json.loads(path.read_text(encoding="utf-8"))[name]


def test_a_token_has_the_published_fields(sophos: Sophos) -> None:
    body = sophos.token().json()
    assert sorted(body) == sample("token")
    assert (body["token_type"], body["expires_in"], body["errorCode"]) == ("bearer", 3600, "success")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "oauth.invalid_client_secret"),
        ({"client_id": "wrong"}, 401, "oauth.invalid_client_id"),
        ({"scope": "all"}, 400, "oauth.invalid_request"),
        ({"grant_type": "password"}, 400, "oauth.invalid_request"),
    ],
)
def test_refused_credentials_have_an_error_shape_of_their_own(
    sophos: Sophos, changed: dict[str, str], status: int, code: str
) -> None:
    answer = sophos.token(**changed)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert sorted(answer.json()) == ["errorCode", "message", "trackingId"]


def test_a_secret_with_special_characters_is_form_decoded(world: World, simulator: Simulator) -> None:
    world.sophos_client_secret = "a+b&c=d%20é"
    assert "access_token" in Sophos(simulator).token().json()


def test_a_token_can_be_refreshed_with_json(sophos: Sophos, simulator: Simulator) -> None:
    said = {
        "grant_type": "refresh_token",
        "refresh_token": sophos.token().json()["refresh_token"],
        "client_id": simulator.world.sophos_client_id,
        "client_secret": simulator.world.sophos_client_secret,
    }
    assert requests.post(sophos.settings["SOPHOS_AUTH_URL"], json=said, timeout=10).status_code == 200


def test_a_token_ends_after_its_lifetime(sophos: Sophos, world: World, clock: Clock) -> None:
    world.token_lifetime = 120
    sophos.sign_in()
    clock.now += 119
    assert sophos.get("/whoami/v1").status_code == 200
    clock.now += 1
    assert sophos.get("/whoami/v1").status_code == 401
    sophos.sign_in()
    assert sophos.get("/whoami/v1").status_code == 200


def test_no_token_and_an_unknown_token_get_the_standard_error(sophos: Sophos) -> None:
    for header in (None, "Bearer unknown"):
        answer = sophos.get("/whoami/v1", {"Authorization": header})
        assert answer.status_code == 401
        assert sorted(answer.json()) == ["correlationId", "error", "requestId"]
        assert UUID.fullmatch(answer.json()["correlationId"])


def test_whoami_names_a_data_region_for_tenants_only(sophos: Sophos, world: World) -> None:
    for kind, hosts in (("partner", 1), ("organization", 1), ("tenant", 2)):
        world.id_type = kind  # type: ignore[assignment]
        body = sophos.get("/whoami/v1").json()
        assert body["idType"] == kind
        assert body["apiHosts"]["global"] == sophos.url
        assert len(body["apiHosts"]) == hosts


@pytest.mark.parametrize(("partner", "status"), [(None, 401), ("84aa3535-0000-0000-0000-000000000000", 403)])
def test_the_partner_header_is_checked(sophos: Sophos, partner: str | None, status: int) -> None:
    assert sophos.get("/partner/v1/tenants", {"X-Partner-ID": partner}).status_code == status
    assert sophos.get(SEPTEMBER, {"X-Partner-ID": partner}).status_code == status


def test_credentials_of_an_organization_find_no_partner_routes(sophos: Sophos, world: World) -> None:
    world.id_type = "organization"
    assert sophos.get("/partner/v1/tenants").status_code == 404


def test_tenants_have_the_published_fields(sophos: Sophos) -> None:
    tenant = sophos.get("/partner/v1/tenants").json()["items"][0]
    assert sorted(tenant) == sample("tenant")
    assert sorted(tenant["contact"]) == sample("contact")


def test_tenants_come_fifty_a_page_and_a_hundred_at_most() -> None:
    with Simulator(generated_world(120, seed=1)) as simulator:
        sophos = Sophos(simulator)
        usual, clamped = sophos.get("/partner/v1/tenants"), sophos.get("/partner/v1/tenants", pageSize=500)
        assert usual.json()["pages"] == {"current": 1, "size": 50, "maxSize": 100}
        assert clamped.json()["pages"] == {"current": 1, "size": 100, "maxSize": 100}
        assert len(clamped.json()["items"]) == 100
        last = sophos.get("/partner/v1/tenants", pageSize=50, page=3, pageTotal="true").json()
        assert last["pages"] == {"current": 3, "size": 50, "total": 3, "items": 120, "maxSize": 100}
        assert len(last["items"]) == 20
        assert sophos.get("/partner/v1/tenants", page=4).json()["items"] == []
        simulator.world.oversize_pages_refused = True
        assert sophos.get("/partner/v1/tenants", pageSize=101).status_code == 400


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"pageSize": "-1"}, {"pageSize": ""}])
def test_a_malformed_page_is_a_400(sophos: Sophos, query: dict[str, str]) -> None:
    answer = sophos.get("/partner/v1/tenants", **query)
    assert answer.status_code == 400
    assert {"error", "correlationId", "requestId", "code", "createdAt"} <= set(answer.json())


def test_tenants_can_be_asked_for_some_fields(sophos: Sophos) -> None:
    items = sophos.get("/partner/v1/tenants", fields="id,apiHost").json()["items"]
    assert {frozenset(item) for item in items} == {frozenset({"id", "apiHost"}), frozenset({"id"})}


def test_the_small_world_has_every_kind_of_tenant(sophos: Sophos) -> None:
    tenants = sophos.get("/partner/v1/tenants").json()["items"]
    assert [tenant["billingType"] for tenant in tenants].count("usage") == 10
    assert {"trial", "term"} < {tenant["billingType"] for tenant in tenants}
    assert {tenant["status"] for tenant in tenants} == {"active", "suspended"}
    assert sum("apiHost" not in tenant for tenant in tenants) == 1
    names = [tenant["name"].strip() for tenant in tenants]
    assert names.count("Hazel Property") == 2
    assert any(not name.isascii() for name in names)
    assert any(tenant["name"].strip() != tenant["showAs"] for tenant in tenants)


def test_one_tenant_can_be_asked_for_by_id(sophos: Sophos) -> None:
    assert sophos.get(f"/partner/v1/tenants/{ALDER}").json()["name"] == "Alder Dental Group"
    assert sophos.get("/partner/v1/tenants/unknown").status_code == 404


def test_a_month_is_published_on_its_publish_day(sophos: Sophos, world: World) -> None:
    world.today = date(2026, 10, 25)
    answer = sophos.get(f"{USAGE}/2026/10")
    assert (answer.status_code, answer.json()["message"]) == (404, "No billing data")
    world.today = date(2026, 10, 26)
    assert sophos.get(f"{USAGE}/2026/10").status_code == 200
    assert sophos.get(f"{USAGE}/2026/09").status_code == 200


@pytest.mark.parametrize("path", ["2026/11", "2026/8", "2019/1"])
def test_a_month_without_data_is_a_404(sophos: Sophos, path: str) -> None:
    assert sophos.get(f"{USAGE}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["2026/0", "2026/13", "2026/x", "26/9"])
def test_a_month_that_does_not_exist_is_a_400(sophos: Sophos, path: str) -> None:
    assert sophos.get(f"{USAGE}/{path}").status_code == 400


def test_a_month_can_be_published_empty_or_withheld(sophos: Sophos, world: World) -> None:
    world.publish("2026-12")
    answer = sophos.get(f"{USAGE}/2026/12", pageTotal="true").json()
    assert answer["items"] == []
    assert answer["pages"]["items"] == 0
    world.unpublish("2026-09")
    assert sophos.get(SEPTEMBER).status_code == 404


def test_usage_is_paged_by_opaque_keys_and_the_last_page_has_none(sophos: Sophos, world: World) -> None:
    first = sophos.get(SEPTEMBER, pageSize=10, pageTotal="true").json()
    second = sophos.get(SEPTEMBER, pageSize=10, pageFromKey=first["pages"]["nextKey"]).json()
    third = sophos.get(SEPTEMBER, pageSize=10, pageFromKey=second["pages"]["nextKey"]).json()
    assert first["pages"] | {"nextKey": ""} == {
        "nextKey": "",
        "size": 10,
        "total": 3,
        "items": 26,
        "maxSize": 1000,
    }
    assert second["pages"]["fromKey"] == first["pages"]["nextKey"]
    assert not {"total", "items"} & set(second["pages"])
    assert "nextKey" not in third["pages"]
    assert len(first["items"] + second["items"] + third["items"]) == len(world.usage[2026, 9]) == 26


def test_a_key_stays_good_while_rows_are_added_before_it(sophos: Sophos, world: World) -> None:
    key = sophos.get(SEPTEMBER, pageSize=10).json()["pages"]["nextKey"]
    expected = sophos.get(SEPTEMBER, pageFromKey=key).json()["items"]
    row = world.use("2026-09", ALDER, "CMA-MSP", 1)
    world.usage[2026, 9].remove(row)
    world.usage[2026, 9].insert(0, row)
    assert sophos.get(SEPTEMBER, pageFromKey=key).json()["items"] == expected


@pytest.mark.parametrize("key", ["x", "e30=", "eyJrIjogOTk5OTksICJhdCI6IDB9"])
def test_an_unknown_key_is_a_400(sophos: Sophos, key: str) -> None:
    assert sophos.get(SEPTEMBER, pageFromKey=key).status_code == 400


def test_pages_of_usage_hold_fifty_rows_unless_asked_and_as_many_as_allowed(world: World) -> None:
    generated = generated_world(200, seed=3)
    with Simulator(generated) as simulator:
        sophos = Sophos(simulator)
        assert len(sophos.get(SEPTEMBER).json()["items"]) == 50
        assert len(sophos.get(SEPTEMBER, pageSize=5000).json()["items"]) == 1000
        generated.largest_billing_page = 7
        page = sophos.get(SEPTEMBER, pageSize=1000).json()
        assert (len(page["items"]), page["pages"]["size"], page["pages"]["maxSize"]) == (7, 7, 7)


def test_unknown_parameters_are_ignored(sophos: Sophos) -> None:
    expected = sophos.get(SEPTEMBER).json()
    assert sophos.get(SEPTEMBER, cursor="abc", tenantId=ALDER, page=2).json() == expected


def test_usage_can_be_filtered_by_account_and_contact(sophos: Sophos) -> None:
    rows = sophos.get(SEPTEMBER, accountId=ALDER).json()["items"]
    assert len(rows) == 4
    assert {row["accountId"] for row in rows} == {ALDER}
    by_contact = sophos.get(SEPTEMBER, contactEmail="IT@alder-dental.example").json()["items"]
    assert by_contact == rows


def test_usage_rows_have_the_published_fields(sophos: Sophos) -> None:
    rows = sophos.every_row(SEPTEMBER)
    assert sorted(rows[0]) == sample("usageRow")
    required = set(sample("usageRowRequired"))
    assert all(required <= set(row) for row in rows)
    assert all(isinstance(row["billableQuantity"], int) for row in rows)
    money = ("unitMsrp", "unitPrice", "netPrice", "priceWithTaxes")
    assert all(re.fullmatch(r"\d+\.\d\d", row[name]) for row in rows for name in money)


def test_usage_can_be_asked_for_some_fields(sophos: Sophos) -> None:
    assert set(sophos.get(SEPTEMBER, fields="sku,productCode").json()["items"][0]) == {"sku", "productCode"}


def test_the_net_price_is_that_of_the_whole_order_line(sophos: Sophos) -> None:
    rows = [row for row in sophos.every_row(SEPTEMBER) if row["productCode"] == "CIXA-MSP"]
    assert len({row["orderLineItemNumber"] for row in rows}) == 1
    assert {row["netPrice"] for row in rows} == {"382.20"}  # 182 users at 2.10


def test_the_price_band_moves_with_the_whole_partner(sophos: Sophos, world: World) -> None:
    world.use("2026-09", ALDER, "CIXA-MSP", 400)
    texts = {r["productDescription"] for r in sophos.every_row(SEPTEMBER) if r["productCode"] == "CIXA-MSP"}
    assert texts == {"Sophos Endpoint - User MSP Monthly - 500-999 USERS"}


def test_the_small_world_has_every_kind_of_row(sophos: Sophos, world: World) -> None:
    rows = sophos.every_row(SEPTEMBER)
    keys = [(row.get("accountId"), row["productCode"]) for row in rows if row.get("accountId")]
    assert len(keys) > len(set(keys)), "several rows of one tenant and code"
    assert any(row["billableQuantity"] == 0 for row in rows)
    assert any(row["billableQuantity"] != row["actualQuantity"] for row in rows)
    assert any(row["billingEndDate"] == "2026-09-31" for row in rows)
    firewalls = [row for row in rows if row["productGroup"] == "Device"]
    assert firewalls
    assert not any({"accountId", "externalId", "accountStatus"} & set(row) for row in firewalls)
    assert any(row.get("accountId") not in world.tenants for row in rows if "accountId" in row), (
        "a departed one"
    )
    assert len({row["productCode"] for row in rows}) == 10


def test_a_row_can_be_sent_differently_than_the_rules_say(sophos: Sophos, world: World) -> None:
    world.usage[2026, 9][0].wire = {"billableQuantity": "7.5", "productCode": "", "sku": LEFT_OUT}
    row = sophos.get(SEPTEMBER).json()["items"][0]
    assert (row["billableQuantity"], row["productCode"]) == ("7.5", "")
    assert "sku" not in row


def test_firewall_licences_show_every_way_of_belonging(sophos: Sophos) -> None:
    answer = sophos.get("/licenses/v1/licenses/firewalls", pageTotal="true").json()
    assert answer["pages"] == {"current": 1, "size": 50, "total": 1, "items": 6, "maxSize": 100}
    firewalls = {firewall["serialNumber"]: firewall for firewall in answer["items"]}
    alder, birch = firewalls["X1A7DEMOALDER01"], firewalls["X1B6DEMOBIRCH02"]
    virtual, spare = firewalls["C01DEMOVIRT0003"], firewalls["X1C7DEMOSPARE04"]
    assert sorted(alder) == sample("firewallLicence")
    assert sorted(alder["licenses"][0]) == sample("licence")
    assert alder["billingTenant"] == {"id": ALDER}
    assert birch["billingTenant"] is None
    assert birch["tenant"]
    assert spare["tenant"] == {}
    assert "billingTenant" not in virtual
    assert virtual["modelType"] == "virtual"
    assert "usage" in alder["licenses"][0]
    assert "usage" not in birch["licenses"][0]
    auxiliary = firewalls["X1B6DEMOBIRCH03"]
    assert auxiliary["licenses"][0]["product"] == birch["licenses"][0]["product"]


def test_firewall_licences_of_one_tenant_need_its_header(sophos: Sophos) -> None:
    headers: dict[str, str | None] = {"X-Partner-ID": None, "X-Tenant-ID": ALDER}
    serials = [
        f["serialNumber"] for f in sophos.get("/licenses/v1/licenses/firewalls", headers).json()["items"]
    ]
    assert serials == ["X1A7DEMOALDER01"]
    assert sophos.get("/licenses/v1/licenses/firewalls", {"X-Partner-ID": "other"}).status_code == 403


def test_licences_and_firewalls_of_a_tenant(sophos: Sophos) -> None:
    licences = sophos.get("/licenses/v1/licenses", {"X-Tenant-ID": ALDER}).json()
    assert licences["licenses"][0]["product"]["code"] == "CIXA-MSP"
    devices = sophos.get("/firewall/v1/firewalls", {"X-Tenant-ID": ALDER}).json()
    assert sorted(devices["items"][0]) == sample("firewall")
    assert devices["pages"]["size"] == 100


def licences(sophos: Sophos, tenant: str = ALDER) -> dict[str, int | None]:
    """Product code and count of each licence of a tenant, None where the usage block is missing."""
    listed = sophos.get("/licenses/v1/licenses", {"X-Tenant-ID": tenant}).json()["licenses"]
    return {it["product"]["code"]: it.get("usage", {}).get("current", {}).get("count") for it in listed}


def test_licences_count_what_the_month_of_today_uses_but_no_devices(sophos: Sophos, world: World) -> None:
    used = {
        row.product.code: row.actual for row in world.rows("2026-09", ALDER) if row.product.group != "Device"
    }
    assert used
    assert licences(sophos) == dict.fromkeys(world.tenants[ALDER].products) | used
    record = sophos.get("/licenses/v1/licenses", {"X-Tenant-ID": ALDER}).json()["licenses"][0]
    assert sorted(record["usage"]["current"]) == ["collectedAt", "count", "date"]


def test_licences_are_what_the_world_says_where_it_says_so(sophos: Sophos, world: World) -> None:
    world.license(ALDER, "CIXA-MSP", 7)
    world.license(ALDER, "CEMA-MSP", None)
    world.license(ALDER, "TRIAL", 3, kind="trial")
    assert licences(sophos) == {"CIXA-MSP": 7, "CEMA-MSP": None, "TRIAL": 3}


def test_licences_can_be_hidden_for_one_tenant(sophos: Sophos, world: World) -> None:
    world.licences_hidden.add(ALDER)
    assert sophos.get("/licenses/v1/licenses", {"X-Tenant-ID": ALDER}).status_code == 403
    assert sophos.get("/firewall/v1/firewalls", {"X-Tenant-ID": ALDER}).status_code == 200
    other = next(it for it in world.tenants if it != ALDER)
    assert sophos.get("/licenses/v1/licenses", {"X-Tenant-ID": other}).status_code == 200


def test_term_customers_answer_403_on_tenant_calls(sophos: Sophos) -> None:
    dogwood = "fa3dee11-4057-421c-a580-9e78aa01f619"
    assert sophos.get("/licenses/v1/licenses", {"X-Tenant-ID": dogwood}).status_code == 403
    assert sophos.get("/firewall/v1/firewalls", {"X-Tenant-ID": None}).status_code == 401


def test_request_limits_are_off_until_switched_on(sophos: Sophos, world: World, clock: Clock) -> None:
    assert {sophos.get("/whoami/v1").status_code for _ in range(15)} == {200}
    world.sophos_limits = True
    assert [sophos.get("/whoami/v1").status_code for _ in range(12)] == [200] * 10 + [429] * 2
    refused = sophos.get("/whoami/v1")
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"] == "TooManyRequests"
    clock.now += 1
    assert sophos.get("/whoami/v1").status_code == 200
    world.sophos_retry_after = False
    assert all("Retry-After" not in sophos.get("/whoami/v1").headers for _ in range(12))


def test_a_hundred_requests_a_minute_are_the_second_limit(sophos: Sophos, world: World, clock: Clock) -> None:
    world.sophos_limits = True
    statuses = []
    for _ in range(101):
        clock.now += 0.2
        statuses.append(sophos.get("/whoami/v1").status_code)
    assert statuses == [200] * 100 + [429]


def test_error_ids_are_fresh_and_repeat_with_the_seed() -> None:
    def ids() -> list[str]:
        with Simulator(small_world(seed=5)) as simulator:
            sophos = Sophos(simulator)
            return [sophos.get(f"{USAGE}/2026/1").json()["correlationId"] for _ in range(3)]

    first = ids()
    assert len(set(first)) == 3
    assert ids() == first


def test_unknown_routes_and_methods_get_the_standard_error(sophos: Sophos) -> None:
    for answer, status in (
        (sophos.get("/partner/v1/nothing"), 404),
        (sophos.session.post(f"{sophos.url}/partner/v1/tenants", json={}, timeout=10), 405),
    ):
        assert answer.status_code == status
        assert UUID.fullmatch(answer.json()["requestId"])


def test_a_repeated_key_repeats_the_page(sophos: Sophos, simulator: Simulator) -> None:
    simulator.faults.add(Fault("repeated-nextKey", path=USAGE))
    first = sophos.get(SEPTEMBER, pageSize=10).json()
    again = sophos.get(SEPTEMBER, pageSize=10, pageFromKey=first["pages"]["nextKey"]).json()
    assert again["items"] == first["items"]
    simulator.faults.add(Fault("repeated-nextKey", path=USAGE))
    key = again["pages"]["nextKey"]
    assert sophos.get(SEPTEMBER, pageSize=10, pageFromKey=key).json()["pages"]["nextKey"] == key
