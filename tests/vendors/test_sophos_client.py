"""Sophos Central Partner: the token, whose it is, and lists that must be whole."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from connector.errors import (
    Nonsense,
    NotPublished,
    RequestRefused,
    SettingsFault,
    SignInRefused,
    Unreachable,
    VendorError,
)
from connector.model import Firewall, Period, Tenant, UsageRow
from connector.vendors import sophos as sophos_module
from connector.vendors.pace import SOPHOS_WINDOWS, Pace
from connector.vendors.sophos import SophosClient

AUTH = "https://id.sophos.example/api/v2/oauth2/token"
API = "https://api.sophos.example"
PARTNER = "84aa3535-19f6-450b-a5f8-47a8b0285789"
TENANT = "223c98b5-d39e-4c60-afde-892a53de496c"
OCTOBER = Period(2026, 10)
USAGE = f"{API}/partner/v1/billing/usage/2026/10"
TENANTS = f"{API}/partner/v1/tenants"
FIREWALLS = f"{API}/licenses/v1/licenses/firewalls"
SECRET = "s3cret/+value"


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def client(**how: Any) -> SophosClient:
    return SophosClient(
        client_id="c0ffee-client",
        client_secret=SECRET,
        auth_url=AUTH,
        api_url=f"{API}/",
        pace=Pace(SOPHOS_WINDOWS, sleep=lambda _: None),
        **how,
    )


def token(name: str = "token-1", **more: object) -> dict[str, object]:
    return {
        "access_token": name,
        "refresh_token": f"refresh-{name}",
        "token_type": "bearer",
        "expires_in": 3600,
        "errorCode": "success",
        "message": "OK",
    } | more


@pytest.fixture
def partner(wire: responses.RequestsMock) -> responses.RequestsMock:
    """Sign-in and whoami answer as they do for a partner."""
    wire.post(AUTH, json=token())
    wire.get(
        f"{API}/whoami/v1", json={"id": PARTNER, "idType": "partner", "apiHosts": {"global": "http://x/"}}
    )
    return wire


def row(**more: object) -> dict[str, object]:
    return {"productCode": "CIXA-MSP", "billableQuantity": 18, "accountId": TENANT} | more


def usage(wire: responses.RequestsMock, rows: object, **pages: object) -> None:
    wire.get(USAGE, json={"items": rows, "pages": pages})


def query(call: Any) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(call.request.url).query).items()}


def calls_to(wire: responses.RequestsMock, url: str) -> list[Any]:
    return [call for call in wire.calls if call.request.url and call.request.url.split("?")[0] == url]


def without(record: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in record.items() if key != name}


# Signing in --------------------------------------------------------------------------------------


def test_a_token_is_asked_for_with_a_form_and_sent_as_bearer(partner: responses.RequestsMock) -> None:
    assert client().whoami() == PARTNER

    asked, whoami = partner.calls
    assert parse_qs(str(asked.request.body, "ascii")) == {  # type: ignore[arg-type]
        "grant_type": ["client_credentials"],
        "client_id": ["c0ffee-client"],
        "client_secret": [SECRET],
        "scope": ["token"],
    }
    assert asked.request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in asked.request.headers
    assert whoami.request.headers["Authorization"] == "Bearer token-1"
    assert "X-Partner-ID" not in whoami.request.headers
    assert "Content-Type" not in whoami.request.headers
    assert whoami.request.headers["Accept"] == "application/json"


def test_signing_in_alone_asks_for_one_token(partner: responses.RequestsMock) -> None:
    sophos = client()
    sophos.sign_in()
    sophos.sign_in()

    assert [call.request.url for call in partner.calls] == [AUTH]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_are_not_tried_again(wire: responses.RequestsMock, status: int) -> None:
    wire.post(
        AUTH,
        status=status,
        json={"errorCode": "oauth.invalid_client_secret", "message": "Unauthorized", "trackingId": "t-1"},
    )

    with pytest.raises(SignInRefused, match=r"oauth\.invalid_client_secret: Unauthorized") as caught:
        client().whoami()
    assert caught.value.request_id == "t-1"
    assert "SOPHOS_CLIENT_ID" in caught.value.next_step
    assert "SOPHOS_CLIENT_SECRET" in caught.value.next_step
    assert len(wire.calls) == 1


def test_signing_in_is_repeated_after_a_passing_failure(partner: responses.RequestsMock) -> None:
    partner.replace(responses.POST, AUTH, status=503)
    partner.post(AUTH, status=429)
    partner.post(AUTH, json=token())

    assert client().whoami() == PARTNER


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (token(errorCode="oauth.failed"), "oauth.failed"),
        (token(token_type="mac"), "token_type"),
        (token(access_token=None), "access_token"),
        (token(access_token=""), "access_token"),
        (token(access_token=5), "access_token"),
        (token(access_token="a b"), "access_token"),
        (token(access_token="a\nb"), "access_token"),
        (token(errorCode={}), "errorCode"),
        ([], "a list, not an object"),
    ],
)
def test_a_success_without_a_token_is_nonsense(
    wire: responses.RequestsMock, document: object, said: str
) -> None:
    wire.post(AUTH, json=document)

    with pytest.raises(Nonsense, match="signing in") as caught:
        client().whoami()
    assert said in caught.value.message


@pytest.mark.parametrize("lifetime", [3600, None, "soon", 0, 10**30])
def test_a_token_is_used_until_shortly_before_it_ends(wire: responses.RequestsMock, lifetime: object) -> None:
    clock = Clock()
    wire.post(AUTH, json=token(expires_in=lifetime, token_type="Bearer"))
    wire.post(AUTH, json=token("token-2"))
    wire.get(f"{API}/whoami/v1", json={"id": PARTNER, "idType": "partner"})
    sophos = client(clock=clock)

    sophos.whoami()
    clock.now += 3600 - 121
    sophos.whoami()
    clock.now += 86_400
    sophos.whoami()
    sent = [call.request.headers["Authorization"] for call in calls_to(wire, f"{API}/whoami/v1")]
    assert sent == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_short_lived_token_is_still_used_more_than_once(wire: responses.RequestsMock) -> None:
    clock = Clock()
    wire.post(AUTH, json=token(expires_in=60))
    wire.get(f"{API}/whoami/v1", json={"id": PARTNER, "idType": "partner"})
    sophos = client(clock=clock)

    for _ in range(4):
        sophos.whoami()
        clock.now += 10
    assert len(calls_to(wire, AUTH)) == 2


def test_a_token_that_ends_early_is_renewed_once(partner: responses.RequestsMock) -> None:
    partner.post(AUTH, json=token("token-2"))
    partner.get(TENANTS, status=401, json={"error": "Unauthorized", "correlationId": "c-1"})
    partner.get(TENANTS, json={"items": [], "pages": {}})

    assert client().tenants() == ()
    sent = [call.request.headers["Authorization"] for call in calls_to(partner, TENANTS)]
    assert sent == ["Bearer token-1", "Bearer token-2"]


def test_a_second_401_is_final(partner: responses.RequestsMock) -> None:
    partner.post(AUTH, json=token("token-2"))
    partner.get(TENANTS, status=401, json={"error": "Unauthorized", "correlationId": "c-1"})

    with pytest.raises(SignInRefused) as caught:
        client().tenants()
    assert "SOPHOS_CLIENT_SECRET" in caught.value.next_step
    assert caught.value.request_id == "c-1"
    assert len(calls_to(partner, TENANTS)) == 2
    assert len(calls_to(partner, AUTH)) == 2


@pytest.mark.parametrize("kind", ["tenant", "organization", "alien"])
def test_credentials_of_anyone_but_a_partner_are_refused(wire: responses.RequestsMock, kind: str) -> None:
    wire.post(AUTH, json=token())
    wire.get(f"{API}/whoami/v1", json={"id": PARTNER, "idType": kind})

    with pytest.raises(SignInRefused, match=f"those of a {kind}"):
        client().whoami()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": PARTNER},
        {"idType": "partner"},
        {"id": "a b", "idType": "partner"},
        {"id": "ä", "idType": "partner"},
        {"id": ["x"], "idType": "partner"},
        "partner",
    ],
)
def test_an_odd_whoami_is_nonsense(wire: responses.RequestsMock, document: object) -> None:
    wire.post(AUTH, json=token())
    wire.get(f"{API}/whoami/v1", json=document)

    with pytest.raises(Nonsense):
        client().whoami()


def test_every_partner_call_names_the_partner_and_goes_to_the_configured_host(
    partner: responses.RequestsMock,
) -> None:
    partner.get(TENANTS, json={"items": [], "pages": {}})
    sophos = client()
    sophos.tenants()
    sophos.tenants()

    first, second = calls_to(partner, TENANTS)
    assert first.request.headers["X-Partner-ID"] == second.request.headers["X-Partner-ID"] == PARTNER
    assert "Content-Type" not in first.request.headers
    assert len(calls_to(partner, f"{API}/whoami/v1")) == 1
    assert {urlsplit(str(call.request.url)).hostname for call in partner.calls} == {
        "id.sophos.example",
        "api.sophos.example",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auth_url", "http://id.example"),
        ("api_url", "nowhere"),
        ("client_id", " "),
        ("client_secret", "a\nb"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    good: dict[str, Any] = {"client_id": "c", "client_secret": "s", "auth_url": AUTH, "api_url": API}

    with pytest.raises(SettingsFault, match=f"SOPHOS_{name.upper()}"):
        SophosClient(**good | {name: value})


def test_no_secret_and_no_token_reaches_an_error_or_a_trace(partner: responses.RequestsMock) -> None:
    lines: list[str] = []
    told = f"{SECRET} token-1 refresh-token-1 c0ffee-client"
    partner.get(TENANTS, status=400, json={"message": told, "correlationId": told})

    with pytest.raises(RequestRefused) as caught:
        client(trace=lines.append).tenants()
    text = f"{lines} {caught.value} {caught.value.request_id}"
    assert len(lines) == 3
    for secret in ("s3cret", "token-1", "c0ffee"):
        assert secret not in text


# Billing usage -----------------------------------------------------------------------------------


def test_a_month_is_read_page_by_page_following_the_keys(partner: responses.RequestsMock) -> None:
    usage(partner, [row(), row(billableQuantity=2)], nextKey="a+/=&b", items=4, total=3)
    usage(partner, [row(sku="x")], nextKey="k3", fromKey="a+/=&b")
    usage(partner, [row(billableQuantity=Decimal("0.5").__str__())], nextKey=None)

    pages = list(client().billing_pages(OCTOBER))
    assert [[str(each.quantity) for each in page.rows] for page in pages] == [["18", "2"], ["18"], ["0.5"]]
    assert [query(call) for call in calls_to(partner, USAGE)] == [
        {"pageSize": "1000", "pageTotal": "true"},
        {"pageSize": "1000", "pageFromKey": "a+/=&b"},
        {"pageSize": "1000", "pageFromKey": "k3"},
    ]
    assert [(page.read, page.expected) for page in pages] == [(2, 4), (3, 4), (4, 4)]


def test_a_page_is_there_before_the_next_one_is_asked_for(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], nextKey="k2", items=3)
    usage(partner, [row()])

    pages = client().billing_pages(OCTOBER)
    assert calls_to(partner, USAGE) == []
    assert (next(pages).read, len(calls_to(partner, USAGE))) == (1, 1)
    assert next(pages).read == 2
    with pytest.raises(Nonsense, match="announced 3 rows"):
        next(pages)


def test_a_row_too_many_is_not_handed_on(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], items=1, nextKey="k2")
    usage(partner, [row()])

    pages = client().billing_pages(OCTOBER)
    assert next(pages).read == 1
    with pytest.raises(Nonsense, match="announced 1 rows"):
        next(pages)


@pytest.mark.parametrize("last", [{}, {"nextKey": None}, {"nextKey": ""}])
def test_a_month_ends_where_there_is_no_next_key(
    partner: responses.RequestsMock, last: dict[str, Any]
) -> None:
    usage(partner, [row()], **last)

    assert len(client().billing_usage(OCTOBER)) == 1


def test_the_month_in_the_path_is_not_padded(partner: responses.RequestsMock) -> None:
    partner.get(f"{API}/partner/v1/billing/usage/2026/9", json={"items": [], "pages": {"items": 0}})

    assert client().billing_usage(Period(2026, 9)) == ()


def test_a_key_may_be_a_number(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], nextKey=7)
    usage(partner, [row()])

    assert len(client().billing_usage(OCTOBER)) == 2
    assert query(calls_to(partner, USAGE)[1])["pageFromKey"] == "7"


def test_404_is_not_published(partner: responses.RequestsMock) -> None:
    partner.get(USAGE, status=404, json={"error": "NotFound", "message": "No billing data"})

    with pytest.raises(NotPublished, match="2026-10") as caught:
        client().billing_usage(OCTOBER)
    assert caught.value.exit_code == 8
    assert "26th" in caught.value.next_step
    assert len(calls_to(partner, USAGE)) == 1


def test_404_on_a_later_page_is_nonsense(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], nextKey="k2")
    partner.get(USAGE, status=404, json={"error": "NotFound", "correlationId": "c-4"})

    with pytest.raises(Nonsense, match="404") as caught:
        client().billing_usage(OCTOBER)
    assert caught.value.request_id == "c-4"


def test_403_says_which_role_may_read_billing(partner: responses.RequestsMock) -> None:
    partner.get(USAGE, status=403, json={"error": "Forbidden"})

    with pytest.raises(SignInRefused, match="403, Forbidden") as caught:
        client().billing_usage(OCTOBER)
    assert caught.value.next_step == (
        "This credential's role may not read billing; use a Service Principal Super Admin or "
        "Management credential."
    )


@pytest.mark.parametrize(("announced", "sent"), [(3, 2), (1, 2), (0, 2), (-1, 2)])
def test_a_month_that_does_not_add_up_is_nonsense(
    partner: responses.RequestsMock, announced: int, sent: int
) -> None:
    usage(partner, [row()] * sent, items=announced)

    with pytest.raises(Nonsense, match=f"announced {announced} rows .* sent {sent}; nothing was written"):
        client().billing_usage(OCTOBER)


def test_a_month_that_sends_ever_more_rows_is_stopped(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], items=1, nextKey="k1")
    usage(partner, [row()], nextKey="k2")
    usage(partner, [row()], nextKey="k3")

    with pytest.raises(Nonsense, match="announced 1"):
        client().billing_usage(OCTOBER)
    assert len(calls_to(partner, USAGE)) == 2


def test_a_month_without_a_count_is_taken_as_it_comes(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], items=None)

    assert len(client().billing_usage(OCTOBER)) == 1


@pytest.mark.parametrize(
    ("items", "said"), [("three", "no whole number"), (2.5, "no whole number"), ("2", "announced 2")]
)
def test_a_count_in_any_form_must_be_met(partner: responses.RequestsMock, items: object, said: str) -> None:
    usage(partner, [row()], items=items)

    with pytest.raises(Nonsense, match=said):
        client().billing_usage(OCTOBER)


def test_a_count_that_changes_from_page_to_page_is_nonsense(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], nextKey="k1", items=2)
    usage(partner, [row()], items=3)

    with pytest.raises(Nonsense, match=r"pages\.items was 2 and is 3 now"):
        client().billing_usage(OCTOBER)


def test_a_count_on_a_later_page_counts_too(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], nextKey="k1", items=None)
    usage(partner, [row()], items=3)

    with pytest.raises(Nonsense, match="announced 3"):
        client().billing_usage(OCTOBER)


def test_without_a_count_of_rows_the_count_of_pages_must_be_met(partner: responses.RequestsMock) -> None:
    usage(partner, [row()], items=None, total=2)

    with pytest.raises(Nonsense, match="announced 2 pages"):
        client().billing_usage(OCTOBER)


@pytest.mark.parametrize("keys", [["k1", "k1"], ["k1", "k2", "k1"]])
def test_a_repeated_key_is_nonsense(partner: responses.RequestsMock, keys: list[str]) -> None:
    for key in keys:
        usage(partner, [row()], nextKey=key)

    with pytest.raises(Nonsense, match="given before"):
        client().billing_usage(OCTOBER)
    assert len(calls_to(partner, USAGE)) == len(keys)


def test_a_month_without_end_is_nonsense(
    partner: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sophos_module, "_MOST_PAGES", 3)
    for number in range(4):
        usage(partner, [], nextKey=f"k{number}")

    with pytest.raises(Nonsense, match="more than 3 pages"):
        client().billing_usage(OCTOBER)


@pytest.mark.parametrize(
    "document",
    [
        {"pages": {}},
        {"items": None, "pages": {}},
        {"items": {}, "pages": {}},
        {"items": "x", "pages": {}},
        {"items": [row()]},
        {"items": [row()], "pages": []},
        {"items": [row(), "x"], "pages": {}},
        {"items": [None], "pages": {}},
        {"items": [row()], "pages": {"nextKey": True}},
        {"items": [row()], "pages": {"nextKey": {}}},
        [],
        None,
        "x",
    ],
)
def test_a_page_of_another_shape_is_nonsense(partner: responses.RequestsMock, document: object) -> None:
    partner.get(USAGE, json=document)

    with pytest.raises(Nonsense, match="reading billing usage of 2026-10"):
        client().billing_usage(OCTOBER)


@pytest.mark.parametrize(
    "answer",
    [{"status": 500}, {"status": 503}, {"status": 429}, {"body": requests.ConnectionError("cut")}],
)
def test_a_page_that_fails_for_good_is_unreachable(
    partner: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    usage(partner, [row()], nextKey="k1")
    partner.get(USAGE, **answer)

    with pytest.raises(Unreachable):
        client().billing_usage(OCTOBER)
    assert len(calls_to(partner, USAGE)) == 6


def test_a_page_that_fails_for_a_moment_is_no_matter(partner: responses.RequestsMock) -> None:
    partner.get(USAGE, status=500, json={"error": "InternalServerError"})
    partner.get(USAGE, body=requests.exceptions.ReadTimeout("slow"))
    usage(partner, [row()], items=1)

    assert len(client().billing_usage(OCTOBER)) == 1


# Rows --------------------------------------------------------------------------------------------


def one_row(wire: responses.RequestsMock, **more: object) -> UsageRow:
    usage(wire, [row(**more)])
    (found,) = client().billing_usage(OCTOBER)
    return found


def test_a_row_is_taken_whole_less_the_contact(partner: responses.RequestsMock) -> None:
    found = one_row(
        partner,
        accountId=f" urn:uuid:{TENANT.upper()} ",
        externalId="D9C1A73F",
        accountNumberOrSerialNumber=" x11001jycgb4j30 ",
        productDescription="Sophos Endpoint\tUser ",
        unitPrice="2.10",
        additionalDiscountPercentage=30,
        actualQuantity=18,
        contactName="Ada Alder",
        contactEmail="it@alder.example",
        contactStreet="1 Quay Street",
        contactCity="Dublin",
        contactCountry="IE",
        contactZip="D01",
        contactFax="new field",
        unknownField="x",
        netPrice={"odd": "Ada"},
    )

    assert found == UsageRow(
        product_code="CIXA-MSP",
        quantity=Decimal(18),
        account_id=TENANT,
        external_id="D9C1A73F",
        serial="X11001JYCGB4J30",
        description="Sophos Endpoint User",
        received=found.received,
    )
    received = json.loads(found.received)
    assert list(received) == sorted(received)
    assert received["unitPrice"] == "2.10"
    assert received["accountId"] == f" urn:uuid:{TENANT.upper()} "
    assert not {name for name in received if name.startswith("contact")}
    assert "Ada" not in found.received
    assert "unknownField" not in received
    assert ": " not in found.received


def test_what_was_received_keeps_every_digit(partner: responses.RequestsMock) -> None:
    partner.get(
        USAGE,
        body='{"items": [{"productCode": "A", "billableQuantity": 0.10, "unitPrice": 12345678901234567.10, '
        '"unitMsrp": null, "orderedQuantity": 5}], "pages": {}}',
    )

    (found,) = client().billing_usage(OCTOBER)
    assert found.quantity == Decimal("0.1")
    assert found.received == (
        '{"billableQuantity":"0.10","orderedQuantity":5,"productCode":"A","unitPrice":"12345678901234567.10"}'
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"productCode": "", "sku": "CEAZ1CSMG"}, "CEAZ1CSMG"),
        ({"productCode": None, "sku": "CEAZ1CSMG"}, "CEAZ1CSMG"),
        ({"productCode": "  ", "sku": " CEAZ1CSMG "}, "CEAZ1CSMG"),
        ({"productCode": "A", "sku": "B"}, "A"),
        ({"productCode": 4711}, "4711"),
        ({"productCode": None}, ""),
    ],
)
def test_the_code_is_the_product_code_or_else_the_sku(
    partner: responses.RequestsMock, fields: dict[str, object], code: str
) -> None:
    assert one_row(partner, **fields).product_code == code


@pytest.mark.parametrize(("quantity", "exact"), [(0, "0"), (-2, "-2"), ("12.50", "12.5"), ("7", "7")])
def test_a_quantity_may_be_zero_negative_or_text(
    partner: responses.RequestsMock, quantity: object, exact: str
) -> None:
    assert str(one_row(partner, billableQuantity=quantity).quantity) == exact


@pytest.mark.parametrize("quantity", [None, "", True, "NaN", "many", [], 10**9, "1e99", "0.0000001"])
def test_what_is_no_quantity_ends_the_run_naming_row_and_field(
    partner: responses.RequestsMock, quantity: object
) -> None:
    usage(partner, [row()], nextKey="k")
    usage(partner, [row(), row(billableQuantity=quantity)])

    with pytest.raises(Nonsense, match=r"row 3: billableQuantity "):
        client().billing_usage(OCTOBER)


def test_a_row_without_a_quantity_ends_the_run(partner: responses.RequestsMock) -> None:
    usage(partner, [without(row(), "billableQuantity")])

    with pytest.raises(Nonsense, match="row 1: billableQuantity is missing"):
        client().billing_usage(OCTOBER)


@pytest.mark.parametrize("unset", [None, "", "  "])
def test_ids_that_are_unset_are_none(partner: responses.RequestsMock, unset: object) -> None:
    found = one_row(partner, accountId=unset, externalId=unset, accountNumberOrSerialNumber=unset)

    assert (found.account_id, found.external_id, found.serial) == (None, None, None)


@pytest.mark.parametrize("field", ["accountId", "externalId", "accountNumberOrSerialNumber", "productCode"])
@pytest.mark.parametrize("value", ["x" * 201, "a\x00b", "a\nb", True, {}, ["x"]])
def test_an_odd_id_is_nonsense(partner: responses.RequestsMock, field: str, value: object) -> None:
    usage(partner, [row(**{field: value})])

    with pytest.raises(Nonsense, match=f"row 1: {field}"):
        client().billing_usage(OCTOBER)


# Tenants and firewalls ---------------------------------------------------------------------------


def tenant(number: int, **more: object) -> dict[str, object]:
    return {
        "id": f"t-{number}",
        "name": f"Customer {number}",
        "billingType": "usage",
        "status": "active",
    } | more


def test_tenants_are_read_in_numbered_pages(partner: responses.RequestsMock) -> None:
    partner.get(
        TENANTS, json={"items": [tenant(1), tenant(2)], "pages": {"current": 1, "total": 2, "items": 3}}
    )
    partner.get(TENANTS, json={"items": [tenant(3)], "pages": {"current": 2}})

    assert [found.id for found in client().tenants()] == ["t-1", "t-2", "t-3"]
    assert [query(call) for call in calls_to(partner, TENANTS)] == [
        {"page": "1", "pageSize": "100", "pageTotal": "true"},
        {"page": "2", "pageSize": "100"},
    ]


def test_a_tenant_is_its_trimmed_name_type_and_status(partner: responses.RequestsMock) -> None:
    items = [
        tenant(1, id=" urn:uuid:ABC ", name=" Bäckerei Fichte GmbH ", billingType="term", status="suspended"),
        {"id": "t-2"},
        tenant(1, id="ABC", name="the same again"),
        tenant(3, name=None, status=None),
    ]
    partner.get(TENANTS, json={"items": items, "pages": {"items": 4, "total": 1}})

    assert client().tenants() == (
        Tenant("ABC", "Bäckerei Fichte GmbH", "term", "suspended"),
        Tenant("t-2", "", "", None),
        Tenant("t-3", "", "usage", None),
    )


def test_without_totals_pages_are_read_until_a_short_one(partner: responses.RequestsMock) -> None:
    partner.get(TENANTS, json={"items": [tenant(n) for n in range(100)], "pages": {"current": 1}})
    partner.get(TENANTS, json={"items": [tenant(100)], "pages": {"current": 2}})

    assert len(client().tenants()) == 101
    assert len(calls_to(partner, TENANTS)) == 2


def test_without_totals_an_empty_page_is_the_end(partner: responses.RequestsMock) -> None:
    partner.get(TENANTS, json={"items": [tenant(n) for n in range(100)]})
    partner.get(TENANTS, json={"items": []})

    assert len(client().tenants()) == 100


def test_a_smaller_page_size_in_force_is_obeyed(partner: responses.RequestsMock) -> None:
    partner.get(TENANTS, json={"items": [tenant(1), tenant(2)], "pages": {"size": 2}})
    partner.get(TENANTS, json={"items": [tenant(3)], "pages": {"size": 2}})

    assert len(client().tenants()) == 3


@pytest.mark.parametrize(
    "pages",
    [
        [{"items": [tenant(1)], "pages": {"current": 2}}],
        [{"items": [tenant(1)], "pages": {"items": 2}}],
        [{"items": [tenant(1), tenant(2)], "pages": {"items": 1}}],
        [{"items": [tenant(1)], "pages": {"total": 2}}, {"items": [], "pages": {}}],
        [{"items": [tenant(1)], "pages": {"total": 2}}] * 2,
        [{"items": [{"name": "no id"}]}],
        [{"items": [tenant(1, id=" ")]}],
        [{"items": ["x"]}],
        [{"items": {}}],
        [{"pages": {}}],
        [{"items": [], "pages": [1]}],
        [[]],
    ],
)
@pytest.mark.parametrize("url", [TENANTS, FIREWALLS])
def test_a_list_that_cannot_be_whole_is_nonsense(
    partner: responses.RequestsMock, pages: list[object], url: str
) -> None:
    text = json.dumps(pages).replace('"id"', '"serialNumber"') if url == FIREWALLS else json.dumps(pages)
    for page in json.loads(text):
        partner.get(url, json=page)
    read: Callable[[], object] = client().firewalls if url == FIREWALLS else client().tenants

    with pytest.raises(Nonsense):
        read()


def test_a_list_without_end_is_nonsense(
    partner: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sophos_module, "_MOST_PAGES", 2)
    for number in range(3):
        partner.get(TENANTS, json={"items": [tenant(number)], "pages": {"total": 9}})

    with pytest.raises(Nonsense, match="more than 2 pages"):
        client().tenants()


def test_firewalls_say_where_they_are_and_whom_they_are_assigned_to(partner: responses.RequestsMock) -> None:
    items = [
        {
            "serialNumber": " x1a7 ",
            "model": "XGS 107",
            "tenant": {"id": TENANT.upper()},
            "billingTenant": {"id": "b-1"},
            "lastSeenAt": "2026-09-30T22:41:07.000Z",
        },
        {"serialNumber": "X2", "tenant": {}, "billingTenant": None},
        {"serialNumber": "X3", "tenant": {"id": None}, "model": None},
        {"serialNumber": "X2", "tenant": {"id": "t-9"}},
    ]
    partner.get(FIREWALLS, json={"items": items, "pages": {"current": 1, "total": 1, "items": 4}})

    assert client().firewalls() == (
        Firewall("X1A7", "XGS 107", TENANT, "b-1", "2026-09-30T22:41:07.000Z"),
        Firewall("X2"),
        Firewall("X3"),
        Firewall("X2", tenant_id="t-9"),
    )
    (call,) = calls_to(partner, FIREWALLS)
    assert query(call) == {"page": "1", "pageSize": "50", "pageTotal": "true"}
    assert call.request.headers["X-Partner-ID"] == PARTNER


@pytest.mark.parametrize(("url", "right"), [(TENANTS, "tenants"), (FIREWALLS, "firewall licences")])
def test_403_on_a_list_names_what_may_not_be_read(
    partner: responses.RequestsMock, url: str, right: str
) -> None:
    partner.get(url, status=403, json={"error": "Forbidden"})
    sophos = client()

    with pytest.raises(SignInRefused) as caught:
        _ = sophos.tenants() if url == TENANTS else sophos.firewalls()
    assert f"may not read {right};" in caught.value.next_step


def test_another_refusal_is_the_vendors_word(partner: responses.RequestsMock) -> None:
    partner.get(TENANTS, status=404, json={"error": "resourceNotFound"})

    with pytest.raises(VendorError, match="404, resourceNotFound") as caught:
        client().tenants()
    assert isinstance(caught.value, RequestRefused)


def test_requests_are_counted_for_the_report(partner: responses.RequestsMock) -> None:
    sophos = client()
    sophos.whoami()

    assert sophos.transport.counts == {"POST": 1, "GET": 1}


def test_whose_credentials_they_are_is_told_without_steering_a_terminal(wire: responses.RequestsMock) -> None:
    wire.post(AUTH, json=token())
    wire.get(f"{API}/whoami/v1", json={"id": PARTNER, "idType": "ten\u202eant"})
    with pytest.raises(SignInRefused) as refused:
        client().whoami()
    assert refused.value.message.isprintable()
