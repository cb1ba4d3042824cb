"""Names that are attacks: shown escaped, quoted where they are asked for, and otherwise only text."""

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest
from hostile.between import Exchange, Reply
from hostile.desk import Desk, assert_harmless, edited
from months.calling import Result
from months.msp import ENDPOINT

from connector.cli import simulate
from connector.simulator.conditions import parse

SHOWABLE = {
    "quotes": 'O\'Brien "and" Sons',
    "backslash": "a\\",
    "backslash quote": '\\" or id>0 or name="',
    "formula": "=cmd|'/C calc'!A0",
    "script": "<script>alert(1)</script>",
    "SQL": "x'); DROP TABLE runs;--",
    "format": "{0.__class__} %s %n {} ${jndi:ldap://x}",
    "condition": '") or (id>0',
    "condition in single quotes": "') or (id>0",
    "bracket": "[2026-01-01T00:00:00Z]",
    "percent": "%1b%5b31m&orderBy=id desc#",
    "long": "x" * 199,
    "emoji": "\U0001f525\U0001f468\U0001f3fd",
    "combining": "Z\u0335\u0322a\u0336lgo",
    "path": "../../../etc/passwd",
    "markup": "[bold red]x[/bold red]",
}
UNSHOWABLE = {
    "escape": "\x1b[31mred\x1b]0;owned\x07",
    "C1": "\x9b31m\x90q\x9c\x85",
    "newline": "Alder\nError: all is lost\r\n",
    "backspaces": "good\b\b\b\bevil\x7f",
    "NUL": "a\0b",
    "right to left": "\u202egnp.exe\u2066\u2069\u200f",
    "zero width": "a\u200bb\u2060\ufeffc",
    "line separators": "a\u2028b\u2029c",
    "private": "\ue000\U000f0000\uffff",
    "tags": "\U000e0041\U000e0042",
    "lone surrogates": "\ud800x\udfff",
    "swapped pair": "\udc00\ud800",
}
NAMES = SHOWABLE | UNSHOWABLE
WORST = {
    "showable": "".join(text for key, text in SHOWABLE.items() if key != "long"),
    "unshowable": "".join(
        text for key, text in UNSHOWABLE.items() if "surr" not in key and "swapped" not in key
    ),
    "half letters": "\ud800x\udfff\udc00\ud800",
}
"""As many of them as fit into one name."""

PLACE = "@PLACE@"


def called(name: str) -> Callable[[Exchange], Reply | None]:
    """Return what puts a name wherever an answer has the placeholder; on the wire it is plain ASCII."""
    spelled = json.dumps(name)[1:-1].encode("ascii")
    return lambda it: (
        Reply(it.body.replace(PLACE.encode(), spelled), it.status, it.headers)
        if PLACE.encode() in it.body
        else None
    )


def looked_at(at: Desk, *args: str, **settings: str) -> Result:
    """Run a command for people and for programs; neither may hold anything that a terminal obeys."""
    told = at.run.text(*args, "--verbose", **settings)
    done = at.run(*args, **settings)
    for text in (told.stdout, told.stderr, done.stdout, done.stderr):
        assert_harmless(text)
    return done


@pytest.mark.parametrize("name", WORST.values(), ids=WORST)
def test_names_of_the_vendors_are_only_ever_shown_escaped(at_desk: Desk, name: str) -> None:
    world, msp = at_desk.world, at_desk.msp
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5, "NEW-MSP": 1})
    birch = msp.customer("Birch", {"CIXA-MSP": 7}, mapped=False)
    world.tenants[alder.tenant].name = PLACE
    world.tenants[birch.tenant].name = PLACE
    world.rename_company(alder.company.id, PLACE, PLACE)
    world.rename_agreement(alder.agreement.id, PLACE)
    item = msp.item(ENDPOINT)
    world.rename_item(item.id, PLACE, PLACE)
    msp.maps("CIXA-MSP", item=item.id)
    alder.entry |= {"company": alder.company.id, "agreement": alder.agreement.id, "name": "\u00c4lder"}
    world.add_firewall("X1A", PLACE, "CIXA-MSP")
    world.use(msp.period, None, "CIXA-MSP", 1, serial="X1A", customer=PLACE)
    at_desk.spoil = called(name)

    assert looked_at(at_desk, "plan").exit_code == 3
    assert at_desk.run("sync").outcomes == [("create", "done"), ("create", "done")]
    # Everything once more where it is said why: a warning, a line of people's, a line that moves elsewhere.
    alder.has(ENDPOINT, 2)
    other = msp.item("OTHER")
    world.rename_item(other.id, f"{PLACE}-2")
    msp.maps("CIXA-MSP", item=other.id)
    alder.stops("CEMA-MSP")
    assert looked_at(at_desk, "sync").exit_code == 3
    looked_at(at_desk, "doctor")
    world.agreements[alder.agreement.id].cancelled = True
    looked_at(at_desk, "plan")
    world.merge_company(alder.company.id)
    looked_at(at_desk, "plan")


@pytest.mark.parametrize("field", ["productCode", "sku", "accountNumberOrSerialNumber", "externalId"])
def test_odd_codes_and_serials_are_refused_or_shown_escaped(at_desk: Desk, field: str) -> None:
    at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    for name in [*UNSHOWABLE.values(), *WORST.values(), SHOWABLE["SQL"], SHOWABLE["formula"], "x" * 199]:
        row: dict[str, object] = {field: name}
        row |= {"productCode": ""} if field == "sku" else {}
        row |= {"accountId": ""} if field in {"externalId", "accountNumberOrSerialNumber"} else {}
        at_desk.spoil = edited("/billing/usage", _with_rows(row))

        done = at_desk.run.text("sync")

        assert_harmless(done.stdout + done.stderr)
        assert done.exit_code in {3, 5}, name
    assert at_desk.committed == 0


def _with_rows(row: dict[str, object]) -> Callable[[Any], Any]:
    return lambda body: body | {"items": [each | row for each in body["items"]]}


@pytest.mark.parametrize("name", WORST.values(), ids=WORST)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_vendors_say_in_errors_is_shown_escaped(at_desk: Desk, name: str, method: str) -> None:
    at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    said = json.dumps({"code": name, "message": name, "errors": [{"message": name, "field": name}]})

    def refuse(exchange: Exchange) -> Reply | None:
        if exchange.method != method or "/additions" not in exchange.path:
            return None
        return Reply(said.encode("ascii"), 400, {"x-cw-request-id": "\x7f\x9b31m\xad"})

    at_desk.spoil, at_desk.between.withholds_writes = refuse, True
    assert looked_at(at_desk, "sync").exit_code == (5 if method == "GET" else 6)
    at_desk.spoil = lambda it: Reply(said.encode("ascii"), 401) if "oauth2" in it.path else None
    assert looked_at(at_desk, "plan").exit_code == 5


def conditions(at: Desk) -> list[str]:
    """Return the conditions that ConnectWise was asked with; each must be one that it can read."""
    asked = [it.query["conditions"] for it in at.simulator.requests if "conditions" in it.query]
    for text in asked:
        parse(text)
    return asked


@pytest.mark.parametrize("name", SHOWABLE.values(), ids=SHOWABLE)
def test_names_of_the_map_are_quoted_where_connectwise_is_asked_for_them(at_desk: Desk, name: str) -> None:
    msp = at_desk.msp
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    at_desk.world.rename_company(alder.company.id, name)
    at_desk.world.rename_agreement(alder.agreement.id, name)
    at_desk.world.rename_item(msp.item(ENDPOINT).id, name)
    msp.maps("CIXA-MSP", item=None)
    msp.mappings["products"]["CIXA-MSP"] = {"item": name, "name": name}
    alder.entry |= {"name": name, "company": name, "agreement": name}

    done = at_desk.run("sync")

    assert done.exit_code == 0, done.stdout
    assert alder.bills == {name: 12, "SOPHOS-EMAIL": 5}
    unquotable = '"' in name and "'" in name
    assert any("SOPHOS-EMAIL" in text for text in conditions(at_desk)) is not unquotable


@pytest.mark.parametrize("name", SHOWABLE.values(), ids=SHOWABLE)
def test_names_of_the_map_that_find_nothing_are_told_and_find_nothing_else(at_desk: Desk, name: str) -> None:
    msp = at_desk.msp
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CEMA-MSP": 5})
    msp.mappings["products"]["CIXA-MSP"] = {"item": name}
    birch.entry["agreement"] = name

    done = looked_at(at_desk, "sync")

    assert (done.exit_code, sorted(done.unresolved)) == (3, ["AGREEMENT_NOT_FOUND", "ITEM_NOT_FOUND"])
    assert (alder.bills, birch.bills) == ({}, {})
    conditions(at_desk)


@pytest.mark.parametrize("name", WORST.values(), ids=WORST)
def test_odd_words_on_the_command_line_are_shown_escaped(at_desk: Desk, name: str) -> None:
    at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    name = name.replace("\0", "")  # which no system passes on
    commands = [
        ("plan", name),
        ("apply", name),
        (name,),
        ("plan", "--tenant", name),
        ("plan", "--product", name),
    ]
    for command in (*commands, ("sync", "--force", name), ("plan", f"--{name}")):
        done = at_desk.run.text(*command)
        assert done.exit_code in {2, 4}, command
        assert_harmless(done.stdout + done.stderr)


FOLDERS = [
    "with blank",
    "Bücher",
    "\U0001f525",
    'it\'s "q"',
    "a%20b#c?d=e",
    "--json",
    "[x]",
    "\x1b[31m",
    "\u202ex",
    "a\nb",
]


@pytest.mark.parametrize("name", FOLDERS)
def test_files_may_lie_in_folders_of_any_name(at_desk: Desk, name: str) -> None:
    alder = at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    folder = at_desk.run.folder / name
    folder.mkdir()
    (folder / "map.yaml").write_text(at_desk.msp.text(), encoding="utf-8")
    given = {"CONNECTOR_STATE": str(folder / "state"), "CONNECTOR_MAPPINGS": str(folder / "map.yaml")}

    assert looked_at(at_desk, "sync", **given).exit_code == 0
    assert (folder / "state" / "connector.db").exists()
    assert alder.bills == {ENDPOINT: 12}
    looked_at(at_desk, "doctor", **given)
    # Each way to fail names the path: no map, a faulty map, no state, a plan that is not there.
    assert looked_at(at_desk, "plan", "--mappings", str(folder / "none.yaml")).exit_code == 2
    (folder / "map.yaml").write_text("version: 2", encoding="utf-8")
    assert looked_at(at_desk, "plan", **given).exit_code == 2
    (folder / "map.yaml").write_text(at_desk.msp.text(), encoding="utf-8")
    assert looked_at(at_desk, "apply", "0123456789ab", **given).exit_code == 2
    assert looked_at(at_desk, "plan", "--state", str(folder / "map.yaml")).exit_code == 2


# What was found, one by one ------------------------------------------------------------------------


def test_a_digest_that_is_no_text_is_a_fault_of_the_command(at_desk: Desk) -> None:
    done = at_desk.run("apply", "\udcff")
    assert (done.exit_code, done.json["error"]["code"]) == (2, "COMMAND")


@pytest.mark.parametrize("name", ["CONNECTOR_STATE", "CONNECTOR_MAPPINGS", "SOPHOS_CLIENT_SECRET_FILE"])
def test_a_path_with_a_nul_in_a_dot_env_is_a_fault_of_the_settings(at_desk: Desk, name: str) -> None:
    (at_desk.run.folder / ".env").write_bytes(f"{name}=a\0b\n".encode())
    given: dict[str, str | None] = {"SOPHOS_CLIENT_SECRET": None} if "SECRET" in name else {}
    assert at_desk.run("plan", **given).exit_code == 2


@pytest.mark.parametrize("name", ["\ud800", "a\x7fb"])
def test_a_reason_with_half_a_letter_or_a_delete_in_it_is_kept_and_shown(at_desk: Desk, name: str) -> None:
    alder = at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    assert at_desk.run("sync").exit_code == 0
    other = at_desk.msp.item("OTHER")
    at_desk.msp.maps("CIXA-MSP", item=other.id)
    at_desk.world.rename_item(other.id, PLACE)
    at_desk.spoil = called(name)

    done = looked_at(at_desk, "sync")

    assert done.exit_code == 0
    assert [line.quantity for line in alder.lines("SOPHOS-ENDPOINT")] == [0]


def test_what_asks_the_simulator_is_shown_escaped(
    at_desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = http.client.HTTPConnection(at_desk.simulator.url.removeprefix("http://"), timeout=5)
    connection.request("GET", "/%1b%5b31m%1b%5d0;owned%07")
    connection.getresponse().read()
    connection.close()
    simulate._tell_new(at_desk.simulator)
    assert_harmless(capsys.readouterr().err)


@pytest.mark.parametrize("name", ["\x1b[31mcopy.db", "\u202ecopy.db", "missing\x9b/copy.db"])
def test_where_a_backup_went_is_shown_escaped(at_desk: Desk, name: str) -> None:
    at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    assert at_desk.run("sync").exit_code == 0
    looked_at(at_desk, "state", "check")
    told = at_desk.run.text("state", "backup", name)
    assert_harmless(told.stdout + told.stderr)
