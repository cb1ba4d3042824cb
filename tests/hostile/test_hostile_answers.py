"""Whatever a vendor answers, it is read as a value or refused: no other exception, no hang, no write."""

import _thread
import copy
import gzip
import json
import re
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hostile.between import Exchange, Reply, Spoil
from hostile.desk import Desk, desk, edited
from hypothesis import given, settings
from hypothesis import strategies as st
from months.calling import Result
from months.msp import ENDPOINT, Customer

from connector.errors import ConnectorError
from connector.model import AdditionPatch, NewAddition, Period
from connector.vendors.calls import Patience
from connector.vendors.connectwise import ConnectWiseClient
from connector.vendors.pace import Pace
from connector.vendors.sophos import SophosClient

# http.client leaves the socket of an answer that is no HTTP to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)

LONGEST = 30.0
"""Seconds after which a call counts as one that hangs."""

# The answers ---------------------------------------------------------------------------------------

KINDS = {
    "token": ("POST", "/oauth2/token"),
    "whoami": ("GET", "/whoami/"),
    "tenants": ("GET", "/partner/v1/tenants"),
    "usage": ("GET", "/partner/v1/billing/usage"),
    "firewalls": ("GET", "/licenses/firewalls"),
    "companyinfo": ("GET", "/login/companyinfo"),
    "system": ("GET", "/system/info"),
    "companies": ("GET", "/company/companies"),
    "agreements": ("GET", r"/finance/agreements\?"),
    "catalog": ("GET", "/procurement/catalog"),
    "additions": ("GET", r"/additions\?"),
    "addition": ("GET", r"/additions/\d+"),
    "creation": ("POST", r"/additions$"),
    "patching": ("PATCH", r"/additions/\d+"),
}
READ = sorted(KINDS.keys() - {"companyinfo", "system", "addition", "creation", "patching"})
"""What every run reads."""


class Raw:
    """Text that goes into the JSON as it is, whether it is JSON or not."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Raw({self.text[:40]!r})"


def dumped(document: Any) -> bytes:
    """Write JSON, with Raw text put in as it is."""
    raw: list[str] = []

    def place(value: object) -> str:
        assert isinstance(value, Raw)
        raw.append(value.text)
        return f"@raw{len(raw) - 1}@"

    text = json.dumps(document, default=place)
    return re.sub(r'"@raw(\d+)@"', lambda found: raw[int(found[1])], text).encode("ascii")


NUMBERS: list[object] = [
    0, -1, -(2**70), 2**31, 2**53 + 1, 2**63, 2**70, 10**99, 0.1, 12.0, -0.5,
    Raw("1e400"), Raw("1" + "0" * 400), Raw("1e99999999"), Raw("-1e-99999999"), Raw("0e-5"),
    Raw("0." + "1" * 50),
    Raw("NaN"), Raw("Infinity"), Raw("-Infinity"), Raw("9" * 5000), Raw("-0"), Raw("0x10"), Raw("01"),
]  # fmt: skip
TEXTS: list[object] = [
    "", " ", "0", "-5", "42", "1e400", "NaN", "Infinity", "\x00", "a\x00b", "\ud800", "x\udfff", "\u202e",
    "\x7f",
    "x" * 201, "x" * 100_000, "None", "null", "true", "[object Object]", "2026-02-30", "2026-02-30T00:00:00Z",
    "0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-10-01T00:00:00.123Z",
    "2026-10-01 ", "20261001", "2026-W40-1", "\u0662\u0660\u0662\u0666-\u0661\u0660-\u0660\u0661",
    "\U0001f525", "urn:uuid:", "../../..", "a/b", "a\nb",
]  # fmt: skip
SHAPES: list[object] = [
    None, True, False, [], {}, [[]], [None], {"": None}, {"id": {}}, {"id": None}, [[[[{}]]]],
    Raw("[" * 900 + "]" * 900), Raw("[" * 100_000 + "]" * 100_000),
    Raw('{"a":' * 100_000 + "1" + "}" * 100_000),
    Raw('{"id": 1, "id": "2", "id": null}'),
]  # fmt: skip
VALUES = [*NUMBERS, *TEXTS, *SHAPES]


def places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value within a document."""
    yield at
    if isinstance(document, dict | list):
        keyed = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in keyed:
            yield from places(value, (*at, key))


@st.composite
def damages(draw: st.DrawFn) -> Callable[[Any], Any]:
    """Change a document in one to three places: other values, more keys, fewer, things twice."""
    steps = draw(
        st.lists(
            st.tuples(
                st.integers(0, 10_000),
                st.sampled_from(
                    ["replace", "replace", "replace", "remove", "add", "twice", "wrap", "rename"]
                ),
                st.sampled_from(VALUES),
            ),
            min_size=1,
            max_size=3,
        )
    )

    def damage(document: Any) -> Any:
        for where, how, value in steps:
            ways = list(places(document))
            document = _changed(document, ways[where % len(ways)], how, value)
        return document

    return damage


def _changed(document: Any, way: tuple[Any, ...], how: str, value: object) -> Any:
    if not way:
        return {"replace": value, "wrap": [document], "twice": [document, document]}.get(how, document)
    document = copy.deepcopy(document)
    holder = document
    for key in way[:-1]:
        holder = holder[key]
    last = way[-1]
    if how == "remove":
        del holder[last]
    elif how == "add" and isinstance(holder[last], dict):
        holder[last] |= {"extra": value, "id ": value}
    elif how == "twice" and isinstance(holder, list):
        holder.insert(last, copy.deepcopy(holder[last]))
    elif how == "rename" and isinstance(holder, dict):
        holder[f"{last}".upper()] = holder.pop(last)
    else:
        holder[last] = [holder[last]] if how == "wrap" else value
    return document


def damaged(kind: str, damage: Callable[[Any], Any]) -> Spoil:
    """Return what damages the good answers of a kind."""
    method, path = KINDS[kind]

    def spoil(exchange: Exchange) -> Reply | None:
        if exchange.method != method or not re.search(path, exchange.path) or exchange.status >= 300:
            return None
        return Reply(dumped(damage(json.loads(exchange.body))), exchange.status, exchange.headers)

    return spoil


def replaced(kind: str, make: Callable[[Exchange], Reply]) -> Spoil:
    """Return what puts something else in place of the answers of a kind."""
    method, path = KINDS[kind]
    return lambda it: make(it) if it.method == method and re.search(path, it.path) else None


# The calls -----------------------------------------------------------------------------------------


class Clients:
    """Both real clients, and the call that every kind of answer belongs to."""

    def __init__(self, at: Desk) -> None:
        self._at = at
        self._told = {name: value or "" for name, value in at.run.environment({}).items()}
        self._patience = Patience(attempts=2, total_seconds=5, timeout_connect=5, timeout_read=5)
        agreement, item = next(iter(at.world.agreements)), next(iter(at.world.items))
        line = next(iter(at.world.additions))
        new = NewAddition(agreement, item, Decimal(3), date(2026, 10, 1), "x")
        self._calls: dict[str, Callable[[], object]] = {
            "token": self._sign_in,
            "whoami": lambda: self.sophos().whoami(),
            "tenants": lambda: self.sophos().tenants(),
            "usage": lambda: self.sophos().billing_usage(Period(2026, 10)),
            "firewalls": lambda: self.sophos().firewalls(),
            "companyinfo": lambda: self.connectwise(at.between.url).system_info(),
            "system": lambda: self.connectwise().system_info(),
            "companies": lambda: self.connectwise().companies(),
            "agreements": lambda: self.connectwise().agreements(),
            "catalog": lambda: self.connectwise().catalog_items({ENDPOINT, item}),
            "additions": lambda: self.connectwise().additions(agreement),
            "addition": lambda: self.connectwise().addition(agreement, line),
            "creation": lambda: self.connectwise().create_addition(new),
            "patching": lambda: self.connectwise().patch_addition(
                agreement, line, AdditionPatch(quantity=Decimal(5))
            ),
        }

    def _sign_in(self) -> None:
        self.sophos().sign_in()

    def sophos(self) -> SophosClient:
        return SophosClient(
            client_id=self._told["SOPHOS_CLIENT_ID"],
            client_secret=self._told["SOPHOS_CLIENT_SECRET"],
            auth_url=self._told["SOPHOS_AUTH_URL"],
            api_url=self._told["SOPHOS_API_URL"],
            patience=self._patience,
            pace=unhurried(),
        )

    def connectwise(self, url: str = "") -> ConnectWiseClient:
        return ConnectWiseClient(
            url=url or self._told["CONNECTWISE_URL"],
            company=self._told["CONNECTWISE_COMPANY"],
            public_key=self._told["CONNECTWISE_PUBLIC_KEY"],
            private_key=self._told["CONNECTWISE_PRIVATE_KEY"],
            client_id=self._told["CONNECTWISE_CLIENT_ID"],
            patience=self._patience,
            pace=unhurried(),
        )

    def call(self, kind: str) -> object:
        """Ask for an answer of a kind, as the connector does."""
        return self._calls[kind]()


def unhurried() -> Pace:
    """A pace that nothing waits for, not even after a 429."""
    return Pace(sleep=lambda _: None)


@contextmanager
def in_time() -> Iterator[None]:
    """Fail instead of waiting for ever (what hangs is left behind in its daemon thread)."""
    done = threading.Event()
    timer = threading.Timer(LONGEST, lambda: None if done.is_set() else _give_up())
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        done.set()
        timer.cancel()


def _give_up() -> None:
    _thread.interrupt_main()


def value_or_refusal(clients: Clients, kind: str) -> object:
    """Return what a call gives, or the refusal, which must be fit to be shown; nothing else may come out."""
    with in_time():
        try:
            return clients.call(kind)
        except ConnectorError as refused:
            return fit_to_be_shown(refused)


def fit_to_be_shown(refused: ConnectorError) -> ConnectorError:
    assert refused.exit_code in {5, 8}, refused.message
    assert refused.message.isprintable()
    assert len(refused.message) < 1500
    return refused


@pytest.fixture(scope="module")
def stocked() -> Iterator[tuple[Desk, Clients]]:
    """One desk for every call of this file: a customer, a firewall, and a line to change."""
    with desk() as made:
        alder = made.msp.customer("Alder", {"CIXA-MSP": 3})
        made.msp.firewall("X1A", "CEMA-MSP", tenant=alder.tenant, billing_tenant=alder.tenant)
        alder.has(ENDPOINT, 4)
        yield made, Clients(made)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=20)
@given(damage=damages())
def test_a_damaged_answer_is_a_value_or_a_refusal(
    kind: str, stocked: tuple[Desk, Clients], damage: Callable[[Any], Any]
) -> None:
    at, clients = stocked
    at.spoil = damaged(kind, damage)
    value_or_refusal(clients, kind)


def _said(exchange: Exchange) -> str:
    return exchange.body.decode("utf-8")


BODIES: dict[str, Callable[[Exchange], Reply]] = {
    "empty": lambda _: Reply(b""),
    "blank": lambda _: Reply(b" \n"),
    "null": lambda _: Reply(b"null"),
    "text": lambda _: Reply(b'"hello"'),
    "number": lambda _: Reply(b"7"),
    "huge number": lambda _: Reply(b"1" + b"0" * 400),
    "digits without end": lambda _: Reply(b"9" * 1_000_000),
    "NaN": lambda _: Reply(b"NaN"),
    "HTML": lambda _: Reply(b"<html><script>alert(1)</script>\x1b[2J"),
    "UTF-16": lambda it: Reply(_said(it).encode("utf-16")),
    "UTF-16 without a mark": lambda it: Reply(_said(it).encode("utf-16-le")),
    "UTF-32": lambda it: Reply(_said(it).encode("utf-32")),
    "Latin-1": lambda _: Reply('{"name": "B\xe4r"}'.encode("latin-1")),
    "invalid UTF-8": lambda it: Reply(it.body[:5] + b"\xff\xc0\x80\xed\xa0\x80" + it.body[5:]),
    "two byte order marks": lambda it: Reply(b"\xef\xbb\xbf\xef\xbb\xbf" + it.body),
    "cut in the middle": lambda it: Reply(it.body[: len(it.body) // 2]),
    "twice": lambda it: Reply(it.body + it.body),
    "trailing": lambda it: Reply(it.body + b"}"),
    "NULs": lambda _: Reply(b"\0" * 5000),
    "deep lists": lambda _: Reply(b"[" * 100_000),
    "deep objects": lambda _: Reply(b'{"items":' * 100_000),
    "long text": lambda _: Reply(b'{"x": "' + b"x" * 8_000_000 + b'"}'),
    "gzip garbage": lambda _: Reply(b"\x1f\x8b garbage", headers={"Content-Encoding": "gzip"}),
    "cut gzip": lambda it: Reply(gzip.compress(it.body)[:25], headers={"Content-Encoding": "gzip"}),
    "not packed": lambda it: Reply(it.body, headers={"Content-Encoding": "gzip"}),
    "deflate garbage": lambda _: Reply(b"\0\1\2\3", headers={"Content-Encoding": "deflate"}),
    "packed many times": lambda it: Reply(it.body, headers={"Content-Encoding": ", ".join(["gzip"] * 50)}),
    "unknown packing": lambda it: Reply(zlib.compress(it.body), headers={"Content-Encoding": "x-none"}),
    "bad chunks": lambda _: Reply(b"zz\r\nhello\r\n", headers={"Transfer-Encoding": "chunked"}),
    "longer than sent": lambda it: Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + it.body),
    "negative length": lambda it: Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + it.body),
    "two lengths": lambda it: Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n" + it.body),
    "no HTTP": lambda _: Reply(raw=b"220 smtp.example ESMTP\r\n"),
    "no headers' end": lambda _: Reply(raw=b"HTTP/1.1 200 OK\r\nA: b\r\n"),
    "odd status": lambda _: Reply(raw=b"HTTP/1.1 abc OK\r\n\r\n"),
    "status 999": lambda _: Reply(status=999),
    "status 204": lambda _: Reply(raw=b"HTTP/1.1 204 X\r\n\r\n"),
    "status 101": lambda _: Reply(raw=b"HTTP/1.1 101 X\r\n\r\n"),
    "a header without a colon": lambda _: Reply(
        raw=b"HTTP/1.1 200 OK\r\n\x1b[31m no colon\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "many headers": lambda it: Reply(it.body, headers={f"X-{n}": "y" for n in range(200)}),
    "long header": lambda it: Reply(it.body, headers={"X": "y" * 70_000}),
    "silence": lambda _: Reply(raw=b""),
}


@pytest.mark.parametrize("how", BODIES)
@pytest.mark.parametrize("kind", ["token", "usage", "companies", "creation"])
def test_any_bytes_at_all_are_a_value_or_a_refusal(
    kind: str, how: str, stocked: tuple[Desk, Clients]
) -> None:
    at, clients = stocked
    at.spoil = replaced(kind, BODIES[how])
    answered = value_or_refusal(clients, kind)

    if kind in {"usage", "companies"} and how not in {"negative length", "unknown packing"}:
        assert isinstance(answered, ConnectorError), f"{how} was taken for {answered}"


LOCATIONS = [
    "", "/", "http://[", "http://[::1", "http://x:99999999/", "http://x:-1/", "http://\xff\xfe/", "//",
    "\x01",
    "javascript:alert(1)", "http://169.254.169.254/latest/meta-data/",
    "https://" + "a" * 60_000, "http://a@[b]c/",
]  # fmt: skip


@pytest.mark.parametrize("status", [302, 308])
@pytest.mark.parametrize("location", LOCATIONS, ids=range(len(LOCATIONS)))
def test_a_redirect_to_anywhere_is_a_refusal(
    location: str, status: int, stocked: tuple[Desk, Clients]
) -> None:
    at, clients = stocked
    for kind in ("whoami", "companies", "creation"):
        at.spoil = replaced(kind, lambda _: Reply(b"moved", status, {"Location": location}))
        assert isinstance(value_or_refusal(clients, kind), ConnectorError)


def test_a_redirect_with_a_body_without_end_is_not_read_to_its_end(stocked: tuple[Desk, Clients]) -> None:
    at, clients = stocked
    bomb = gzip.compress(b" " * (80 * 1024 * 1024), 1)
    headers = {"Location": "/elsewhere", "Content-Encoding": "gzip"}
    at.spoil = replaced("companies", lambda _: Reply(bomb, 302, headers))
    tracemalloc.start()
    try:
        assert isinstance(value_or_refusal(clients, "companies"), ConnectorError)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 75 * 1024 * 1024


HEADERS = {
    "Date": [
        "", "yesterday", "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0100 00:00:00 +2359", "0",
        "1 2 3 4 5 6",
        "Sat, 31 Feb 2026 00:00:00 GMT", "Fri, 31 Dec 2026 23:59:59 +99999999999", "\xe4", ":" * 500,
    ],
    "Link": [
        "", "<", "<>", '<>; rel="next"', "<x>; rel=next",
        "<" * 50_000, "<x>" + ";a" * 30_000, "<x>;" + " " * 60_000,
        '<x>; rel="' + "next " * 10_000, ",".join(["<x>; rel=prev"] * 4000),
    ],
    "x-cw-request-id": ["\x1b[31m", "x" * 60_000, "\xff"],
    "Content-Type": ["", "text/html; charset=utf-16", "application/json; charset=nonsense", "\xff"],
    "Set-Cookie": ["a=b; Domain=.; Max-Age=9e99", "=" * 5000, "\x01"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, each) for name, said in HEADERS.items() for each in said])
@pytest.mark.parametrize("kind", ["tenants", "companies"])
def test_odd_headers_are_no_matter(kind: str, name: str, value: str, stocked: tuple[Desk, Clients]) -> None:
    at, clients = stocked
    at.spoil = replaced(kind, lambda it: Reply(it.body, it.status, dict(it.headers) | {name: value}))
    assert not isinstance(value_or_refusal(clients, kind), BaseException)


@pytest.mark.parametrize(
    "wait",
    ["soon", "-1", "1e9", "9" * 400, "Sat, 31 Feb 2026 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"],
)
@pytest.mark.parametrize("kind", ["tenants", "companies", "creation"])
def test_an_odd_wait_is_no_matter(kind: str, wait: str, stocked: tuple[Desk, Clients]) -> None:
    at, clients = stocked
    at.spoil = replaced(kind, lambda _: Reply(b"{}", 429, {"Retry-After": wait}))
    assert isinstance(value_or_refusal(clients, kind), ConnectorError)


@pytest.mark.parametrize("text", ["eyJ-", "bearer ", "basic+", "Bearer        ", "\\u0041", "***"])
@pytest.mark.parametrize("status", [200, 403])
def test_text_that_looks_like_tokens_does_not_hold_the_run_up(
    text: str, status: int, stocked: tuple[Desk, Clients]
) -> None:
    at, clients = stocked
    at.spoil = replaced("companies", lambda _: Reply((text * 25_000).encode("ascii"), status))
    before = time.thread_time()
    assert isinstance(value_or_refusal(clients, "companies"), ConnectorError)
    # Some milliseconds, or, where the time grows with the square of the length, some seconds.
    assert time.thread_time() - before < 1


# Whole runs ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy() -> Iterator[tuple[Desk, Customer]]:
    """One desk for the whole runs: one customer with two products and a firewall."""
    with desk() as made:
        alder = made.msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
        made.msp.firewall("X1A", "CEMA-MSP", tenant=alder.tenant, billing_tenant=alder.tenant)
        made.run.settings["CONNECTOR_TIMEOUT"] = "5"
        yield made, alder


def assert_sound(at: Desk, done: Result) -> None:
    """A run ended with one of its codes, and 5 means that nothing was written."""
    assert done.exit_code in {0, 3, 4, 5, 6, 8}, done.stdout
    if done.exit_code in {4, 5, 8}:
        assert at.committed == 0
        assert done.writes == []
    at.run.check()


@settings(deadline=None, max_examples=30)
@given(kind=st.sampled_from(READ), damage=damages())
def test_a_run_that_reads_damaged_answers_goes_on_or_stops_before_it_writes(
    busy: tuple[Desk, Customer], kind: str, damage: Callable[[Any], Any]
) -> None:
    at, _ = busy
    at.start_anew()
    at.spoil = damaged(kind, damage)
    with in_time():
        assert_sound(at, at.run("sync"))


@settings(deadline=None, max_examples=15)
@given(kind=st.sampled_from(READ), how=st.sampled_from(sorted(BODIES.keys() - {"long text"})))
def test_a_run_that_reads_any_bytes_at_all_goes_on_or_stops_before_it_writes(
    busy: tuple[Desk, Customer], kind: str, how: str
) -> None:
    at, _ = busy
    at.start_anew()
    at.spoil = replaced(kind, BODIES[how])
    with in_time():
        assert_sound(at, at.run("sync"))


@settings(deadline=None, max_examples=15)
@given(kind=st.sampled_from(["creation", "patching"]), damage=damages())
def test_after_damaged_answers_to_writes_the_next_run_ends_right(
    busy: tuple[Desk, Customer], kind: str, damage: Callable[[Any], Any]
) -> None:
    at, alder = busy
    at.start_anew()
    if kind == "patching":
        alder.uses("CIXA-MSP", 11)
        assert at.run("sync").exit_code == 0
        alder.uses("CIXA-MSP", 12)
    at.spoil = damaged(kind, damage)
    with in_time():
        assert at.run("sync").exit_code in {0, 6}
        at.spoil = None
        assert at.run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-EMAIL": 6}
    assert at.run("sync").writes == []


@settings(deadline=None, max_examples=10)
@given(how=st.sampled_from(sorted(BODIES.keys() - {"long text"})))
def test_after_any_bytes_as_an_answer_to_a_write_the_next_run_ends_right(
    busy: tuple[Desk, Customer], how: str
) -> None:
    at, alder = busy
    at.start_anew()
    at.spoil = replaced("creation", BODIES[how])
    with in_time():
        assert at.run("sync").exit_code in {0, 6}
        at.spoil = None
        assert at.run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-EMAIL": 6}


# What was found, one by one ------------------------------------------------------------------------


@pytest.mark.parametrize("huge", [2**63, 2**70, 10**99, -(2**70)])
@pytest.mark.parametrize("kind", ["companies", "agreements", "catalog"])
def test_an_id_that_no_database_can_hold_stops_the_run_or_is_nobodys(
    at_desk: Desk, kind: str, huge: int
) -> None:
    at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    at_desk.spoil = edited(KINDS[kind][1], lambda rows: [row | {"id": huge} for row in rows])

    done = at_desk.run("sync")

    assert done.exit_code in {3, 5}
    assert at_desk.committed == 0


@pytest.mark.parametrize("huge", [2**63, 2**70])
def test_a_new_line_with_an_id_that_no_database_can_hold_is_found_by_the_next_run(
    at_desk: Desk, huge: int
) -> None:
    alder = at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    at_desk.spoil = edited("/additions$", lambda made: made | {"id": huge}, "POST")

    assert at_desk.run("sync").exit_code in {0, 6}
    at_desk.spoil = None
    assert at_desk.run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_a_sum_that_no_json_number_keeps_is_told_and_not_sent(at_desk: Desk) -> None:
    alder, birch = (at_desk.msp.customer(name) for name in ("Alder", "Birch"))
    for _ in range(199):
        alder.adds("CIXA-MSP", Decimal("987654321.123457"))
    birch.uses("CIXA-MSP", 3)

    done = at_desk.run("sync")

    assert done.exit_code in {3, 5, 6}
    assert alder.bills == {}
    if done.exit_code != 5:
        assert birch.bills == {ENDPOINT: 3}


@pytest.mark.parametrize(
    ("date", "vendor"),
    [
        ("Fri, 31 Dec 9999 23:59:59 -2359", "/system/info"),
        ("Fri, 31 Dec 9999 23:59:59 -2359", "/billing/usage"),
        ("Mon, 01 Jan 0100 00:00:00 +2359", "/system/info"),
    ],
)
def test_the_doctor_survives_a_clock_beyond_all_time(at_desk: Desk, date: str, vendor: str) -> None:
    at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    at_desk.spoil = lambda it: Reply(it.body, it.status, dict(it.headers) | {"Date": date})

    done = at_desk.run("doctor")

    assert done.exit_code == 0
    assert all(it["status"] == "ok" for it in done.json["checks"] if not it["name"].startswith("Clock"))
