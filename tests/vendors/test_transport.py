"""The one place with time-outs, retries and errors: what is repeated, what never is, what is said."""

import gzip
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import requests
import responses
import stamina
from requests.exceptions import ChunkedEncodingError, ConnectTimeout, ReadTimeout

from connector.errors import (
    Nonsense,
    RequestRefused,
    SettingsFault,
    SignInRefused,
    Unreachable,
    VendorError,
)
from connector.vendors import connectwise_wire, sophos_wire
from connector.vendors.answers import CutShort, TooLarge, TooSlow, parse_json, read_body
from connector.vendors.calls import Effect, NoSignIn, SignIn, retry_after
from connector.vendors.pace import APART_SECONDS, UNSAID_SECONDS, Pace
from connector.vendors.transport import Call, Patience, Throttled, Transport, Unclear

URL = "https://vendor.example/things"
SECRET = 'geheim/+"x'
PLAIN = "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n{body}"


def plain(body: str = "{}", status: str = "200 OK", more: str = "") -> bytes:
    return PLAIN.format(status=status, length=len(body), more=more, body=body).encode()


def sophos(**how: Any) -> Transport:
    return Transport(sophos_wire.DIALECT, (SECRET,), **how)


def connectwise(**how: Any) -> Transport:
    return Transport(connectwise_wire.DIALECT, (SECRET,), **how)


def reading(url: str = URL, **how: Any) -> Call:
    return Call(url=url, doing="reading things", **how)


def adding(url: str = URL) -> Call:
    return Call(url=url, doing="adding a thing", method="POST", body=b"{}", effect="adds")


def setting(url: str = URL) -> Call:
    return Call(url=url, doing="setting a thing", method="PATCH", body=b"[]", effect="sets")


# What is repeated --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_is_repeated_until_it_succeeds(wire: responses.RequestsMock, status: int) -> None:
    for _ in range(4):
        wire.get(URL, status=status, body="<html>Bad Gateway</html>")
    wire.get(URL, json={"at": "last"})

    assert connectwise().send(reading()).document == {"at": "last"}
    assert len(wire.calls) == 5


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_is_given_up_after_five_attempts(wire: responses.RequestsMock, status: int) -> None:
    wire.get(URL, status=status)
    transport = connectwise()

    with pytest.raises(Unreachable) as caught:
        transport.send(reading())
    assert caught.value.status == status
    assert transport.counts == {"GET": 5}


@pytest.mark.parametrize(
    ("transport", "text", "sent"),
    [
        (sophos, "Unexpected error", 5),
        (connectwise, "A timeout has occured. Please try again.", 5),
        (connectwise, "Timeout expired.  The timeout period elapsed", 5),
        (connectwise, "Error converting value {null} to type 'int'", 1),
        (connectwise, "String was not recognized as a valid Boolean.", 1),
    ],
)
def test_a_500_is_repeated_as_the_vendor_means_it(
    wire: responses.RequestsMock, transport: Callable[[], Transport], text: str, sent: int
) -> None:
    wire.get(URL, status=500, json={"message": text})

    with pytest.raises(Unreachable, match=r"500"):
        transport().send(reading())
    assert len(wire.calls) == sent


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 410, 415, 422])
@pytest.mark.parametrize("make", [reading, setting, adding])
def test_a_refusal_is_never_repeated(
    wire: responses.RequestsMock, status: int, make: Callable[[], Call]
) -> None:
    call = make()
    wire.add(call.method, URL, status=status, json={"message": "no"})

    with pytest.raises((RequestRefused, SignInRefused)) as caught:
        connectwise().send(call)
    assert caught.value.status == status
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "fault",
    [
        requests.ConnectionError("reset"),
        ConnectTimeout("slow"),
        ReadTimeout("slow"),
        requests.exceptions.SSLError("EOF in violation of protocol"),
        requests.exceptions.ProxyError("no proxy"),
    ],
)
def test_a_connection_failure_is_repeated(wire: responses.RequestsMock, fault: Exception) -> None:
    wire.get(URL, body=fault)
    wire.get(URL, json=[])

    assert connectwise().send(reading()).document == []
    assert len(wire.calls) == 2


@pytest.mark.parametrize(
    "fault",
    [
        requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
        requests.exceptions.InvalidHeader("Content-Length: what"),
    ],
)
def test_what_cannot_pass_is_not_repeated(wire: responses.RequestsMock, fault: Exception) -> None:
    wire.get(URL, body=fault)

    with pytest.raises(Unreachable) as caught:
        connectwise().send(reading())
    assert len(wire.calls) == 1
    assert ("REQUESTS_CA_BUNDLE" in caught.value.next_step) == ("CERTIFICATE" in str(fault))


def test_a_patch_is_repeated_and_unclear_when_it_never_passes(wire: responses.RequestsMock) -> None:
    wire.patch(URL, status=503)

    with pytest.raises(Unclear) as caught:
        connectwise().send(setting())
    assert len(wire.calls) == 5
    assert "reads" in caught.value.next_step


def test_a_patch_is_unclear_if_any_attempt_may_have_been_carried_out(wire: responses.RequestsMock) -> None:
    wire.patch(URL, status=504)
    wire.patch(URL, status=429)

    with pytest.raises(Unclear):
        connectwise().send(setting())


def test_a_patch_that_was_only_ever_throttled_is_not_unclear(wire: responses.RequestsMock) -> None:
    wire.patch(URL, status=429, headers={"Retry-After": "30"})

    with pytest.raises(Throttled) as caught:
        connectwise().send(setting())
    assert caught.value.retry_after == 30
    assert not isinstance(caught.value, Unclear)


# What is sent once -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 301, 303])
def test_a_post_that_fails_is_sent_once_and_unclear(wire: responses.RequestsMock, status: int) -> None:
    wire.post(URL, status=status, json={"message": "A timeout has occured."}, headers={"Location": "/else"})

    with pytest.raises(Unclear) as caught:
        connectwise().send(adding())
    assert caught.value.status == status
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "fault", [requests.ConnectionError("cut"), ReadTimeout("slow"), ChunkedEncodingError("cut")]
)
def test_a_post_without_an_answer_is_sent_once_and_unclear(
    wire: responses.RequestsMock, fault: Exception
) -> None:
    wire.post(URL, body=fault)

    with pytest.raises(Unclear):
        connectwise().send(adding())
    assert len(wire.calls) == 1


@pytest.mark.parametrize("body", ["", "<html>", '{"id": NaN}', "[" * 100_000])
def test_a_post_with_an_unreadable_success_is_sent_once_and_unclear(
    wire: responses.RequestsMock, body: str
) -> None:
    wire.post(URL, status=201, body=body)

    with pytest.raises(Unclear):
        connectwise().send(adding())
    assert len(wire.calls) == 1


def test_a_post_that_was_throttled_is_sent_once_and_was_not_carried_out(
    wire: responses.RequestsMock,
) -> None:
    wire.post(
        URL,
        status=429,
        json={"error": "ConnectWiseAPI", "message": "Too many requests. Please try again in 30 seconds."},
        headers={"Retry-After": "30"},
    )

    with pytest.raises(Throttled, match="Too many requests") as caught:
        connectwise().send(adding())
    assert caught.value.retry_after == 30
    assert len(wire.calls) == 1


def test_a_post_that_found_no_connection_is_not_unclear() -> None:
    transport = connectwise()

    with pytest.raises(Unreachable, match=r"at 127\.0\.0\.1:9 ") as caught:
        transport.send(adding("http://127.0.0.1:9/"))
    assert not isinstance(caught.value, Unclear)
    assert transport.counts == {"POST": 1}


def test_a_post_whose_connection_could_not_be_made_in_time_is_not_unclear(
    wire: responses.RequestsMock,
) -> None:
    wire.post(URL, body=ConnectTimeout("slow"))

    with pytest.raises(Unreachable, match="in time") as caught:
        connectwise().send(adding())
    assert not isinstance(caught.value, Unclear)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 201 Created\r\n",
        b"#close#HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{}",
        b"#close#HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{}",
        b"#close#not even http\r\n\r\n",
        plain("{}", "503 Unavailable", "Retry-After: 1\r\n"),
    ],
)
def test_a_post_on_a_real_socket_arrives_once_whatever_comes_back(server: Any, answer: bytes | None) -> None:
    server.script = [answer, plain(), plain()]

    with pytest.raises(Unclear):
        connectwise(patience=Patience(timeout_read=0.5)).send(adding(server.url))
    assert server.methods() == ["POST"]


def test_a_post_on_a_kept_connection_that_dies_under_it_is_not_resent(server: Any) -> None:
    server.script = [plain(), None, plain()]
    transport = connectwise()
    transport.send(reading(server.url))

    with pytest.raises(Unclear):
        transport.send(adding(server.url))
    assert server.methods() == ["GET", "POST"]
    assert server.connections == [1, 1]


def test_a_post_after_the_server_closed_an_idle_connection_arrives_once(server: Any) -> None:
    server.script = [server.CLOSE + plain(), plain('{"id": 1}')]
    transport = connectwise()
    transport.send(reading(server.url))
    assert server.closed.wait(5)

    assert transport.send(adding(server.url)).document == {"id": 1}
    assert server.methods() == ["GET", "POST"]
    assert server.connections == [1, 2]


def test_a_read_whose_body_breaks_off_is_repeated(server: Any) -> None:
    server.script = [
        b"#close#HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"#close#HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        None,
        plain('{"whole": true}'),
    ]

    assert connectwise().send(reading(server.url)).document == {"whole": True}
    assert server.methods() == ["GET"] * 5


def test_a_body_that_always_breaks_off_is_unreachable(wire: responses.RequestsMock) -> None:
    wire.get(URL, body=b"nope", headers={"Content-Encoding": "gzip"})

    with pytest.raises(Unreachable, match="broke off its answer while reading things"):
        connectwise().send(reading())
    assert len(wire.calls) == 5


# Retry-After -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "9" * 5000}, 120),
        ({"Retry-After": "3600"}, 120),
        (
            {"Retry-After": "Mon, 02 Nov 2026 10:00:45 GMT", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"},
            45,
        ),
        ({"Retry-After": "Mon, 02 Nov 2026 10:00:45 -0000", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"}, 45),
        ({"Retry-After": "Mon, 02 Nov 1998 10:00:45 GMT"}, 0),
        ({"Retry-After": "Mon, 02 Nov 2998 10:00:45 GMT"}, 120),
        ({"Retry-After": "soon"}, True),
        ({"Retry-After": "-3"}, True),
        ({}, True),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_vendor_asks_for_is_kept_up_to_two_minutes(
    wire: responses.RequestsMock, headers: dict[str, str], seconds: float, status: int
) -> None:
    wire.get(URL, status=status, headers=headers)
    waits = []
    paused: list[float] = []

    class Watched(Transport):
        def wait_before_repeating(self, error: Exception) -> bool | float:
            waits.append(super().wait_before_repeating(error))
            return waits[-1]

    pace = Pace(clock=lambda: 1000.0, sleep=paused.append)
    with pytest.raises(Unreachable):
        Watched(connectwise_wire.DIALECT, patience=Patience(attempts=2), pace=pace).send(reading())
    if status == 429:  # everybody waits for it, so it is not waited for twice
        assert waits[0] == 0.0
        assert paused == [max(UNSAID_SECONDS if isinstance(seconds, bool) else seconds, APART_SECONDS)]
    else:
        assert (waits[0], paused) == (seconds, [])
        assert isinstance(waits[0], bool) == isinstance(seconds, bool)


def test_what_nobody_waits_for_any_more_is_neither_repeated_nor_said_to_be(
    wire: responses.RequestsMock,
) -> None:
    transport = connectwise()
    told: list[stamina.instrumentation.RetryDetails] = []

    def hear(details: stamina.instrumentation.RetryDetails) -> None:
        told.append(details)

    def ends(_request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        transport.close()
        return 503, {}, ""

    wire.add_callback(responses.GET, URL, callback=ends)
    stamina.instrumentation.set_on_retry_hooks([hear])
    try:
        with pytest.raises(Unreachable):
            transport.send(reading())
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert not told
    assert len(wire.calls) == 1


def test_a_foreign_error_is_not_repeated() -> None:
    assert connectwise().wait_before_repeating(ValueError("ours")) is False


def test_no_header_means_no_wait() -> None:
    assert retry_after({}) is None


# Answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 300])
def test_a_redirect_is_nonsense_and_never_followed(wire: responses.RequestsMock, status: int) -> None:
    elsewhere = wire.get("https://elsewhere.example/", json={})
    wire.get(URL, status=status, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(Nonsense, match="redirect"):
        connectwise().send(reading(auth=SignIn("Bearer abc")))
    assert elsewhere.call_count == 0
    assert len(wire.calls) == 1


def test_a_status_of_no_known_kind_is_nonsense(wire: responses.RequestsMock) -> None:
    wire.get(URL, status=999)

    with pytest.raises(Nonsense, match="no known status"):
        connectwise().send(reading())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the answer is empty"),
        (b"<html>\r\n<b>Bad</b>\x1b[31m", r"<html> <b>Bad</b>\x1b[31m"),
        (b'{"n": NaN}', "NaN"),
        (b'{"n": -Infinity}', "Infinity"),
        (b'{"n": ' + b"9" * 5000 + b"}", "100 digits"),
        (b'{"n": 0.' + b"9" * 5000 + b"}", "beyond all measure"),
        (b'{"n": 1e99999}', "beyond all measure"),
        (b'{"n": 1e99999999999999999999}', "beyond all measure"),
        (b"[" * 200_000, "nested too deeply"),
        ("{}".encode("utf-16"), "no UTF-8"),
        (b'{"name": "B\xe4r"}', "no UTF-8"),
        (b'{"cut": ', "no JSON"),
    ],
)
def test_what_is_no_json_is_nonsense_and_quoted_safely(
    wire: responses.RequestsMock, body: bytes, said: str
) -> None:
    wire.get(URL, body=body)

    with pytest.raises(Nonsense) as caught:
        connectwise().send(reading())
    assert said in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 600
    assert len(wire.calls) == 1


def test_numbers_arrive_exactly_and_a_byte_order_mark_is_no_matter(wire: responses.RequestsMock) -> None:
    wire.get(URL, body=b'\xef\xbb\xbf{"a": 0.1, "b": 14.00, "c": 3, "d": 1e2, "e": 0.0}')

    document = connectwise().send(reading()).document
    assert isinstance(document, dict)
    assert [repr(value) for value in document.values()] == [
        "Decimal('0.1')",
        "Decimal('14.00')",
        "3",
        "Decimal('1E+2')",
        "Decimal('0.0')",
    ]


def test_an_answer_without_end_is_stopped_at_64_mib(wire: responses.RequestsMock) -> None:
    bomb = gzip.compress(b" " * (65 * 1024 * 1024))
    wire.get(URL, body=bomb, headers={"Content-Encoding": "gzip"})

    with pytest.raises(Nonsense, match="64 MiB"):
        connectwise().send(reading())
    assert len(wire.calls) == 1


def raw(body: bytes, headers: dict[str, str] | None = None) -> requests.Response:
    with responses.RequestsMock() as mock:
        mock.get(URL, body=body, headers=headers or {})
        return requests.get(URL, stream=True, timeout=1)


def test_a_body_is_counted_unpacked() -> None:
    with pytest.raises(TooLarge):
        read_body(raw(gzip.compress(b"x" * 5000), {"Content-Encoding": "gzip"}), seconds=1, max_bytes=4999)


def test_a_body_in_drops_meets_the_clock() -> None:
    ticks = iter(range(0, 10_000, 100))

    with pytest.raises(TooSlow):
        read_body(raw(b"{}"), seconds=50, clock=lambda: next(ticks))


def test_a_server_that_falls_silent_within_a_body_is_too_slow(server: Any) -> None:
    server.script = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"] * 2

    with pytest.raises(Unreachable, match="took too long to finish its answer"):
        connectwise(patience=Patience(attempts=1, timeout_read=0.1)).send(reading(server.url))


def test_a_broken_packing_is_cut_short() -> None:
    with pytest.raises(CutShort):
        read_body(raw(b"nope", {"Content-Encoding": "gzip"}), seconds=1)


def test_parse_json_takes_plain_documents() -> None:
    assert parse_json(b'{"a": [1, 2.50, "x", null, true]}') == {"a": [1, Decimal("2.50"), "x", None, True]}


def test_a_refusal_stays_one_when_its_body_breaks_off(server: Any) -> None:
    server.script = [b"#close#HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{"]

    with pytest.raises(SignInRefused) as caught:
        connectwise().send(reading(server.url))
    assert caught.value.status == 403


def test_a_status_that_the_call_handles_is_returned(wire: responses.RequestsMock) -> None:
    wire.get(URL, status=404, body="nothing here")

    answer = connectwise().send(reading(handled=frozenset({404})))
    assert (answer.status, answer.document) == (404, None)


# What errors say ---------------------------------------------------------------------------------


def test_an_error_says_who_what_status_whose_words_request_id_and_next_step(
    wire: responses.RequestsMock,
) -> None:
    wire.get(
        URL,
        status=400,
        body=json.dumps(
            {
                "code": "InvalidObject",
                "message": "addition object is invalid",
                "errors": [
                    {"code": "X", "message": "must be a\r\nwhole number", "field": "quantity"},
                    {"message": "no field"},
                    "odd",
                ],
            },
            indent=2,
        ),
        headers={"x-cw-request-id": "0HN7-2"},
    )

    with pytest.raises(RequestRefused) as caught:
        connectwise().send(reading())
    error = caught.value
    assert error.message == (
        "ConnectWise refused reading things: 400, addition object is invalid; must be a whole number "
        "(field quantity); no field. Request id 0HN7-2."
    )
    assert error.next_step
    assert (error.vendor, error.status, error.request_id) == ("ConnectWise", 400, "0HN7-2")


def test_words_of_sophos_are_its_error_and_message_with_its_correlation_id(
    wire: responses.RequestsMock,
) -> None:
    wire.get(
        URL,
        status=400,
        json={
            "error": "BadRequest",
            "message": "Invalid request",
            "correlationId": "c-1",
            "requestId": "r-1",
        },
    )

    with pytest.raises(RequestRefused) as caught:
        sophos().send(reading())
    assert caught.value.message == (
        "Sophos refused reading things: 400, BadRequest: Invalid request. Request id c-1."
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([1, 2], '"[1, 2]"'),
        ({"message": {"odd": 1}}, '"{"message": {"odd": 1}}"'),
        ({"message": "\x1b[2J\x00\x9b" + "x" * 1000}, r"\x1b[2J\x00\x9bxxx"),
        ({"error": "ConnectWiseAPI"}, "ConnectWiseAPI"),
        ({"code": "Security", "errors": None}, "Security"),
    ],
)
@pytest.mark.parametrize("transport", [sophos, connectwise])
def test_odd_words_are_shown_safely_and_cut(
    wire: responses.RequestsMock, document: object, said: str, transport: Callable[[], Transport]
) -> None:
    wire.get(URL, status=409, json=document)

    with pytest.raises(VendorError) as caught:
        transport().send(reading())
    assert said in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


def test_a_refusal_without_words_is_the_bare_status(wire: responses.RequestsMock) -> None:
    wire.get(URL, status=405)

    with pytest.raises(RequestRefused) as caught:
        connectwise().send(reading())
    assert caught.value.message == "ConnectWise refused reading things: 405."


TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkZW1vIn0.signature"
LEAKS = (
    SECRET,
    "geheim%2F%2B%22x",
    json.dumps(SECRET)[1:-1],
    f"Bearer {TOKEN}",
    "authorization: bearer abcdefghijkl",
    "Basic dXNlcjpwYXNzd29yZA==",
    TOKEN,
)


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 429, 500, 503])
@pytest.mark.parametrize("effect", ["reads", "sets", "adds"])
def test_no_secret_ever_reaches_an_error_or_a_trace(
    wire: responses.RequestsMock, leak: str, status: int, effect: Effect, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"x-cw-request-id": leak, "Location": leak}
    for body in (
        f"<p>{leak}</p>",
        json.dumps({"message": leak, "errors": [{"message": leak, "field": leak}]}),
    ):
        wire.get(URL, status=status, body=body[:-1] if status == 200 else body, headers=headers)
    lines: list[str] = []
    transport = connectwise(trace=lines.append)

    for _ in range(2):
        with pytest.raises(VendorError) as caught:
            transport.send(reading(params={"q": SECRET}, effect=effect, auth=SignIn(f"Bearer {TOKEN}")))
        lines += [
            str(caught.value),
            repr(caught.value),
            caught.value.next_step,
            caught.value.request_id or "",
        ]
    lines += [repr(record.__dict__) for record in caplog.records if record.name == "stamina"]
    for told in lines:
        for secret in ("geheim", "signature", "abcdefghijkl", "dXNlcjpwYXNz", "eyJzdWIi"):
            assert secret not in told


def test_a_failed_connection_says_why_without_secrets(wire: responses.RequestsMock) -> None:
    wire.get(URL, body=requests.ConnectionError(f"HTTPSConnectionPool(...): {SECRET}"))
    lines: list[str] = []

    with pytest.raises(Unreachable) as caught:
        connectwise(trace=lines.append).send(reading())
    assert "geheim" not in f"{caught.value}{lines}"
    assert "***" in caught.value.message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_trace_has_one_line_for_each_request(wire: responses.RequestsMock) -> None:
    wire.get(URL, status=503)
    wire.get(URL, body=ReadTimeout("slow"))
    wire.get(URL, json={}, headers={"x-cw-request-id": "r-9"})
    lines: list[str] = []

    connectwise(trace=lines.append).send(reading(params={"page": "1", "orderBy": "id asc"}))
    first, second, third = (line.split() for line in lines)
    assert first[:4] == ["ConnectWise", "GET", "/things?page=1&orderBy=id+asc", "503"]
    assert second[3] == "ReadTimeout"
    assert (third[3], third[5], third[6]) == ("200", "ms", "r-9")


# Around the request ------------------------------------------------------------------------------


def test_netrc_neither_replaces_our_sign_in_nor_adds_one(
    server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password mallory\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(server.url) == ("eve", "mallory")
    server.script = [plain(), plain()]
    transport = connectwise()

    transport.send(reading(server.url, auth=SignIn("Bearer ours")))
    transport.send(reading(server.url, auth=NoSignIn()))
    assert b"Authorization: Bearer ours\r\n" in server.requests[0]
    assert b"uthorization" not in server.requests[1]


def test_a_proxy_is_not_asked_about_this_machine(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.script = [plain('{"direct": true}')]

    assert connectwise().send(reading(server.url)).document == {"direct": True}


def test_a_proxy_is_asked_about_other_machines(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    server.script = [plain()]

    connectwise().send(reading("http://psa.example/x"))
    assert server.requests[0].startswith(b"GET http://psa.example/x HTTP/1.1")


def test_certificates_that_cannot_be_read_are_a_fault_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))

    with pytest.raises(SettingsFault) as caught:
        connectwise().send(reading("https://127.0.0.1:9/"))
    assert "REQUESTS_CA_BUNDLE" in caught.value.next_step
    assert "missing.pem" in caught.value.message


def test_certificates_are_checked_and_time_outs_and_streaming_set(wire: responses.RequestsMock) -> None:
    wire.get(URL, json={})

    connectwise(patience=Patience(timeout_connect=3, timeout_read=4)).send(reading())
    kwargs: Any = wire.calls[0].request.req_kwargs  # type: ignore[attr-defined]
    assert kwargs["verify"] is True
    assert kwargs["timeout"] == (3, 4)
    assert kwargs["stream"] is True


def test_cookies_are_not_kept(server: Any) -> None:
    server.script = [plain(more="Set-Cookie: a=b\r\n"), plain()]
    transport = connectwise()

    transport.send(reading(server.url))
    transport.send(reading(server.url))
    assert b"ookie" not in server.requests[1]
    assert server.connections == [1, 1]


def test_a_call_without_a_body_names_no_content_type(server: Any) -> None:
    server.script = [plain()]

    connectwise().send(reading(server.url))
    assert b"ontent-Type" not in server.requests[0]


def test_the_servers_clock_is_kept(wire: responses.RequestsMock) -> None:
    transport = connectwise()
    assert transport.server_date is None
    wire.get(URL, json={}, headers={"Date": "Mon, 02 Nov 2026 10:00:00 GMT"})
    wire.get(URL, json={}, headers={"Date": "yesterday"})

    for _ in range(2):
        transport.send(reading())
        assert transport.server_date == datetime(2026, 11, 2, 10, tzinfo=UTC)


def test_several_threads_share_one_transport(wire: responses.RequestsMock) -> None:
    wire.get(URL, json={"ok": True})
    transport = connectwise()
    answers: list[object] = []

    def work() -> None:
        answers.extend(transport.send(reading()).document for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"ok": True}] * 40
    assert transport.counts == MappingProxyType({"GET": 40})


def test_who_is_done_hangs_up_though_the_server_would_keep_the_line(server: Any) -> None:
    server.script = [plain()]
    transport = connectwise()
    transport.send(reading(url=f"{server.url}/x"))
    assert not server.closed.is_set()

    transport.close()

    assert server.closed.wait(3)
