"""No secret is ever told or kept, in any spelling; what is kept is its owner's alone."""

import base64
import html
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hostile.between import Exchange, Reply
from hostile.desk import Desk
from months.calling import Result
from months.msp import ENDPOINT

posix_only = pytest.mark.skipif(os.name != "posix", reason="modes say nothing on Windows")


# Every character that some encoding spells differently; '~~~' and '???' become '+' and '/' in base64.
ODD = "a+b/c=d&e\"f<g>h'i j~~~??\u00e9"


@pytest.fixture
def guarded(at_desk: Desk) -> Desk:
    """A desk whose keys are spelled differently in every encoding, with a customer to bill."""
    world = at_desk.world
    world.sophos_client_secret = f"sophos-{ODD}-secret"
    world.public_key = "public-~~~???>>>-key"
    world.private_key = f"private-{ODD}-key"
    world.connectwise_client_id = "0d3c8f52-5f6e-4e0f-9c7b-2f64a1f5f0ab"
    at_desk.run.settings |= at_desk.between.settings()
    at_desk.msp.customer("Alder", {"CIXA-MSP": 12})
    return at_desk


def basic(at: Desk) -> str:
    world = at.world
    keys = f"{world.company_login}+{world.public_key}:{world.private_key}"
    return base64.b64encode(keys.encode()).decode()


def secrets(at: Desk) -> dict[str, str]:
    world = at.world
    tokens = {f"token {number}": token for number, token in enumerate(world.tokens)}
    return tokens | {
        "Sophos client id": world.sophos_client_id,
        "Sophos client secret": world.sophos_client_secret,
        "public key": world.public_key,
        "private key": world.private_key,
        "ConnectWise client id": world.connectwise_client_id,
        "Basic value": basic(at),
    }


def dotnet(text: str) -> str:
    """Spell text in JSON as .NET does, which escapes more than Python does, and in capitals."""
    return "".join(
        f"\\u{ord(letter):04X}" if letter in "\"&'+<>`" or not letter.isascii() else letter
        for letter in text.replace("\\", "\\\\")
    )


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "URL in small letters": lambda text: re.sub("%..", lambda it: it[0].lower(), quote(text, safe="")),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON within JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON of .NET": dotnet,
    "HTML": html.escape,
}


def assert_kept_to_itself(at: Desk, *told: Result) -> None:
    """Look for every secret, in every spelling, wherever a run leaves anything."""
    words = "".join(each.stdout + each.stderr for each in told)
    kept = b"".join(path.read_bytes() for path in at.run.state.rglob("*") if path.is_file())
    for name, secret in secrets(at).items():
        data = secret.encode()
        forms = {spell(secret) for spell in SPELLINGS.values()}
        forms |= {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
        # A part of it would be bad enough: so long a piece of each end is looked for, too.
        forms |= {form[:16] for form in forms if len(form) > 24} | {
            form[-16:] for form in forms if len(form) > 24
        }
        for form in forms:
            assert form not in words, f"{name} was told as {form!r}"
            assert form.encode() not in kept, f"{name} is in the state folder as {form!r}"


def test_a_good_run_tells_and_keeps_no_secret(guarded: Desk) -> None:
    run = guarded.run
    told = [run.text("doctor", "--verbose"), run.text("plan", "--verbose"), run("plan", "--verbose")]
    digest = told[-1].json["digest"]
    told += [run.text("apply", digest, "--verbose"), run("sync", "--verbose")]
    assert [each.exit_code for each in told] == [0] * 5
    assert_kept_to_itself(guarded, *told)


def test_files_open_while_a_run_writes_hold_no_secret_and_are_its_owners(guarded: Desk) -> None:
    seen: dict[str, bytes] = {}
    modes: dict[str, int] = {}

    def look(vendor: str, method: str, _path: str, _number: int) -> None:
        if method == "POST" and vendor == "connectwise":
            for path in guarded.run.state.rglob("*"):
                seen[path.name] = path.read_bytes()
                modes[path.name] = stat.S_IMODE(path.stat().st_mode)

    guarded.simulator.before_request = look
    assert guarded.run("sync").exit_code == 0
    assert {"connector.db", "connector.db-wal", "connector.db-shm", "connector.lock"} <= seen.keys()
    for secret in secrets(guarded).values():
        assert not any(secret.encode() in data for data in seen.values())
    if os.name == "posix":
        assert modes == dict.fromkeys(modes, 0o600)


# Failures that quote our secrets back ----------------------------------------------------------------


def quoted_back(exchange: Exchange, spelled: Callable[[str], str]) -> str:
    """Return all that a server could quote of a request: its sign-in, its keys, its body."""
    said = [exchange.asked.get("Authorization", ""), exchange.asked.get("clientId", "")]
    if "oauth2" in exchange.path:
        said += [exchange.sent.decode(), unquote_plus(exchange.sent.decode())]
    return " | ".join(spelled(each) for each in said)


@pytest.fixture(params=["message", "unknown key", "HTML page", "headers"])
def place(request: pytest.FixtureRequest) -> Callable[[str], tuple[bytes, dict[str, str]]]:
    """Where a server quotes: a body, and headers."""

    def put(text: str) -> tuple[bytes, dict[str, str]]:
        safe = text.encode("latin-1", "replace").decode("latin-1")
        match request.param:
            case "message":
                return f'{{"message": "{text}", "error": "{text}"}}'.encode(), {}
            case "unknown key":
                return f'{{"detail": "{text}"}}'.encode(), {}
            case "HTML page":
                return f"<html><p>{text}</p></html>".encode(), {"Content-Type": "text/html"}
            case "headers":
                names = ("x-cw-request-id", "Location", "WWW-Authenticate", "X-Echo", "Link", "Set-Cookie")
                return f'{{"requestId": "{text}"}}'.encode(), dict.fromkeys(names, safe)
        return text.encode(), {}

    return put


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_server_that_quotes_our_sign_in_back_gives_nothing_away(
    guarded: Desk, spelling: str, place: Callable[[str], tuple[bytes, dict[str, str]]]
) -> None:
    told = []
    endings = [(200, "oauth2"), (401, "oauth2"), (302, "/whoami"), (403, "/company/"), (500, "/company/")]
    if spelling == "as it is":
        endings += [
            (400, "oauth2"),
            (500, "oauth2"),
            (401, "/whoami"),
            (403, "/billing/"),
            (404, "/company/"),
        ]
        endings += [(429, "/company/"), (200, "/company/"), (302, "/company/")]
    for status, path in endings:

        def spoil(exchange: Exchange, status: int = status, path: str = path) -> Reply | None:
            if path not in exchange.path:
                return None
            body, headers = place(quoted_back(exchange, SPELLINGS[spelling]))
            return Reply(body, status, headers)

        guarded.spoil = spoil
        told.append(guarded.run.text("plan", "--verbose"))
        assert told[-1].exit_code in {5, 8}, told[-1].stdout
    assert_kept_to_itself(guarded, *told)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_write_whose_answer_quotes_our_sign_in_back_keeps_nothing(guarded: Desk, spelling: str) -> None:
    told = []
    guarded.between.withholds_writes = True
    for status in (200, 400, 403, 500):

        def spoil(exchange: Exchange, status: int = status) -> Reply | None:
            if exchange.method != "POST" or "/additions" not in exchange.path:
                return None
            text = quoted_back(exchange, SPELLINGS[spelling])
            body = json.dumps(
                {"message": text, "serialNumber": text, "id": text, "errors": [{"message": text}]}
            )
            headers = {"x-cw-request-id": text.encode("ascii", "replace").decode(), "Retry-After": "0"}
            return Reply(body.encode(), status, headers)

        guarded.spoil = spoil
        told.append(guarded.run("sync", "--verbose", CONNECTOR_TIMEOUT="1"))
        assert told[-1].exit_code == 6
    assert_kept_to_itself(guarded, *told)


def test_what_an_addition_holds_of_our_keys_is_neither_told_nor_kept(guarded: Desk) -> None:
    (alder,) = guarded.world.companies.values()
    agreement = next(it for it in guarded.world.agreements.values() if it.company_id == alder.id)
    item = guarded.msp.item(ENDPOINT)
    guarded.world.add_addition(agreement.id, item.id, 3, serial_number=f"Basic {basic(guarded)}")
    told = [guarded.run.text("plan", "--verbose"), guarded.run("sync", "--adopt")]
    assert_kept_to_itself(guarded, *told)


# Settings that are wrong -----------------------------------------------------------------------------

WRONG: dict[str, dict[str, str | None]] = {
    "password in the URL": {"CONNECTWISE_URL": "https://user:hunter2hunter2@cw.example"},
    "password in the auth URL": {"SOPHOS_AUTH_URL": "https://user:hunter2hunter2@id.example/t"},
    "password in a URL of another scheme": {"SOPHOS_API_URL": "ftp://user:hunter2hunter2@api.example"},
    "password in a URL that is none": {"CONNECTWISE_URL": "https://user:hunter2hunter2@[cw.example"},
    "password in the query": {"CONNECTWISE_URL": "https://cw.example/?key=hunter2hunter2"},
    "password in a proxy": {
        "SOPHOS_AUTH_URL": "https://id.example.invalid/t",
        "HTTPS_PROXY": "http://user:hunter2hunter2@127.0.0.1:bad",
    },
    "password in a proxy that is not there": {
        "SOPHOS_AUTH_URL": "https://id.example.invalid/t",
        "HTTPS_PROXY": "http://user:hunter2hunter2@127.0.0.1:9",
    },
    "line break in a key": {"CONNECTWISE_PRIVATE_KEY": "hunter2hunter2\nrest"},
    "letter beyond ASCII in an id": {"CONNECTWISE_CLIENT_ID": "hunter2hunter2\u00e9"},
    "key in place of a file": {
        "CONNECTWISE_PRIVATE_KEY": None,
        "CONNECTWISE_PRIVATE_KEY_FILE": "missing-file",
    },
    "wrong Sophos secret": {"SOPHOS_CLIENT_SECRET": "hunter2hunter2"},
    "wrong private key": {"CONNECTWISE_PRIVATE_KEY": "hunter2hunter2"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_named_and_not_repeated(guarded: Desk, wrong: dict[str, str | None]) -> None:
    for told in (guarded.run.text("plan", "--verbose", **wrong), guarded.run("plan", **wrong)):
        assert told.exit_code in {2, 5}
        assert "hunter2" not in told.stdout + told.stderr
        assert_kept_to_itself(guarded, told)


@pytest.mark.parametrize(
    "content",
    [
        b"SOPHOS_CLIENT_SECRET hunter2",
        b"hunter2",
        b"A=1\n\xffhunter2",
        b"=hunter2",
        b"\xff\xfeh\0u\0n\0t\0e\0r\0",
    ],
)
def test_a_malformed_dot_env_is_not_repeated(guarded: Desk, content: bytes) -> None:
    path = guarded.run.folder / ".env"
    path.write_bytes(content)
    path.chmod(0o600)
    told = guarded.run.text("plan", "--verbose")
    assert told.exit_code == 2
    assert "hunter2" not in told.stdout + told.stderr


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", "folder"])
def test_a_secret_file_that_cannot_be_read_is_named_and_not_repeated(
    guarded: Desk, content: bytes | str | None
) -> None:
    path = guarded.run.folder / "key"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    given = {"CONNECTWISE_PRIVATE_KEY": None, "CONNECTWISE_PRIVATE_KEY_FILE": str(path)}
    told = guarded.run.text("plan", "--verbose", **given)
    assert told.exit_code == 2
    assert "CONNECTWISE_PRIVATE_KEY_FILE" in told.stderr
    assert_kept_to_itself(guarded, told)


# Files -----------------------------------------------------------------------------------------------


def modes(folder: Path) -> dict[str, int]:
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    return found | {".": stat.S_IMODE(folder.stat().st_mode)}


@posix_only
@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_the_state_is_its_owners_alone_whatever_the_umask(guarded: Desk, umask: int) -> None:
    during: dict[str, int] = {}

    def look(_vendor: str, method: str, _path: str, _number: int) -> None:
        if method == "POST":
            during.update(modes(guarded.run.state) if guarded.run.state.exists() else {})

    guarded.simulator.before_request = look
    before = os.umask(umask)
    try:
        assert guarded.run("sync").exit_code == 0
    finally:
        os.umask(before)
    assert {"connector.db-wal", "connector.lock.json"} <= during.keys()
    for found in (during, modes(guarded.run.state)):
        assert found == {name: 0o700 if name == "." else 0o600 for name in found}


@posix_only
def test_in_a_folder_that_was_there_before_the_files_are_still_their_owners_alone(guarded: Desk) -> None:
    guarded.run.state.mkdir()
    guarded.run.state.chmod(0o755)
    before = os.umask(0)
    try:
        assert guarded.run("sync").exit_code == 0
    finally:
        os.umask(before)
    assert {mode for name, mode in modes(guarded.run.state).items() if name != "."} == {0o600}


@posix_only
def test_a_run_as_a_process_under_no_umask_makes_private_files(guarded: Desk) -> None:
    guarded.run.prepare()
    settings = {name: value for name, value in guarded.run.environment({}).items() if value is not None}
    script = "import os; os.umask(0); from connector.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "sync"],
        cwd=guarded.run.folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = modes(guarded.run.state)
    assert found == {name: 0o700 if name == "." else 0o600 for name in found}


# .env that others can read ---------------------------------------------------------------------------


@posix_only
def test_a_dot_env_that_others_can_read_is_told_once_and_stops_nothing(guarded: Desk) -> None:
    path = guarded.run.folder / ".env"
    path.write_text("CONNECTOR_TIMEOUT=20\n", encoding="utf-8")
    path.chmod(0o644)
    for command in (("plan",), ("doctor",), ("sync",), ("plan", "--json"), ("sync", "--json", "--verbose")):
        told = guarded.run.text(*command)
        assert told.exit_code == 0
        assert told.stderr.count("chmod 600") == 1, command
        assert str(path) in told.stderr
        assert "chmod" not in told.stdout
    path.chmod(0o600)
    assert "chmod" not in guarded.run.text("plan").stderr
