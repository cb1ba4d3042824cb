"""Settings, mappings.yaml at fault, secrets and foreign text (contract sections 1, 2)."""

import base64
from pathlib import Path

import pytest
from months.calling import Run
from months.msp import ENDPOINT, Msp

from connector.simulator import Fault, Simulator

NEEDED = (
    "SOPHOS_CLIENT_ID", "SOPHOS_CLIENT_SECRET", "CONNECTWISE_URL", "CONNECTWISE_COMPANY",
    "CONNECTWISE_PUBLIC_KEY", "CONNECTWISE_PRIVATE_KEY", "CONNECTWISE_CLIENT_ID",
)  # fmt: skip


@pytest.mark.parametrize("blank", [None, "", "  "])
@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named_before_anything_is_asked(run: Run, name: str, blank: str | None) -> None:
    ended = run("sync", **{name: blank})

    assert (ended.exit_code, ended.requests) == (2, ())
    assert name in ended.json["error"]["message"]
    assert ".env" in ended.json["error"]["message"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONNECTOR_TODAY", "28.10.2026"),
        ("CONNECTOR_TODAY", "2026-10-32"),
        ("CONNECTWISE_URL", "not a url"),
        ("CONNECTWISE_URL", "http://psa.example/v4_6_release/apis/3.0"),
        ("CONNECTWISE_URL", "ftp://na.myconnectwise.net"),
        ("SOPHOS_API_URL", "http://api.central.sophos.example"),
        ("SOPHOS_AUTH_URL", "http://id.sophos.example/token"),
        ("SOPHOS_AUTH_URL", "http://127.0.0.1.evil.example/token"),
        ("CONNECTWISE_PRIVATE_KEY_FILE", "nowhere.txt"),
    ],
)
def test_a_malformed_setting_is_named_before_anything_is_asked(run: Run, name: str, value: str) -> None:
    run.settings["CONNECTWISE_PRIVATE_KEY"] = None if name.endswith("_FILE") else run.msp.world.private_key

    ended = run("sync", **{name: value})

    assert (ended.exit_code, ended.requests) == (2, ())
    assert name in ended.json["error"]["message"]


def test_settings_may_stand_in_a_file_with_windows_line_ends(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    settings = run.simulator.settings()
    lines = ["# settings", "", *(f"{name}={value}" for name, value in settings.items())]
    (run.folder / ".env").write_bytes("\ufeff".encode() + "\r\n".join(lines).encode() + b"\r\n")

    assert run("sync", **dict.fromkeys(settings)).exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_the_environment_comes_before_the_file(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    (run.folder / ".env").write_text("CONNECTOR_TODAY=2030-01-01\nSOPHOS_CLIENT_ID=x\n", encoding="utf-8")

    assert run("plan").json["period"] == "2026-10"


def test_secrets_may_be_read_from_files(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    files: dict[str, str | None] = {}
    for name in NEEDED:
        if name not in {"CONNECTWISE_URL", "CONNECTWISE_COMPANY"}:
            (run.folder / name).write_bytes(run.simulator.settings()[name].encode() + b"\r\n")
            files |= {name: None, f"{name}_FILE": str(run.folder / name)}

    assert run("plan", **files).exit_code == 0


def test_a_file_of_settings_may_name_the_files_of_secrets(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    (run.folder / "secret.txt").write_text(msp.world.sophos_client_secret, encoding="utf-8")
    (run.folder / ".env").write_bytes(b"SOPHOS_CLIENT_SECRET_FILE=secret.txt\r\n")

    assert run("plan", SOPHOS_CLIENT_SECRET=None).exit_code == 0


def test_connectwise_may_be_given_as_a_site(msp: Msp, run: Run, simulator: Simulator) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    done = run("sync", CONNECTWISE_URL=f"{simulator.site_url}/")

    assert done.exit_code == 0
    assert alder.bills == {ENDPOINT: 12}
    asked = [request.path for request in done.requests if request.vendor == "connectwise"]
    assert asked[0] == "/login/companyinfo/examplemsp"
    assert asked[1].startswith("/v2025_1/apis/3.0/")


def test_a_company_that_the_site_does_not_know_is_5(msp: Msp, run: Run, simulator: Simulator) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    ended = run("sync", CONNECTWISE_URL=simulator.site_url, CONNECTWISE_COMPANY="ExampleMsp")

    assert ended.exit_code == 5
    assert "CONNECTWISE_COMPANY" in ended.json["error"]["next"]


def test_the_day_can_be_set_for_a_rehearsal(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.mappings["defaults"] = {"effective": "today"}

    assert run("sync", CONNECTOR_TODAY="2026-10-30").exit_code == 0
    assert str(alder.line().effective) == "2026-10-30"


# mappings.yaml -----------------------------------------------------------------------------------


def test_all_faults_of_the_map_are_told_at_once_before_anything_is_asked(run: Run) -> None:
    run.mappings_text = (
        "version: 1\n"
        "defaults:\n"
        "  absent: delete\n"
        "products:\n"
        "  CIXA-MSP: {itme: SOPHOS-ENDPOINT}\n"
        "tennants: {}\n"
    )

    ended = run("sync")

    assert (ended.exit_code, ended.requests, ended.json["error"]["code"]) == (2, (), "MAPPINGS")
    for place in ("3:", "5:", "6:"):
        assert f"\n  {place}" in ended.json["error"]["message"]
    assert not list(run.state.glob("*")) or run.state.is_dir()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "version: 2", "products: {}", "version: 1\nversion: 1", "version: 1\nproducts: [a]", "{",
        "version: 1\nproducts: {A: {item: X}, A: {item: Y}}", "version: 1\nguards: {removals: much}",
        "a: &a [*a]",
    ],
)  # fmt: skip
def test_a_map_that_cannot_be_is_a_fault(run: Run, text: str) -> None:
    run.mappings_text = text

    ended = run("sync")
    assert (ended.exit_code, ended.requests) == (2, ())


def test_a_map_that_is_not_there_is_a_fault(run: Run) -> None:
    ended = run("plan", "--mappings", "nowhere.yaml")

    assert (ended.exit_code, ended.requests) == (2, ())
    assert "nowhere.yaml" in ended.json["error"]["message"]


def test_only_the_version_is_required(msp: Msp, run: Run) -> None:
    run.mappings_text = "version: 1\n"
    msp.customer("Alder", {"CIXA-MSP": 12})

    assert run("plan").exit_code == 3


def test_a_code_that_looks_like_something_else_to_yaml_is_text(msp: Msp, run: Run) -> None:
    run.mappings_text = "version: 1\nproducts:\n  NO: {item: ON}\n  1E3: {sync: false}\ntenants: {}\n"
    msp.customer("Stranger", {"NO": 1, "1E3": 1}, mapped=False)

    done = run("plan")
    assert (done.unresolved, done.json["coverage"]["off"]) == (["UNMAPPED_TENANT"], 1)


# Secrets and foreign text ------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["sync", "doctor", "plan"])
def test_no_secret_is_told_even_when_everything_is(
    msp: Msp, run: Run, simulator: Simulator, command: str
) -> None:
    """The fixture looks through all output and all of the state folder afterwards."""
    msp.customer("Alder", {"CIXA-MSP": 12})
    quoted = {"message": f"bad {msp.world.private_key} {msp.world.sophos_client_secret}", "code": "Bad"}
    simulator.faults.add(Fault("body", path="/whoami", edit=lambda body: body | quoted, times=None))

    told = run.text(command, "--verbose")

    assert told.exit_code == 0
    assert "GET" in told.stderr
    assert set(msp.world.tokens) <= run.secrets
    assert msp.world.tokens


@pytest.mark.parametrize(
    ("path", "field", "exit_code"),
    [("/oauth2/token", "errorCode", 5), ("/whoami", "idType", 5), ("/additions$", "serialNumber", 6)],
)
def test_a_secret_that_a_vendor_quotes_back_is_not_told(
    msp: Msp, run: Run, path: str, field: str, exit_code: int
) -> None:
    world = msp.world
    msp.customer("Alder", {"CIXA-MSP": 12})
    basic = base64.b64encode(
        f"{world.company_login}+{world.public_key}:{world.private_key}".encode()
    ).decode()
    said = f"quoted {world.private_key} {basic}" if exit_code == 6 else f"quoted {world.sophos_client_secret}"
    method = "GET" if path == "/whoami" else "POST"
    quote = Fault("body", path=path, method=method, edit=lambda body: body | {field: said}, times=None)
    run.simulator.faults.add(quote)

    ended = run.text("sync", "--verbose")

    assert ended.exit_code == exit_code
    assert "quoted ***" in ended.stdout + ended.stderr


NASTY = "\x1b[31mAlder\x07\x9b2J\u202eevil\u2066\u200b\r\nSecond line"


def look(run: Run) -> list[int]:
    """Run the commands that show names; what they say must be harmless. Return their exit codes.

    The fixture looks for raw control characters in all output; here come those that hide or turn text.
    """
    said = [run.text(command, "--verbose") for command in ("plan", "sync", "doctor")]
    for result in said:
        assert not {"\u202e", "\u2066", "\u200b"} & {*result.stdout, *result.stderr}
        assert not any(line.startswith("Second line") for line in result.stdout.splitlines())
    return [result.exit_code for result in said]


def test_names_from_outside_cannot_play_with_the_terminal(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "NEW-\u202e-MSP": 2})
    alder.uses("CEMA-MSP", 3, description=NASTY, customer=NASTY)
    msp.world.rename_item(msp.item(ENDPOINT).id, description=NASTY)
    msp.world.rename_company(alder.company.id, name=NASTY)
    msp.world.rename_agreement(alder.agreement.id, NASTY)
    alder.entry["agreement"] = alder.agreement.id
    msp.world.tenants[alder.tenant].name = NASTY
    stranger = msp.customer("Stranger", {"CIXA-MSP": 1}, mapped=False)
    msp.world.tenants[stranger.tenant].name = NASTY
    msp.firewall("X1\u202eSPARE", "CIXA-MSP")

    assert look(run) == [3, 3, 0]


@pytest.mark.parametrize("where", ["product", "serial", "item", "company"])
def test_codes_from_outside_cannot_play_with_the_terminal(msp: Msp, run: Run, where: str) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    match where:
        case "product":
            alder.uses(f"NEW-{NASTY}", 2)
        case "serial":
            msp.firewall(f"X1{NASTY}", "CIXA-MSP")
        case "item":
            msp.item(f"ITEM {NASTY}")
        case _:
            msp.world.add_company(NASTY, "Somebody else")

    assert set(look(run)) <= {0, 3, 5}


def test_a_console_that_lacks_a_character_is_no_bug(msp: Msp, run: Run) -> None:
    alder = msp.customer("Bäckerei", {"CIXA-MSP": 12})
    msp.world.rename_company(alder.company.id, name="日本 GmbH")

    assert run.text("plan", PYTHONIOENCODING="ascii").exit_code == 0


def test_the_contact_people_of_customers_are_not_kept(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    alder.uses("CIXA-MSP", 12, wire={"contactName": "Ada Lovelace", "contactEmail": "ada@alder.example"})
    run("sync")

    kept = b"".join(path.read_bytes() for path in run.state.rglob("*") if path.is_file())
    assert b"Lovelace" not in kept
    assert b"ada@alder" not in kept


def test_the_state_folder_is_made_where_it_is_missing(msp: Msp, run: Run, tmp_path: Path) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    assert run("plan", "--state", str(tmp_path / "a" / "b")).exit_code == 0
    assert (tmp_path / "a" / "b" / "connector.db").is_file()
