"""One customer's licences on the wire: which count, and what cannot be right."""

from collections.abc import Callable
from decimal import Decimal

import pytest
import responses

from connector.errors import Nonsense, SignInRefused
from connector.vendors.pace import SOPHOS_WINDOWS, Pace
from connector.vendors.sophos import SophosClient
from connector.vendors.sophos_licences import LicenceCount

AUTH, API = "https://id.sophos.test/api/v2/oauth2/token", "https://api.sophos.test"
URL = f"{API}/licenses/v1/licenses"
TENANT = "223c98b5-d39e-4c60-afde-892a53de496c"


@pytest.fixture
def sophos(wire: responses.RequestsMock) -> SophosClient:
    """A client whose sign-in works."""
    wire.post(AUTH, json={"access_token": "token-1", "token_type": "bearer", "expires_in": 3600})
    return SophosClient(
        client_id="c0ffee-client",
        client_secret="hush-hush",
        auth_url=AUTH,
        api_url=API,
        pace=Pace(SOPHOS_WINDOWS, sleep=lambda _: None),
    )


def licence(count: object = 7, **more: object) -> dict[str, object]:
    product = {"code": "CIXA-MSP", "name": "Endpoint"}
    return {"type": "usage", "product": product, "usage": {"current": {"count": count}}} | more


def test_monthly_licences_come_with_their_count_and_others_do_not(
    wire: responses.RequestsMock, sophos: SophosClient
) -> None:
    listed = [
        licence(),
        licence(product={"code": "CEMA-MSP"}, usage=None),
        licence(product={"code": "CDE-MSP"}, usage={"current": {}}),
        licence(type="term"),
        licence(type="trial", product=None),
    ]
    wire.get(URL, json={"tenant": {"id": TENANT}, "licenses": listed})
    assert sophos.licence_counts(TENANT) == (
        LicenceCount("CIXA-MSP", "Endpoint", Decimal(7)),
        LicenceCount("CEMA-MSP", "", None),
        LicenceCount("CDE-MSP", "", None),
    )
    assert wire.calls[-1].request.headers["X-Tenant-ID"] == TENANT
    assert "X-Partner-ID" not in wire.calls[-1].request.headers


def test_a_customer_that_may_not_be_seen_is_no_error_and_no_zero(
    wire: responses.RequestsMock, sophos: SophosClient
) -> None:
    wire.get(URL, status=403, json={"error": "Forbidden"})
    assert sophos.licence_counts(TENANT) is None


def test_credentials_that_are_refused_are_an_error(
    wire: responses.RequestsMock, sophos: SophosClient
) -> None:
    wire.get(URL, status=401, json={"error": "Unauthorized"})
    with pytest.raises(SignInRefused):
        sophos.licence_counts(TENANT)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"licenses": [licence(-1)]}, "below zero"),
        ({"licenses": [licence("many")]}, "usage/current/count"),
        ({"licenses": [licence(product={})]}, "product/code is missing"),
        ({"licenses": [licence()] * 1001}, "more than 1000"),
        ({"licenses": None}, "licenses is missing"),
        ([], "the answer is a list"),
    ],
)
def test_what_cannot_be_right_ends_the_run(
    wire: responses.RequestsMock, sophos: SophosClient, answer: object, told: str
) -> None:
    wire.get(URL, json=answer)
    with pytest.raises(Nonsense, match=told):
        sophos.licence_counts(TENANT)


@pytest.mark.parametrize("odd", ["a b", "a\r\nX-Evil: 1", "ü", ""])
def test_an_odd_id_never_becomes_a_header(sophos: SophosClient, odd: str) -> None:
    with pytest.raises(Nonsense, match="id is odd"):
        sophos.licence_counts(odd)


def test_a_thousand_customers_do_not_break_the_limit_of_an_hour() -> None:
    now = [0.0]
    sleep: Callable[[float], None] = lambda seconds: now.__setitem__(0, now[0] + seconds)  # noqa: E731
    pace = Pace(SOPHOS_WINDOWS, clock=lambda: now[0], sleep=sleep)
    sent = []
    for _ in range(1200):
        pace.wait()
        sent.append(now[0])
    assert all(later - earlier >= 3600 - 1e-6 for earlier, later in zip(sent, sent[950:], strict=False))
