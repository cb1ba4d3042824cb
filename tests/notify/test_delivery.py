"""Each kind of message is received by a real server of its protocol, and no server can hold the job."""

import logging
import time
from urllib.parse import parse_qs

import pytest
from notify.listening import PASSWORD, hanging, http, nobody, smtp

from connector.runs.telling.delivery import Message, Timings, _send, deliver, scheme_of
from connector.runs.telling.heartbeat import beat

QUICK = Timings(answer=0.3, whole=5.0)
BODY = "UNMAPPED_PRODUCT: Éire <b>Ltd</b> & **sons** [x](y) ${HOME} {{app_id}} \\n\nNext: connector plan"
MESSAGE = Message("Sophos billing: 2 things need you", BODY)


def test_a_mail_arrives_as_plain_text_with_the_sign_in_that_its_address_holds() -> None:
    with smtp() as box:
        assert deliver([box.address], MESSAGE, Timings()) == (True, ())

    (mail,) = box.mails
    assert (mail["Subject"], mail["To"], mail.get_content_type()) == (
        MESSAGE.title,
        "desk@msp.example",
        "text/plain",
    )
    assert mail.get_content().replace("\r\n", "\n").strip() == BODY


def test_a_json_hook_gets_title_and_text_as_they_are() -> None:
    with http() as hook:
        assert deliver([hook.address("json", "/a/b")], MESSAGE, Timings())[0]

    (posted,) = hook.posted
    assert posted.path == "/a/b"
    assert (posted.json["title"], posted.json["message"], posted.json["attachments"]) == (
        MESSAGE.title,
        BODY,
        [],
    )
    assert posted.headers["Authorization"].startswith("Basic ")


def test_a_chat_of_the_kind_of_slack_and_teams_gets_one_text_that_names_no_other_site() -> None:
    with http() as hook:
        assert deliver([f"mmost://127.0.0.1:{hook.port}/tokentokentoken"], MESSAGE, Timings())[0]

    (posted,) = hook.posted
    assert posted.path == "/hooks/tokentokentoken"
    assert MESSAGE.title in posted.json["text"]
    assert "Next: connector plan" in posted.json["text"]
    assert b"http" not in posted.body


@pytest.mark.parametrize("scheme", ["xml", "form"])
def test_other_hooks_get_it_too(scheme: str) -> None:
    with http() as hook:
        assert deliver([hook.address(scheme)], MESSAGE, Timings())[0]

    (posted,) = hook.posted
    if scheme == "xml":
        assert b"&lt;b&gt;Ltd&lt;/b&gt;" in posted.body
    else:
        assert parse_qs(posted.body.decode())["message"] == [BODY]


def test_what_is_good_news_is_not_sent_as_a_warning() -> None:
    with http() as hook:
        deliver([hook.address("json")], Message("fine", "fine", urgent=False), Timings())
        deliver([hook.address("json")], MESSAGE, Timings())

    assert [posted.json["type"] for posted in hook.posted] == ["success", "warning"]


def test_one_address_that_takes_it_is_enough_and_the_others_are_named_by_scheme_alone() -> None:
    with http() as hook, http() as refusing, smtp() as box:
        refusing.statuses = [500]
        box.refusing = True
        addresses = [
            refusing.address("json"),
            box.address,
            hook.address("form"),
            f"xml://clerk:{PASSWORD}@127.0.0.1:{nobody()}/x",
            f"nonsense://{PASSWORD}",
            PASSWORD,
        ]
        taken, warnings = deliver(addresses, MESSAGE, Timings())

    assert taken
    assert [warning.partition(":")[0] for warning in warnings] == [
        "Notification 1 of 6, json",
        "Notification 2 of 6, mailto",
        "Notification 4 of 6, xml",
        "Notification 5 of 6, nonsense",
        "Notification 6 of 6, an address without a scheme",
    ]
    assert "apprise understands no such address" in warnings[3]
    assert not any(PASSWORD in warning or "127.0.0.1" in warning for warning in warnings)


@pytest.mark.parametrize(
    "address",
    ["json://127.0.0.1:{port}/", "mailto://127.0.0.1:{port}?mode=insecure&from=c@b.example&to=a@b.example"],
)
def test_a_server_that_never_answers_holds_nobody(address: str) -> None:
    began = time.monotonic()
    with hanging() as port:
        taken, warnings = deliver([address.format(port=port)], MESSAGE, QUICK)

    assert not taken
    assert warnings[0].endswith("it could not be reached or did not take the message.")
    assert time.monotonic() - began < 4


def test_the_whole_has_an_end_whatever_an_address_does() -> None:
    with hanging() as port, http() as hook:
        slow = f"json://127.0.0.1:{port}/"
        taken, warnings = deliver([slow, hook.address("json")], MESSAGE, Timings(answer=30.0, whole=1.5))

    assert taken
    assert warnings == ("Notification 1 of 2, json: it did not answer in time.",)


def test_a_redirect_is_not_followed() -> None:
    with http() as hook:
        hook.statuses = [307]
        assert not deliver([hook.address("json")], MESSAGE, Timings())[0]

    assert len(hook.posted) == 1


def test_no_log_of_any_level_holds_an_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.NOTSET), http() as hook:
        logging.getLogger("urllib3.connectionpool").setLevel(logging.DEBUG)
        deliver([hook.address("json", "/secret-path"), f"json://u:{PASSWORD}@127.0.0.1:1/"], MESSAGE, QUICK)
        deliver([f"slack://{PASSWORD}", f"mailto://{PASSWORD}@"], MESSAGE, QUICK)
        beat(f"{hook.url}/ping/secret-path", QUICK)

    assert len(hook.posted) == 2
    assert PASSWORD not in caplog.text
    assert "secret-path" not in caplog.text


def test_an_address_that_breaks_a_plugin_is_only_not_understood() -> None:
    with http() as hook:
        taken, warnings = deliver(
            [f"json://127.0.0.1:{PASSWORD}/", "slack://" + "/" * 5000, hook.address("json")],
            MESSAGE,
            Timings(),
        )
    assert taken
    assert len(warnings) == 2


def test_an_address_whose_plugin_cannot_even_be_made_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(PASSWORD)

    monkeypatch.setattr("apprise.Apprise.instantiate", broken)
    assert deliver([f"json://{PASSWORD}"], MESSAGE, QUICK) == (
        False,
        ("Notification 1 of 1, json: apprise understands no such address.",),
    )


def test_a_plugin_that_raises_is_refused_and_its_words_are_not_told() -> None:
    class Broken:
        @property
        def asset(self) -> None:
            raise RuntimeError(PASSWORD)

    assert _send(Broken(), MESSAGE) == "refused"  # type: ignore[arg-type]


def test_a_scheme_is_all_that_an_address_tells() -> None:
    assert scheme_of("MAILTOS://u:p@h") == "mailtos"
    assert scheme_of("hunter2") == "an address without a scheme"


# The heartbeat -----------------------------------------------------------------------------------


def test_a_heartbeat_is_one_get_without_anything_of_ours() -> None:
    with http() as hook:
        hook.statuses = [204]
        assert beat(f"{hook.url}/ping/token?x=1", Timings()) == ""

    (posted,) = hook.posted
    assert (posted.method, posted.path, posted.body) == ("GET", "/ping/token?x=1", b"")
    assert "Authorization" not in posted.headers


def test_a_heartbeat_is_tried_twice() -> None:
    with http() as hook:
        hook.statuses = [503, 200]
        assert beat(f"{hook.url}/ping", Timings()) == ""
        assert len(hook.posted) == 2


@pytest.mark.parametrize(("status", "told"), [(404, "the answer was 404"), (302, "the answer was 302")])
def test_a_heartbeat_in_vain_says_so_without_its_address(status: int, told: str) -> None:
    with http() as hook:
        hook.statuses = [status]
        assert (
            beat(f"{hook.url}/ping/token", Timings())
            == f"CONNECTOR_HEARTBEAT_URL was called in vain: {told}."
        )
        assert [posted.path for posted in hook.posted] == ["/ping/token"] * 2


def test_a_heartbeat_to_nobody_or_to_one_who_hangs_ends() -> None:
    assert beat(f"http://127.0.0.1:{nobody()}/", QUICK).endswith("it could not be reached.")
    with hanging() as port:
        began = time.monotonic()
        assert beat(f"http://127.0.0.1:{port}/", QUICK).endswith("it did not answer in time.")
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://ping.example/token", "plain http to another machine"),
        ("ftp://127.0.0.1/token", "no web address"),
        ("token", "no web address"),
        ("https://[token", "no web address"),
    ],
)
def test_a_heartbeat_that_would_show_its_token_is_not_called(url: str, why: str) -> None:
    said = beat(url, QUICK)
    assert why in said
    assert "token" not in said
